// A text file that only grows, a line at a time: what the metrics, the results table and the log are written with.
// A line that cannot be written is lost and told once; training must not end because a disk is full.

import Glibc
import Support
import Synchronization

/// A file to which whole lines are appended, from any thread.
///
/// Every line is one `write`, so lines of several threads do not mix. A line torn by a crash or a full disk is ended
/// before the next one, so it spoils no other.
public final class AppendOnlyFile: Sendable {
  public let path: String
  /// The first line of a new file, without its line feed.
  private let header: String?
  private let calls: FileCalls
  private let state = Mutex(State())

  private struct State {
    /// nil until the first line, and again after `close` or a failure to open.
    var descriptor: Int32?
    /// Whether the file ends in the middle of a line.
    var torn = false
    var failed = false
    /// Whether the file's name in its folder is on disk.
    var isEntered = false
  }

  /// - Parameter header: the line that a new or empty file begins with.
  public init(path: String, header: String? = nil, calls: FileCalls = .system) {
    self.path = path
    self.calls = calls
    self.header = header
  }

  deinit { close() }

  /// Appends one line.
  /// - Parameter line: without line feeds.
  /// - Returns: the reason why a line was lost, the first time that it happens; nil else.
  @discardableResult
  public func append(_ line: String) -> FileOperationError? {
    state.withLock { state in
      do throws(FileOperationError) {
        try open(&state)
        try write(line, &state)
        return nil
      } catch {
        defer { state.failed = true }
        return state.failed ? nil : error
      }
    }
  }

  /// Puts the lines so far on disk. Where that fails they are as lost as those that could not be written, which
  /// `append` tells.
  public func sync() {
    state.withLock { state in
      guard let descriptor = state.descriptor, fsync(descriptor) == 0, !state.isEntered else { return }
      state.isEntered = (try? FileCalls.system.syncFolder(FilePath.split(path).folder)) != nil
    }
  }

  /// Closes the file; the next line opens it again.
  public func close() {
    state.withLock { state in
      if let descriptor = state.descriptor { Glibc.close(descriptor) }
      state.descriptor = nil
    }
  }

  private func open(_ state: inout State) throws(FileOperationError) {
    guard state.descriptor == nil else { return }
    let descriptor = try openToAppend(path)
    state.descriptor = descriptor
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return }
    if status.st_size == 0 {
      state.torn = false
      if let header { try write(header, &state) }
    } else {
      var last: UInt8 = 0
      state.torn = pread(descriptor, &last, 1, status.st_size - 1) == 1 && last != UInt8(ascii: "\n")
    }
  }

  private func write(_ line: String, _ state: inout State) throws(FileOperationError) {
    guard let descriptor = state.descriptor else { return }
    let bytes = Array(((state.torn ? "\n" : "") + line + "\n").utf8)
    var done = 0
    while done < bytes.count {
      // The place is of no effect in a file that is open for appending.
      let written = bytes.withUnsafeBytes {
        calls.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[done...]), 0)
      }
      if written == -Int(EINTR) { continue }
      guard written > 0 else {
        let code = written < 0 ? Int32(-written) : EIO
        if done > 0 { state.torn = true }
        throw FileOperationError(path: path, step: .write, code: code)
      }
      done += written
    }
    state.torn = false
  }
}

/// Opens a file in a folder that others may write to, to append to it. It never waits, and follows no link: what is
/// written goes nowhere else.
/// - Parameter creating: whether it is made where there is none.
/// - Returns: the descriptor, which the caller closes.
/// - Throws: `FileOperationError`, with the reason `.link` for a link and `.notARegularFile` for what is no file.
public func openToAppend(_ path: String, creating: Bool = true) throws(FileOperationError) -> Int32 {
  try openShared(path, O_RDWR | O_APPEND | (creating ? O_CREAT : 0))
}

/// Opens the file that a lock is put on, in a folder that others may write to; never waits, and follows no link.
/// - Parameter creating: whether it is made where there is none, and opened for writing.
/// - Returns: the descriptor, which the caller closes.
/// - Throws: as `openToAppend`.
public func openLockFile(_ path: String, creating: Bool) throws(FileOperationError) -> Int32 {
  try openShared(path, creating ? O_RDWR | O_CREAT : O_RDONLY)
}

private func openShared(_ path: String, _ flags: Int32) throws(FileOperationError) -> Int32 {
  let descriptor = FileDescriptor.patiently {
    let descriptor = path.withPathCString { open($0, flags | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0o666) }
    return descriptor >= 0 ? descriptor : -errno
  }
  guard descriptor >= 0 else {
    let code = -descriptor
    if code == ELOOP { throw FileOperationError(path: path, step: .open, reason: .link) }
    // A pipe that nobody reads, opened for writing; a folder; a socket.
    if [ENXIO, EISDIR, ENODEV].contains(code) {
      throw FileOperationError(path: path, step: .open, reason: .notARegularFile)
    }
    // Reading it may well be allowed: it is writing that is not.
    let isRefused = code == EACCES || code == EPERM || code == EROFS
    let step: FileOperationError.Step = isRefused && flags & O_ACCMODE != O_RDONLY ? .write : .open
    throw FileOperationError(path: path, step: step, code: code)
  }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
    close(descriptor)
    throw FileOperationError(path: path, step: .open, reason: .notARegularFile)
  }
  return descriptor
}
