// Settings of a run apart from its data, to be used again: what of them was chosen, by their options. Where they are
// kept, and how the file is written, is in Training/Recipe.

/// A recipe that somebody saved. It holds neither data, project nor name, nor what was consented to for one dataset or
/// one machine.
public struct SavedRecipe: Codable, Sendable, Equatable {
  /// A setting and its text, as the option takes it.
  public struct Entry: Codable, Sendable, Equatable {
    public var option: String
    public var text: String

    public init(option: String, text: String) {
      self.option = option
      self.text = text
    }
  }

  /// Whether what is not said is chosen from the data.
  public var use: RecipeUse
  /// In the order of the table of settings, each once.
  public private(set) var entries: [Entry]

  /// What is no part of any recipe, by option, and why.
  public static let excluded: [String: String] = [
    "data": "a recipe is for any dataset", Settings.project.option: "it says where a run goes",
    Settings.name.option: "it is one run's",
    Settings.acceptErrors.option: "it is said of one dataset",
    Settings.ignoreMemory.option: "it is said of one machine",
  ]

  /// - Parameter entries: in any order; of each setting that a recipe may have once at most.
  public init(use: RecipeUse, entries: [Entry]) {
    self.use = use
    self.entries = Settings.all.compactMap { row in entries.first { $0.option == row.option } }
  }

  /// What of settings is not as usual. What they leave to the recipe stays open.
  public init(of settings: TrainingSettings) {
    self.init(
      use: settings.automatic.isEmpty ? .none : .auto,
      entries: settings.said.compactMap { row, _ in
        guard row.option != Settings.recipe.option, Self.excluded[row.option] == nil else { return nil }
        return row.text(in: settings).map { Entry(option: row.option, text: $0) }
      })
  }

  /// The text of a setting; nil where the recipe does not say it.
  public func text<Kind>(of row: Setting<Kind>) -> String? { entries.first { $0.option == row.option }?.text }

  /// Puts it into settings that are as usual, but for what was given besides.
  /// - Parameter given: options that say otherwise, and win.
  /// - Throws: `SavedRecipeError` that names the setting.
  public func put(
    into settings: inout TrainingSettings, except given: Set<String> = []
  ) throws(SavedRecipeError) {
    settings.automatic = use == .auto ? .all : .none
    for entry in entries where !given.contains(entry.option) {
      guard let row = Settings.all.first(where: { $0.option == entry.option }) else { continue }
      do throws(SettingRefusal) { try row.put(entry.text, in: &settings) } catch {
        throw SavedRecipeError(option: entry.option, text: entry.text, reason: error.reason)
      }
    }
  }

  /// The settings of a recipe for the data of others: these keep data, project and name, how the data are divided where
  /// the recipe does not say it, and what was consented to.
  /// - Throws: `SavedRecipeError`.
  public func settings(for others: TrainingSettings) throws(SavedRecipeError) -> TrainingSettings {
    var settings = Settings.usual
    (settings.data, settings.project, settings.name) = (others.data, others.project, others.name)
    settings.safety.acceptsErrors = others.safety.acceptsErrors
    settings.safety.ignoresMemory = others.safety.ignoresMemory
    settings.split = others.split
    if let text = text(of: Settings.optimizer), let method = OptimizerMethod(rawValue: text) {
      let before = settings.optimizer.method
      settings.optimizer.method = method
      settings.optimizerChanged(from: before)
    }
    try put(into: &settings)
    return settings
  }

  /// The words of a command line that say the same.
  /// - Parameter given: options that are said besides.
  public func words(except given: Set<String> = []) -> [String] {
    let options = entries.filter { !given.contains($0.option) }.flatMap { entry -> [String] in
      let row = Settings.all.first { $0.option == entry.option }
      guard row?.isSwitch != true else { return ["--\(entry.text == "off" ? "no-" : "")\(entry.option)"] }
      return entry.text.hasPrefix("-") ? ["--\(entry.option)=\(entry.text)"] : ["--\(entry.option)", entry.text]
    }
    return ["--\(Settings.recipe.option)", use.rawValue] + options
  }
}

/// A setting of a recipe that cannot be as it says.
public struct SavedRecipeError: Error, Equatable, Sendable, CustomStringConvertible {
  public var option: String
  public var text: String
  public var reason: String

  public var description: String { "\"\(option)\" is \(text): \(reason)" }
}

/// A saved recipe in a list of them.
public struct RecipeListing: Codable, Sendable, Equatable {
  public var name: String
  public var file: String
  /// nil where it cannot be read.
  public var recipe: SavedRecipe?
  public var problem: String?

  public init(name: String, file: String, recipe: SavedRecipe?, problem: String?) {
    self.name = name
    self.file = file
    self.recipe = recipe
    self.problem = problem
  }
}

/// The rule for a recipe's name.
public enum RecipeName {
  /// Why a recipe cannot be called so.
  /// - Returns: nil where it can.
  public static let refusal: @Sendable (String) -> SettingRefusal? = { name in
    if RecipeUse(rawValue: name.lowercased()) != nil {
      return SettingRefusal(
        "it cannot name a recipe: --recipe auto leaves settings to the program, and --recipe none to none")
    }
    let isFileName = RunName.refusal(name) == nil && !name.hasSuffix(ending) && name.utf8.count <= 200
    return isFileName
      ? nil
      : SettingRefusal(
        "it cannot name a recipe: a name has no \"/\", begins with neither \".\" nor \"-\", does not end in \(ending) "
          + "and has 200 bytes at most")
  }

  /// Of the file.
  public static let ending = ".json"

  /// Whether what stands for a recipe is a file's path rather than a name.
  public static func isPath(_ text: String) -> Bool { text.contains("/") || text.hasSuffix(ending) }
}
