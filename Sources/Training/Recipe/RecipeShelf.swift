// Saved recipes as files: a JSON object whose keys are options of `train`, in the user's configuration folder. A file
// that somebody wrote by hand is taken where each of its values is one that the option takes, and else refused with the
// key and what it may be.

import Files
import FoundationEssentials
import Glibc
import Messages
import Support

/// The recipes of a user.
public struct RecipeShelf: Sendable {
  /// nil where there is no home.
  public let folder: String?

  public init(folder: String?) { self.folder = folder }

  /// `$XDG_CONFIG_HOME/skipline/recipes`, or `~/.config/skipline/recipes`.
  public static var standard: RecipeShelf {
    RecipeShelf(folder: UserFolders.current.configuration.map { "\($0)/skipline/recipes" })
  }

  /// The file of a name.
  /// - Throws: `SettingsError` where there is no folder for it, or the name cannot be one.
  public func path(of name: String) throws -> String {
    if let refusal = RecipeName.refusal(name) { throw SettingsError("\"\(name)\": \(refusal.reason)") }
    guard let folder else {
      throw SettingsError("there is no folder for recipes: set HOME, or XDG_CONFIG_HOME")
    }
    return "\(folder)/\(name)\(RecipeName.ending)"
  }

  /// The names that there are, in natural order.
  /// - Throws: `FileOperationError`.
  public func names() throws -> [String] {
    guard let folder, try FilePath.kind(of: folder) != nil else { return [] }
    return try Folder.names(in: folder).filter { $0.hasSuffix(RecipeName.ending) }
      .map { String($0.dropLast(RecipeName.ending.count)) }.filter { RecipeName.refusal($0) == nil }
      .sorted { NaturalOrder.precedes($0, $1) }
  }

  /// Every recipe, also those that cannot be read.
  /// - Throws: `FileOperationError` for a folder that cannot be listed.
  public func list() throws -> [RecipeListing] {
    try names().map { name -> RecipeListing in
      let path = try self.path(of: name)
      do {
        return RecipeListing(name: name, file: path, recipe: try Self.read(path), problem: nil)
      } catch {
        return RecipeListing(name: name, file: path, recipe: nil, problem: "\(error)")
      }
    }
  }

  /// A recipe by its name, or by the path of a file.
  /// - Throws: `SettingsError` for a name that there is not, naming those that there are; `RecipeFileError`,
  ///   `FileOperationError`.
  public func recipe(_ text: String) throws -> SavedRecipe { try Self.read(try file(of: text)) }

  /// The file that a name or a path stands for.
  /// - Throws: `SettingsError` for a name that there is not.
  public func file(of text: String) throws -> String {
    guard !RecipeName.isPath(text) else { return text }
    let names = try names()
    if names.contains(text) { return try path(of: text) }
    let near = Spelling.nearest(to: text, among: names)
    let choice =
      names.isEmpty
      ? "none was saved yet: skipline recipe save NAME, or train with --save-recipe NAME"
      : (near.isEmpty ? "" : "did you mean \(near.joined(separator: " or "))? ")
        + "There are \(names.joined(separator: ", ")), besides auto and none"
    throw SettingsError("there is no recipe \"\(text)\" in \(folder ?? "~/.config/skipline/recipes"); \(choice)")
  }

  /// Keeps settings as a recipe.
  /// - Parameters:
  ///   - text: its name, or the path of a file.
  ///   - replaces: whether one that is there and says something else may be replaced.
  /// - Returns: the file.
  /// - Throws: `SettingsError` for a name that cannot be one; `RecipeExists`; `FileOperationError`.
  @discardableResult
  public func save(_ settings: TrainingSettings, as text: String, replaces: Bool = false) throws -> String {
    var absolute = settings
    absolute.split.lists = settings.split.lists.map(FilePath.absolute)
    absolute.initialWeights = settings.initialWeights.map(FilePath.absolute)
    let recipe = SavedRecipe(of: absolute)
    let path = try place(for: recipe, as: text, replaces: replaces)
    if !RecipeName.isPath(text), let folder { try Folder.make(folder) }
    try AtomicFile.write(Data(Self.document(recipe).utf8), to: path)
    return path
  }

  /// Where a recipe would be saved.
  /// - Throws: as `save`.
  @discardableResult
  public func place(for recipe: SavedRecipe, as text: String, replaces: Bool) throws -> String {
    let path = try RecipeName.isPath(text) ? text : self.path(of: text)
    guard try FilePath.kind(of: path) != nil, !replaces else { return path }
    guard (try? Self.read(path)) == recipe else { throw RecipeExists(name: text, path: path) }
    return path
  }

  /// Removes a recipe.
  /// - Throws: `SettingsError` for a name that there is not; `FileOperationError`.
  public func remove(_ name: String) throws {
    guard !RecipeName.isPath(name) else {
      throw SettingsError("\(name): recipes are removed by their names; a file elsewhere is yours to remove")
    }
    let path = try file(of: name)
    guard path.withPathCString({ unlink($0) }) == 0 else {
      throw FileOperationError(path: path, step: .remove, code: errno)
    }
  }

  // MARK: The file

