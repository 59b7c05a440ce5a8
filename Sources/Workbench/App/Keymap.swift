// The one table of keys; the rows of a pane are in its folder. It drives what a key does, the hint bar, the help and
// the command palette, so that none of them can disagree with another.

import Canvas

/// Where a key means what it means. Those of a pane are in its folder.
struct Context: Sendable, Hashable {
  /// The heading of its keys in the help.
  let title: String
  /// The pane whose context it is.
  var pane: PaneID?
  /// Whether its keys are answers.
  var isQuestion = false

  init(_ title: String, pane: PaneID? = nil, isQuestion: Bool = false) {
    self.title = title
    self.pane = pane
    self.isQuestion = isQuestion
  }

  /// Everywhere, also in overlays.
  static let always = Context("Always")
  static let workbench = Context("Workbench and training")
  static let lists = Context("Moving and filtering")
  /// An image of the dataset on show, in whichever pane.
  static let images = Context("An image on show: a file's or a mistake's")

  static let filter = Context("While a filter is typed")
  static let prompt = Context("While a learning rate, a note, a name or a folder is typed")
  static let form = Context("Settings form")
  static let rates = Context("Learning rates that were tried")
  static let recipes = Context("Saved recipes")
  static let lab = Context("Degradation lab")
  static let palette = Context("Command palette")
  static let themes = Context("Choosing a theme")
  static let chooser = Context("Choosing a class")
  static let exporting = Context("Naming a file to export to")
  static let reading = Context("Help, notices")

  static let liveRuns = Context("Runs that are being trained", isQuestion: true)
  static let diverged = Context("A run that diverged", isQuestion: true)
  static let dataChanged = Context("Resuming on changed images", isQuestion: true)
  static let confirmStart = Context("Start?", isQuestion: true)
  static let confirmStop = Context("Stop?", isQuestion: true)
  static let confirmQuit = Context("Quit?", isQuestion: true)
}

/// The keys and what they do: the workbench's own rows and those of its panes.
struct Keymap: Sendable {
  struct Binding: Sendable, Equatable {
    var context: Context
    var keys: [Key]
    var action: Action
    /// For the hint bar, a word or two; nil keeps it out.
    var hint: String?
    /// For the help and the palette.
    var help: String
    /// Whether it makes sense to choose it by name.
    var inPalette = false
    /// Other words that people know it by.
    var synonyms: [String] = []
  }

  let bindings: [Binding]

  init(panes: [any Pane.Type]) {
    bindings =
      Self.always + Self.workbench(panes) + Self.lists + panes.flatMap { $0.keys } + Self.overlays + Self.questions
  }

  /// The binding of a key, the innermost context first.
  func binding(for key: Key, in contexts: [Context]) -> Binding? {
    for context in contexts {
      if let found = bindings.first(where: { $0.context == context && $0.keys.contains(key) }) { return found }
    }
    return nil
  }

  private static let always = [
    command(
      .always, [.control("c")], .interrupt,
      "save and quit, or ask about a run attached to; a second time: quit at once"),
    command(.always, [.control("z")], .suspend, "suspend the program"),
    command(.always, [.control("l")], .redraw, "draw the screen again"),
  ]

  private static func workbench(_ panes: [any Pane.Type]) -> [Binding] { training + focus(panes) + commands }

  private static let training = [
    command(.workbench, [.character(" ")], .train, hint: "train", "start (asks first), pause or resume training"),
    command(.workbench, [.character("a")], .attach, "attach to a run that is being trained elsewhere"),
    command(.workbench, [.character("X")], .stop, hint: "stop", "stop training and save"),
    command(.workbench, [.character("D")], .decideDivergence, "decide how a run that diverged goes on"),
    command(.workbench, [.character("s")], .saveCheckpoint, hint: "save", "save a checkpoint now"),
    command(.workbench, [.character("o")], .settings, hint: "settings", "edit the settings of the next run"),
    command(.workbench, [.character("+"), .character("=")], .raiseLearningRate, "double the learning rate"),
    command(.workbench, [.character("-")], .lowerLearningRate, "halve the learning rate"),
    command(.workbench, [.character("L")], .enterLearningRate, "enter a learning rate"),
    command(
      .workbench, [.character("z")], .zoom, hint: "zoom", "fill the screen with this pane, or show all again"),
    command(
      .workbench, [.character("W")], .evaluateNow, hint: "evaluate now",
      "evaluate the weights of this moment, while training goes on",
      synonyms: ["moment", "current", "measure", "test", "accuracy", "score"]),
    command(.workbench, [.tab], .nextPane, hint: "pane", "next pane"),
    command(.workbench, [.backTab], .previousPane, "previous pane"),
  ]

