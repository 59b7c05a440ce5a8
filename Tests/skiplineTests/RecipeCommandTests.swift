// Runs of which nothing or little is said: what the recipe chooses is shown, kept and kept to.

import Foundation
import Messages
import Testing
import Training

@testable import skipline

@Suite struct RecipeCommandTests {
  @Test func `a plan is printed, and as JSON, and nothing is written`() async throws {
    let workspace = try Workspace()
    let printed = try await workspace.skipline("plan", "data", "--budget", "20s")
    #expect(printed.status == 0)
    for text in ["--net", "--imgsz", "--epochs", "about ", "an epoch", "$ skipline train data --recipe none --net"]
    {
      #expect(printed.output.contains(text), "\(text)")
    }
    let plan = try await workspace.skipline("plan", "data", "--budget", "20s", "--json").decoded(RunPlan.self)
    #expect(plan.recipe.facts.trainingImages == 40)
    #expect(plan.recipe.budget == 20)
    let chosen = plan.recipe.alternatives.filter(\.isChosen)
    // One figure for one thing.
    #expect(chosen.count == 1 && chosen.first?.epoch == plan.recipe.cost.epoch)
    #expect(plan.settings.automatic.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: "\(workspace.folder)/runs"))
  }

  @Test func `a plan for many machines is printed, and as JSON`() async throws {
    let workspace = try Workspace()
    let words = [
      "plan", "data", "--recipe", "none", "--net", "cifar8", "--imgsz", "32", "--batch", "8", "--threads", "1",
      "--ranks",
      "2,8", "--network", "1G,25G", "--latency", "20us",
    ]
    let printed = try await RunningProgram(["skipline"] + words, in: workspace).finish()
    #expect(printed.status == 0)
    for text in ["1Gbit/s, 20 us a message", "25Gbit/s", "efficiency", "hidden"] {
      #expect(printed.output.contains(text), "\(text) in \(printed.output)")
    }
    let plan = try await RunningProgram(["skipline"] + words + ["--json"], in: workspace).finish()
      .decoded(ScaledPlan.self)
    #expect(plan.scaling.map(\.network) == ["1G", "25G"])
    #expect(plan.scaling.allSatisfy { abs($0.latency - 20e-6) < 1e-12 && $0.steps.map(\.ranks) == [2, 8] })
    for table in plan.scaling {
      for step in table.steps {
        #expect(step.seconds > 0 && step.imagesPerSecond > 0 && (0...1).contains(step.hiddenShare))
        #expect(step.efficiency > 0 && step.efficiency <= 1)
      }
    }
    #expect(plan.scaling[0].steps[1].exchangeSeconds > plan.scaling[1].steps[1].exchangeSeconds)
    let alone = try await workspace.skipline("plan", "data", "--network", "1G")
    #expect(alone.status != 0 && alone.errors.contains("--network goes with --ranks"))
  }

  private struct ScaledPlan: Decodable {
    struct Table: Decodable {
      var network: String
      var bitsPerSecond: Double
      var latency: Double
      var steps: [Step]
    }
    struct Step: Decodable {
      var ranks: Int
      var seconds: Double
      var exchangeSeconds: Double
      var hiddenShare: Double
      var imagesPerSecond: Double
      var efficiency: Double
    }
    var scaling: [Table]
  }

  @Test func `a run without options trains as planned, says why, and records it`() async throws {
    let workspace = try Workspace()
    let trained = try await workspace.skipline(
      "train", "data", "--budget", "8s", "--name", "auto", "--threads", "1")
    #expect(trained.status == 0)
    #expect(trained.errors.contains("recipe, from the data"))
    #expect(trained.errors.contains("the same again: skipline train"))
    let record = try RunFolder(existing: "\(workspace.folder)/runs/auto").record()
    let recipe = try #require(record.recipe)
    #expect(record.settings.automatic.isEmpty)
    #expect(record.settings.budget == 8)
    #expect(recipe.choices.contains { $0.option == "net" && $0.value == record.settings.network.name })
    let again = try await workspace.skipline("train", "--resume", "runs/auto")
    #expect(again.status == 0)
    #expect(!again.errors.contains("recipe, from the data"))
  }

  @Test(arguments: [
    (["--budget", "5s", "--epochs", "3"], "--budget chooses the epochs"),
    (["--budget", "5s", "--recipe", "none"], "--budget goes with --recipe auto"),
    (["--budget", "soon"], "it must be a time"),
  ])
  func `a time that nothing can be fitted into is refused`(options: [String], reason: String) async throws {
    let workspace = try Workspace()
    let refused = try await workspace.skipline(["train", "data"] + options)
    #expect([64, 65].contains(refused.status))
    #expect(refused.errors.contains(reason))
    #expect(!FileManager.default.fileExists(atPath: "\(workspace.folder)/runs"))
  }

