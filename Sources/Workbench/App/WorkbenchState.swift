// Everything the screen depends on, as one value. It holds no clock and no terminal: time, size, keys and the
// engine's events come in through `update`, and `render` makes a frame of what is here.

import Canvas
import Messages

/// Something told to the person, kept for the list of notices.
struct Notice: Sendable, Equatable {
  enum Level: Sendable, Equatable {
    case information, warning, failure
  }

  var level: Level
  var text: String
  /// Seconds on the clock of `.tick`.
  var time: Double
  /// The file that could not be written; once it is, this is no news any more.
  var unsaved: String?
  /// Whether what it warned of is over.
  var isOver = false
  /// Whether it is one of many alike, which anything else is more important than.
  var isRoutine = false
  /// What it is about, where it is no news any more once that is over.
  var cause: Cause?
  /// Whether it stood on the screen when a key was pressed: what answers a key may then take its place.
  var isSeen = false

  enum Cause: Sendable, Equatable {
    case run, divergence
  }
}

/// How the run of this screen came to be on it.
enum RunOrigin: Sendable, Equatable {
  case begun, resumed
  /// Somebody else began it.
  case attached
}

/// What covers the panes and takes the keys.
enum Overlay: Sendable, Equatable {
  case help(scroll: Int)
  case palette(CommandPalette)
  case themes(ThemeChooser)
  case notices(scroll: Int)
  case settings(SettingsForm)
  /// A line to type.
  case prompt(TextPrompt)
  /// How the loss went as the rate grew, over the form.
  case rates(LearningRateCurve, SettingsForm)
  /// Saved recipes to take, over the form.
  case recipes(RecipeChooser, SettingsForm)
  case relabel(ClassChooser)
  case lab(LabDialog)
  case export(ExportDialog)
  case liveRuns(LiveRunChooser)
  case diverged(DivergenceDialogMode)
  case dataChanged(scroll: Int)
  case confirmStart
  case confirmStop
  case confirmQuit

  /// A question that one key answers, and with it begins or ends something.
  enum Question: Sendable, Equatable {
    case start, stop, quit, liveRuns, divergence, dataChange
  }

  var question: Question? {
    switch self {
    case .confirmStart: .start
    case .confirmStop: .stop
    case .confirmQuit: .quit
    case .liveRuns: .liveRuns
    case .diverged: .divergence
    case .dataChanged: .dataChange
    case .help, .palette, .themes, .notices, .settings, .prompt, .rates, .recipes, .relabel, .lab, .export: nil
    }
  }
}

/// What a line is typed for, and the line.
struct TextPrompt: Sendable, Equatable {
  enum Purpose: Sendable, Equatable {
    case learningRate
    case runNote(folder: String)
    case runName(folder: String)
    /// - Parameter place: which of the recent ones is shown; nil for what was typed.
    case openDataset(place: Int?)
    /// Of the settings in the form; `replacing` is one that is there, and would be replaced by the next Enter.
    case recipeName(SettingsForm, replacing: String?)

    /// What is shown again afterwards.
    var form: SettingsForm? { if case .recipeName(let form, _) = self { form } else { nil } }
  }

  var purpose: Purpose
  var entry: TextEntry

  init(_ purpose: Purpose, _ entry: TextEntry) {
    (self.purpose, self.entry) = (purpose, entry)
  }

  /// Characters that are taken at most.
  var longest: Int {
    switch purpose {
    case .learningRate: 24
    case .runNote: 400
    case .runName, .recipeName: 100
    case .openDataset: 1000
    }
  }

  /// The prompt after more was typed or pasted.
  func typing(_ more: String) -> TextPrompt {
    TextPrompt(purpose, TextEntry(text: String(((entry.isFresh ? "" : entry.text) + more).prefix(longest))))
  }
}

/// A line of text being typed; the caret stands at its end.
struct TextEntry: Sendable, Equatable {
  var text = ""
  /// Why the text was refused.
  var error: String?
  /// Whether nothing was typed yet: the first character takes the place of the text.
  var isFresh = false
}

/// The whole state of the workbench.
public struct WorkbenchState: Sendable, Equatable {
  /// The terminal's size in cells; mouse positions and page lengths follow from it.
  public internal(set) var size: Size
  /// Seconds of the last tick, monotonic.
  var time = 0.0
  var focus = PaneID.dataset
  var zoomed = false
  var overlay: Overlay?
  /// Whether what is typed goes to the focused pane's filter.
  var filtering = false

