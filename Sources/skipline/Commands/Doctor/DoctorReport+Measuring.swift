// Asks the machine for what a DoctorReport holds. Nothing is changed by asking.

import Datasets
import Files
import FoundationEssentials
import Glibc
import MPIRanks
import Resources
import Support
import Tensors
import Terminal
import Training

extension DoctorReport {
  /// - Parameter project: the folder that holds runs.
  static func measured(project: String) -> DoctorReport {
    let environment = ProcessInfo.processInfo.environment
    return DoctorReport(
      version: Version(), system: .measured(), processor: .measured(), memory: .measured(),
      blas: Blas(
        library: Kernels.blas, fault: Kernels.blasFault, threading: Blas.Threading(Kernels.blasThreading),
        // The numbers of threads are our own.
        environment: environment.filter { $0.key.hasPrefix("OPENBLAS_") && $0.key != "OPENBLAS_NUM_THREADS" }
          .map { "\($0.key)=\($0.value)" }.sorted()),
      mpi: .measured(path: environment["PATH"] ?? ""), terminal: TerminalFacts(.current()),
      folders: [
        Folder("runs", project, variable: "--project"),
        Folder("decisions", DecisionStore.standard.folder, variable: "XDG_CONFIG_HOME"),
        Folder("image cache", ImageCacheFolder.user?.path, variable: "XDG_CACHE_HOME"),
        Folder("log", UserFolders.current.state.map { $0 + "/skipline" }, variable: "XDG_STATE_HOME"),
        Folder("temporary", environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp", variable: "TMPDIR"),
      ])
  }
}

extension DoctorReport.MPI {
  /// - Parameter path: the folders of programs, with colons.
  static func measured(path: String) -> DoctorReport.MPI {
    func program(_ name: String) -> String? {
      path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
    var mpi = DoctorReport.MPI(launcher: program("mpirun"), compiler: program("mpicc"))
    do {
      mpi.library = try ProgramRanks.foundLibrary().path
      mpi.name = try mpi.library.map { try MPILibrary(path: $0).name }
    } catch { mpi.fault = "\(error)" }
    return mpi
  }
}

extension DoctorReport.System {
  static func measured() -> DoctorReport.System {
    var names = utsname()
    uname(&names)
    func text(_ bytes: some Any) -> String {
      withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    let release = SystemFile.text("/etc/os-release").split(separator: "\n")
      .first { $0.hasPrefix("PRETTY_NAME=") }?.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
    return DoctorReport.System(
      distribution: release.map { String($0) } ?? "unknown distribution",
      kernel: "\(text(names.sysname)) \(text(names.release)) \(text(names.machine))",
      program: FilePath.real("/proc/self/exe"))
  }
}

extension DoctorReport.Processor {
  static func measured() -> DoctorReport.Processor {
    let model = SystemFile.text("/proc/cpuinfo").split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":", maxSplits: 1).last
    return DoctorReport.Processor(
      model: model.map { $0.trimmingPrefix(" ") }.map(String.init) ?? "unknown processor", kernels: Kernels.level,
      available: Kernels.levels, hasBFloat16: OperandPrecision.hasFastBFloat16,
      installed: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_CONF)))),
      allowed: SystemThread.allowedProcessors, quota: SystemProcessors.quota,
      threads: SystemProcessors.available)
  }
}

extension DoctorReport.Memory {
  static func measured() -> DoctorReport.Memory {
    DoctorReport.Memory(
      total: KernelFigures.kilobytes("MemTotal", in: SystemFile.text("/proc/meminfo")) ?? 0,
      limits: SystemMemory.limits().map { limit in
        let source =
          switch limit.source {
          case .machine: "machine"
          case .controlGroup: "control group"
          case .addressSpace: "ulimit -v"
          case .data: "ulimit -d"
          }
        return Limit(source: source, free: limit.bytes)
      })
  }
}

extension DoctorReport.Blas.Threading {
  init(_ threading: Kernels.BlasThreading) {
    self =
      switch threading {
      case .serial: .serial
      case .pthreads: .pthreads
      case .openMP: .openmp
      }
  }
}

extension DoctorReport.TerminalFacts {
  init(_ terminal: TerminalDescription) {
    self.init(
      isInteractive: Terminal.isInteractive, name: terminal.name, isKnown: terminal.isKnown,
      colors: terminal.colors,
      hasTrueColor: terminal.hasTrueColor, refusesColor: Terminal.refusesColor, locale: terminal.locale,
      isLocaleInstalled: terminal.isLocaleInstalled, isUTF8: terminal.isUTF8, columns: terminal.columns,
      rows: terminal.rows)
  }
}

extension DoctorReport.Folder {
  /// Looks at the folder, or at the nearest above it that is there.
  init(_ purpose: String, _ path: String?, variable: String) {
    self.init(purpose: purpose, path: path, state: .unknown, free: nil, variable: variable)
    guard let path else { return }
    var existing = FilePath.absolute(path)
    while existing != "/", FilePath.isFolder(existing) == nil {
      existing = existing.lastIndex(of: "/").map { String(existing[..<$0]) } ?? "/"
      if existing.isEmpty { existing = "/" }
    }
    let isThere = existing == FilePath.absolute(path)
    let mayWrite = FilePath.isFolder(existing) == true && existing.withPathCString { access($0, W_OK | X_OK) } == 0
    state = mayWrite ? (isThere ? .writable : .willBeMade) : .notWritable
    var room = statvfs()
    if existing.withPathCString({ statvfs($0, &room) }) == 0 { free = Int(room.f_bavail) * Int(room.f_frsize) }
  }
}

/// Small files of the system's.
private enum SystemFile {
  static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
