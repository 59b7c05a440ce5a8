// What scanning a dataset's folder found: classes, images, splits. Plain values; finding them is in
// DatasetIndex+Scan.swift, what is said about them in DatasetIndex+Report.swift.

import Messages
import Support

/// One image of a dataset.
public struct DatasetItem: Codable, Sendable, Equatable {
  /// The path below the dataset's folder, `/` between its parts.
  public var path: String
  /// Index among the dataset's classes.
  public var label: Int
  public var split: Split
  /// The class its folder says, where the user decided for another; nil for all others.
  public var relabeledFrom: String?

  public init(path: String, label: Int, split: Split, relabeledFrom: String? = nil) {
    self.path = path
    self.label = label
    self.split = split
    self.relabeledFrom = relabeledFrom
  }

  /// The path to open.
  public func absolutePath(root: String) -> String { root.hasSuffix("/") ? root + path : "\(root)/\(path)" }

  /// What the user decided about it, if it is used.
  var decision: ImageDecision? { relabeledFrom.map { .relabeled(from: $0) } }

  /// A number that belongs to this image, wherever it stands among others: augmentation is drawn from it.
  public var stableHash: UInt64 { Support.stableHash(path) }
}

/// A dataset's classes and images as found on disk. The folder is never written to.
public struct DatasetIndex: Codable, Sendable, Equatable {
  /// The folder that was read, without a slash at its end.
  public let root: String
  /// In natural order; an item's label is an index in it. Empty classes are left out.
  public let classes: [String]
  /// In order of the label, then in natural order of the path.
  public let items: [DatasetItem]
  /// Images that the user excluded: they are in no split and count nowhere. In the order of `items`.
  public let excluded: [DatasetItem]
  public let splitSource: SplitSource
  /// What is known without looking into the files.
  public let findings: [DatasetFinding]

  init(
    root: String, classes: [String], items: [DatasetItem], excluded: [DatasetItem] = [], splitSource: SplitSource,
    findings: [DatasetFinding]
  ) {
    self.root = root
    self.classes = classes
    self.items = items
    self.excluded = excluded
    self.splitSource = splitSource
    self.findings = findings
  }

  /// The items of one split, in their order in `items`. Positions in a `BatchLoader` refer to this.
  public func items(in split: Split) -> [DatasetItem] { items.filter { $0.split == split } }

  /// For each class the names of its folders as they are on disk, which need not be in the form NFC; more than one
  /// where folders are spelled in several ways. Classes of TFRecord shards have no folder, and only their own name.
  public var folderNames: [[String]] {
    var names = classes.map { _ in [String]() }
    let known = classes.map(ClassName.init)
    let places = Dictionary(zip(known, classes.indices), uniquingKeysWith: { first, _ in first })
    var seen: Set<ByteKey> = []
    for item in items + excluded {
      let label = item.relabeledFrom.flatMap { places[ClassName($0)] } ?? item.label
      let parts = item.path.split(separator: "/").dropLast()
      guard let name = parts.first(where: { ClassName(String($0)) == known[label] }).map(String.init),
        seen.insert(ByteKey(name)).inserted
      else { continue }
      names[label].append(name)
    }
    return zip(names, classes).map { $0.isEmpty ? [$1] : $0 }
  }

  /// Sixteen hexadecimal digits that stand for the set of images, their splits and what the user decided about them:
  /// FNV-1a over the paths in order of their bytes, each followed by a zero byte, the split's name, for a relabeled
  /// image a zero byte and its class, and a line feed.
  ///
  /// - Complexity: O(n log n) for n images.
  public var fingerprint: String {
    let sorted = items.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let hash = sorted.reduce(stableHash("")) { hash, item in
      let relabeling = item.relabeledFrom == nil ? "" : "\0\(classes[item.label])"
      return stableHash("\(item.path)\0\(item.split.rawValue)\(relabeling)\n".utf8, from: hash)
    }
    return hexadecimal(hash)
  }
}

/// A hash as sixteen digits.
func hexadecimal(_ hash: UInt64) -> String {
  let digits = String(hash, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
