// The calls to the file system whose failure matters, in one table, which tests make fail at the Nth call. It knows
// nothing of what is written, nor in which order it must be.

import Glibc
import Support

/// The system calls that put files on disk, each answering its result or the negative error number.
public struct FileCalls: Sendable {
  /// Makes a file that is not there yet, for writing and reading.
  /// - Returns: the descriptor.
  public var create: @Sendable (_ path: String, _ permissions: mode_t) -> Int32
  /// Writes bytes at a place of a file, or only the first of them.
  /// - Returns: how many.
  public var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int
  /// Waits until a file, or a folder's list of names, is on disk.
  public var sync: @Sendable (_ descriptor: Int32) -> Int32
  /// Gives a file another name, in the place of what had it.
  public var rename: @Sendable (_ from: String, _ to: String) -> Int32
  /// Bytes that may be written in a folder; nil where the file system does not say.
  public var freeSpace: @Sendable (_ folder: String) -> Int?

  public init(
    create: @escaping @Sendable (_ path: String, _ permissions: mode_t) -> Int32,
    write: @escaping @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int,
    sync: @escaping @Sendable (_ descriptor: Int32) -> Int32,
    rename: @escaping @Sendable (_ from: String, _ to: String) -> Int32,
    freeSpace: @escaping @Sendable (_ folder: String) -> Int?
  ) {
    self.create = create
    self.write = write
    self.sync = sync
    self.rename = rename
    self.freeSpace = freeSpace
  }

  /// The system's own.
  public static let system = FileCalls(
    create: { path, permissions in
      FileDescriptor.patiently {
        let descriptor = path.withPathCString { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, permissions) }
        return descriptor >= 0 ? descriptor : -errno
      }
    },
    write: { descriptor, bytes, offset in
      let written = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
      return written >= 0 ? written : -Int(errno)
    },
    sync: { fsync($0) == 0 ? 0 : -errno },
    rename: { from, to in
      from.withPathCString { from in to.withPathCString { Glibc.rename(from, $0) } } == 0 ? 0 : -errno
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

extension FileCalls {
  /// Gives a file another name.
  /// - Throws: `FileOperationError` about `to`.
  public func move(_ from: String, to: String) throws(FileOperationError) {
    let result = rename(from, to)
    guard result >= 0 else { throw FileOperationError(path: to, step: .rename, code: -result) }
  }

  /// Makes a folder's entries durable: without it a power cut may undo a rename or a new file's name.
  /// - Throws: `FileOperationError`.
  public func syncFolder(_ folder: String) throws(FileOperationError) {
    let descriptor = FileDescriptor.patiently {
      let descriptor = folder.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
      return descriptor >= 0 ? descriptor : -errno
    }
    guard descriptor >= 0 else { throw FileOperationError(path: folder, step: .syncFolder, code: -descriptor) }
    defer { close(descriptor) }
    let result = sync(descriptor)
    // Some network file systems cannot sync a folder and say so; there is nothing better to do on them.
    guard result >= 0 || result == -EINVAL || result == -ENOTSUP else {
      throw FileOperationError(path: folder, step: .syncFolder, code: -result)
    }
  }
}