  /// The recipe as a file has it: a line a setting, in the order of the table of settings.
  public static func document(_ recipe: SavedRecipe) -> String {
    let lines =
      [(Settings.recipe.option, recipe.use.rawValue)] + recipe.entries.map { ($0.option, $0.text) }
    let members = lines.map { option, text -> String in
      let row = Settings.all.first { $0.option == option }
      let value: JSONValue =
        if row?.isSwitch == true, text != AutomaticSettings.word {
          .bool(text == "on")
        } else if case .number(let digits)? = try? JSONValue(Array(text.utf8)) {
          .number(digits)
        } else {
          .string(text)
        }
      return "  \(JSONValue.string(option).text): \(value.text)"
    }
    return "{\n" + members.joined(separator: ",\n") + "\n}\n"
  }

  /// - Throws: `RecipeFileError`, or `FileOperationError` for a file that cannot be read.
  static func read(_ path: String) throws -> SavedRecipe {
    let bytes = try InputFile.contents(of: path, bound: SizeBound.theme)
    do throws(RecipeFault) { return try parsed(bytes) } catch {
      throw RecipeFileError(path: path, reason: error.reason)
    }
  }

  private struct RecipeFault: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private static func parsed(_ bytes: [UInt8]) throws(RecipeFault) -> SavedRecipe {
    let document: JSONValue
    do throws(JSONSyntaxError) { document = try JSONValue(bytes, refusesRepeats: true) } catch {
      throw RecipeFault("it is not valid JSON: \(error)")
    }
    guard case .object(let members) = document else {
      throw RecipeFault("a recipe is a JSON object, as {\"net\": \"resnet18\", \"lr\": 0.05}")
    }
    var use = RecipeUse.auto
    var entries: [SavedRecipe.Entry] = []
    // In the order in which somebody looks for them.
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      if let why = SavedRecipe.excluded[key] {
        throw RecipeFault("\"\(key)\" is no part of a recipe, because \(why): remove the line")
      }
      guard let row = Settings.all.first(where: { $0.option == key }) else { throw unknown(key) }
      let text = try text(of: value, for: row)
      if row.option == Settings.recipe.option {
        guard let named = RecipeUse(rawValue: text) else {
          throw RecipeFault("\"\(key)\" is \(value.text): it must be auto or none")
        }
        use = named
        continue
      }
      // Alone, whatever the others are: it is the range that counts.
      var probe = Settings.usual
      do throws(SettingRefusal) { try row.put(text, in: &probe) } catch {
        throw RecipeFault("\"\(key)\" is \(value.text): \(error.reason)")
      }
      entries.append(.init(option: key, text: text))
    }
    let recipe = SavedRecipe(use: use, entries: entries)
    let open = recipe.entries.first { entry in
      entry.text == AutomaticSettings.word && isLeftOpen(entry.option)
    }
    if use == .none, let open {
      throw RecipeFault("\"\(open.option)\" is auto, and \"recipe\" is none: one of them must be something else")
    }
    if recipe.text(of: Settings.std) != nil, recipe.text(of: Settings.mean).map({ $0 == "measured" }) ?? true {
      throw RecipeFault("\"std\" goes with \"mean\", as three numbers each")
    }
    if let mean = recipe.text(of: Settings.mean), !["measured", AutomaticSettings.word].contains(mean),
      recipe.text(of: Settings.std) == nil
    {
      throw RecipeFault("\"mean\" goes with \"std\", as three numbers each")
    }
    return recipe
  }

  /// Whether `auto` leaves a setting to a recipe even where there is none.
  private static func isLeftOpen(_ option: String) -> Bool {
    var probe = Settings.usual
    probe.automatic = .none
    try? Settings.all.first { $0.option == option }?.put(AutomaticSettings.word, in: &probe)
    return probe.automatic.contains(option)
  }

  private static func unknown(_ key: String) -> RecipeFault {
    let options = Settings.all.map(\.option).filter { SavedRecipe.excluded[$0] == nil }
    let near = Spelling.nearest(to: key, among: options)
    let meant = near.isEmpty ? "" : "did you mean \(near.map { "\"\($0)\"" }.joined(separator: " or "))? "
    return RecipeFault(
      "there is no setting \"\(key)\"; \(meant)Keys are options of train without dashes: "
        + options.joined(separator: ", "))
  }

  /// A value as its option takes it.
  private static func text(of value: JSONValue, for row: any SettingRow) throws(RecipeFault) -> String {
    switch value {
    case .string(let text): return text
    case .number(let digits): return digits
    case .bool(let isOn) where row.isSwitch: return isOn ? "on" : "off"
    case .array(let elements):
      let texts = elements.compactMap { element -> String? in
        if case .number(let digits) = element { digits } else { nil }
      }
      if texts.count == elements.count, !texts.isEmpty { return texts.joined(separator: ",") }
    case .bool, .object, .null: break
    }
    let what: String
    if let choices = row.choices {
      what = "one of " + (row.isSwitch ? "true, false" : choices.joined(separator: ", "))
    } else if let range = row.rangeText {
      what = "a number, \(range)"
    } else {
      what = "a text or a number, as --\(row.option) takes it"
    }
    throw RecipeFault("\"\(row.option)\" is \(value.text): it must be \(what); to leave it open, remove the line")
  }
}

/// A recipe's file that says what cannot be.
public struct RecipeFileError: Error, Equatable, Sendable, CustomStringConvertible {
  public var path: String
  public var reason: String

  public var description: String { "\(path): \(reason)" }
}

/// Another recipe of that name.
public struct RecipeExists: Error, Equatable, Sendable, CustomStringConvertible {
  public var name: String
  public var path: String

  public var description: String {
    "there is another recipe \(name) already (\(path)): save under another name, or replace it with skipline recipe "
      + "save \(name) --overwrite"
  }
}
