// Evaluations image by image for commands: what a run keeps of one where it is still of what is there, else made now.

import ArgumentParser
import Canvas
import Datasets
import Glibc
import Inspection
import Messages
import Support
import Training

/// Opens or makes evaluations.
struct EvaluationOpener {
  let signals: SignalWatcher
  let threads: Int?
  var ignoresMemory = false
  private let progress = ProgressLine()

  init(signals: SignalWatcher, threads: Int?, ignoresMemory: Bool = false) {
    self.signals = signals
    self.threads = threads
    self.ignoresMemory = ignoresMemory
  }

  /// The evaluation of a checkpoint on images, with the features where they are wanted and were not too many.
  /// - Throws: as `EvaluationJob`; `ExitCode` where a signal came.
  func record(_ source: EvaluationSource, withFeatures: Bool = false) throws -> EvaluationRecord {
    let job = try EvaluationJob(checkpoint: source.checkpoint, data: source.data, split: source.split)
    for note in job.notes { Console.complain("! \(note)") }
    switch try KeptRecords.find(source) {
    case .missing: break
    case .unusable(let reason): Console.progress("\(reason); evaluating again")
    case .record(let record):
      guard let now = try job.currentProvenance(preparation: { _ in signals.received == nil }) else {
        throw interrupted
      }
      if let staleness = record.staleness(now) {
        Console.progress("the evaluation of \(source.checkpoint) is kept, but \(staleness); evaluating again")
      } else if !withFeatures || record.features != nil || !record.table.notes.isEmpty {
        return record
      }
    }
    return try evaluate(job, source)
  }

  private func evaluate(_ job: EvaluationJob, _ source: EvaluationSource) throws -> EvaluationRecord {
    let what = "\(source.checkpoint) on \(source.split == .all ? "all" : source.split.rawValue) images"
    if isatty(STDERR_FILENO) == 0 { Console.progress("evaluating \(what)") }
    let evaluation = RecordedEvaluation(job, checkpoint: source.checkpoint)
    let measured = try evaluation.run(
      threads: threads, ignoringMemory: ignoresMemory,
      progress: { done, total in
        progress.show("evaluating \(what): \(Format.count(done)) of \(Format.count(total))")
        return signals.received == nil
      },
      preparation: { _ in signals.received == nil }, notice: { Console.complain("! \($0.text)") })
    progress.clear()
    guard let (report, record) = measured else { throw interrupted }
    do { try evaluation.keep(report, record) } catch {
      Console.complain("! this evaluation is not kept, and will be made again: \(error)")
    }
    for path in report.skipped.prefix(Self.shown) { Console.complain("! \(path) does not decode: not counted") }
    if report.skippedImages > Self.shown {
      Console.complain("! and \(Format.count(report.skippedImages - Self.shown)) more such images")
    }
    return record
  }

  private static let shown = 5

  private var interrupted: ExitCode { ExitCode(128 + (signals.received ?? SIGINT)) }
}

/// The checkpoint that a command is about, where its file may be of another program.
struct CheckpointOptions: ParsableArguments {
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Option(help: "The dataset whose classes the file knows, where it does not say so itself.") var data: String?

  /// - Throws: as `Checkpoint.load`; `SettingsError` for a dataset that is not needed.
  func load(_ checkpoint: String) throws -> LoadedModel {
    let location = try CheckpointLocation(foundRun(checkpoint))
    let description = try foreign.description(of: location.path, data: data)
    if description == nil, data != nil, try Checkpoint.model(path: location.path) != nil {
      throw SettingsError("\(location.path) says which classes it knows: leave --data out")
    }
    let model =
      try description.map { try Checkpoint.load(path: location.path, as: $0) }
      ?? Checkpoint.load(path: location.path)
    for note in model.notes { Console.complain("\(model.path): \(note)") }
    if let weights = model.weights { Console.complain("\(model.path): \(weights.text)") }
    return model
  }
}