  /// A pane after the ninth is reached by Tab alone.
  private static func focus(_ panes: [any Pane.Type]) -> [Binding] {
    zip(panes, "123456789").map { pane, digit in
      command(
        .workbench, [.character(digit)], .focus(pane.id), "the \(pane.id.title.lowercased()) pane")
    }
  }

  private static let commands = [
    command(
      .workbench, [.control("e")], .openLab,
      "degradation lab: plain networks against residual ones, as in the article (He et al. 2015)",
      synonyms: ["plain", "resnet", "depth", "paper", "experiment", "figure", "compare"]),
    command(.workbench, [.character(":"), .control("p")], .palette, hint: "commands", "find a command by name"),
    command(.workbench, [.character("!")], .notices, "all messages, warnings and failures"),
    command(
      .workbench, [.character("O")], .openDataset, "open another dataset",
      synonyms: ["folder", "data", "load", "recent"]),
    command(
      .workbench, [.character("C")], .copyCommand, "copy the command that trains the same in a shell",
      synonyms: ["clipboard", "yank", "shell", "line"]),
    command(.workbench, [.character("t")], .themes, "choose a theme"),
    command(.workbench, [.character(",")], .narrower, "make this pane narrower", synonyms: layoutWords),
    command(.workbench, [.character(".")], .wider, "make this pane wider", synonyms: layoutWords),
    command(.workbench, [.character("(")], .lower, "make this pane lower", synonyms: layoutWords),
    command(.workbench, [.character(")")], .taller, "make this pane taller", synonyms: layoutWords),
    command(.workbench, [.character("\\")], .usualDividers, "give panes their usual sizes", synonyms: layoutWords),
    command(.workbench, [.character("?"), .function(1)], .help, hint: "help", "this help"),
    command(.workbench, [.character("q")], .quit, hint: "quit", "quit; asks while a run is under way"),
  ]

  private static let layoutWords = ["resize", "layout", "divider", "split", "shrink", "grow", "size", "reset"]

  private static let lists = [
    motion(.lists, [.up, .character("k")], .up, "up"),
    motion(.lists, [.down, .character("j")], .down, "down"),
    motion(.lists, [.left, .character("h")], .left, "left, or back"),
    motion(.lists, [.right, .character("l")], .right, "right, or open"),
    motion(.lists, [.pageUp], .pageUp, "a page up"),
    motion(.lists, [.pageDown], .pageDown, "a page down"),
    motion(.lists, [.control("u")], .halfPageUp, "half a page up"),
    motion(.lists, [.control("d")], .halfPageDown, "half a page down"),
    motion(.lists, [.character("g"), .home], .first, "the first"),
    motion(.lists, [.character("G"), .end], .last, "the last"),
    motion(.lists, [.character("/")], .filter, hint: "filter", "filter the list by typing"),
    motion(.lists, [.character("n")], .next, "next match, next mistake"),
    motion(.lists, [.character("N")], .previous, "previous match or mistake"),
    motion(.lists, [.enter], .open, "open; full screen where there is nothing to open"),
    motion(.lists, [.escape], .back, "dismiss the message, clear the filter, go back"),
  ]

