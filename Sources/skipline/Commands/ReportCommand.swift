// `skipline report`: a run as one HTML file that can be sent to somebody.

import ArgumentParser
import Files
import FoundationEssentials
import Glibc
import Inspection
import Messages
import Reports
import Training

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Writes a run as an HTML file that holds all it shows.",
    discussion: """
      Curves, settings with the recipe's reasons, classes, the confusion matrix with its pictures, mistakes. The run's best \
      checkpoint is evaluated first where that was not done yet.
      """)

  @Argument(help: ArgumentHelp("A run's folder, or its name.", valueName: "run"), transform: given) var name: String
  @Option(help: "The file to write, NAME.html. (default: report.html in the run's folder)", transform: given)
  var out: String?
  @Option(help: "train, val, test or all; test if not given.") var split: EvaluationSplit?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?

  func validate() throws {
    if let out, !out.lowercased().hasSuffix(".html"), !out.lowercased().hasSuffix(".htm") {
      throw ValidationError("--out \(out): the name of a report ends in .html")
    }
  }

  func run() throws {
    let folder = try namedRun(name)
    let (evaluation, reliability, notes) = try self.evaluation(of: folder)
    let report = try RunReport(of: folder, evaluation: evaluation, reliability: reliability, notes: notes)
    let path = out ?? folder.path + "/report.html"
    try AtomicFile.write(Data(report.html.utf8), to: path)
    Console.print(path)
  }

  /// The one that was kept, or a new one.
  private func evaluation(of folder: RunFolder) throws -> (EvaluationReport?, Reliability?, [String]) {
    let chosen = split ?? .test
    do {
      let kept = try KeptEvaluation(of: folder, split: chosen)
      if kept.isCurrent { return (kept.report, reliability(of: kept.report, in: folder), []) }
      Console.progress("the evaluation that is there is of an earlier checkpoint")
    } catch is NoKeptEvaluation {}
    do {
      Console.progress("evaluating \(folder.path)")
      let job = try EvaluationJob(checkpoint: folder.path, data: nil, split: chosen)
      for note in job.notes { Console.complain("! \(note)") }
      let signals = try SignalWatcher()
      let evaluation = RecordedEvaluation(job, checkpoint: folder.path)
      let measured = try evaluation.run(
        threads: threads, progress: { _, _ in signals.received == nil },
        preparation: { _ in signals.received == nil }, notice: { Console.complain("! \($0.text)") })
      guard let (report, record) = measured else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
      try evaluation.keep(report, record)
      return (report, record.table.reliability(), job.notes)
    } catch let error as ExitCode {
      throw error
    } catch  where split == nil {
      // The rest is worth having, and the page says what is not there.
      Console.complain("! without an evaluation: \(error)")
      return (nil, nil, ["There is no evaluation: \(error)"])
    }
  }

  /// Of what the evaluation has kept of each image; nil where it has kept nothing.
  private func reliability(of report: EvaluationReport, in folder: RunFolder) -> Reliability? {
    let found = try? KeptRecords.find(EvaluationSource(checkpoint: report.checkpoint, split: report.split))
    guard case .record(let record)? = found, record.table.count == report.images else { return nil }
    return record.table.reliability()
  }
}
