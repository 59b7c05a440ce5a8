// Which files a level of the dataset pane lists, in which order, and what is known of each.

import Messages

/// A file as the pane lists it.
struct ListedFile: Sendable, Equatable {
  /// Below the dataset's folder.
  var path: String
  /// The class that it counts for; nil for a file that is no image of any class.
  var className: String?
  var split: Split?
  var decision: ImageDecision?
  /// Whether an inspection found that it does not decode.
  var isBroken = false
}

extension DatasetState {
  /// Training images before validation and test images, each in natural order of the path; of a finding, in its own
  /// order. Nil where the report has no such class.
  static func files(of source: FileSource, in report: DatasetReport) -> [ListedFile]? {
    let broken = Set((report.inspection?.undecodable ?? []).map { Array($0.utf8) })
    func listed(_ image: ImageEntry, _ name: String) -> ListedFile {
      ListedFile(
        path: image.path, className: name, split: image.split, decision: image.decision,
        isBroken: !broken.isEmpty && broken.contains(Array(image.path.utf8)))
    }
    switch source {
    case .classNamed(let name):
      guard let entry = report.classes.first(where: { ClassName($0.name) == ClassName(name) }) else { return nil }
      return Split.allCases.flatMap { split in
        entry.images.filter { $0.split == split }.map { listed($0, name) }
      }
    case .finding(let finding):
      let wanted = Set(finding.paths.map { Array($0.utf8) })
      var known: [[UInt8]: ListedFile] = [:]
      for entry in report.classes {
        for image in entry.images {
          let key = Array(image.path.utf8)
          if wanted.contains(key) { known[key] = listed(image, entry.name) }
        }
      }
      return finding.paths.map { known[Array($0.utf8)] ?? ListedFile(path: $0) }
    }
  }

  /// What is known of the image with a path below the dataset's folder. Looks through all of them.
  func image(at path: String) -> ListedFile? {
    for entry in report?.classes ?? [] {
      if let image = entry.images.first(where: { $0.path.hasSameBytes(as: path) }) {
        return ListedFile(path: image.path, className: entry.name, split: image.split, decision: image.decision)
      }
    }
    return nil
  }
}

extension String {
  /// Whether both are the same name of a file: `==` also calls an accent that is composed in another way equal.
  func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }
}
