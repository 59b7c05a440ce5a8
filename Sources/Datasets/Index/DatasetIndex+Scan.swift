// From a folder to an index: classes, their images, which split each gets. Which folders are classes is in
// DatasetLayout.swift, listing the files of a class in FolderWalker.swift, what the user decided about them in
// Decisions.swift.

import Files
import Glibc
import Images
import Messages
import Support

extension DatasetIndex {
  /// Reads a dataset's folder as `ScannedDataset.read` does, and applies decisions.
  /// - Throws: `DatasetError` where there is nothing to train on; anything less is a finding in the index.
  public static func scan(
    root: String, split: SplitSettings, minimumClasses: Int = 2, decisions: Decisions = .none,
    progress: (DatasetProgress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws(DatasetError) -> DatasetIndex {
    try ScannedDataset.read(
      root: root, split: split, minimumClasses: minimumClasses, progress: progress, isCancelled: isCancelled
    ).index(decisions)
  }

  /// Reads a dataset's folder with the decisions that are kept about it: what everything that uses a dataset calls,
  /// so that decisions hold everywhere.
  /// - Parameter recorded: see `ScannedDataset.read`.
  /// - Throws: `DatasetError`, also where the decisions cannot be read: nothing is trained on half of them.
  public static func open(
    root: String, split: SplitSettings, minimumClasses: Int = 2, recorded: RecordedSplits? = nil,
    decisions: DecisionStore = .standard, progress: (DatasetProgress) -> Void = { _ in },
    isCancelled: () -> Bool = { false }
  ) throws(DatasetError) -> DatasetIndex {
    let reading = try ScannedDataset.read(
      root: root, split: split, minimumClasses: minimumClasses, recorded: recorded, progress: progress,
      isCancelled: isCancelled)
    return reading.index(try decisions.find(for: reading))
  }
}

extension ScannedDataset {
  /// Reads a dataset's folder. Two layouts are known:
  ///
  ///     DATA/<class>/...                            divided by a rule on each image's path
  ///     DATA/{train,val,test}/<class>/...       under these names or others (`SplitFolderName`)
  ///
  /// or TFRecord shards (`readRecords`). Images may lie in sub-folders of a class. In the second layout validation
  /// images are taken out of `train` where there is no validation folder; a missing `test` stays empty. Images that are
  /// named in lists (see `SplitLists`) belong where the lists say, in either layout; others are left out, or go where
  /// they would without lists (`SplitSettings.takesUnlisted`). Dot-files and system files are ignored.
  ///
  /// - Parameters:
  ///   - minimumClasses: 1 for data that are only measured; a classifier needs two to be trained.
  ///   - recorded: the splits that images had when a run was started: they win over the rule, not over lists and
  ///     folders.
  ///   - progress: called with the number of images found so far, at most 20 times a second, and at the end.
  ///   - isCancelled: asked every few files; true ends the reading.
  /// - Throws: `DatasetError` where there is nothing to train on, `.cancelled` where it was cancelled; anything less
  ///   is a finding.
  public static func read(
    root: String, split: SplitSettings, minimumClasses: Int = 2, recorded: RecordedSplits? = nil,
    progress: (DatasetProgress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws(DatasetError) -> ScannedDataset {
    try split.validate()
    var lists: SplitLists?
    if let folder = split.lists { lists = try SplitLists(folder: folder) }
    let root = trimmed(root)
    let listing = try list(root)
    let division = ImageDivision(root: root, settings: split, lists: lists, recorded: recorded)
    if let records = try readRecords(
      root: root, listing: listing, division: division, minimumClasses: minimumClasses, progress: progress,
      isCancelled: isCancelled)
    {
      return records
    }

    var walker = FolderWalker(root: root)
    walker.note(strayEntriesOf: listing, at: "")
    let layout = try DatasetLayout(root: root, named: split.folders)
    for holder in layout.holders where !holder.isEmpty {
      if let inner = try? FolderListing(path: "\(root)/\(holder)") {
        walker.note(strayEntriesOf: inner, at: holder)
      }
    }
    guard !layout.folders.isEmpty else { throw unread(root, layout.unreadable) ?? .noClassFolders(path: root) }
    try walker.walk(layout.folders, progress: progress, isCancelled: isCancelled)
    let unreadable =
      walker.unreadable
      + layout.unreadable.filter { folder in !walker.unreadable.contains { $0.path.hasSameBytes(as: folder.path) } }

    let found = ClassTable(folders: layout.folders, files: walker.files)
    guard let firstClass = found.classes.first else { throw unread(root, unreadable) ?? .noImages(path: root) }
    guard found.classes.count >= minimumClasses else {
      throw unread(root, unreadable) ?? .tooFewClasses(path: root, only: firstClass)
    }

    let hasValidation = walker.files.contains { layout.folders[$0.folder].part == .validation }
    let outputs = Set(walker.foldersOfOutput.map { ClassName(layout.folders[$0].name) })
    let images = found.files.map { label, file in
      let origin: SplitOrigin =
        switch layout.folders[file.folder].part {
        case nil: .rule
        case .train where !hasValidation: .ruleWithinTraining
        case let part?: .named(part)
        }
      return UndividedImage(
        path: file.path, label: label, origin: origin, classFolder: layout.folders[file.folder].path)
    }
    let divided = try division.divided(images, classes: found.classes)
    // A folder that may not be read is no empty class.
    let closed = Set(unreadable.map { ClassName(FilePath.split($0.path).name) })
    return ScannedDataset(
      root: root, split: split, classes: found.classes, items: divided.items, unlisted: divided.unlisted,
      splitSource: lists != nil ? .lists : layout.splitByFolder ? .folders : .hash,
      findings: layout.findings + unreadable.dropFirst(walker.unreadable.count).map(\.finding) + walker.findings
        + divided.findings + found.mergedClasses
        + found.emptyClasses.filter { !outputs.contains(ClassName($0)) && !closed.contains(ClassName($0)) }.map(
          DatasetIndex.emptyClassFinding))
  }

  /// What is said in place of "there is none" where some of it may not be looked into; nil where all may be.
  private static func unread(_ root: String, _ folders: [UnreadableFolder]) -> DatasetError? {
    guard let first = folders.first else { return nil }
    let more = folders.count > 1 ? ", nor \(folders.count - 1) more of its folders" : ""
    return .unreadable(
      path: first.path.isEmpty ? root : "\(root)/\(first.path)", reason: "\(first.reason)\(more)")
  }

  private static func list(_ root: String) throws(DatasetError) -> FolderListing {
    var status = stat()
    guard root.withPathCString({ stat($0, &status) }) == 0 else {
      let number = errno
      if number == ENOENT || number == ENOTDIR { throw .notFound(path: root) }
      throw .unreadable(path: root, reason: "\(SystemError(number: number))")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAFolder(path: root) }
    do {
      return try FolderListing(path: root)
    } catch {
      throw .unreadable(path: root, reason: "\(error)")
    }
  }

  private static func trimmed(_ path: String) -> String {
    var path = Substring(path)
    while path.count > 1 && path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }
}

extension FolderEntry {
  var isFolder: Bool { kind == .folder || kind == .linkedFolder }
}

/// The classes that have images, and the images by label. Folders whose names are one class in two Unicode spellings
/// are folders of one class.
private struct ClassTable {
  var classes: [String]
  var emptyClasses: [String]
  /// In order of the label, then of the path.
  var files: [(label: Int, file: FolderWalker.File)]
  /// Notes about folders that lie side by side and are one class.
  var mergedClasses: [DatasetFinding] = []

  init(folders: [ClassFolder], files found: [FolderWalker.File]) {
    var places: [ClassName: Int] = [:]
    var groups: [(name: String, files: [FolderWalker.File])] = []
    let groupOfFolder = folders.map { folder in
      let name = ClassName(folder.name)
      if let place = places[name] { return place }
      places[name] = groups.count
      groups.append((name.text, []))
      return groups.count - 1
    }
    for file in found { groups[groupOfFolder[file.folder]].files.append(file) }
    mergedClasses = Self.mergedFindings(folders)

    groups.sort { NaturalOrder.precedes($0.name, $1.name) }
    emptyClasses = groups.filter(\.files.isEmpty).map(\.name)
    let filled = groups.filter { !$0.files.isEmpty }
    classes = filled.map(\.name)
    files = filled.enumerated().flatMap { label, group in
      group.files.sorted { NaturalOrder.precedes($0.path, $1.path) }.map { (label, $0) }
    }
  }

  private static func mergedFindings(_ folders: [ClassFolder]) -> [DatasetFinding] {
    struct Place: Hashable {
      var parent: ByteKey
      var name: ClassName
    }
    // The folders' own names: those of splits within a class, disc/train and disc/test, are of one class too.
    let groups = Dictionary(grouping: folders) { folder in
      let (parent, name) = FilePath.split(folder.path)
      return Place(parent: ByteKey(parent), name: ClassName(name))
    }
    return groups.values.filter { $0.count > 1 }.sorted { NaturalOrder.precedes($0[0].path, $1[0].path) }.map {
      group in
      DatasetFinding(
        kind: .mergedClass, severity: .note, subject: ClassName.canonical(group[0].name), paths: group.map(\.path),
        message:
          "\(group.count) folders, \(group.map(\.path).joined(separator: ", ")), have the same name in other "
          + "Unicode spellings: they are one class",
        advice: "if they are not meant to be, rename one")
    }
  }
}
