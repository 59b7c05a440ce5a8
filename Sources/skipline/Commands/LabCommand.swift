// `skipline lab`: plain networks against residual ones, in the foreground one after another, and what came out beside
// what the article says. Which runs these are, and what of them is there already, is Training's.

import ArgumentParser
import Canvas
import Glibc
import Messages
import Support
import Training
import Workbench

struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "Trains plain and residual networks of two depths, and shows which of them degrade with depth.",
    discussion: """
      The comparison of He et al. 2015 (arXiv:1512.03385, figures 1, 4 and 6): plainN and ResNet-N of each depth, with \
      one seed, one order of images and the same settings, one after the other. Each is a run, lab-1-plain20 and so \
      on. What is not given is as in the article; --budget, 10 minutes if not given, is the time for all of them. It \
      takes the options of train. Run again with the same options, it keeps what is finished and goes on with the \
      rest.
      """)

  @Argument(help: "The dataset's folder; not with --resume.", transform: given) var data: String?
  @Option(
    help: ArgumentHelp(
      "Depths to compare: of the networks for small images, as 20,56 or 20,32,44,56; or 18,34. (default: 20,56)",
      valueName: "depths"),
    transform: { text in
      do throws(SettingRefusal) { return try LabDepths(argument: text) } catch { throw Unfitting(error.reason) }
    }) var nets: LabDepths?
  @Option(help: ArgumentHelp("Go on with this lab, with its own settings.", valueName: "lab"), transform: given)
  var resume: String?
  @OptionGroup var options: TrainingOptions
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if (data == nil) == (resume == nil) {
      throw ValidationError("name a dataset's folder, or a lab with --resume")
    }
    let given = GivenOptions(options).values
    if resume != nil {
      let others = Settings.all.filter { given[$0.option] != nil && $0.option != Settings.project.option }
      let names = others.map { "--\($0.option)" } + (nets == nil ? [] : ["--nets"])
      guard names.isEmpty else {
        throw ValidationError("\(names.joined(separator: ", ")): a lab is resumed with its own settings")
      }
    }
    let refused = DegradationLab.refused.filter { given[$0.option] != nil }.map { "--\($0.option)" }
    if !refused.isEmpty {
      throw ValidationError(
        "\(refused.joined(separator: ", ")): the networks of a lab are those of --nets, each begins with random weights, "
          + "and all are trained for as many epochs")
    }
  }

  func run() throws {
    do { try compare() } catch {
      guard let status = ExitStatus(of: error) else { throw error }
      Console.complain("skipline: \(error)".shownPaths(from: WorkingFolder.path))
      throw ExitCode(status.rawValue)
    }
  }

  private func compare() throws {
    Console.stopWaiting()
    let signals = try SignalWatcher()
    let lab = try signals.cancelling { isCancelled in try opened(isCancelled: isCancelled) }
    Console.progress("\(lab.plan.name): \(lab.plan.text)")
    for network in lab.plan.depths.networks { try train(lab.run(network), signals) }
    if lab.plan.testImages > 0 {
      let opener = EvaluationOpener(
        signals: signals, threads: lab.plan.settings.threads, ignoresMemory: lab.plan.settings.safety.ignoresMemory)
      for row in try lab.report().rows where row.testError == nil {
        _ = try opener.record(
          EvaluationSource(
            checkpoint: row.run.shownPath(from: WorkingFolder.path) + "/checkpoints/last.safetensors", data: nil,
            split: .test))
      }
    }
    var report = try lab.report()
    for place in report.rows.indices {
      report.rows[place].run = report.rows[place].run.shownPath(from: WorkingFolder.path)
    }
    if json { return try Console.print(json: Document(report)) }
    for line in Console.table(LabText.table(report), hasPaths: true) { Console.print(line) }
    Console.print("")
    for line in LabText.answer(report) { Console.print(line) }
  }

  /// The lab that is there, or a new one.
  private func opened(isCancelled: @escaping @Sendable () -> Bool) throws -> DegradationLab {
    if let resume {
      let lab = try DegradationLab(named: resume, project: options.project ?? ProjectFolder.nearest)
      try lab.requireSame(isCancelled: isCancelled)
      return lab
    }
    let settings = try options.settings(data: data ?? "", tell: { Console.progress($0) })
      .absolute(from: WorkingFolder.path)
    let request = LabRequest(depths: nets ?? .small, settings: settings)
    if let lab = try DegradationLab.find(request)?.computing(like: settings) {
      try lab.requireSame(isCancelled: isCancelled)
      return lab
    }
    let preparation = PreparationPrinter()
    let lab = try DegradationLab.planned(
      request, progress: { preparation.report($0) }, isCancelled: isCancelled)
    try lab.begin()
    Console.progress(
      "about \(Format.duration(lab.plan.seconds)) for \(lab.plan.depths.networks.count) networks; to go on after an "
        + "interruption: the same command, or skipline lab --resume \(lab.plan.name)")
    return lab
  }

  private func train(_ run: SeriesRun, _ signals: SignalWatcher) throws {
    let name = run.path.shownPath(from: WorkingFolder.path)
    let state = try run.state()
    if state == .finished { return Console.progress("\(name) is finished") }
    Console.progress(state == .unfinished ? "goes on with \(name)" : "trains \(name)")
    let preparation = PreparationPrinter()
    let job = try signals.cancelling { isCancelled in
      try run.job(
        commandLine: options.recorded(), progress: { preparation.report($0) }, isCancelled: isCancelled)
    }
    let outcome = try ForegroundTraining(signals: signals, json: false).train(job).outcome
    if let signal = signals.received { throw ExitCode(128 + signal) }
    // Ended by somebody who was attached.
    if outcome.reason == .stopped {
      throw SettingsError("\(name) was stopped; to go on: run the same command again")
    }
  }

  /// What comes of it.
  struct Document: Codable {
    var report: LabReport
    var question: String
    /// Of the plain networks, and of the residual ones.
    var plain: LabReport.Answer?
    var residual: LabReport.Answer?
    var answer: String?
    var article: String

    init(_ report: LabReport) {
      self.report = report
      question = LabReport.question
      plain = report.answer(isResidual: false)
      residual = report.answer(isResidual: true)
      answer = report.answerText { Format.percent($0, decimals: 2) }
      article = report.article
    }
  }
}
