// What the recipe chooses, on the screen: asked for when the data are known and when settings change, shown beside the
// word that leaves a setting to it, and dropped when it is of other settings.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct PlanTests {
  private func opened() -> (WorkbenchState, [Effect]) {
    var state = Fixtures.state(size: Size(width: 160, height: 50))
    state.settings.automatic = .all
    let effects = state.hear(.dataset(Fixtures.dataset), .state(.idle))
    return (state, effects)
  }

  private func plan(_ request: TrainingSettings, _ network: String = "resnet9") -> RunPlan {
    var settings = request
    settings.automatic = .none
    settings.network.name = network
    settings.epochs = 77
    return RunPlan(
      settings: settings,
      recipe: RecipeReport(
        choices: [
          .init(option: "net", value: network, reason: "the largest that fits"),
          .init(option: "epochs", value: "77", reason: "more would hardly help"),
        ],
        facts: DataFacts(
          trainingImages: 1650, validationImages: 206, testImages: 206, classes: 10, smallestClass: 160,
          largestClass: 170, shorterSide: 100, aspect: 1, isGray: false, decodingSeconds: 0.001),
        cost: RunCost(epochs: 77, steps: 4000, preparation: 1, epoch: 1.2, evaluation: 0.4, memory: 100 << 20),
        budget: 120, alternatives: []))
  }

  private func shown(_ state: WorkbenchState) -> String {
    render(state, size: state.size, theme: .dark).snapshot()
  }

  private func question(_ state: WorkbenchState) -> String {
    var state = state
    state.type(" ")
    return PlainScreen.lines(state, theme: Theme.monochrome.with(glyphs: .ascii)).joined(separator: " ")
  }

  @Test func `a plan is asked for once the data are known, and shown`() {
    var (state, effects) = opened()
    #expect(effects.contains(.ask(.plan(state.settings))))
    #expect(shown(state).contains("trying what fits the images"))
    // The question at the start does not name what would not be trained.
    let early = question(state)
    #expect(early.contains("is chosen from the images") && !early.contains(state.settings.network.name), "\(early)")
    let described = state.hear(.plan(state.settings, plan(state.settings), reason: nil))
    #expect(described == [.browse(state.describeNetwork)])
    let planned = question(state)
    #expect(planned.contains("resnet9, 77 epochs") && planned.contains("about 1 min 34 s"), "\(planned)")
    #expect(shown(state).contains("resnet9"))
    #expect(shown(state).contains("77 epochs, about 1 min 34 s"))
    state.type("o")
    #expect(shown(state).contains("auto: resnet9"))
    #expect(shown(state).contains("resnet9: the largest that fits"))
    #expect(shown(state).contains("about 1 min 34 s in all"))
    // The run is started with what is left to the recipe: it is asked again, on the machine that trains.
    state.press(.escape)
    let started = state.press(.character(" "), .enter)
    #expect(started.contains(.send(.start(state.settings))))
  }

  @Test func `another setting is another plan, and an old one does not come back`() {
    var (state, _) = opened()
    let before = state.settings
    state.hear(.plan(before, plan(before), reason: nil))
    state.type("ovgg19")
    let effects = state.press(.enter)
    #expect(state.settings.network.name == "vgg19" && !state.settings.automatic.contains("net"))
    #expect(effects.contains(.ask(.plan(state.settings))))
    #expect(state.plan == nil)
    state.hear(.plan(before, plan(before), reason: nil))
    #expect(state.plan == nil)
    state.hear(.plan(state.settings, nil, reason: "no image decodes"))
    state.press(.escape)
    #expect(shown(state).contains("no image decodes"))
  }

  @Test func `a field is left to the recipe again by its word, or by nothing`() throws {
    let field = try #require(SettingsField.all.first { $0.row.option == "batch" })
    var settings = Fixtures.settings
    for text in ["auto", ""] {
      settings.automatic = .none
      try field.apply(text, to: &settings, networks: [])
      #expect(settings.automatic.contains("batch"))
      #expect(field.text(in: settings) == "auto")
      try field.apply("32", to: &settings, networks: [])
      #expect(!settings.automatic.contains("batch") && settings.batchSize == 32)
    }
  }

  @Test func `nothing is tried while a run has the machine, and without a recipe`() {
    var (state, _) = opened()
    state.hear(.state(.training))
    state.type("ovgg19")
    let underWay = state.press(.enter)
    #expect(!underWay.contains(.ask(.plan(state.settings))))
    var plain = Fixtures.state()
    let read = plain.hear(.dataset(Fixtures.dataset))
    #expect(!read.contains(.ask(.plan(plain.settings))))
    // Whoever looks at the settings wants to know how long it takes.
    #expect(plain.type("o") == [.ask(.plan(plain.settings))])
    plain.press(.escape)
    #expect(plain.type("o").isEmpty)
  }

  @Test func `rates are tried from the form, and the one suggested is taken by Enter`() {
    var state = WorkbenchState.opened(size: Size(width: 100, height: 40))
    state.type("o")
    let asked = state.press(.control("r"))
    #expect(asked == [.ask(.findLearningRate(state.settings))])
    let points = (0..<60).map { LearningRateCurve.Point(rate: 1e-4 * Double($0 + 1), loss: 2, smoothed: 2) }
    state.hear(
      .learningRates(
        state.settings, LearningRateCurve(points: points, suggestion: 0.003, lowest: 0.012, diverged: false),
        reason: nil))
    #expect(shown(state).contains("suggested: 0.003"))
    state.press(.enter)
    #expect(state.settings.learningRate == 0.003)
    guard case .settings = state.overlay else {
      Issue.record("the form is gone")
      return
    }
  }
}
