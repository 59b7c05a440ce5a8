// Saved recipes: naming one that is saved, and choosing one whose settings the form takes. Their files are the engine's
// business.

import Canvas
import Messages

/// A list of recipes narrowed by typing.
struct RecipeChooser: SearchableList, Sendable, Equatable {
  /// nil until they are listed.
  private(set) var recipes: [RecipeListing]?
  private(set) var text = ""
  var list = BrowsableList()

  var selected: RecipeListing? { list.selectedItem.flatMap { recipes?[$0] } }

  mutating func apply(_ new: [RecipeListing]) {
    recipes = new
    list = BrowsableList(total: new.count)
    narrow(to: text)
  }

  mutating func narrow(to text: String) {
    self.text = text
    let recipes = recipes ?? []
    list.narrow(to: text) { Self.text(of: recipes[$0]) }
  }

  /// What typing looks at, and what stands beside the name.
  static func text(of listing: RecipeListing) -> String {
    listing.name + " " + (listing.recipe?.words().joined(separator: " ") ?? "")
  }
}

extension WorkbenchState {
  mutating func askForRecipeName(over form: SettingsForm) -> [Effect] {
    var form = form
    // What is being typed belongs to the settings that are saved.
    guard form.commit(to: &settings, rules: rules) else {
      overlay = .settings(form)
      return []
    }
    overlay = .prompt(TextPrompt(.recipeName(form, replacing: nil), TextEntry(isFresh: true)))
    return []
  }

  mutating func openRecipes(over form: SettingsForm) -> [Effect] {
    overlay = .recipes(RecipeChooser(), form)
    return [.browse(.recipes(.list))]
  }

  mutating func perform(_ action: Action, in chooser: RecipeChooser, over form: SettingsForm) -> [Effect] {
    switch action {
    case .cancel: overlay = .settings(form)
    case .accept:
      guard let chosen = chooser.selected else { return [] }
      overlay = .settings(form)
      return [.browse(.recipes(.load(name: chosen.name, for: settings)))]
    default:
      var chooser = chooser
      chooser.perform(action, page: SearchBox.rows(in: size))
      overlay = .recipes(chooser, form)
    }
    return []
  }

  /// Takes in what became of a question about recipes.
  mutating func take(_ answer: RecipeAnswer) -> [Effect] {
    switch answer {
    case .list(let recipes):
      guard case .recipes(var chooser, let form) = overlay else { break }
      guard !recipes.isEmpty else {
        overlay = .settings(form)
        notify(.information, "no recipes were saved yet: ctrl-s saves these settings as one")
        break
      }
      chooser.apply(recipes)
      overlay = .recipes(chooser, form)
    case .saved(let name, let file): notify(.information, "saved the recipe \(name): \(file)")
    case .exists(let name):
      guard case .settings(let form) = overlay else {
        notify(.warning, "there is another recipe \(name), which stays as it is")
        break
      }
      overlay = .prompt(TextPrompt(.recipeName(form, replacing: name), TextEntry(text: name)))
    case .loaded(let name, let loaded):
      guard case .settings(let form) = overlay else { break }
      notify(.information, "the settings are those of the recipe \(name)")
      return take(loaded, into: form)
    case .failed(let reason): notify(.failure, reason)
    }
    return []
  }

  /// Other settings all at once, with the form open.
  private mutating func take(_ loaded: TrainingSettings, into form: SettingsForm) -> [Effect] {
    var form = form
    _ = form.discard()
    return edit(form) { _, settings, _ in settings = loaded }
  }
}

enum RecipeChooserView {
  static func draw(_ chooser: RecipeChooser, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let (list, foot) = SearchBox.draw(
      title: "Saved recipes", trailing: "Enter takes it", typed: chooser.text, into: &frame, theme: theme)
    guard let recipes = chooser.recipes else {
      return frame.put(notice: "looking for recipes", in: list, style: theme[.dimmed])
    }
    guard chooser.list.count > 0 else {
      return frame.put(notice: "no recipe matches", in: list, style: theme[.dimmed])
    }
    let columns = [
      Table.Column("", width: .flexible(minimum: 12, weight: 1), truncation: .middle),
      Table.Column("", width: .flexible(minimum: 20, weight: 3)),
    ]
    Table.of(chooser.list, columns: columns, height: list.height, focused: true, showsHeader: false) { item in
      let listing = recipes[item]
      let words = listing.recipe?.words().joined(separator: " ") ?? "cannot be read"
      return [.text(listing.name), .spans([Span(words, theme[listing.recipe == nil ? .error : .dimmed])])]
    }.draw(into: &frame, in: list, theme: theme)
    if let chosen = chooser.selected {
      frame.put("$ skipline recipe show " + chosen.name, in: foot, style: theme[.dimmed])
    }
  }
}
