// Recipes as files: written and read back, listed, removed; and what is said of files that somebody wrote by hand.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct RecipeShelfTests {
  private let folder: TemporaryFolder
  private let shelf: RecipeShelf

  init() throws {
    folder = try TemporaryFolder()
    shelf = RecipeShelf(folder: folder.file("config/recipes"))
  }

  private func settings(_ change: (inout TrainingSettings) throws -> Void = { _ in }) rethrows -> TrainingSettings {
    var settings = Settings.usual
    settings.data = "photos"
    try change(&settings)
    return settings
  }

  @Test func `recipes are saved, listed, read back and removed, and never replaced unasked`() throws {
    #expect(try shelf.names().isEmpty)
    let fast = try settings {
      try Settings.network.put("resnet9", in: &$0)
      try Settings.learningRate.put("0.05", in: &$0)
      try Settings.flip.put("off", in: &$0)
      try Settings.schedule.put("cosine:0.1", in: &$0)
      $0.initialWeights = "w.safetensors"
    }
    let path = try shelf.save(fast, as: "fast")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
      text == """
        {
          "recipe": "auto",
          "net": "resnet9",
          "weights": "\(FileManager.default.currentDirectoryPath)/w.safetensors",
          "background": "white",
          "flip": false,
          "lr": 0.05,
          "schedule": "cosine:0.1"
        }

        """)
    // The same again is no other one.
    try shelf.save(fast, as: "fast")
    #expect(throws: RecipeExists.self) { try shelf.save(settings { $0.seed = 3 }, as: "fast") }
    try shelf.save(settings { $0.seed = 3 }, as: "fast", replaces: true)
    #expect(try shelf.recipe("fast").entries == [.init(option: "seed", text: "3")])
    try shelf.save(settings { $0.automatic = .none }, as: "a 10")
    try shelf.save(settings { $0.automatic = .none }, as: "a 9")
    #expect(try shelf.names() == ["a 9", "a 10", "fast"])
    #expect(try shelf.recipe("a 9").words() == ["--recipe", "none", "--net", "cifar20"])
    let unknown = #expect(throws: SettingsError.self) { try shelf.recipe("fats") }
    #expect(
      unknown?.description.contains("did you mean fast? There are a 9, a 10, fast, besides auto and none") == true)
    try shelf.remove("fast")
    #expect(throws: SettingsError.self) { try shelf.remove("fast") }
    #expect(try shelf.names() == ["a 9", "a 10"])
    for name in ["auto", "none", "../x.json.", "-x"] where !RecipeName.isPath(name) {
      #expect(throws: SettingsError.self) { try shelf.save(fast, as: name) }
    }
    #expect(throws: SettingsError.self) { try RecipeShelf(folder: nil).save(fast, as: "x") }
  }

  @Test func `a file elsewhere is written and read by its path`() throws {
    let path = folder.file("x.json")
    try shelf.save(settings { $0.seed = 9 }, as: path)
    #expect(try shelf.recipe(path).text(of: Settings.seed) == "9")
    #expect(try shelf.names().isEmpty)
  }

  @Test func `random settings come back from a file`() throws {
    var unusual = TrainingSettings.unusual
    (unusual.automatic, unusual.budget) = (.none, nil)
    unusual.split.lists = unusual.split.lists.map { "/\($0)" }
    unusual.initialWeights = unusual.initialWeights.map { "/\($0)" }
    try shelf.save(unusual, as: "all")
    #expect(try shelf.recipe("all") == SavedRecipe(of: unusual))
  }

  @Test(arguments: [
    (#"{"batch": 70000}"#, ["\"batch\" is 70000", "a whole number from 1 to 65,536"]),
    (#"{"batch": 2.5}"#, ["\"batch\" is 2.5", "a whole number"]),
    (#"{"batch": "many"}"#, ["\"batch\" is \"many\"", "a whole number"]),
    (#"{"batch": true}"#, ["\"batch\" is true", "1 to 65,536"]),
    (#"{"batch": null}"#, ["\"batch\" is null", "remove the line"]),
    (#"{"bacth": 32}"#, ["no setting \"bacth\"", "did you mean \"batch\"?", "lr"]),
    (#"{"optimizer": "adam"}"#, ["\"optimizer\" is \"adam\"", "sgd, adamw, muon"]),
    (#"{"flip": "maybe"}"#, ["\"flip\" is \"maybe\"", "on or off"]),
    (#"{"flip": 1}"#, ["\"flip\" is 1", "on or off"]),
    (#"{"lr": 1e400}"#, ["\"lr\" is 1e400", "above 0"]),
    (#"{"schedule": "cosine:2"}"#, ["\"schedule\" is \"cosine:2\""]),
    (#"{"mean": [0.5, 0.5]}"#, ["\"mean\" is [0.5,0.5]", "three numbers"]),
    (#"{"mean": [0.5, 0.5, 0.5]}"#, ["\"mean\" goes with \"std\""]),
    (#"{"std": [0.5, 0.5, 0.5]}"#, ["\"std\" goes with \"mean\""]),
    (#"{"recipe": "mine"}"#, ["\"recipe\" is \"mine\"", "auto or none"]),
    (#"{"recipe": "none", "lr": "auto"}"#, ["\"lr\" is auto", "\"recipe\" is none"]),
    (#"{"name": "x"}"#, ["\"name\" is no part of a recipe", "remove the line"]),
    (#"{"data": "x"}"#, ["\"data\" is no part of a recipe"]),
    (#"{"lr": 0.1, "lr": 0.2}"#, ["\"lr\" stands there twice", "line 1"]),
    (#"{"lr": 0.1"#, ["not valid JSON", "ends too early"]),
    ("[]", ["a JSON object"]), ("", ["not valid JSON"]),
  ])
  func `a file by hand says what is wrong, and where`(text: String, words: [String]) throws {
    let path = folder.file("hand.json")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    let error = #expect(throws: RecipeFileError.self) { try shelf.recipe(path) }
    for word in [path] + words {
      #expect(error?.description.contains(word) == true, "\(error?.description ?? "") lacks \(word)")
    }
  }

  @Test func `values by hand may be of the kind that comes to mind`() throws {
    let path = folder.file("hand.json")
    try
      #"{"mean": [0.5,0.4,0.3], "std": [0.2, 0.2, 0.2], "nesterov": true, "keep": 3, "epochs": "7", "lr": "auto"}"#
      .write(toFile: path, atomically: true, encoding: .utf8)
    let settings = try shelf.recipe(path).settings(for: Settings.usual)
    #expect(settings.preprocessing.normalization == .given(mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2]))
    #expect(settings.optimizer.nesterov && settings.keep.newest == 3 && settings.epochs == 7)
    #expect(settings.automatic.contains("lr") && !settings.automatic.contains("nesterov"))
  }
}
