// From a folder to an index: which layout it has, which folders are classes, which split each image gets. Listing
// the files of a class is in FolderWalker.swift.

import Images
import Foundation
import Messages

extension DatasetIndex {
  /// Reads a dataset's folder. Two layouts are known:
  ///
  ///     DATA/<class>/...                            divided by a hash of each image's path
  ///     DATA/{train,val|valid|validation,test}/<class>/...
  ///
  /// or TFRecord shards (`scanRecords`). Images may lie in sub-folders of a class. In the second layout validation
  /// images are taken out of `train` where there is no validation folder; a missing `test` stays empty. Dot-files
  /// and system files are ignored.
  ///
  /// - Parameter progress: called now and then with the number of images found so far.
  /// - Throws: `DatasetError` where there is nothing to train on; anything less is a warning in the index.
  public static func scan(
    root: String, split: SplitSettings, progress: (Int) -> Void = { _ in }
  ) throws(DatasetError) -> DatasetIndex {
    try split.validate()
    let root = trimmed(root)
    var status = stat()
    guard stat(root, &status) == 0 else {
      let number = errno
      if number == ENOENT || number == ENOTDIR { throw .notFound(path: root) }
      throw .unreadable(path: root, reason: "\(SystemError(number: number))")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAFolder(path: root) }
    let listing: FolderListing
    do {
      listing = try FolderListing(path: root)
    } catch {
      throw .unreadable(path: root, reason: "\(error)")
    }
    if let records = try scanRecords(root: root, listing: listing, split: split, progress: progress) {
      return records
    }

    var walker = FolderWalker(root: root)
    walker.note(strayEntriesOf: listing, at: "")
    let layout = DatasetLayout(root: root, listing: listing, walker: &walker)
    guard !layout.folders.isEmpty else { throw .noClassFolders(path: root) }
    walker.walk(layout.folders, progress: progress)

    let found = ClassTable(folders: layout.folders, files: walker.files)
    guard let firstClass = found.classes.first else { throw .noImages(path: root) }
    guard found.classes.count > 1 else { throw .tooFewClasses(path: root, only: firstClass) }

    let hasValidation = layout.folders.contains { $0.part == .validation }
    let items = found.files.map { label, file in
      let itemSplit: Split =
        switch layout.folders[file.folder].part {
        case nil: split.split(ofPath: file.path)
        case .train where !hasValidation: split.splitWithinTraining(ofPath: file.path)
        case let part?: part
        }
      return DatasetItem(path: file.path, label: label, split: itemSplit)
    }
    progress(items.count)
    return DatasetIndex(
      root: root, classes: found.classes, items: items, splitSource: layout.splitByFolder ? .folders : .hash,
      findings: walker.findings + found.emptyClasses.map(Self.emptyClassFinding)
        + balanceFindings(classes: found.classes, items: items))
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
  /// The split that folder names give it; nil where the hash decides.
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
    for entry in top where !parts.contains(where: { $0.entry.name.utf8.elementsEqual(entry.name.utf8) }) {
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

/// The classes that have images, and the images by label.
private struct ClassTable {
  var classes: [String]
  var emptyClasses: [String]
  /// In order of the label, then of the path.
  var files: [(label: Int, file: FolderWalker.File)]

  init(folders: [ClassFolder], files found: [FolderWalker.File]) {
    // Keyed by bytes: Swift's strings call two spellings of an accented letter equal, file systems do not.
    var groups: [[UInt8]: (name: String, files: [FolderWalker.File])] = [:]
    for folder in folders { groups[Array(folder.name.utf8)] = (folder.name, []) }
    let keys = folders.map { Array($0.name.utf8) }
    for file in found { groups[keys[file.folder]]?.files.append(file) }

    let sorted = groups.values.sorted { NaturalOrder.precedes($0.name, $1.name) }
    emptyClasses = sorted.filter(\.files.isEmpty).map(\.name)
    let filled = sorted.filter { !$0.files.isEmpty }
    classes = filled.map(\.name)
    files = filled.enumerated().flatMap { label, group in
      group.files.sorted { NaturalOrder.precedes($0.path, $1.path) }.map { (label, $0) }
    }
  }
}
