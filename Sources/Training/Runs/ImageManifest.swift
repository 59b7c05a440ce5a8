// images.txt in a run's folder: which images the run was started on, so that a change is not only noticed but told.
// It compares what is known without reading an image: paths, classes, splits, sizes.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Messages
import Support

/// The images of a run. As text, a line an image: split, class, bytes and path with tabs between, names as in a JSON
/// string where they hold a tab, a line feed or a backslash.
struct ImageManifest: Equatable {
  struct Entry: Equatable {
    var split: String
    var name: String
    /// Bytes; nil where the file cannot be asked, or is a part of another.
    var size: Int?
  }

  /// By the path below the dataset's folder, byte by byte.
  private(set) var entries: [ByteKey: Entry]

  private static let header = "# skipline images 1: split, class, bytes, path"

  init(of index: DatasetIndex) {
    entries = Dictionary(
      index.items.map { item in
        var status = stat()
        let found = item.absolutePath(root: index.root).withPathCString { stat($0, &status) }
        let isFile = found == 0 && status.st_mode & S_IFMT == S_IFREG
        let entry = Entry(
          split: item.split.rawValue, name: index.classes[item.label], size: isFile ? Int(status.st_size) : nil)
        return (ByteKey(item.path), entry)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// - Returns: nil where there is no such file.
  /// - Throws: `RunFolderError.unreadable`.
  init?(path: String) throws {
    guard let lines = try textLines(of: path, bound: SizeBound.imageList) else { return nil }
    try self.init(lines: lines, path: path)
  }

  /// Of rank 0.
  /// - Throws: `RunFolderError.unreadable`.
  init(text: String) throws {
    try self.init(lines: Array(text.utf8).split(separator: UInt8(ascii: "\n")), path: "rank 0's list of images")
  }

  private init(lines: [ArraySlice<UInt8>], path: String) throws {
    guard lines.first.map({ String(decoding: $0, as: UTF8.self) }) == Self.header else {
      throw RunFolderError.unreadable(path: path, reason: "it does not begin with \"\(Self.header)\"")
    }
    entries = [:]
    for line in lines.dropFirst().map({ String(decoding: $0, as: UTF8.self) }) {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map { Self.plain(String($0)) }
      guard cells.count == 4 else {
        throw RunFolderError.unreadable(path: path, reason: "a line has \(cells.count) columns instead of 4")
      }
      entries[ByteKey(cells[3])] = Entry(split: cells[0], name: cells[1], size: Int(cells[2]))
    }
  }

  /// - Throws: `FileOperationError`.
  func write(to path: String) throws { try AtomicFile.write(Data(text.utf8), to: path) }

  /// As it is in the file.
  var text: String {
    var text = Self.header + "\n"
    for (image, entry) in entries.sorted(by: { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }) {
      text += "\(entry.split)\t\(Self.escaped(entry.name))\t\(entry.size.map(String.init) ?? "-")"
      text += "\t\(Self.escaped(image.text))\n"
    }
    return text
  }

  /// What is different in `new`; nil where nothing is. An image whose path is only spelled in another way, as after a
  /// trip through a Mac's archive, is the same image.
  func changes(to new: ImageManifest) -> DataChanges? {
    var changes = DataChanges()
    var gone = Dictionary(grouping: entries.keys.filter { new.entries[$0] == nil }) { ClassName($0.text) }
    for (path, entry) in new.entries {
      let before =
        entries[path]
        ?? gone[ClassName(path.text)].flatMap { spellings in
          guard spellings.count == 1 else { return nil }
          gone[ClassName(path.text)] = nil
          return entries[spellings[0]]
        }
      guard let old = before else {
        changes.added.append(path.text)
        continue
      }
      if ClassName(old.name) != ClassName(entry.name) { changes.relabeled.append(path.text) }
      if old.split != entry.split { changes.moved.append(path.text) }
      if let before = old.size, let now = entry.size, before != now { changes.altered.append(path.text) }
    }
    changes.removed = gone.values.flatMap { $0.map(\.text) }
    changes.sort()
    return changes.isEmpty ? nil : changes
  }

  /// The splits that the images had, for dividing them in the same way again.
  func recordedSplits() -> RecordedSplits {
    RecordedSplits(entries.compactMap { path, entry in Split(rawValue: entry.split).map { (path.text, $0) } })
  }

  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { "\\\t\n\r".unicodeScalars.contains($0) }) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\\": result += "\\\\"
      case "\t": result += "\\t"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }

  private static func plain(_ text: String) -> String {
    guard text.contains("\\") else { return text }
    var result = ""
    var isEscape = false
    for scalar in text.unicodeScalars {
      if isEscape {
        let meant: Unicode.Scalar =
          switch scalar {
          case "t": "\t"
          case "n": "\n"
          case "r": "\r"
          default: scalar
          }
        result.unicodeScalars.append(meant)
        isEscape = false
      } else if scalar == "\\" {
        isEscape = true
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// What became of a run's images since it was started: paths, sorted.
public struct DataChanges: Equatable, Sendable {
  public var added: [String] = []
  public var removed: [String] = []
  /// In another class than before.
  public var relabeled: [String] = []
  /// In another split than before.
  public var moved: [String] = []
  /// Of another size than before.
  public var altered: [String] = []

  var isEmpty: Bool { [added, removed, relabeled, moved, altered].allSatisfy(\.isEmpty) }

  mutating func sort() {
    added.sort()
    removed.sort()
    relabeled.sort()
    moved.sort()
    altered.sort()
  }

  /// `3 added (a.png, b.png, c.png), 12 removed (d.png, e.png, f.png and 9 more)`
  var text: String {
    let kinds = [
      (added, "added"), (removed, "removed"), (relabeled, "in another class"), (moved, "in another split"),
      (altered, "of another size"),
    ]
    return kinds.filter { !$0.0.isEmpty }.map { paths, what in
      let more = paths.count > 3 ? " and \(paths.count - 3) more" : ""
      return "\(paths.count) \(what) (\(paths.prefix(3).joined(separator: ", "))\(more))"
    }.joined(separator: ", ")
  }
}

/// A run whose data are not what they were.
public struct DataChangedError: Error, Equatable, CustomStringConvertible {
  public var data: String
  public var run: String
  /// nil where only a fingerprint of the images is known.
  public var changes: DataChanges?
  /// The classes themselves changed: the network does not fit any more.
  public var classesChanged: Bool

  /// So many paths of each kind are told; the others are counted.
  static let mostPaths = 500

  /// The same for a screen.
  public var report: DataChangeReport {
    let kinds: [(DataChangeReport.Kind, [String])] =
      changes.map {
        [
          (.added, $0.added), (.removed, $0.removed), (.relabeled, $0.relabeled), (.moved, $0.moved),
          (.altered, $0.altered),
        ]
      } ?? []
    return DataChangeReport(
      run: run, data: data,
      groups: kinds.filter { !$0.1.isEmpty }.map { kind, paths in
        .init(kind: kind, count: paths.count, paths: Array(paths.prefix(Self.mostPaths)))
      }, classesChanged: classesChanged)
  }

  public var description: String {
    let what = changes.map { ": \($0.text)" } ?? ""
    let advice =
      classesChanged
      ? "the classes are others now, so start a new run with --weights \(run)/checkpoints/last.safetensors, or restore "
        + "the images"
      : "restore them, or go on with them as they are (--resume \(run) --accept-changes)"
    return "the images in \(data) changed since \(run) was started\(what); \(advice)"
  }
}

extension RunFolder {
  public var manifestPath: String { path + "/images.txt" }

  /// Compares the images with those the run was started on.
  /// - Throws: `DataChangedError`, unless changes are accepted and the classes are the same; `RunFolderError`.
  func checkData(_ index: DatasetIndex, _ record: RunRecord, accepting: Bool) throws {
    let now = ImageManifest(of: index)
    let before = try ImageManifest(path: manifestPath)
    let changes = before?.changes(to: now)
    let classesChanged = index.classes.map(ClassName.init) != record.model.classes.map(ClassName.init)
    guard changes != nil || classesChanged || (before == nil && index.fingerprint != record.splitFingerprint) else {
      return
    }
    guard accepting, !classesChanged else {
      throw DataChangedError(data: index.root, run: path, changes: changes, classesChanged: classesChanged)
    }
    var record = record
    record.splitFingerprint = index.fingerprint
    // The record first: where it alone is written, the manifest complains again and nothing is lost.
    try save(record)
    try now.write(to: manifestPath)
  }
}
