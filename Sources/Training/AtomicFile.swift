// Writing a file so that whoever reads it, at any time and after any crash, finds the old content or the new one,
// complete: a temporary file in the same folder, written, synced, renamed, and the folder synced, in this order. What
// does not fit on the disk is not begun.
// It knows nothing of what is written.

import Foundation
import Messages
import Synchronization

/// Durable replacement of whole files.
public enum AtomicFile {
  /// Replaces the file at `path` by `data`.
  ///
  /// On failure the file that was there stays as it was, and the temporary file is removed.
  /// - Throws: `FileOperationError`, which names the file, the step and the system's reason.
  public static func write(_ data: Data, to path: String) throws {
    try write(to: path) { output in try data.withUnsafeBytes { try output.append($0) } }
  }

  /// Replaces the file at `path` by what `body` appends, so that a large content need never be in one piece.
  ///
  /// On failure, of the system or of `body`, the file that was there stays as it was.
  /// - Throws: `FileOperationError`, or what `body` throws.
  public static func write(to path: String, _ body: (Output) throws -> Void) throws {
    try write(to: path, calls: .system, body)
  }

  /// The file being written.
  public struct Output {
    fileprivate let descriptor: Int32
    fileprivate let path: String
    fileprivate let calls: Calls

    /// Appends all bytes.
    /// - Throws: `FileOperationError`.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes
      while !rest.isEmpty {
        let written = calls.write(descriptor, rest)
        if written == -Int(EINTR) { continue }
        guard written > 0 else {
          throw FileOperationError(path: path, step: .write, code: written < 0 ? Int32(-written) : EIO)
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
    }
  }

  /// - Parameter size: bytes that `body` will append, where that is known: nothing is begun if they are not free.
  static func write(to path: String, size: Int? = nil, calls: Calls, _ body: (Output) throws -> Void) throws {
    let (folder, name) = split(path)
    if let size, let free = calls.freeSpace(folder), free < size {
      throw FileOperationError(
        path: path, step: .write, code: ENOSPC, space: FileOperationError.Space(needed: size, free: free))
    }
    let (descriptor, temporary) = try openTemporary(folder: folder, name: name, target: path, calls: calls)
    do {
      do {
        defer { close(descriptor) }
        try body(Output(descriptor: descriptor, path: path, calls: calls))
        try check(calls.sync(descriptor), path, .sync)
      }
      try check(calls.rename(temporary, path), path, .rename)
    } catch {
      temporary.withPathCString { _ = unlink($0) }
      throw error
    }
    try syncFolder(folder, calls: calls)
  }

  /// Makes a folder's entries durable: without it a power cut may undo a rename or a new file's name.
  static func syncFolder(_ folder: String, calls: Calls = .system) throws {
    let descriptor = folder.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw FileOperationError(path: folder, step: .syncFolder, code: errno) }
    defer { close(descriptor) }
    let result = calls.sync(descriptor)
    // Some network file systems cannot sync a folder and say so; there is nothing better to do on them.
    if result == -EINVAL || result == -ENOTSUP { return }
    try check(result, folder, .syncFolder)
  }

  /// Removes temporary files that a killed process left in a folder. Call it only while no other process writes
  /// there.
  /// - Returns: the names that were removed.
  @discardableResult
  public static func sweepLeftovers(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { name in
      name.hasPrefix(".") && name.hasSuffix(temporaryEnding) && unlink(folder + "/" + name) == 0
    }.sorted()
  }

  /// The system calls whose failure matters, each answering its result or the negative error number. Tests
  /// put their own in place to fail the Nth or to record the order.
  struct Calls: Sendable {
    var create: @Sendable (_ path: String) -> Int32
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
    var sync: @Sendable (_ descriptor: Int32) -> Int32
    var rename: @Sendable (_ from: String, _ to: String) -> Int32
    /// Bytes that may be written in a folder; nil where the file system does not say.
    var freeSpace: @Sendable (_ folder: String) -> Int?

    static let system = Calls(
      create: { path in
        let descriptor = path.withPathCString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        return descriptor >= 0 ? descriptor : -errno
      },
      write: { descriptor, bytes in
        let written = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
        return written >= 0 ? written : -Int(errno)
      },
      sync: { fsync($0) == 0 ? 0 : -errno },
      rename: { from, to in
        from.withPathCString { from in to.withPathCString { Foundation.rename(from, $0) } } == 0 ? 0 : -errno
      },
      freeSpace: { folder in
        var status = statvfs()
        let result = folder.withPathCString { statvfs($0, &status) }
        // File systems that do not count their blocks say that they have none at all.
        guard result == 0, status.f_blocks > 0 else { return nil }
        let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        return overflow ? nil : bytes
      })
  }

  private static let temporaryEnding = ".partial"
  private static let serial = Atomic<Int>(0)

  private static func openTemporary(
    folder: String, name: String, target: String, calls: Calls
  ) throws -> (descriptor: Int32, path: String) {
    while true {
      let number = serial.wrappingAdd(1, ordering: .relaxed).newValue
      let temporary = "\(folder)/.\(name).\(getpid())-\(number)\(temporaryEnding)"
      let descriptor = calls.create(temporary)
      if descriptor >= 0 { return (descriptor, temporary) }
      // A killed process with our number may have left one (in a container every process may be number 1).
      if descriptor != -EEXIST && descriptor != -EINTR {
        throw FileOperationError(path: target, step: .create, code: -descriptor)
      }
    }
  }

  private static func check(_ result: Int32, _ path: String, _ step: FileOperationError.Step) throws {
    guard result < 0 else { return }
    throw FileOperationError(path: path, step: step, code: -result)
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }
}
