// `skipline recipe`: settings that are saved to be used again, listed, shown and removed.

import ArgumentParser
import Canvas
import Files
import Messages
import Support
import Training
import Workbench

struct RecipeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe", abstract: "Saves settings as recipes, for --recipe NAME; lists, shows and removes them.",
    discussion: """
      'recipe' lists the recipes there are, 'recipe show NAME' says what one holds, 'recipe save NAME' with options of \
      train, or with --like RUN, makes one, 'recipe remove NAME' removes it. A recipe is a JSON file in \
      ~/.config/skipline/recipes ($XDG_CONFIG_HOME) whose keys are options of train. It holds neither data, project nor \
      name. What it does not say is chosen from the data, or is as help says where it says "recipe": "none".
      """)

  enum Action: String, ExpressibleByArgument, CaseIterable { case list, show, save, remove }

  @Argument(help: "list, show, save or remove.") var action = Action.list
  @Argument(help: "Names of recipes, or files.", transform: given) var recipes: [String] = []
  @Option(help: "With save: take the settings of this run; other options win.", transform: given) var like: String?
  @OptionGroup var options: TrainingOptions
  @Flag(help: "With save: replace a recipe that is there already.") var overwrite = false
  @Flag(help: "With list and show: print JSON.") var json = false

  func validate() throws {
    switch action {
    case .list where !recipes.isEmpty:
      throw ValidationError("list takes no name; one recipe: skipline recipe show NAME")
    case .show where recipes.count != 1, .save where recipes.count != 1: throw ValidationError("name one recipe")
    case .remove where recipes.isEmpty: throw ValidationError("name the recipes to remove")
    default: break
    }
    guard action == .save else {
      let given = GivenOptions(options).values.keys.sorted().map { "--\($0)" }
      let others = given + (like == nil ? [] : ["--like"]) + (overwrite ? ["--overwrite"] : [])
      guard others.isEmpty else {
        throw ValidationError("\(others.joined(separator: ", ")): goes with 'recipe save'")
      }
      return
    }
    if json { throw ValidationError("--json goes with list and show") }
    _ = try recipeName(recipes[0])
    if let like, let refused = options.refusedBeside(like: like, resume: nil) { throw ValidationError(refused) }
    let own = GivenOptions(options).values.keys.filter { SavedRecipe.excluded[$0] != nil }.sorted()
    if !own.isEmpty {
      throw ValidationError(
        own.map { "--\($0) is no part of a recipe, because \(SavedRecipe.excluded[$0] ?? "")" }
          .joined(separator: "; "))
    }
  }

  func run() throws {
    let shelf = RecipeShelf.standard
    switch action {
    case .list: try list(shelf)
    case .show: try show(recipes[0], shelf)
    case .save:
      let settings =
        try like.map { try options.settings(like: RunFolder(existing: foundRun($0)).record(), data: nil) }
        ?? options.settings(data: "", tell: { Console.progress($0) })
      try settings.validate()
      Console.print("saved \(try shelf.save(settings, as: recipes[0], replaces: overwrite))")
    case .remove:
      for recipe in recipes {
        try shelf.remove(recipe)
        Console.print("removed \(recipe)")
      }
    }
  }

  private func list(_ shelf: RecipeShelf) throws {
    let recipes = try shelf.list()
    for recipe in recipes { if let problem = recipe.problem { Console.complain("! \(problem)") } }
    if json { return try Console.print(json: recipes) }
    if recipes.isEmpty {
      return Console.print(
        "no recipes in \(shelf.folder ?? "~/.config/skipline/recipes"); skipline recipe save NAME")
    }
    let width = recipes.map { DisplayWidth.of($0.name) }.max() ?? 0
    for recipe in recipes {
      let gap = String(repeating: " ", count: width - DisplayWidth.of(recipe.name) + 2)
      Console.print(recipe.name + gap + (recipe.recipe?.words().joined(separator: " ") ?? "cannot be read"))
    }
  }

  private func show(_ recipe: String, _ shelf: RecipeShelf) throws {
    let saved = try shelf.recipe(recipe)
    if json { return Console.print(verbatim: String(RecipeShelf.document(saved).dropLast())) }
    Console.print(try shelf.file(of: recipe))
    let rows = [(Settings.recipe.option, saved.use.rawValue)] + saved.entries.map { ($0.option, $0.text) }
    let width = rows.map(\.0.count).max() ?? 0
    for (option, text) in rows {
      Console.print("  --\(option)" + String(repeating: " ", count: width - option.count + 2) + text)
    }
    Console.print("$ skipline train DATA " + shellOption("--recipe", recipe))
  }
}

/// The text of an argument that names a recipe to be saved.
func recipeName(_ text: String) throws -> String {
  let text = try given(text)
  if !RecipeName.isPath(text), let refusal = RecipeName.refusal(text) { throw Unfitting(refusal.reason) }
  return text
}
