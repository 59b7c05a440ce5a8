// One process at a time trains a run. The lock belongs to an open file, so it goes when its process does, however that
// ends; the file itself stays and means nothing by itself.

import Files
import Glibc

/// Holds a run for this process until it is dropped.
public final class RunLock: Sendable {
  private let descriptor: Int32

  /// - Throws: `RunFolderError.inUse`, which names the process that holds it; `FileOperationError`.
  public init(_ run: RunFolder) throws {
    let path = run.lockPath
    let descriptor = try openLockFile(path, creating: true)
    guard Self.lock(descriptor) else {
      let code = errno
      defer { close(descriptor) }
      guard code == EWOULDBLOCK else { throw FileOperationError(path: path, step: .open, code: code) }
      throw RunFolderError.inUse(path: run.path, process: Self.holder(descriptor))
    }
    // For people and for the message to the next who asks; the lock is what counts, so a failure here is none.
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Who lists runs holds a lock for an instant too: only one that is still there a little later is a run's.
  private static func lock(_ descriptor: Int32) -> Bool {
    for attempt in 0..<10 {
      if attempt > 0 { usleep(10_000) }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      if errno != EWOULDBLOCK && errno != EINTR { return false }
    }
    return false
  }

  /// The process that trains a run now, 0 where its number is not known; nil where none does, or where it cannot be
  /// told.
  public static func holder(of run: RunFolder) -> Int32? {
    guard let descriptor = try? openLockFile(run.lockPath, creating: false) else { return nil }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
    return holder(descriptor) ?? 0
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
