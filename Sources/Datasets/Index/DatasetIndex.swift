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
  /// The group that it must not be parted from, where `SplitSettings.groups` asks for groups and it is in one.
  public var group: String?

  public init(path: String, label: Int, split: Split, relabeledFrom: String? = nil, group: String? = nil) {
    self.path = path
    self.label = label
    self.split = split
    self.relabeledFrom = relabeledFrom
    self.group = group
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
  /// Images whose label, as it is now, the user finds right; in natural order of the path.
  public let confirmed: [ConfirmedLabel]

  init(
    root: String, classes: [String], items: [DatasetItem], excluded: [DatasetItem] = [], splitSource: SplitSource,
    findings: [DatasetFinding], confirmed: [ConfirmedLabel] = []
  ) {
    self.confirmed = confirmed
    self.root = root
    self.classes = classes
    self.items = items
    self.excluded = excluded
    self.splitSource = splitSource
    self.findings = findings
  }

  /// The items of one split, in their order in `items`. Positions in a `BatchLoader` refer to this.
  public func items(in split: Split) -> [DatasetItem] { items.filter { $0.split == split } }

  /// What the user's decisions changed, split by split.
  public var edits: DataEdits {
    var edits = DataEdits()
    for item in excluded { edits.excluded[item.split] += 1 }
    for item in items where item.relabeledFrom != nil { edits.relabeled[item.split] += 1 }
    return edits
  }

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

// MARK: Files

// The images of any folder, classes or not: what `predict` takes.

extension DatasetIndex {
  /// Every image anywhere below a folder, in natural order, with the folder's path in front: image files, and where the
  /// folder is one of TFRecord shards, the images in these, by the names of their places (`FileSlice`). Hidden and
  /// special files are left out, as in a dataset.
  /// - Returns: the paths, and what is wrong with the shards and which folders may not be read.
  /// - Throws: `DatasetError.unreadable` where the folder itself may not be read, `.unreadableRecords` where all there
  ///   is are files that are called shards and are none.
  public static func imageFiles(
    below folder: String
  ) throws(DatasetError) -> (paths: [String], findings: [DatasetFinding]) {
    var walker = FolderWalker(root: folder)
    do {
      try walker.walk(
        [ClassFolder(name: "", path: ".", part: nil, isLink: false)], progress: { _ in }, isCancelled: { false })
    } catch {
      preconditionFailure("walking ends early only when it is cancelled")
    }
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    var paths = walker.files.map { prefix + $0.path.dropFirst("./".count) }
    var findings: [DatasetFinding] = []
    for closed in walker.unreadable {
      guard closed.path != "." else { throw .unreadable(path: folder, reason: "\(closed.reason)") }
      findings.append(
        UnreadableFolder(path: prefix + closed.path.dropFirst("./".count), reason: closed.reason).finding)
    }
    findings += walker.findings.filter { $0.kind == .ignoredFile && $0.severity == .warning }
    do throws(DatasetError) {
      if let listing = try? FolderListing(path: folder),
        let shards = try RecordFolder(root: folder, listing: listing)
      {
        let table = RecordTable(root: folder, folder: shards, progress: { _ in })
        paths += table.images.map { prefix + table.path($0.image) }
        findings += table.findings.filter { $0.kind == .damagedShard }
      }
    } catch {
      // Beside images that can be used, a file that is called a shard is a stray one.
      if paths.isEmpty { throw error }
    }
    return (paths.sorted { NaturalOrder.precedes($0, $1) }, findings)
  }
}

// MARK: Report

// A dataset as values for the screen and `check`: counts, images, findings, statistics. What is found is in the files
// Check/Findings+*.swift.

extension DatasetIndex {
  /// What there is to say about the dataset.
  /// - Parameter fileCheck: of this index; nil where only names were read. Findings about classes then count only
  ///   images that decode.
  public func report(fileCheck: FileCheck? = nil) -> DatasetReport {
    guard let fileCheck else {
      return DatasetReport(
        root: root, splitSource: splitSource, classes: classReports, findings: Self.sorted(findings),
        confirmed: confirmed)
    }
    precondition(fileCheck.facts.count == items.count, "the file check is of this index")
    let decoded = zip(items, fileCheck.facts).filter { $1.failure == nil }.map(\.0)
    // A class whose images that are left do not decode is empty by that, whatever was excluded.
    let used = Set(items.map(\.label))
    let balance = Self.balanceFindings(
      classes: classes, items: decoded, excluded: excluded.filter { !used.contains($0.label) },
      isWhole: !findings.contains { $0.kind == .unreadableFolder })
    let found =
      findings.filter { !Self.balanceKinds.contains($0.kind) && !balance.contains($0) }
      + undecodableFindings(fileCheck.facts)
      + duplicateFindings(fileCheck.copies)
      + nearDuplicateFindings(fileCheck.lookalikes, copies: fileCheck.copies) + sizeFindings(fileCheck.facts)
      + cropFindings(fileCheck.facts) + transparencyFindings(fileCheck.facts)
      + balance
    return DatasetReport(
      root: root, splitSource: splitSource, classes: classReports, findings: Self.sorted(found),
      statistics: DatasetStatistics(items: items, facts: fileCheck.facts), confirmed: confirmed)
  }

  private var classReports: [ClassReport] {
    var reports = classes.map { ClassReport(name: $0, counts: SplitCounts(), images: []) }
    for item in items {
      reports[item.label].counts[item.split] += 1
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split, decision: item.decision))
    }
    for item in excluded {
      reports[item.label].excluded += 1
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split, decision: .excluded))
    }
    // `items` are in this order already, and so are `excluded`.
    for label in reports.indices where reports[label].excluded > 0 {
      reports[label].images.sort { NaturalOrder.precedes($0.path, $1.path) }
    }
    return reports
  }

  /// Most severe first, of one severity by kind; otherwise as they came.
  private static func sorted(_ findings: [DatasetFinding]) -> [DatasetFinding] {
    let severities = Dictionary(
      uniqueKeysWithValues: DatasetFinding.Severity.allCases.enumerated().map { ($1, $0) })
    let kinds = Dictionary(uniqueKeysWithValues: DatasetFinding.Kind.allCases.enumerated().map { ($1, $0) })
    return findings.enumerated().sorted { first, second in
      let (a, b) = (first.element, second.element)
      return (severities[a.severity] ?? 0, kinds[a.kind] ?? 0, first.offset)
        < (severities[b.severity] ?? 0, kinds[b.kind] ?? 0, second.offset)
    }.map(\.element)
  }
}
