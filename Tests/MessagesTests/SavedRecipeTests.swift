// Saved recipes as values: what of settings they hold, and what becomes of settings that are given besides.

import Messages
import Testing
import TestSupport

@Suite struct SavedRecipeTests {
  @Test func `a recipe says what was chosen, and neither data, place nor consents`() throws {
    var settings = Settings.usual
    (settings.data, settings.project, settings.name) = ("photos", "elsewhere", "first")
    (settings.safety.acceptsErrors, settings.safety.ignoresMemory) = (true, true)
    #expect(SavedRecipe(of: settings) == SavedRecipe(use: .auto, entries: []))
    try Settings.network.put("resnet18", in: &settings)
    try Settings.learningRate.put("0.02", in: &settings)
    try Settings.flip.put("off", in: &settings)
    let recipe = SavedRecipe(of: settings)
    #expect(recipe.entries.map(\.option) == ["net", "flip", "lr"])
    #expect(recipe.words() == ["--recipe", "auto", "--net", "resnet18", "--no-flip", "--lr", "0.02"])
    #expect(recipe.words(except: ["lr"]) == ["--recipe", "auto", "--net", "resnet18", "--no-flip"])
    // What was left open is open for other data too.
    let other = try recipe.settings(
      for: TrainingSettings(data: "d", network: NetworkSettings(name: "x"), name: "n"))
    #expect(
      other.data == "d" && other.name == "n" && other.network.name == "resnet18" && other.learningRate == 0.02)
    #expect(!other.augmentation.horizontalFlip && !other.safety.acceptsErrors)
    #expect(other.automatic.contains("epochs") && !other.automatic.contains("lr"))
  }

  /// Nothing of it as usual: every setting that a recipe may hold comes back.
  @Test func `all settings come back from a recipe but those that are no part of it`() throws {
    var settings = TrainingSettings.unusual
    settings.automatic = .none
    settings.budget = nil
    let recipe = SavedRecipe(of: settings)
    var back = try recipe.settings(for: TrainingSettings(data: "", network: NetworkSettings(name: "x")))
    (back.data, back.project, back.name) = (settings.data, settings.project, settings.name)
    back.safety.acceptsErrors = settings.safety.acceptsErrors
    back.safety.ignoresMemory = settings.safety.ignoresMemory
    for row in Settings.all { #expect(row.text(in: back) == row.text(in: settings), "\(row.option)") }
    #expect(recipe.words().first == "--recipe" && !recipe.words().contains("--project"))
  }

  @Test func `what is usual for an optimizer goes with the one that counts in the end`() throws {
    let recipe = SavedRecipe(
      use: .none, entries: [.init(option: "lr", text: "0.003"), .init(option: "optimizer", text: "adamw")])
    let settings = try recipe.settings(for: Settings.usual)
    #expect(settings.optimizer == OptimizerMethod.adamw.usual && settings.learningRate == 0.003)
    #expect(settings.automatic.isEmpty)
  }

  @Test func `a value that is none names its setting`() {
    let wrong = SavedRecipe(use: .auto, entries: [.init(option: "batch", text: "0")])
    let error = #expect(throws: SavedRecipeError.self) { try wrong.settings(for: Settings.usual) }
    #expect(error?.description == "\"batch\" is 0: it must be a whole number from 1 to 65,536")
  }

  @Test(arguments: ["auto", "NONE", "", "a/b", ".x", "-x", "x.json", String(repeating: "x", count: 201)])
  func `no recipe is called so`(name: String) { #expect(RecipeName.refusal(name) != nil) }

  @Test(arguments: ["mine", "my recipe", "Größe", "automatic", "x.y"])
  func `a recipe may be called so`(name: String) { #expect(RecipeName.refusal(name) == nil) }
}
