// The dataset pane's state: the report as it came, which level is open, and where its lists stand.

import Messages

/// What the dataset pane shows.
struct DatasetState: Sendable, Equatable {
  enum Level: Sendable, Equatable {
    case classes
    /// The images of one class, by its index in the report.
    case files(Int)
    /// Every warning and every file that does not decode.
    case warnings
  }

  enum Reading: Sendable, Equatable {
    /// Files seen so far.
    case scanning(files: Int)
    /// Every file is being decoded; so many so far.
    case checking(files: Int)
    case done
    /// Why there is no report.
    case failed(String)
  }

  var path: String
  var reading = Reading.scanning(files: 0)
  var report: DatasetReport?
  var level = Level.classes
  var classes = BrowsableList()
  var files = BrowsableList()
  var warnings = BrowsableList()

  init(path: String) { self.path = path }

  /// The folder's own name.
  var name: String { lastComponent(path) }

  /// The class whose files are listed.
  var openClass: ClassReport? {
    guard case .files(let index) = level else { return nil }
    return report?.classes[index]
  }

  /// The path, from the working folder, of the file that the list stands on.
  var selectedFile: String? {
    guard let report, let openClass, let item = files.selectedItem else { return nil }
    return joined(report.root, openClass.images[item].path)
  }

  /// Takes in a new report and keeps the place by names, since indices may mean other classes now.
  mutating func take(_ new: DatasetReport) {
    let openName = openClass?.name
    report = new
    reading = .done
    classes.reload(total: new.classes.count) { new.classes[$0].name }
    let lines = warningLines
    warnings.reload(total: lines.count) { lines[$0] }
    if case .files = level {
      if let index = new.classes.firstIndex(where: { $0.name == openName }) {
        level = .files(index)
        let images = new.classes[index].images
        files.reload(total: images.count) { images[$0].path }
      } else {
        level = .classes
      }
    }
  }

  mutating func open(class index: Int) {
    guard let report, report.classes.indices.contains(index) else { return }
    level = .files(index)
    files.reset(total: report.classes[index].images.count)
  }

  /// A line a finding.
  var warningLines: [String] {
    (report?.findings ?? []).map { finding in
      finding.subject.map { "\($0): \(finding.text)" } ?? finding.text
    }
  }
}

/// The part after the last slash; the whole where there is none.
func lastComponent(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}

/// A path below a folder.
func joined(_ folder: String, _ path: String) -> String {
  if path.hasPrefix("/") || folder.isEmpty { return path }
  return folder.hasSuffix("/") ? folder + path : folder + "/" + path
}