  private static let overlays = [
    motion(.filter, [.enter], .accept, hint: "keep filter", "keep the filter"),
    motion(.filter, [.escape], .cancel, hint: "clear", "clear the filter"),
    motion(.filter, [.backspace], .erase, "erase a character"),
    motion(.filter, [.control("u")], .clear, "erase all"),
    motion(.filter, [.up], .up, "up"),
    motion(.filter, [.down], .down, "down"),

    motion(.rates, [.enter], .accept, hint: "take it", "train with the rate that is suggested"),
    motion(.rates, [.escape], .cancel, hint: "leave it", "leave the learning rate as it is"),
    motion(.prompt, [.enter], .accept, hint: "set", "take what was typed"),
    motion(.prompt, [.up], .up, "of recent datasets, an older one"),
    motion(.prompt, [.down], .down, "a newer one"),
    motion(.prompt, [.escape], .cancel, hint: "cancel", "leave it as it is"),
    motion(.prompt, [.backspace], .erase, "erase a character"),
    motion(.prompt, [.control("u")], .clear, "erase all"),

    motion(.form, [.up, .backTab], .up, "previous field"),
    motion(.form, [.down, .tab], .down, hint: "field", "next field"),
    motion(.form, [.left], .left, "previous choice"),
    motion(.form, [.right], .right, hint: "choice", "next choice"),
    motion(.form, [.pageUp], .pageUp, "ten fields up"),
    motion(.form, [.pageDown], .pageDown, "ten fields down"),
    motion(.form, [.home], .first, "first field"),
    motion(.form, [.end], .last, "last field"),
    motion(.form, [.enter], .accept, hint: "apply", "apply what was typed, go to the next field"),
    motion(.form, [.backspace], .erase, "erase a character"),
    motion(.form, [.control("u")], .clear, "erase all"),
    motion(
      .form, [.control("r")], .findLearningRate, hint: "try rates", "try growing learning rates, and suggest one"),
    motion(.form, [.control("y")], .copyCommand, hint: "copy", "copy the command line"),
    motion(
      .form, [.control("s")], .saveRecipe, hint: "save as recipe",
      "save these settings as a recipe, for --recipe NAME and for this form"),
    motion(.form, [.control("o")], .loadRecipe, hint: "recipes", "take the settings of a saved recipe"),
    motion(.form, [.escape], .cancel, hint: "close", "drop what was typed; close the form"),

    motion(.lab, [.left], .left, "other depths"),
    motion(.lab, [.right, .tab, .down], .right, hint: "depths", "other depths"),
    motion(.lab, [.enter], .accept, hint: "train", "train what is not trained yet"),
    motion(.lab, [.backspace], .erase, "erase a character of the time"),
    motion(.lab, [.control("u")], .clear, "erase the time"),
    motion(.lab, [.escape], .cancel, hint: "close", "close; what is trained goes on"),

    motion(.recipes, [.up, .control("k")], .up, "previous recipe"),
    motion(.recipes, [.down, .control("j")], .down, hint: "choose", "next recipe"),
    motion(.recipes, [.pageUp], .pageUp, "a page up"),
    motion(.recipes, [.pageDown], .pageDown, "a page down"),
    motion(.recipes, [.enter], .accept, hint: "take it", "put its settings into the form"),
    motion(.recipes, [.backspace], .erase, "erase a character"),
    motion(.recipes, [.control("u")], .clear, "erase all"),
    motion(.recipes, [.escape], .cancel, hint: "cancel", "leave the settings as they are"),

    motion(.palette, [.up, .control("k")], .up, "previous command"),
    motion(.palette, [.down, .control("j")], .down, hint: "choose", "next command"),
    motion(.palette, [.pageUp], .pageUp, "a page up"),
    motion(.palette, [.pageDown], .pageDown, "a page down"),
    motion(.palette, [.enter], .accept, hint: "run", "run the command"),
    motion(.palette, [.control("y")], .copyCommand, hint: "copy", "copy how the same is done in a shell"),
    motion(.palette, [.backspace], .erase, "erase a character"),
    motion(.palette, [.control("u")], .clear, "erase all"),
    motion(.palette, [.escape, .control("p")], .cancel, hint: "close", "close the palette"),

    motion(.themes, [.up, .character("k")], .up, "the theme above"),
    motion(.themes, [.down, .character("j"), .character("t")], .down, hint: "next", "the theme below"),
    motion(.themes, [.home, .character("g"), .pageUp], .first, "the first"),
    motion(.themes, [.end, .character("G"), .pageDown], .last, "the last"),
    motion(.themes, [.enter], .accept, hint: "keep", "keep the theme"),
    motion(.themes, [.escape, .character("q")], .cancel, hint: "as before", "the theme that was there before"),

    motion(.chooser, [.up, .control("k")], .up, "previous class"),
    motion(.chooser, [.down, .control("j")], .down, hint: "choose", "next class"),
    motion(.chooser, [.pageUp], .pageUp, "a page up"),
    motion(.chooser, [.pageDown], .pageDown, "a page down"),
    motion(.chooser, [.enter], .accept, hint: "relabel", "relabel the image"),
    motion(.chooser, [.backspace], .erase, "erase a character"),
    motion(.chooser, [.control("u")], .clear, "erase all"),
    motion(.chooser, [.escape], .cancel, hint: "cancel", "leave it as it is"),

    motion(.exporting, [.right, .tab], .right, hint: "form", "the next form: table, JSON, picture"),
    motion(.exporting, [.left, .backTab], .left, "the form before"),
    motion(
      .exporting, [.enter], .accept, hint: "write", "write the file; a second time: replace the one that is there"),
    motion(.exporting, [.backspace], .erase, "erase a character"),
    motion(.exporting, [.control("u")], .clear, "erase all"),
    motion(.exporting, [.escape], .cancel, hint: "cancel", "write nothing"),

    motion(.reading, [.up, .character("k")], .up, "up"),
    motion(.reading, [.down, .character("j")], .down, hint: "scroll", "down"),
    motion(.reading, [.pageUp, .control("u")], .pageUp, "a page up"),
    motion(.reading, [.pageDown, .control("d"), .character(" ")], .pageDown, hint: "page", "a page down"),
    motion(.reading, [.character("g"), .home], .first, "the start"),
    motion(.reading, [.character("G"), .end], .last, "the end"),
    motion(
      .reading, [.escape, .enter, .character("q"), .character("?"), .character("!"), .function(1)], .cancel,
      hint: "close", "close"),

  ]

