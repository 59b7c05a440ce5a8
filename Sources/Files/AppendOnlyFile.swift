// A text file that only grows, a line at a time: what the metrics, the results table and the log are written with.
// A line that cannot be written is lost and told once; training must not end because a disk is full.

import Foundation
import Messages
import Synchronization

/// A file to which whole lines are appended, from any thread.
///
/// Every line is one `write`, so lines of several threads do not mix. A line torn by a crash or a full disk is ended
/// before the next one, so it spoils no other.
public final class AppendOnlyFile: Sendable {
  public let path: String
  /// The first line of a new file, without its line feed.
  private let header: String?
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
  public init(path: String, header: String? = nil) {
    self.path = path
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
      if let descriptor = state.descriptor { Foundation.close(descriptor) }
      state.descriptor = nil
    }
  }

  private func open(_ state: inout State) throws(FileOperationError) {
    guard state.descriptor == nil else { return }
    let descriptor = path.withPathCString {
      Foundation.open($0, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666)
    }
    guard descriptor >= 0 else { throw FileOperationError(path: path, step: .open, code: errno) }
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
      let written = bytes.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress! + done, bytes.count - done)
      }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        let code = written < 0 ? errno : EIO
        if done > 0 { state.torn = true }
        throw FileOperationError(path: path, step: .write, code: code)
      }
      done += written
    }
    state.torn = false
  }
}
