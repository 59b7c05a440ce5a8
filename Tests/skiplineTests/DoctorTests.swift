// What `doctor` calls wrong, of machines that are made up; and what it says of this one.

import Foundation
import Testing

@testable import skipline

@Suite struct DoctorTests {
  /// A machine with nothing wrong.
  static let sound = DoctorReport(
    version: Version(),
    system: DoctorReport.System(distribution: "Debian", kernel: "Linux", program: "/bin/skipline"),
    processor: DoctorReport.Processor(
      model: "a processor", kernels: "avx2", available: ["avx2", "sse2"], hasBFloat16: false, installed: 8,
      allowed: 8,
      quota: nil, threads: 8),
    memory: DoctorReport.Memory(
      total: 16 << 30, limits: [DoctorReport.Memory.Limit(source: "machine", free: 8 << 30)]),
    blas: DoctorReport.Blas(library: "OpenBLAS", threading: .pthreads, environment: []),
    mpi: DoctorReport.MPI(library: "/usr/lib/skipline/libskipline-mpi.so", name: "Open MPI v4.1.4"),
    terminal: DoctorReport.TerminalFacts(
      isInteractive: true, name: "xterm-256color", isKnown: true, colors: 256, hasTrueColor: false,
      refusesColor: false,
      locale: "C.UTF-8", isLocaleInstalled: true, isUTF8: true, columns: 120, rows: 36),
    folders: [
      DoctorReport.Folder(purpose: "runs", path: "runs", state: .willBeMade, free: 50 << 30, variable: "--project")
    ])

  @Test func `a sound machine has no problem`() {
    #expect(Self.sound.problems == [])
  }

  /// Each change, and a word of the one problem that it makes.
  static let faults: [(change: @Sendable (inout DoctorReport) -> Void, word: String)] = [
    ({ $0.memory.limits.append(DoctorReport.Memory.Limit(source: "ulimit -v", free: 200 << 20)) }, "ulimit -v"),
    ({ $0.folders[0].state = .notWritable }, "cannot be written to"),
    ({ $0.folders[0].free = 10 << 20 }, "are free"),
    (
      {
        $0.folders[0].path = nil; $0.folders[0].state = .unknown
      }, "HOME"
    ),
    ({ $0.processor.kernels = "sse2" }, "sse2 kernels"),
    ({ $0.processor.quota = 0.5 }, "control group"),
    ({ $0.blas.fault = "no such library" }, "OpenBLAS cannot be loaded"),
    ({ $0.blas.environment = ["OPENBLAS_CORETYPE=Haswell"] }, "OPENBLAS_CORETYPE"),
    ({ $0.terminal.name = nil }, "TERM is not set"),
    ({ $0.terminal.isKnown = false }, "no terminfo entry"),
    ({ $0.terminal.isLocaleInstalled = false }, "not installed"),
    ({ $0.terminal.isUTF8 = false }, "not UTF-8"),
    ({ $0.terminal.colors = 8 }, "8 colors"),
    ({ $0.terminal.columns = 60 }, "60x36"),
  ]

  @Test(arguments: faults.indices)
  func `each fault is one problem, with a cure`(index: Int) throws {
    var report = Self.sound
    Self.faults[index].change(&report)
    let problem = try #require(report.problems.first)
    #expect(report.problems.count == 1)
    #expect(problem.what.contains(Self.faults[index].word))
    #expect(!problem.cure.isEmpty)
  }

  @Test func `without a terminal nothing is said about it`() {
    var report = Self.sound
    report.terminal.isInteractive = false
    report.terminal.name = nil
    report.terminal.isUTF8 = false
    #expect(report.problems == [])
  }

  @Test func `it fills no more than a screen, and its JSON has the same`() throws {
    let found = DoctorReport.measured(project: "runs")
    #expect(found.lines.count <= 20)
    #expect(found.processor.available.contains(found.processor.kernels))
    #expect(found.memory.total > 0)
    #expect(throws: Never.self) { try JSONEncoder().encode(found) }
  }

