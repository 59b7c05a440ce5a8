// The dataset pane's state: the report as it came, which level is open, and where its lists stand.

import Messages

/// A file as the pane lists it.
struct ListedFile: Sendable, Equatable {
  /// Below the dataset's folder.
  var path: String
  /// The class that it counts for; nil for a file that is no image of any class.
  var className: String?
  var split: Split?
  var decision: ImageDecision?
  /// Whether a file check found that it does not decode.
  var isBroken = false
}

/// What the dataset pane shows.
struct DatasetState: Sendable, Equatable {
  enum Level: Sendable, Equatable {
    case classes
    case files(FileSource)
    /// What is wrong with the dataset, most severe first.
    case findings
    /// What looking into every file measured.
    case statistics
  }

  /// Whose files are listed: by value, so that the level outlives a report in which indices mean something else.
  enum FileSource: Sendable, Equatable {
    case classNamed(String)
    case finding(DatasetFinding)
  }

  enum Reading: Sendable, Equatable {
    /// Images found so far, in all and in each class that was begun.
    case scanning(files: Int, classes: [DatasetProgress.ClassCount])
    /// Every file is being decoded.
    case checking(TaskProgress)
    case done
    /// It was given up before there was a report.
    case cancelled
    /// Why there is no report.
    case failed(String)

    var isUnderWay: Bool {
      switch self {
      case .scanning, .checking: true
      case .done, .cancelled, .failed: false
      }
    }
  }

  var path: String
  var reading = Reading.scanning(files: 0, classes: [])
  /// Looking into every file was asked for and has not been answered.
  var fileCheckAsked = false
  var report: DatasetReport?
  /// The last report of a file check; its word on contents holds until the folder is read afresh.
  private(set) var checked: DatasetReport?
  var level = Level.classes
  var classes = BrowsableList()
  var findings = BrowsableList()
  var files = BrowsableList()
  /// The files that the open level lists, in the order in which they are shown.
  private(set) var listed: [ListedFile] = []
  /// What was decided, by the bytes of an image's path: looked up for every picture of a sheet.
  private(set) var decided: [[UInt8]: ImageDecision] = [:]
  /// For each decision that was made here, what takes it back; the last one last.
  var undoable: [[DecisionChange]] = []

  init(path: String) { self.path = path }

  /// The folder's own name.
  var name: String { lastComponent(path) }

  /// The file that the list stands on.
  var selectedFile: ListedFile? {
    guard case .files = level, let item = files.selectedItem else { return nil }
    return listed[item]
  }

  /// Its path from the working folder.
  var selectedPath: String? {
    guard let report, let file = selectedFile else { return nil }
    return joined(report.root, file.path)
  }

  var selectedFinding: DatasetFinding? {
    guard let report, let item = findings.selectedItem else { return nil }
    return report.findings[item]
  }

  /// Takes in that reading was asked for.
  mutating func ask(checkingFiles: Bool) {
    fileCheckAsked = checkingFiles
    if checkingFiles {
      reading = .checking(TaskProgress(done: 0, total: report?.counts.total ?? 0))
    } else {
      reading = .scanning(files: 0, classes: [])
      checked = nil
    }
  }

  /// Takes in a new report and keeps the place by names: indices may mean something else now.
  mutating func apply(_ new: DatasetReport) {
    let (finding, path) = (selectedFinding, selectedFile?.path)
    if new.statistics != nil { (checked, fileCheckAsked) = (new, false) }
    let shown = checked.map(new.keepingStatistics) ?? new
    report = shown
    reading = .done
    decided = [:]
    for entry in shown.classes {
      for image in entry.images {
        if let decision = image.decision { decided[Array(image.path.utf8)] = decision }
      }
    }
    classes.reload(total: shown.classes.count) { shown.classes[$0].name }
    findings.reload(
      total: shown.findings.count, selecting: shown.findings.firstIndex { $0 == finding }
    ) { shown.findings[$0].searchText }
    guard case .files(let source) = level else { return }
    guard let files = Self.files(of: source, in: shown) else {
      level = .classes
      return
    }
    list(files, selecting: path)
  }

  mutating func open(_ source: FileSource) {
    guard let report, let files = Self.files(of: source, in: report) else { return }
    level = .files(source)
    listed = files
    self.files.reset(total: files.count)
  }

  private mutating func list(_ new: [ListedFile], selecting path: String?) {
    listed = new
    let item = path.flatMap { path in new.firstIndex { $0.path.hasSameBytes(as: path) } }
    files.reload(total: new.count, selecting: item) { new[$0].path }
  }

  /// One level up.
  /// - Returns: false at the uppermost.
  mutating func goUp() -> Bool {
    switch level {
    case .classes: return false
    case .files(.finding): level = .findings
    case .files(.classNamed), .findings, .statistics: level = .classes
    }
    return true
  }

  // MARK: Files

  /// Training images before validation and test images, each in natural order of the path; of a finding, in its own
  /// order. Nil where the report has no such class.
  static func files(of source: FileSource, in report: DatasetReport) -> [ListedFile]? {
    let broken = Set((report.statistics?.undecodable ?? []).map { Array($0.utf8) })
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

extension DatasetState {
  /// The same of several images, in their order; those that are none of this dataset are left out.
  func images(at paths: [String]) -> [ListedFile] {
    var places: [[UInt8]: Int] = [:]
    for (place, path) in paths.enumerated() { places[Array(path.utf8)] = place }
    var found = [ListedFile?](repeating: nil, count: paths.count)
    for entry in report?.classes ?? [] {
      for image in entry.images {
        guard let place = places[Array(image.path.utf8)] else { continue }
        found[place] = ListedFile(
          path: image.path, className: entry.name, split: image.split, decision: image.decision)
      }
    }
    return found.compactMap { $0 }
  }
}

/// What was decided about images, by path.
struct DecisionsByPath {
  fileprivate var decided: [[UInt8]: ImageDecision]

  subscript(path: String) -> ImageDecision? { decided.isEmpty ? nil : decided[Array(path.utf8)] }
}

extension WorkbenchState {
  /// What was decided about the images of the evaluation on show; nothing where it is of another dataset.
  var decisions: DecisionsByPath { DecisionsByPath(decided: inspectsOpenDataset ? dataset.decided : [:]) }

  /// The same of the images of the run on show.
  var runDecisions: DecisionsByPath {
    DecisionsByPath(decided: curves.run.map { isForeign($0) } ?? true ? [:] : dataset.decided)
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

extension String {
  /// Whether both are the same name of a file: `==` also calls an accent that is composed in another way equal.
  func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }
}