  private static let questions = [
    command(
      .diverged, [.character("l")], .recover(.lowerRate), hint: "lower",
      "a run that diverged: go on with a tenth of the rate"),
    command(
      .diverged, [.character("b")], .recover(.rollBack), hint: "back",
      "a run that diverged: back to the last checkpoint, with a tenth of the rate"),
    command(
      .diverged, [.character("B")], .recover(.rollBackToBest), hint: "best",
      "a run that diverged: back to the best checkpoint, with a tenth of the rate"),
    command(
      .diverged, [.character("a")], .recover(.beginAgain), hint: "begin again",
      "a run that diverged: begin again at the first step, with a tenth of the rate"),
    command(.diverged, [.character("s")], .recover(.stop), hint: "stop", "a run that diverged: stop it"),
    motion(.diverged, [.up, .character("k")], .up, "up in the list of images"),
    motion(.diverged, [.down, .character("j")], .down, hint: "scroll", "down"),
    motion(.diverged, [.pageUp, .control("u")], .pageUp, "a page up"),
    motion(.diverged, [.pageDown, .control("d")], .pageDown, "a page down"),
    motion(.diverged, [.escape], .cancel, hint: "later", "decide later; the run waits, space asks again"),

    motion(.dataChanged, [.character("y")], .accept, hint: "go on", "go on with the images as they are now"),
    motion(.dataChanged, [.character("n"), .escape, .character("q")], .cancel, hint: "leave it", "leave the run"),
    motion(.dataChanged, [.up, .character("k")], .up, "up in the list of changes"),
    motion(.dataChanged, [.down, .character("j")], .down, hint: "scroll", "down"),
    motion(.dataChanged, [.pageUp, .control("u")], .pageUp, "a page up"),
    motion(.dataChanged, [.pageDown, .control("d")], .pageDown, "a page down"),

    motion(
      .confirmStart, [.enter, .character("y")], .accept, hint: "start", "start, or resume the run that was stopped"),
    motion(.confirmStart, [.character("r")], .resumeRun, hint: "resume", "resume the run that was stopped"),
    motion(.confirmStart, [.character("s")], .startNew, hint: "start new", "start a new run"),
    motion(.confirmStart, [.escape, .character("n"), .character("q")], .cancel, hint: "cancel", "start nothing"),

    motion(.confirmStop, [.character("y"), .enter], .accept, hint: "stop and save", "stop and save"),
    motion(.confirmStop, [.character("n"), .escape, .character("q")], .cancel, hint: "go on", "go on training"),
    motion(.liveRuns, [.up, .character("k")], .up, "previous run"),
    motion(.liveRuns, [.down, .character("j")], .down, hint: "choose", "next run"),
    motion(.liveRuns, [.enter], .accept, hint: "attach", "attach to the run"),
    motion(.liveRuns, [.escape, .character("q")], .cancel, hint: "not now", "not now"),

    command(
      .confirmQuit, [.enter, .character("l")], .leaveRunning, hint: "leave running",
      "quit, and leave the run going on"),
    motion(
      .confirmQuit, [.character("s")], .accept, hint: "stop, save, quit", "stop and save, then quit"),
    motion(.confirmQuit, [.character("c"), .character("n"), .escape], .cancel, hint: "cancel", "go on"),
  ]

  /// A row for the palette too.
  static func command(
    _ context: Context, _ keys: [Key], _ action: Action, hint: String? = nil, _ help: String,
    synonyms: [String] = []
  ) -> Binding {
    Binding(
      context: context, keys: keys, action: action, hint: hint, help: help, inPalette: true, synonyms: synonyms)
  }

  /// A row of which nobody thinks by name.
  static func motion(
    _ context: Context, _ keys: [Key], _ action: Action, hint: String? = nil, _ help: String
  ) -> Binding {
    Binding(context: context, keys: keys, action: action, hint: hint, help: help)
  }
}

extension Keymap.Binding {
  /// What the palette shows and searches.
  var paletteText: String { context.pane.map { $0.title.lowercased() + ": " + help } ?? help }

  /// All its keys, for the help.
  func keyText(_ glyphs: Glyphs) -> String { keys.map { $0.label(glyphs) }.joined(separator: " ") }
}
