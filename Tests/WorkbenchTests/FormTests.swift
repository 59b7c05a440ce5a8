// The settings form: what it says of the network and the run before that is started, what settings come to that leave
// something open, what else they could be, and recipes that are saved and taken.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct FormTests {
  private static let wide = Size(width: 140, height: 44)

  private func shown(_ state: WorkbenchState) -> String {
    render(state, size: state.size, theme: .dark).snapshot()
  }

  private func line(_ state: WorkbenchState, with text: String) -> String {
    shown(state).split(separator: "\n").first { $0.contains(text) }.map(String.init) ?? ""
  }

  private func plan(_ request: TrainingSettings) -> RunPlan {
    var settings = request
    settings.automatic = .none
    settings.learningRate = 0.05
    return RunPlan(
      settings: settings,
      recipe: RecipeReport(
        choices: [.init(option: "lr", value: "0.05", reason: "in proportion to the batch")],
        facts: DataFacts(
          trainingImages: 1650, validationImages: 206, testImages: 206, classes: 10, smallestClass: 160,
          largestClass: 170, shorterSide: 100, aspect: 1, isGray: false, decodingSeconds: 0.001),
        cost: RunCost(epochs: 12, steps: 400, preparation: 1, epoch: 2.5, evaluation: 0.5, memory: 100 << 20),
        budget: 90, alternatives: []))
  }

  @Test(arguments: [Size(width: 80, height: 24), wide])
  func `the form says what the run would take, before it is started`(size: Size) {
    var state = WorkbenchState.opened(size: size)
    var summary = Fixtures.summary
    (summary.trainingMemory, summary.availableMemory) = (400 << 20, 20 << 30)
    state.hear(.network(summary))
    state.type("o")
    #expect(shown(state).contains("trying what fits the images"))
    state.hear(.plan(state.settings, plan(state.settings), reason: nil))
    let text = shown(state)
    let size = size.width < 90 ? ["params", "MACs"] : ["parameters", "multiply-adds"]
    for words in size + ["of 20.0 GiB free", "an epoch 2.5 s, tried here; 12 epochs, about 32 s"] {
      #expect(text.contains(words), "\(words)")
    }
    // Another network is not described by the figures of this one.
    state.hear(.plan(state.settings, nil, reason: "no image decodes"))
    #expect(shown(state).contains("no image decodes"))
  }

  @Test func `what is left open stands there with what it comes to, and why`() {
    var state = WorkbenchState.opened(size: Self.wide)
    state.settings.automatic.insert("lr")
    state.type("o")
    var plan = plan(state.settings)
    plan.settings.network.widthMultiplier = 0.25
    state.hear(.plan(state.settings, plan, reason: nil))
    #expect(line(state, with: "learning rate").contains("auto: 0.05"))
    #expect(line(state, with: "width multiplier").contains("0.25, with cifar20"))
    #expect(line(state, with: "learning rate").contains("in proportion to the batch"))
    #expect(line(state, with: "time budget").contains("a try: 1 min 30 s"))
    // What the rules of the engine say of it.
    #expect(line(state, with: "shortcut").contains("usual: A"))
    #expect(line(state, with: "shortcut").contains("usual A B C"))
    #expect(!shown(state).contains("default"))
  }

  @Test func `every setting is there below a heading, with what else it could be`() throws {
    var state = WorkbenchState.opened(size: Size(width: 140, height: 120))
    state.type("o")
    let text = shown(state)
    for group in FormField.Group.allCases { #expect(text.contains(group.title)) }
    for field in SettingsField.all { #expect(text.contains(field.label), "\(field.label)") }
    #expect(line(state, with: "optimizer  ").contains("sgd adamw muon"))
    #expect(line(state, with: "epochs  ").contains("1 to 1,000,000"))
    #expect(line(state, with: "patience").contains("never"))
    #expect(line(state, with: "weights  ").contains("random"))
    // Labels are short enough for their column, and no two are alike.
    #expect(Set(SettingsField.all.map(\.label)).count == SettingsField.all.count)
    #expect(SettingsField.all.allSatisfy { $0.label.columns <= 18 })
  }

  @Test func `pages and ends of the form, and numbers that go together`() throws {
    var state = WorkbenchState.opened(size: Self.wide)
    state.type("o")
    func field() throws -> SettingsField {
      guard case .settings(let form) = state.overlay else { throw SettingRefusal("no form") }
      return form.field
    }
    state.press(.pageDown)
    #expect(try field() == SettingsField.all[10])
    state.press(.pageDown, .pageUp, .pageUp)
    #expect(try field() == SettingsField.all[0])
    state.press(.end)
    #expect(try field() == .of(Settings.name))
    var settings = Fixtures.settings
    // A momentum that is taken away is said, since silence would be the usual one.
    try SettingsField.of(Settings.momentum).apply("", to: &settings, networks: [])
    #expect(settings.commandLine.hasSuffix("--momentum 0"))
    settings = Fixtures.settings
    let std = SettingsField.of(Settings.std)
    #expect(throws: SettingRefusal.self) { try std.apply("0.2,0.2,0.2", to: &settings, networks: []) }
    #expect(settings == Fixtures.settings)
    try SettingsField.of(Settings.mean).apply("0.5,0.5,0.5", to: &settings, networks: [])
    try std.apply("0.2,0.2,0.2", to: &settings, networks: [])
    #expect(settings.preprocessing.normalization == .given(mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]))
  }

  // MARK: Recipes

  @Test func `settings are saved as a recipe by a key and a name, and never over another unasked`() {
    var state = WorkbenchState.opened(size: Self.wide)
    state.type("o")
    state.press(.control("s"))
    state.type("auto")
    #expect(state.press(.enter).isEmpty && shown(state).contains("it cannot name a recipe"))
    state.press(.control("u"))
    state.type("mine")
    #expect(state.press(.enter) == [.browse(.recipes(.save(name: "mine", state.settings, replaces: false)))])
    #expect(state.isEditingSettings)
    state.hear(.recipes(.exists(name: "mine")))
    #expect(shown(state).contains("another recipe mine"))
    #expect(state.press(.enter) == [.browse(.recipes(.save(name: "mine", state.settings, replaces: true)))])
    state.hear(.recipes(.saved(name: "mine", file: "/c/mine.json")))
    #expect(state.message?.text.contains("/c/mine.json") == true)
    // Another name than the one that was asked about is asked about anew.
    state.press(.control("s"))
    state.hear(.recipes(.exists(name: "mine")))
    state.press(.escape)
    #expect(state.isEditingSettings)
  }

  @Test func `a saved recipe is found by typing and its settings are taken`() {
    var state = WorkbenchState.opened(size: Self.wide)
    state.type("o")
    #expect(state.press(.control("o")) == [.browse(.recipes(.list))])
    func listing(_ name: String, _ net: String) -> RecipeListing {
      RecipeListing(
        name: name, file: "/c/\(name).json",
        recipe: SavedRecipe(use: .auto, entries: [.init(option: "net", text: net)]), problem: nil)
    }
    state.hear(.recipes(.list([listing("fast", "resnet9"), listing("slow", "resnet50")])))
    state.type("50")
    #expect(!shown(state).contains("resnet9") && shown(state).contains("--net resnet50"))
    #expect(state.press(.enter) == [.browse(.recipes(.load(name: "slow", for: state.settings)))])
    var loaded = state.settings
    loaded.network.name = "resnet50"
    let effects = state.hear(.recipes(.loaded(name: "slow", loaded)))
    #expect(state.settings == loaded && effects.contains(.browse(state.describeNetwork)))
    #expect(shown(state).contains("resnet50"))
    // None there: the form stays.
    state.press(.control("o"))
    state.hear(.recipes(.list([])))
    #expect(state.message?.text.contains("no recipes were saved yet") == true && state.isEditingSettings)
  }
}