  @Test func `processors that it may not run on are not counted`() async throws {
    let workspace = try Workspace(withData: false)
    let result = try await RunningProgram(["taskset", "-c", "0", "skipline", "doctor", "--json"], in: workspace)
      .finish()
    struct Found: Decodable {
      struct Report: Decodable { var processor: Processor }
      struct Processor: Decodable { var allowed: Int; var threads: Int }
      var report: Report
    }
    let processor = try result.decoded(Found.self).report.processor
    #expect(processor.allowed == 1 && processor.threads == 1)
  }

  @Test func `what is wrong stands in lines of its own`() async throws {
    let workspace = try Workspace(withData: false)
    let result = try await RunningProgram(["env", "SKIPLINE_KERNELS=sse2", "skipline", "doctor"], in: workspace)
      .finish()
    guard result.output.contains("! the sse2") else { return }
    #expect(result.output.contains("\n  unset SKIPLINE_KERNELS\n") && !result.output.contains("\u{240a}"))
  }

  @Test func `a folder that cannot be made is told`() {
    #expect(DoctorReport.Folder("runs", "/dev/null/here", variable: "--project").state == .notWritable)
    #expect(DoctorReport.Folder("runs", "/tmp/skipline-\(UUID())/a/b", variable: "--project").state == .willBeMade)
    #expect(DoctorReport.Folder("runs", nil, variable: "--project").state == .unknown)
  }
}

@Suite struct CommandSuggestionTests {
  static let commands = [
    "train", "evaluate", "predict", "doctor", "runs", "resume", "stop", "split", "check", "help",
  ]

  @Test(arguments: [
    ("evaluat", ["evaluate"]), ("evalaute", ["evaluate"]), ("doctr", ["doctor"]), ("eval", ["evaluate"]),
    ("trian", ["train"]), ("Train", ["train"]), ("chekc", ["check"]), ("run", ["runs"]), ("spilt", ["split"]),
  ])
  func `a mistyped command is told from a folder`(word: String, meant: [String]) throws {
    let unknown = try #require(
      UnknownCommand(arguments: [word, "runs/x"], commands: Self.commands, exists: { _ in false }))
    #expect(unknown.meant == meant)
    #expect("\(unknown)".contains("'skipline \(meant[0])'"))
  }

  @Test(arguments: ["train", "help", "--version", "photographs", "./trian", "data/trian", ""])
  func `what is a command, an option or like nothing is left alone`(word: String) {
    #expect(UnknownCommand(arguments: [word], commands: Self.commands, exists: { _ in false }) == nil)
  }

  @Test func `a folder of the name is a folder`() {
    #expect(UnknownCommand(arguments: ["trian"], commands: Self.commands, exists: { $0 == "trian" }) == nil)
  }

  @Test func `the program says which command was meant`() async throws {
    let workspace = try Workspace()
    let result = try await workspace.skipline("evaluat", "runs/x")
    #expect(result.status == 64)
    #expect(result.errors.contains("'skipline evaluate'"))
  }

  @Test func `kernels that this processor does not have are refused`() async throws {
    let workspace = try Workspace()
    let result = try await RunningProgram(["env", "SKIPLINE_KERNELS=avx9000", "skipline", "doctor"], in: workspace)
      .finish()
    #expect(result.status == 64)
    #expect(result.errors.contains("avx9000"))
  }

  @Test func `the demo copies the sample data and says how to train on them`() async throws {
    let workspace = try Workspace()
    let first = try await workspace.skipline("demo", "try it")
    #expect(first.status == 0)
    #expect(first.output.contains("skipline train 'try it/sample-data' --project 'try it/runs'"))
    let images = try FileManager.default.subpathsOfDirectory(atPath: "\(workspace.folder)/try it/sample-data")
      .filter { $0.hasSuffix(".png") }
    #expect(images.count == 1280)
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(workspace.folder)/try it/sample-data")
    #expect(attributes[.ownerAccountID] as? Int == Int(geteuid()))
    let second = try await workspace.skipline("demo", "try it")
    #expect(second.status == 0)
    #expect(second.errors.contains("is there already"))
  }
}
