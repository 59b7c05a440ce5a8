// Trials of steps end when nobody waits for the plan that they are for.

import Messages
import Networks
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct StepTrialTests {
  @Test(arguments: [(0, 1), (1, 3), (2, 4)])
  func `a trial that is ended takes a step of each kind at most`(before: Int, asks: Int) throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), imageSize: 16, classes: 3)
    let asked = Atomic(0)
    let pool = ThreadPool(threads: 1)
    // Else as many as it takes at most.
    let trial = StepTrial(
      pool: pool, seconds: 3600, isCancelled: { asked.add(1, ordering: .relaxed).newValue > before })
    _ = trial.cost(plan, batch: 4, precision: .fp32)
    #expect(asked.load(ordering: .relaxed) == asks)
    let whole = StepTrial(pool: pool, seconds: 0.01).cost(plan, batch: 4, precision: .fp32)
    #expect(whole.training > 0 && whole.training < 1 && whole.inference < whole.training)
  }

  @Test func `a plan that nobody waits for is no plan and no error, and leaves no figures`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 12, validation: 2))
    let settings = project.settings { $0.automatic = .all }
    var ended = 0
    for before in 0..<60 {
      let planner = RunPlanner()
      let asked = Atomic(0)
      do {
        _ = try planner.plan(settings, isCancelled: { asked.add(1, ordering: .relaxed).newValue > before })
      } catch is CancellationError {
        ended += 1
      }
      // A made-up second an image would be the planner's for ever.
      let plan = try planner.plan(settings)
      #expect(plan.recipe.cost.epoch < 6, "ended at \(before): \(plan.recipe.cost.epoch) s for 12 images")
    }
    #expect(ended > 20, "\(ended)")
  }
}
