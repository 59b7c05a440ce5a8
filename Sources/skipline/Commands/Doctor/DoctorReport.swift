// What `doctor` knows of the machine: plain values, and the rules that say which of them are wrong. Measuring is in
// DoctorReport+Measuring.swift.

import Canvas
import Files
import MPIRanks
import Tensors

/// The state of a machine, as far as it matters to Skipline.
struct DoctorReport: Encodable {
  var version: Version
  var system: System
  var processor: Processor
  var memory: Memory
  var blas: Blas
  var mpi: MPI
  var terminal: TerminalFacts
  var folders: [Folder]

  struct System: Encodable {
    /// `Debian GNU/Linux 12 (bookworm)`
    var distribution: String
    /// `Linux 6.1.0 x86_64`
    var kernel: String
    /// Where the running program lies.
    var program: String
  }

  struct Processor: Encodable {
    var model: String
    /// Kernels in use, and all that this processor has, the best first.
    var kernels: String
    var available: [String]
    var hasBFloat16: Bool
    /// Processors of the machine, those this process may use, and how many its control group pays for (nil: all).
    var installed: Int
    var allowed: Int
    var quota: Double?
    /// Threads that training uses if nothing else is said.
    var threads: Int
  }

  struct Memory: Encodable {
    /// Bytes of the machine.
    var total: Int
    var limits: [Limit]

    struct Limit: Encodable {
      /// `machine`, `control group`, `ulimit -v` or `ulimit -d`.
      var source: String
      /// Bytes that this process may still take.
      var free: Int
    }

    /// The limit in force: the smallest.
    var inForce: Limit? { limits.min { $0.free < $1.free } }
  }

  struct Blas: Encodable {
    /// `OpenBLAS 0.3.21 Haswell`
    var library: String
    /// Why it cannot be loaded; nil where it can.
    var fault: String?
    var threading: Threading
    /// What the environment asks of it, `OPENBLAS_CORETYPE=Haswell`.
    var environment: [String]

    enum Threading: String, Encodable { case serial, pthreads, openmp }
  }

  /// What several ranks would work together by.
  struct MPI: Encodable {
    /// The library of Skipline's that they would load; nil where there is none.
    var library: String?
    /// Name and version of the MPI that it was made for; nil where it cannot be loaded.
    var name: String?
    /// Why not.
    var fault: String?
    /// The `mpirun` and `mpicc` that the shell would find; nil for none.
    var launcher: String?
    var compiler: String?
  }

  struct TerminalFacts: Encodable {
    var isInteractive: Bool
    /// `TERM`; nil where it is not set.
    var name: String?
    /// Whether terminfo knows it.
    var isKnown: Bool
    var colors: Int
    /// Whether COLORTERM promises 24-bit colors.
    var hasTrueColor: Bool
    var refusesColor: Bool
    /// The locale that the environment asks for, whether it is installed, and whether its text is UTF-8.
    var locale: String
    var isLocaleInstalled: Bool
    var isUTF8: Bool
    var columns: Int?
    var rows: Int?
  }

  struct Folder: Encodable {
    /// `decisions`, `image cache`...
    var purpose: String
    /// nil where none is known.
    var path: String?
    var state: State
    /// Bytes that are free there; nil where it cannot be told.
    var free: Int?
    /// The environment variable that puts it elsewhere.
    var variable: String

    enum State: String, Encodable {
      case writable
      /// It is not there, and can be made.
      case willBeMade = "not there yet"
      case notWritable = "not writable"
      case unknown
    }
  }

  /// Something wrong, and what to do about it.
  struct Problem: Encodable, Equatable {
    var what: String
    var cure: String
  }
}

extension DoctorReport {
  /// Bytes below which an image cache or a run's checkpoints soon find no room.
  private static let littleRoom = 1 << 30
  /// Bytes below which little can be trained.
  private static let littleMemory = 1 << 30

  /// What is wrong, most severe first.
  var problems: [Problem] {
    var problems: [Problem] = []
    func note(_ isWrong: Bool, _ what: String, _ cure: String) {
      if isWrong { problems.append(Problem(what: what, cure: cure)) }
    }
    if let limit = memory.inForce {
      note(
        limit.free < Self.littleMemory,
        "only \(Format.bytes(limit.free)) of memory may still be taken (\(limit.source))",
        limit.source.hasPrefix("ulimit")
          ? "raise it with '\(limit.source) unlimited', or train with a smaller --batch and --imgsz"
          : "end other programs, or train with a smaller --batch and --imgsz")
    }
    if let fault = blas.fault {
      note(
        true, "OpenBLAS cannot be loaded: \(fault)",
        GEMM.isForWantOfMemory(fault)
          ? "raise the limits on memory (ulimit -v, ulimit -d)" : "apt-get install libopenblas0")
    }
    if let fault = mpi.fault {
      note(
        true, "the library by which ranks work together cannot be used: \(fault)",
        "make it anew with 'make build MPI=1', or unset \(MPILibrary.variable)")
    }
    for folder in folders {
      note(
        folder.state == .notWritable, "\(folder.purpose): \(folder.path ?? "") cannot be written to",
        "change its permissions, or name another with \(folder.variable)")
      note(
        folder.state == .unknown, "\(folder.purpose): no folder is known, because HOME is not set",
        "set HOME, or \(folder.variable)")
      note(
        folder.state != .notWritable && folder.free.map { $0 < Self.littleRoom } ?? false,
        "\(folder.purpose): only \(Format.bytes(folder.free ?? 0)) are free at \(folder.path ?? "")",
        "make room, or name another disk's folder with \(folder.variable)")
    }
    note(
      processor.kernels != processor.available.first,
      "the \(processor.kernels) kernels are in use, though this processor has \(processor.available.first ?? "")",
      "unset SKIPLINE_KERNELS")
    note(
      blas.environment.contains { $0.hasPrefix("OPENBLAS_CORETYPE=") },
      "\(blas.environment.joined(separator: ", ")) in the environment: OpenBLAS does not choose its kernels itself",
      "unset it, unless it is there for a reason; dense layers may be slower by half")
    if let quota = processor.quota {
      note(
        quota < 1, "the control group pays for \(Format.fixed(quota, 2)) of a processor",
        "ask for a larger CPU quota; training waits most of the time")
    }
    guard terminal.isInteractive else { return problems }
    note(
      terminal.name == nil || !terminal.isKnown,
      terminal.name.map { "TERM=\($0) has no terminfo entry here" } ?? "TERM is not set",
      "install ncurses-term, or set TERM=xterm-256color")
    note(
      !terminal.isLocaleInstalled, "the locale \(terminal.locale) is not installed",
      "set LC_ALL=C.UTF-8, or install it with 'dpkg-reconfigure locales'")
    note(
      terminal.isLocaleInstalled && !terminal.isUTF8, "the locale \(terminal.locale) is not UTF-8: ASCII is drawn",
      "set LC_ALL=C.UTF-8")
    note(
      terminal.isKnown && terminal.colors < 256 && !terminal.refusesColor,
      "the terminal has \(terminal.colors) colors", "set TERM=xterm-256color if it can show more")
    if let columns = terminal.columns, let rows = terminal.rows {
      note(columns < 80 || rows < 24, "the terminal is \(columns)x\(rows)", "enlarge it to 80x24 or more")
    }
    return problems
  }
}
