// `skipline doctor`: what a report of a bug needs to say of the machine, and what is wrong with it, in a screenful.

import ArgumentParser
import Canvas

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Says what Skipline finds on this machine, and what is wrong with it.",
    discussion: """
      Nothing is changed. Exit status 0 where nothing is wrong, else 1. SKIPLINE_KERNELS in the environment chooses the \
      kernels (of those that are listed), for comparisons.
      """)

  @Option(help: "The folder that holds runs.") var project = "runs"
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let report = DoctorReport.measured(project: project)
    let problems = report.problems
    if json {
      try Console.print(json: Output(report: report, problems: problems))
    } else {
      for (label, text) in report.lines { Console.print(label.padded(to: 11) + text) }
      Console.print("")
      for problem in problems {
        Console.print("! \(problem.what)")
        Console.print("  \(problem.cure)")
      }
      if problems.isEmpty { Console.print("nothing is wrong") }
    }
    if !problems.isEmpty { throw ExitCode(ExitStatus.failure.rawValue) }
  }

  private struct Output: Encodable {
    var report: DoctorReport
    var problems: [DoctorReport.Problem]
  }
}

extension DoctorReport {
  /// Label and text of each line.
  var lines: [(label: String, text: String)] {
    var lines = [
      ("skipline", "\(version)"), ("program", system.program),
      ("system", "\(system.distribution), \(system.kernel)"),
      ("processor", processor.model), ("cores", coresText),
      (
        "kernels",
        "\(processor.kernels) (of \(processor.available.joined(separator: ", "))"
          + "\(processor.hasBFloat16 ? "; bf16" : "")); SKIPLINE_KERNELS chooses"
      ),
      ("memory", memoryText),
      (
        "BLAS",
        (blas.fault.map { "none (\($0))" } ?? "\(blas.library), \(blas.threading.rawValue)")
          + (blas.environment.isEmpty ? "" : "; \(blas.environment.joined(separator: " "))")
      ),
      ("MPI", mpiText), ("terminal", terminalText),
      (
        "locale",
        "\(terminal.locale)\(terminal.isLocaleInstalled ? "" : " (not installed)"), "
          + (terminal.isUTF8 ? "UTF-8" : "not UTF-8")
      ),
    ]
    for (index, folder) in folders.enumerated() {
      let free = folder.free.map { ", \(Format.bytes($0)) free" } ?? ""
      lines.append(
        (
          index == 0 ? "folders" : "",
          "\(folder.purpose.padded(to: 13))\(folder.path ?? "-"): \(folder.state.rawValue)\(free)"
        )
      )
    }
    return lines
  }

  private var coresText: String {
    var text = "\(processor.allowed) of \(processor.installed) allowed"
    if let quota = processor.quota { text += ", a quota of \(Format.fixed(quota, 2))" }
    return text + "; \(Format.counted(processor.threads, "thread")) by default"
  }

  private var mpiText: String {
    if let name = mpi.name { return "\(name), by \(mpi.library ?? "")" }
    if mpi.fault != nil { return "not usable" }
    guard mpi.launcher != nil || mpi.compiler != nil else {
      return "none; only needed to train one run on several machines"
    }
    return
      "not set up: 'make build MPI=1' does that (mpirun: \(mpi.launcher ?? "none"), mpicc: \(mpi.compiler ?? "none"))"
  }

  private var memoryText: String {
    var text = Format.bytes(memory.total)
    if let limit = memory.inForce { text += ", \(Format.bytes(limit.free)) may still be taken (\(limit.source))" }
    return text
  }

  private var terminalText: String {
    guard let name = terminal.name else { return terminal.isInteractive ? "TERM is not set" : "none" }
    let size = terminal.columns.flatMap { columns in terminal.rows.map { ", \(columns)x\($0)" } } ?? ""
    let colors =
      terminal.refusesColor
      ? "no color (NO_COLOR)" : terminal.hasTrueColor ? "24-bit color" : "\(terminal.colors) colors"
    return "\(name)\(terminal.isKnown ? "" : " (unknown to terminfo)"), \(colors)\(size)"
      + (terminal.isInteractive ? "" : "; input or output is not a terminal")
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
