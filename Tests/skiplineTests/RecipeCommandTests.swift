// Runs of which nothing or little is said: what the recipe chooses is shown, kept and kept to.

import Foundation
import Messages
import Testing
import Training

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
    #expect(plan.recipe.alternatives.filter(\.isChosen).count == 1)
    #expect(plan.settings.automatic.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: "\(workspace.folder)/runs"))
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
    #expect(printed.output.contains("suggested: --lr") || printed.output.contains("the loss never fell"))
  }
}
