// The images of any folder, classes or not: what `predict` takes.

import Messages

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
