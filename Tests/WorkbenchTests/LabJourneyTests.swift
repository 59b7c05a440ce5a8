// The degradation lab on the screen: planned, its networks trained one after another with the curves of those before laid
// over, measured, and answered; halted and gone on with.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct LabJourneyTests {
  private let plan = LabPlan(
    name: "lab-1", depths: .small,
    settings: TrainingSettings(data: "/d", network: NetworkSettings(name: "plain20"), epochs: 3, project: "runs"),
    budget: 300, given: [], fingerprint: "f", trainingImages: 1000, validationImages: 10, testImages: 10,
    seconds: 480)

  /// Where it stands when so many networks are trained and measured.
  private func report(trained: Int, measured: Int = 0, unfinished: Bool = false) -> LabReport {
    let errors = [0.1, 0.3, 0.08, 0.05]
    return LabReport(
      plan: plan,
      rows: plan.depths.networks.enumerated().map { place, network in
        let state: LabReport.State =
          place < trained ? .finished : place == trained && unfinished ? .unfinished : .missing
        var row = LabReport.Row(network: network, run: plan.path(network), state: state, parameters: 1000, epoch: 3)
        if state == .finished { (row.trainingError, row.validationError) = (errors[place], errors[place] + 0.01) }
        if network == LabNetwork(depth: 20, isResidual: true, isLarge: false) { row.published = 8.75 }
        if network == LabNetwork(depth: 56, isResidual: true, isLarge: false) { row.published = 6.97 }
        if place < measured { row.testError = errors[place] + 0.02 }
        return row
      })
  }

  private func shown(_ state: WorkbenchState) -> String {
    render(state, size: state.size, theme: .dark).snapshot()
  }

  private func description(_ network: LabNetwork) -> RunDescription {
    RunDescription(
      folder: plan.path(network), settings: plan.settings(of: network), classes: ["a", "b"], trainingImages: 1000,
      validationImages: 10, stepsPerEpoch: 16, parameters: 1000, majorityBaseline: 0.5)
  }

  private func outcome(_ network: LabNetwork, _ reason: RunOutcome.Reason = .completed) -> TrainingEvent {
    .finished(
      RunOutcome(folder: plan.path(network), reason: reason, epochs: 3, steps: 48, best: nil, seconds: 9))
  }

  @Test(arguments: [Size(width: 80, height: 24), Size(width: 140, height: 44)])
  func `a lab is planned for its depths and its time`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    let asked = state.press(.control("e"))
    guard case .ask(.planLab(let request)) = asked.first else {
      Issue.record("nothing was asked")
      return
    }
    #expect(request.depths == .small && request.settings.automatic == .all && request.settings.budget == nil)
    #expect(request.settings.data == state.settings.data)
    #expect(shown(state).contains("trying how long a step takes"))
    state.type("soon")
    #expect(shown(state).contains("it must be a time"))
    state.press(.control("u"))
    guard case .ask(.planLab(let timed))? = state.type("5m").last else {
      Issue.record("nothing was asked")
      return
    }
    #expect(timed.settings.budget == 300)
    // An answer to what was asked before is none any more.
    state.hear(.lab(.planned(request, report(trained: 0), reason: nil)))
    #expect(!shown(state).contains("Enter trains"))
    state.hear(.lab(.planned(timed, report(trained: 0), reason: nil)))
    let text = shown(state)
    for words in ["lab-1", "Enter trains", "plain20", "cifar56", "8.75%", "About 8 min", "--budget 5m"] {
      #expect(text.contains(words), "\(words)")
    }
    guard case .ask(.planLab(let others))? = state.press(.right).last else {
      Issue.record("nothing was asked")
      return
    }
    #expect(others.depths == .all)
  }

  @Test func `its networks are trained one after another, measured, and the question answered`() {
    var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
    guard case .ask(.planLab(let request))? = state.press(.control("e")).first else {
      Issue.record("nothing was asked")
      return
    }
    state.hear(.lab(.planned(request, report(trained: 0), reason: nil)))
    #expect(state.press(.enter) == [.browse(.lab(.begin(plan)))])
    for (place, network) in plan.depths.networks.enumerated() {
      let effects = state.hear(.lab(.report(report(trained: place))))
      #expect(effects.contains(.send(.start(plan.settings(of: network)))), "\(network.name)")
      #expect(effects.count { if case .browse(.readRun) = $0 { true } else { false } } == place)
      // Where it stands is asked a second time before the process has answered: nothing is started twice.
      #expect(state.hear(.lab(.report(report(trained: place)))).isEmpty)
      state.hear(.state(.preparing), .training(.started(description(network))), .state(.training))
      for other in plan.depths.networks.prefix(place) {
        state.hear(
          .runHistory(
            folder: plan.path(other), RunHistory(run: description(other), outcome: nil), reason: nil))
      }
      #expect(state.curves.overlays.map(\.name) == plan.depths.networks.prefix(place).map { "lab-1-\($0.name)" })
      state.hear(.training(outcome(network)))
      #expect(state.hear(.state(.idle)) == [.browse(.lab(.read(name: "lab-1", project: "runs")))])
    }
    for place in 0..<4 {
      let effects = state.hear(.lab(.report(report(trained: 4, measured: place))))
      let checkpoint = plan.path(plan.depths.networks[place]) + "/checkpoints/last.safetensors"
      #expect(effects == [.send(.evaluate(checkpoint: checkpoint, data: nil, split: .test))])
      state.hear(.state(.evaluating(checkpoint: checkpoint)))
      #expect(state.hear(.state(.idle)) == [.browse(.lab(.read(name: "lab-1", project: "runs")))])
    }
    #expect(state.hear(.lab(.report(report(trained: 4, measured: 4)))).isEmpty)
    #expect(state.lab == nil)
    let text = shown(state)
    for words in [
      "Yes: plain56 30.0%, plain20 10.0%", "lower error: cifar56 5.0%, cifar20 8.0%", "6.97%", "31.0%", "32.0%",
    ] {
      #expect(text.contains(words), "\(words)")
    }
    #expect(state.press(.enter).isEmpty && state.overlay == nil)
  }

  @Test func `a network that is stopped halts the lab, which goes on with it when asked to`() {
    var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
    state.lab = RunningLab(name: "lab-1", project: "runs")
    state.hear(.lab(.report(report(trained: 0))))
    let network = plan.depths.networks[0]
    state.hear(.state(.preparing), .training(.started(description(network))), .state(.training))
    // Looked at meanwhile.
    #expect(state.press(.control("e")) == [.browse(.lab(.read(name: "lab-1", project: "runs")))])
    #expect(state.hear(.lab(.report(report(trained: 0, unfinished: true)))).isEmpty)
    #expect(shown(state).contains("X halts it"))
    state.press(.escape)
    state.hear(.training(outcome(network, .stopped)))
    #expect(state.hear(.state(.idle)).isEmpty && state.lab == nil)
    #expect(state.notices.contains { $0.text.contains("skipline lab --resume lab-1") })
    guard case .ask(.planLab(let request))? = state.press(.control("e")).first else {
      Issue.record("nothing was asked")
      return
    }
    state.hear(.lab(.planned(request, report(trained: 0, unfinished: true), reason: nil)))
    #expect(shown(state).contains("Enter goes on"))
    #expect(state.press(.enter) == [.browse(.lab(.read(name: "lab-1", project: "runs")))])
    let effects = state.hear(.lab(.report(report(trained: 0, unfinished: true))))
    #expect(effects.contains(.send(.resumeRun(folder: plan.path(network)))))
    // One that fails each time is not tried for ever.
    state.hear(.training(.started(description(network))), .state(.idle))
    state.hear(.lab(.report(report(trained: 0, unfinished: true))))
    state.hear(.training(.started(description(network))), .state(.idle))
    #expect(state.hear(.lab(.report(report(trained: 0, unfinished: true)))).isEmpty && state.lab == nil)
  }

  @Test func `what stands in the way of a lab is told`() {
    var state = WorkbenchState.training()
    #expect(state.press(.control("e")).isEmpty)
    #expect(shown(state).contains("a run is under way"))
    state = WorkbenchState.opened()
    state.lab = RunningLab(name: "lab-1", project: "runs")
    state.hear(.lab(.failed("the images are others")))
    #expect(state.lab == nil && state.message?.text == "the images are others")
  }
}
