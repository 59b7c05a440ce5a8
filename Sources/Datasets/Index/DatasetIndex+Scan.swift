// From a folder to an index: which layout it has, which folders are classes, which split each image gets. Listing
// the files of a class is in FolderWalker.swift, what the user decided about them in Decisions.swift.

import Files
import Images
import Foundation
import Messages

extension DatasetIndex {
  /// Reads a dataset's folder as `DatasetReading.read` does, and applies decisions.
  /// - Throws: `DatasetError` where there is nothing to train on; anything less is a finding in the index.
  public static func scan(
    root: String, split: SplitSettings, minimumClasses: Int = 2, decisions: Decisions = .none,
    progress: (DatasetProgress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws(DatasetError) -> DatasetIndex {
    try DatasetReading.read(
      root: root, split: split, minimumClasses: minimumClasses, progress: progress, isCancelled: isCancelled
    ).index(decisions)
  }

  /// Reads a dataset's folder with the decisions that are kept about it: what everything that uses a dataset calls,
  /// so that decisions hold everywhere.
  /// - Parameter recorded: see `DatasetReading.read`.
  /// - Throws: `DatasetError`, also where the decisions cannot be read: nothing is trained on half of them.
  public static func open(
    root: String, split: SplitSettings, minimumClasses: Int = 2, recorded: RecordedSplits? = nil,
    decisions: DecisionStore = .standard, progress: (DatasetProgress) -> Void = { _ in },
    isCancelled: () -> Bool = { false }
  ) throws(DatasetError) -> DatasetIndex {
    let reading = try DatasetReading.read(
      root: root, split: split, minimumClasses: minimumClasses, recorded: recorded, progress: progress,
      isCancelled: isCancelled)
    return reading.index(try decisions.find(for: reading))
  }
}

extension DatasetReading {
  /// Reads a dataset's folder. Two layouts are known:
  ///
  ///     DATA/<class>/...                            divided by a rule on each image's path
  ///     DATA/{train,val|valid|validation,test}/<class>/...
  ///
  /// or TFRecord shards (`readRecords`). Images may lie in sub-folders of a class. In the second layout validation images are taken out of `train`
  /// where there is no validation folder; a missing `test` stays empty. Images that are named in lists (see
  /// `SplitLists`) belong where the lists say, in either layout. Dot-files and system files are ignored.
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
  ) throws(DatasetError) -> DatasetReading {
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
    let layout = DatasetLayout(root: root, listing: listing, walker: &walker)
    guard !layout.folders.isEmpty else { throw .noClassFolders(path: root) }
    try walker.walk(layout.folders, progress: progress, isCancelled: isCancelled)

    let found = ClassTable(folders: layout.folders, files: walker.files)
    guard let firstClass = found.classes.first else { throw .noImages(path: root) }
    guard found.classes.count >= minimumClasses else { throw .tooFewClasses(path: root, only: firstClass) }

    let hasValidation = layout.folders.contains { $0.part == .validation }
    let images = found.files.map { label, file in
      let origin: SplitOrigin =
        switch layout.folders[file.folder].part {
        case nil: .rule
        case .train where !hasValidation: .ruleWithinTraining
        case let part?: .named(part)
        }
      return UndividedImage(path: file.path, label: label, origin: origin)
    }
    let (items, listFindings) = try division.divided(images, classes: found.classes)
    return DatasetReading(
      root: root, split: split, classes: found.classes, items: items,
      splitSource: lists != nil ? .lists : layout.splitByFolder ? .folders : .hash,
      findings: walker.findings + listFindings + found.mergedClasses
        + found.emptyClasses.map(DatasetIndex.emptyClassFinding))
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

  /// A folder is divided by names when it has `train`, `val` or `test` with folders in them, and either two of these
  /// or nothing else beside: a class may be called "train" among others called "car" and "bus".
  init(root: String, listing: FolderListing, walker: inout FolderWalker) {
    let top = listing.entries.filter(\.isFolder)
    var parts: [(entry: FolderEntry, part: Split, listing: FolderListing)] = []
    for entry in top {
      guard let part = Self.part(named: entry.name) else { continue }
      // One that cannot be read is reported when it is walked as a class.
      guard let inner = try? FolderListing(path: "\(root)/\(entry.name)") else { continue }
      if inner.entries.contains(where: \.isFolder) { parts.append((entry, part, inner)) }
    }
    if parts.isEmpty || (Set(parts.map(\.part)).count < 2 && parts.count < top.count) {
      folders = top.map { ClassFolder(name: $0.name, path: $0.name, part: nil, isLink: $0.kind == .linkedFolder) }
      return
    }
    splitByFolder = true
    for (entry, part, inner) in parts {
      walker.note(strayEntriesOf: inner, at: entry.name)
      for folder in inner.entries where folder.isFolder {
        folders.append(
          ClassFolder(
            name: folder.name, path: "\(entry.name)/\(folder.name)", part: part,
            isLink: folder.kind == .linkedFolder))
      }
    }
    for entry in top where !parts.contains(where: { ByteKey($0.entry.name) == ByteKey(entry.name) }) {
      walker.noteIgnored("\(entry.name)/")
    }
  }

  private static func part(named name: String) -> Split? {
    switch name.lowercased() {
    case "train": .train
    case "val", "valid", "validation": .validation
    case "test": .test
    default: nil
    }
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
    let groups = Dictionary(grouping: folders) { folder in
      Place(parent: ByteKey(FilePath.split(folder.path).folder), name: ClassName(folder.name))
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
