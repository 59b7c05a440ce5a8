// `skipline plan`: what `train` would do, and what it would cost, without doing it.

import ArgumentParser
import Canvas
import Datasets
import Messages
import Training

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Says what training on a dataset would do and cost, without starting it.",
    discussion: """
      It takes the options of 'train'. Steps are tried for some seconds. With --ranks it reckons what steps would take on \
      several machines like this one, each with a replica of the plan's batch, from the trial, the bytes of the gradients \
      and a network of the stated speed (docs/many-machines.md).
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @OptionGroup var options: TrainingOptions
  @OptionGroup(title: "Many machines") var scaling: ScalingOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    do { try plan() } catch {
      guard let status = ExitStatus(of: error) else { throw error }
      Console.complain("skipline: \(error)".shownPaths(from: WorkingFolder.path))
      throw ExitCode(status.rawValue)
    }
  }

  private func plan() throws {
    let signals = try SignalWatcher()
    let preparation = PreparationPrinter()
    let settings = try options.settings(data: data, tell: { Console.progress($0) })
    let planner = RunPlanner()
    let plan = try signals.cancelling { isCancelled in
      try planner.plan(
        settings.absolute(from: WorkingFolder.path), comparing: true, progress: { preparation.report($0) },
        isCancelled: isCancelled)
    }
    let tables = try scaling.estimates(of: plan, by: planner)
    if json {
      return try tables.isEmpty
        ? Console.print(json: plan)
        : Console.print(json: ScaledPlan(settings: plan.settings, recipe: plan.recipe, scaling: tables))
    }
    let facts = plan.recipe.facts
    Console.print(
      "\(Format.counted(facts.trainingImages, "training image")), \(Format.count(facts.validationImages)) validation, "
        + "\(Format.count(facts.testImages)) test; \(Format.counted(facts.classes, "class", plural: "classes")) of "
        + "\(Format.count(facts.smallestClass)) to \(Format.count(facts.largestClass)); "
        + "\(facts.isGray ? "gray" : "color"), about \(facts.shorterSide) pixels on the shorter side")
    for line in RecipeText.lines(plan.recipe) { Console.print(line) }
    Console.print("")
    Console.print("what others would take:")
    for line in RecipeText.table(plan.recipe) { Console.print(line) }
    Console.print("")
    if !tables.isEmpty {
      Console.print(
        "on several machines like this one, reckoned and not measured, each with \(plan.settings.batchSize) images of a "
          + "step\(plan.settings.accumulate > 1 ? ", \(plan.settings.accumulate) times" : ""):")
      for table in tables {
        for line in table.lines { Console.print(line) }
        Console.print("")
      }
    }
    Console.print("$ " + plan.settings.commandLine.shownPaths(from: WorkingFolder.path))
  }
}

/// A plan with what steps would take on several machines.
private struct ScaledPlan: Encodable {
  var settings: TrainingSettings
  var recipe: RecipeReport
  var scaling: [ScalingTable]
}
