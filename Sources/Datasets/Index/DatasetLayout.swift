// Which folders of a dataset are its class folders, and which split each is for: the outcome. How it is found out is in
// LayoutReader.swift.

import Messages

/// A folder that holds images of one class, for one split or for all.
struct ClassFolder {
  var name: String
  /// Relative to the dataset's folder.
  var path: String
  /// The split that folder names give it; nil where the rule decides.
  var part: Split?
  var isLink: Bool
}

/// Which folders of a dataset are its class folders.
struct DatasetLayout {
  var splitByFolder = false
  var folders: [ClassFolder] = []
  /// Folders whose content is divided into classes, from the root down: nothing that lies in them directly is an image
  /// of a class.
  var holders: [String] = []
  var findings: [DatasetFinding] = []
  /// Folders that were to be looked into and may not be.
  var unreadable: [UnreadableFolder] = []

  /// - Parameter named: the folders that the user named for splits.
  /// - Throws: `DatasetError.unclearLayout` where the folders could mean two things, or nothing; `.splitFolder` where a
  ///   named one is none.
  init(root: String, named: SplitFolders?) throws(DatasetError) {
    var reader = LayoutReader(root: root)
    let plan = if let named { try reader.plan(named) } else { try reader.plan() }
    switch plan {
    case .classes(let base):
      holders.append(base)
      for entry in reader.survey.glance(base)?.folders ?? [] {
        add(entry, in: base, split: nil)
        if named == nil { reader.noteUsualName(entry.name, in: base) }
      }
    case .splits(let parts):
      splitByFolder = true
      for part in parts {
        holders.append(part.path)
        for entry in reader.classFolders(of: part, among: parts) { add(entry, in: part.path, split: part.split) }
      }
    case .splitsInClasses(let base, let parts):
      splitByFolder = true
      holders.append(base)
      for (name, inner) in parts {
        let path = FolderSurvey.joined(base, name)
        holders.append(path)
        for part in inner {
          folders.append(
            ClassFolder(name: name, path: "\(path)/\(part.name)", part: part.split, isLink: part.isLink))
        }
      }
    }
    for folder in reader.entered where !holders.contains(where: { $0.hasSameBytes(as: folder) }) {
      holders.append(folder)
    }
    findings = reader.findings
    unreadable = reader.survey.unreadable
  }

  private mutating func add(_ entry: FolderEntry, in base: String, split: Split?) {
    folders.append(
      ClassFolder(
        name: entry.name, path: FolderSurvey.joined(base, entry.name), part: split,
        isLink: entry.kind == .linkedFolder))
  }
}

/// A folder that is a split.
struct SplitPart {
  /// Relative to the dataset's folder; empty for that itself.
  var path: String
  var split: Split
}

/// What a dataset's folders are.
enum LayoutPlan {
  /// The folders in `base` are classes.
  case classes(base: String)
  case splits([SplitPart])
  /// The folders in `base` are classes, and in each are the splits.
  case splitsInClasses(base: String, [(name: String, parts: [InnerPart])])

  struct InnerPart {
    var name: String
    var split: Split
    var isLink: Bool
  }
}

extension Split {
  var title: String {
    switch self {
    case .train: "training"
    case .validation: "validation"
    case .test: "test"
    }
  }
}
