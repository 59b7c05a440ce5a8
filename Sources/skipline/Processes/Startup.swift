// What the program arranges before it does anything: that the limits of the shell it was started from do not end it in
// the middle of something.

import Glibc
import Resources
import Tensors

enum Startup {
  /// The least stack that the program's own calls need, bytes.
  private static let leastStack: rlim_t = 1 << 20
  /// Below so many open files nothing can be read: the program's own, and a few at a time.
  private static let leastFiles: rlim_t = 24
  /// So many are enough for a run with all screens attached.
  private static let enoughFiles: rlim_t = 1024

  /// Does what the program is for, on a stack that is large enough.
  static func run(_ body: @escaping @Sendable () -> Void) {
    occupyStandardDescriptors()
    GEMM.keepToOneThread()
    if ProgramRanks.launch != nil { Kernels.keepRoom() }
    // A reader that goes away (`| head`) must not kill a run; writes then fail instead.
    signal(SIGPIPE, SIG_IGN)
    // Nor must a limit on file sizes: a save that is too large fails as on a full disk.
    signal(SIGXFSZ, SIG_IGN)
    StoragePool.onExhaustion.withLock { $0 = { end(because: $0) } }
    var stack = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &stack)
    guard stack.rlim_cur < leastStack else { return body() }
    // The limit of the shell is that of the first thread only.
    let done = ThreadGroup()
    done.enter()
    do throws(ResourceShortage) {
      try SystemThread.start("skipline", attempts: SystemThread.patientAttempts) {
        body()
        done.leave()
      }
    } catch {
      end(because: "the stack is limited to \(stack.rlim_cur >> 10) KiB (ulimit -s), and \(error)")
    }
    done.wait()
  }

  /// Takes the numbers of standard input, output and errors where whoever started the program had closed them: the next
  /// file or pipe that is opened would get them else, and what is printed would be written into it. What is read or
  /// written there then fails, as it does with closed ones.
  private static func occupyStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest free number is the one wanted: those below it are in use.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Raises the limit on open files as far as is of use and allowed.
  /// - Throws: `TooFewFiles`.
  static func requireFiles() throws {
    var files = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &files) == 0 else { return }
    if files.rlim_cur < enoughFiles, files.rlim_cur < files.rlim_max {
      files.rlim_cur = min(files.rlim_max, enoughFiles)
      setrlimit(resource, &files)
    }
    guard files.rlim_cur >= leastFiles else {
      throw TooFewFiles(limit: Int(files.rlim_cur), least: Int(leastFiles))
    }
  }

  /// Tells what is lacking and ends the process. Nothing is allocated: memory may be what is lacking.
  private static func end(because reason: String) -> Never {
    for text in ["skipline: ", reason, "\n"] {
      var text = text
      _ = text.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
    _exit(ExitStatus.failure.rawValue)
  }
}

/// A limit on open files with which nothing can be done.
struct TooFewFiles: Error, CustomStringConvertible {
  let limit: Int
  let least: Int

  var description: String {
    "only \(limit) files may be open at a time, and the program needs \(least): raise the limit (ulimit -n)"
  }
}
