// The folder that shards are written to. New files are made complete and durable in a hidden folder within it, then
// take the place of the old ones by renaming; whatever fails before, or then, leaves the old ones. A process that is
// killed while it renames may leave a part of a set, which reading reports, but never old shards beside new ones.

import Files
import Glibc
import Messages
import Support
import Synchronization

/// A folder of shards while it is replaced.
final class ShardFolder: Sendable {
  let path: String
  private let madeFolder: Bool
  /// Names of files that the new ones replace.
  private let old: [String]
  private let staging: String
  private let retired: String
  /// Keeps other exports out for as long as it is open.
  private let lock: Int32
  private let calls: FileCalls
  /// Old files could not be put back: they are still in the hidden folder, which must stay then.
  private let holdsOldFiles = Atomic(false)

  private static let stagingName = ".skipline-shards.partial"
  private static let retiredName = "replaced"

  /// Makes the folder and the hidden one in it.
  /// - Throws: `RecordExportError` where shards must not or cannot be written there.
  init(path: String, datasetRoot: String, overwrite: Bool, calls: FileCalls = .system) throws(RecordExportError) {
    self.path = path
    self.calls = calls
    staging = "\(path)/\(Self.stagingName)"
    retired = "\(staging)/\(Self.retiredName)"
    guard !FilePath.lies(path, within: datasetRoot) else {
      throw .insideDataset(folder: path, root: datasetRoot)
    }
    madeFolder = try Self.makeFolder(path)
    do throws(RecordExportError) {
      old = try Self.filesToReplace(in: path)
      if let first = old.first, !overwrite { throw .occupied(folder: path, file: first, count: old.count) }
      _ = try Self.makeFolder(staging)
      lock = try Self.locked(staging, folder: path)
    } catch {
      if madeFolder { path.withPathCString { _ = rmdir($0) } }
      throw error
    }
    // What a killed export left; whoever has the lock is alone.
    do throws(RecordExportError) {
      Self.empty(staging)
      _ = try Self.makeFolder(retired)
    } catch {
      removeStaging()
      throw error
    }
  }

  deinit { close(lock) }

  /// A new file beside the place where it will be.
  func create(_ name: String) throws(RecordExportError) -> ShardOutput {
    do {
      return ShardOutput(
        try OutputFile(creating: "\(staging)/\(name)", for: "\(path)/\(name)", calls: calls))
    } catch {
      throw .system(error)
    }
  }

  /// Puts the new files in the place of the old ones.
  /// - Throws: `RecordExportError` after the old ones were put back. Where even that fails they stay in the hidden
  ///   folder.
  func commit(_ names: [String]) throws(RecordExportError) {
    var moves: [(from: String, to: String)] = []
    func move(_ from: String, to: String) throws(FileOperationError) {
      try calls.move(from, to: to)
      moves.append((from, to))
    }
    do throws(FileOperationError) {
      try calls.syncFolder(staging)
      for name in old { try move("\(path)/\(name)", to: "\(retired)/\(name)") }
      for name in names { try move("\(staging)/\(name)", to: "\(path)/\(name)") }
      try calls.syncFolder(path)
    } catch {
      for (from, to) in moves.reversed() where calls.rename(to, from) < 0 {
        holdsOldFiles.store(true, ordering: .relaxed)
      }
      throw .system(error)
    }
  }

  /// Removes the hidden folder and what is in it; after a failure also the folder itself if it was made for this.
  func removeStaging() {
    if holdsOldFiles.load(ordering: .relaxed) { return }
    Self.empty(staging)
    staging.withPathCString { _ = rmdir($0) }
    // Fails, as it should, where there are files in it.
    if madeFolder { path.withPathCString { _ = rmdir($0) } }
  }
}

extension ShardFolder {
  /// - Returns: whether it was not there before.
  private static func makeFolder(_ path: String) throws(RecordExportError) -> Bool {
    if path.withPathCString({ mkdir($0, 0o777) }) == 0 { return true }
    guard errno == EEXIST else { throw .system(FileOperationError(path: path, step: .makeFolder, code: errno)) }
    guard FilePath.isFolder(path) == true else { throw .notAFolder(path: path) }
    return false
  }

  /// The shards of a folder, and its labels.txt. A file that only has a number like a shard, but no extension and no
  /// records in it, is somebody else's.
  private static func filesToReplace(in folder: String) throws(RecordExportError) -> [String] {
    let listing: FolderListing
    do throws(SystemError) {
      listing = try FolderListing(path: folder)
    } catch {
      throw .system(FileOperationError(path: folder, step: .listFolder, code: error.number))
    }
    return listing.entries.filter { $0.kind == .file }.map(\.name).filter { name in
      if name == LabelsFile.name { return true }
      guard let shard = ShardName(name) else { return false }
      return shard.hasExtension || ShardContent(path: "\(folder)/\(name)") == .records
    }
  }

  private static func locked(_ staging: String, folder: String) throws(RecordExportError) -> Int32 {
    let descriptor = staging.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw .system(FileOperationError(path: staging, step: .create, code: errno)) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw .busy(folder: folder)
    }
    return descriptor
  }

  /// Removes all files of a staging folder and of the folder of replaced files in it.
  private static func empty(_ folder: String) {
    for part in ["\(folder)/\(retiredName)", folder] {
      let names = (try? FolderListing(path: part))?.entries.filter { !$0.isFolder }.map(\.name) ?? []
      for name in names { "\(part)/\(name)".withPathCString { _ = unlink($0) } }
      if part != folder { part.withPathCString { _ = rmdir($0) } }
    }
  }
}

/// A file of a set that is being written, through a buffer.
final class ShardOutput {
  private let file: OutputFile
  private var buffer: [UInt8] = []

  private static let bufferLength = 1 << 20

  init(_ file: OutputFile) { self.file = file }

  func append(_ bytes: [UInt8]) throws(RecordExportError) {
    buffer += bytes
    if buffer.count >= Self.bufferLength { try perform(flush) }
  }

  /// Writes the rest and waits until all is on the disk.
  func finish() throws(RecordExportError) {
    try perform { () throws(FileOperationError) in
      try flush()
      try file.sync()
    }
  }

  private func flush() throws(FileOperationError) {
    try file.append(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private func perform(_ body: () throws(FileOperationError) -> Void) throws(RecordExportError) {
    do { try body() } catch { throw .system(error) }
  }
}
