// Finds the shards of a dataset's folder, and says when a folder is one of shards. It reads the first bytes of files
// only.

import Files
import Images
import Messages
import Support

/// The shards of a folder.
struct RecordFolder {
  struct Shard: Equatable {
    /// Below the dataset's folder.
    var path: String
    var name: ShardName
    /// What its name says it is for, or the folder it is in; nil where neither does.
    var role: SplitRole?
    /// The split that follows; the user's word counts for more.
    var split: Split?
  }

  /// In the order in which their images are listed.
  private(set) var shards: [Shard] = []
  private(set) var findings: [DatasetFinding] = []

  /// Looks for shards in a folder, and in folders named for splits that lie in it.
  ///
  /// - Parameter named: folders that the user named for splits.
  /// - Returns: nil where there are none, or where images in folders are the dataset: then a shard among them is a
  ///   stray file.
  /// - Throws: `DatasetError.unreadableRecords` where all files that are called shards are something else.
  init?(root: String, listing: FolderListing, named: SplitFolders? = nil) throws(DatasetError) {
    var candidates = Self.candidates(in: listing, path: "", role: nil, split: nil)
    var others: [String] = []
    for entry in listing.entries where entry.isFolder {
      let split = Split.allCases.first { split in
        named?[split].map {
          FileIdentity(path: Self.path(of: $0, root)) == FileIdentity(path: "\(root)/\(entry.name)")
        }
          ?? false
      }
      let role = SplitFolderName.readings(of: entry.name).last?.role
      if split != nil || role != nil, let inner = try? FolderListing(path: "\(root)/\(entry.name)"),
        !inner.entries.contains(where: \.isFolder)
      {
        let found = Self.candidates(in: inner, path: "\(entry.name)/", role: role, split: split)
        candidates += found
        if !found.isEmpty { continue }
      }
      others.append(entry.name)
    }
    guard !candidates.isEmpty else { return nil }

    // A name without an extension may be that of anything in parts, of a checkpoint for instance.
    let contents = candidates.map { ($0, ShardContent(path: "\(root)/\($0.path)")) }
    let certain = contents.filter { $0.1 == .records || $0.0.name.hasExtension }
    var survey = FolderSurvey(root: root)
    guard !certain.isEmpty, !others.contains(where: { survey.holdsImages($0) }) else { return nil }
    for (split, folder) in named?.named ?? [] where !candidates.contains(where: { $0.split == split }) {
      throw .splitFolder(
        split: split, folder: folder, reason: "it holds no shards; name a folder of shards that lies in \(root)")
    }
    let roles = Set(candidates.filter { $0.split == nil }.compactMap(\.role))
    if !contents.contains(where: { $0.1 == .records || $0.1 == .empty }) {
      let (shard, content) = certain[0]
      throw .unreadableRecords(path: "\(root)/\(shard.path)", reason: content.reason)
    }
    for (shard, content) in contents {
      switch content {
      case .records:
        var shard = shard
        shard.split = shard.split ?? shard.role?.split(among: roles)
        shards.append(shard)
      case .empty, .other: findings.append(Self.finding(shard, content))
      }
    }
    // The order of the names of the images in them.
    shards.sort { NaturalOrder.precedes("\($0.path)@", "\($1.path)@") }
    findings += Self.findingsAboutSets(candidates)
  }

  private static func path(of folder: String, _ root: String) -> String {
    folder.hasPrefix("/") ? folder : "\(root)/\(folder)"
  }

  private static func candidates(
    in listing: FolderListing, path: String, role: SplitRole?, split: Split?
  ) -> [Shard] {
    listing.entries.compactMap { entry in
      guard entry.kind == .file, let name = ShardName(entry.name) else { return nil }
      return Shard(path: path + entry.name, name: name, role: name.role ?? role, split: split)
    }
  }

  private static func finding(_ shard: Shard, _ content: ShardContent) -> DatasetFinding {
    DatasetFinding(
      kind: .damagedShard, severity: content == .empty ? .warning : .error, subject: shard.path,
      paths: [shard.path], message: "\(shard.path) \(content.reason)",
      advice: content == .empty ? "remove it, or rewrite it" : "it is left out; remove it, or rewrite it")
  }

  /// Shards that are missing, and sets that were cut into different numbers of shards and lie side by side.
  private static func findingsAboutSets(_ shards: [Shard]) -> [DatasetFinding] {
    var sets: [[UInt8]: [Int: [Shard]]] = [:]
    for shard in shards {
      guard let place = shard.name.place else { continue }
      let folder = shard.path.utf8.dropLast(shard.name.name.utf8.count)
      sets[Array(folder) + Array(shard.name.stem.utf8), default: [:]][place.count, default: []].append(shard)
    }
    var findings: [DatasetFinding] = []
    for (_, byCount) in sets.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let counts = byCount.keys.sorted()
      if counts.count > 1 {
        let firsts = counts.compactMap { byCount[$0]?.first?.path }
        findings.append(
          DatasetFinding(
            kind: .damagedShard, severity: .error, subject: firsts.first, paths: firsts,
            message: "\(firsts.joined(separator: " and ")) are of sets that were written at different times",
            advice: "images may be in both; remove the older set"))
      }
      for count in counts {
        let present = Set((byCount[count] ?? []).compactMap(\.name.place?.number))
        guard present.count < count, let shard = byCount[count]?.first,
          let missing = (0..<count).first(where: { !present.contains($0) })
        else { continue }
        findings.append(
          DatasetFinding(
            kind: .damagedShard, severity: .error, subject: shard.path, paths: [shard.path],
            message: "of the \(count) shards that \(shard.path) is one of, \(count - present.count) "
              + "\(count - present.count == 1 ? "is" : "are") missing, the first is number \(missing)",
            advice: "fetch the rest, or rewrite the set"))
      }
    }
    return findings
  }
}

/// What a file that is called a shard begins with.
enum ShardContent: Equatable {
  case records
  case empty
  case other(String)

  var reason: String {
    switch self {
    case .records: "holds records"
    case .empty: "is empty: it holds no records"
    case .other(let reason): reason
    }
  }

  /// How gzip files begin (RFC 1952) and zlib streams of the usual levels (RFC 1950).
  private static let compressed: [[UInt8]] = [
    [0x1f, 0x8b], [0x78, 0x01], [0x78, 0x5e], [0x78, 0x9c], [0x78, 0xda],
  ]

  init(path: String) {
    let (size, start): (Int, [UInt8])
    do throws(FileOperationError) {
      let file = try InputFile(path: path)
      size = file.size
      start = try file.read(upTo: min(size, TFRecord.headerLength))
    } catch {
      self = .other("cannot be read (\(error.reason))")
      return
    }
    if size == 0 {
      self = .empty
    } else if start.count == TFRecord.headerLength, start.withUnsafeBytes({ TFRecord.length(header: $0) }) != nil {
      self = .records
    } else if Self.compressed.contains(where: { start.starts(with: $0) }) {
      self = .other("is compressed; unpack it first, only plain TFRecord shards can be read")
    } else if ImageFormat.isImageFile(path) {
      self = .other("is a single image, not a TFRecord shard")
    } else {
      self = .other("is no TFRecord shard, or one that is damaged at its very beginning")
    }
  }
}