  @Test func `a saved recipe trains again, and the run's record holds its settings, not its name`() async throws {
    let workspace = try Workspace()
    let saved = try await workspace.skipline(["recipe", "save", "tiny", "--epochs", "1"] + Workspace.tinyNetwork)
    #expect(saved.status == 0 && workspace.exists(".config/skipline/recipes/tiny.json"), "\(saved.errors)")
    let trained = try await workspace.skipline(
      "train", "data", "--recipe", "tiny", "--lr", "0.07", "--name", "again", "--save-recipe", "faster")
    #expect(trained.status == 0, "\(trained.errors)")
    let record = try RunFolder(existing: "\(workspace.folder)/runs/again").record()
    #expect(record.settings.network.name == "cifar8" && record.settings.batchSize == 8)
    #expect(record.settings.learningRate == 0.07 && record.settings.name == "again")
    let words = record.commandLine
    #expect(!words.contains("tiny") && words.contains("cifar8") && words.contains("0.07"))
    let again = try TrainCommand.parse(Array(words.dropFirst(2)))
    var settings = try again.options.settings(data: "data")
    settings.data = record.settings.data
    settings.project = record.settings.project
    #expect(settings == record.settings)
    #expect(try workspace.text(".config/skipline/recipes/faster.json").contains("\"lr\": 0.07"))
  }

  @Test func `a recipe's file is taken by its path, and refused where it says what cannot be`() throws {
    let workspace = try Workspace(withData: false)
    func settings(_ text: String, _ words: [String] = []) throws -> TrainingSettings {
      try workspace.write(Array(text.utf8), to: "x.json")
      return try TrainCommand.parse(["data", "--recipe", "\(workspace.folder)/x.json"] + words)
        .options.settings(data: "data", tell: { _ in })
    }
    let adamw = #"{"optimizer": "adamw", "lr": 0.002, "flip": false}"#
    #expect(try settings(adamw).commandLine == "skipline train data --no-flip --optimizer adamw --lr 0.002")
    // What is given besides wins, and what is usual goes with it.
    let sgd = try settings(adamw, ["--optimizer", "sgd", "--flip"])
    #expect(
      sgd.commandLine == "skipline train data --flip --lr 0.002" && sgd.optimizer == OptimizerMethod.sgd.usual)
    let error = #expect(throws: RecipeFileError.self) { try settings(#"{"epochs": 0}"#) }
    #expect(error?.description.contains("x.json: \"epochs\" is 0: it must be a whole number from 1") == true)
    let unknown = #expect(throws: SettingsError.self) {
      try TrainCommand.parse(["data", "--recipe", "no such one"]).options.settings(data: "data")
    }
    #expect(unknown?.description.contains("there is no recipe \"no such one\"") == true)
  }

  @Test(arguments: [
    ["train", "data", "--save-recipe", "auto"], ["train", "data", "--save-recipe", "none"],
    ["train", "--resume", "r", "--save-recipe", "x"], ["train", "data", "--like", "r", "--recipe", "x"],
    ["train", "--resume", "r", "--recipe", "x"],
    ["recipe", "save", "auto"], ["recipe", "save", "x", "--name", "y"], ["recipe", "save", "x", "--accept-errors"],
    ["recipe", "remove"], ["recipe", "show"], ["recipe", "save"], ["recipe", "list", "x"], ["recipe", "keep", "x"],
    ["recipe", "show", "x", "--lr", "0.1"], ["recipe", "--overwrite"], ["recipe", "save", "x", "y"],
  ])
  func `what is no recipe is a mistake in the command`(words: [String]) {
    #expect(throws: (any Error).self) { try SkiplineCommand.parseAsRoot(words) }
  }

  @Test func `growing rates are tried and one is suggested`() async throws {
    let workspace = try Workspace()
    let words = ["lr-find", "data"] + Workspace.tinyNetwork
    let found = try await workspace.skipline(words + ["--json"])
    #expect(found.status == 0)
    let curve = try found.decoded(LearningRateCurve.self)
    #expect(curve.points.count > 20)
    #expect(zip(curve.points, curve.points.dropFirst()).allSatisfy { $0.rate < $1.rate })
    #expect(!FileManager.default.fileExists(atPath: "\(workspace.folder)/runs"))
    let printed = try await workspace.skipline(words)
    #expect(printed.output.contains("suggested: ") || printed.output.contains("the loss never fell"))
  }
}