  /// What the engine does, as it last said or as was just asked of it.
  public internal(set) var engine = EngineState.idle
  /// How far what comes before a run or an evaluation has come.
  var preparation: PreparationProgress?
  /// A start or a resume was asked for and not yet answered.
  var startRequested = false
  /// How the run of this screen began.
  var runOrigin = RunOrigin.attached
  /// How the one that was asked for will have begun.
  var awaitedOrigin: RunOrigin?
  /// A key asked for a checkpoint, and none was saved since.
  var saveRequested = false
  /// A question was opened that no frame has shown yet: a key that was typed before it could be read is no answer.
  var hasUnseenQuestion = false
  /// What the run under way waits for an answer about.
  var divergence: DivergenceDialog?
  /// A run that was to be resumed on images that changed; the person is asked.
  var dataChange: DataChangeReport?
  /// The person wants to leave as soon as the run has ended.
  var quitsWhenStopped = false
  /// ctrl-c was pressed once; the next one is immediate.
  var interrupted = false
  /// Whether this screen only looks on: no key changes or starts a run, or decides about images.
  public internal(set) var looksOnly = false
  /// Chosen by name in the palette, the newest first.
  var recentCommands: [Action] = []
  /// Datasets that were opened, this one too, the newest first; from the root.
  var recentDatasets: [String] = []
  /// Where lines between panes were moved to, and the one that is being dragged.
  var dividers = Dividers()
  var grabbed: Divider?
  /// How the machine is doing; nil before it was looked at.
  var machine: MachineReading?
  /// The characters that the screen draws with.
  let glyphs: Glyphs

  /// What the next run will use.
  public internal(set) var settings: TrainingSettings
  /// What the recipe made of them; nil while that is not known, and where nothing is left to it.
  var plan: RunPlan?
  /// What settings come to that leave something open, by option, as of the last change.
  var resolvedSettings: [String: String] = [:]
  /// The settings that a plan was asked for and is waited for.
  var planRequest: TrainingSettings?
  /// The degradation lab whose networks are trained one after another.
  var lab: RunningLab?
  /// Why there is no plan.
  var planRefusal: String?
  let rules: TrainingRules
  let themeNames: [String]
  var theme: Int
  /// Whether somebody chose it, now or earlier: then it is there again next time.
  var isThemeChosen = false

  /// Which panes there are. Each has its part of the state among the models and names it in its folder: `dataset`.
  let panes: Panes
  var models: PaneModels
  var pictures = PictureStore()
  /// The small ones of sheets.
  var thumbnails = PictureStore(capacity: 512)

  /// The newest last.
  var notices: [Notice] = []
  /// The one that the status bar shows.
  var message: Notice?
  /// A warning that was seen and gave its place to an answer; it is shown again after that.
  var covered: Notice?

  /// - Parameters:
  ///   - data: the dataset's folder, as the person wrote it.
  ///   - settings: what the command line and the defaults give; the form changes them.
  ///   - rules: what can be trained.
  ///   - themeNames: every theme, in the order in which `t` goes through them.
  ///   - theme: the one in use.
  ///   - size: the terminal's size until the first `.resized`.
  ///   - looksOnly: whether keys may change or start runs.
  ///   - glyphs: the characters that the theme draws with.
  public init(
    data: String, settings: TrainingSettings, rules: TrainingRules, themeNames: [String], theme: String? = nil,
    size: Size = Size(width: 80, height: 24), looksOnly: Bool = false, glyphs: Glyphs = .unicode
  ) {
    self.init(
      data: data, settings: settings, rules: rules, themeNames: themeNames, theme: theme, size: size,
      looksOnly: looksOnly, glyphs: glyphs, panes: .standard)
  }

  /// The same with other panes, the four among them.
  init(
    data: String, settings: TrainingSettings, rules: TrainingRules, themeNames: [String], theme: String?,
    size: Size, looksOnly: Bool, glyphs: Glyphs = .unicode, panes: Panes
  ) {
    self.glyphs = glyphs
    self.looksOnly = looksOnly
    self.size = size
    self.settings = settings
    self.settings.data = data
    self.rules = rules
    self.themeNames = themeNames
    self.theme = theme.flatMap { themeNames.firstIndex(of: $0) } ?? 0
    self.panes = panes
    models = PaneModels(panes, data: data)
  }

  /// The folder that holds runs.
  public var project: String { settings.project }

  /// Whether a run exists that quitting has to ask about: it prepares, trains, pauses, validates or stops.
  public var runUnderWay: Bool {
    switch engine {
    case .idle: false
    case .preparing, .training, .paused, .validating, .stopping: true
    case .evaluating: curves.run != nil && curves.outcome == nil && !curves.isHistory && !curves.hasFailed
    }
  }

  /// Why a start would be refused whatever the data are; nil where it would not.
  var refusal: String? { rules.refusal(of: settings) }

  /// The settings with what the recipe chose, as far as that is known.
  var planned: TrainingSettings { plan?.settings ?? settings }

  /// Whether the recipe is asked and has not answered yet.
  var isPlanning: Bool { !settings.automatic.isEmpty && plan == nil && planRefusal == nil && dataset.report != nil }

  /// The number of classes to describe a network for, until the dataset is known.
  var classCount: Int { dataset.report.map { max(1, $0.classes.count) } ?? 10 }

  /// The peak learning rate that `+`, `-` and `L` change: the run's, or that of the run to come.
  var peakLearningRate: Double { runUnderWay ? curves.peakLearningRate : planned.learningRate }
}
