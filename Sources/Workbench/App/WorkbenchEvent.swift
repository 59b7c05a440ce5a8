// What goes into the workbench and what comes out of it: events in, effects out. Nothing here does anything.

import Canvas
import Messages

/// Something the workbench is told.
public enum WorkbenchEvent: Sendable, Equatable {
  /// - Parameter isAhead: whether it was read together with the one before it: nobody who typed it has seen what that
  ///   one did.
  case input(Canvas.Input, isAhead: Bool = false)
  case engine(Messages.Event)
  /// The time on a monotonic clock, in seconds; a few ticks a second are enough.
  case tick(seconds: Double)
  /// The answer to `Effect.findLiveRuns`; `asked` tells whether a key asked for it.
  case liveRuns([LiveRun], asked: Bool)
  /// Show the curves of a run that nobody trains, and its checkpoints.
  case showRun(folder: String)
  /// How the machine is doing.
  case machine(MachineReading)
  /// Something to know about the terminal or the program.
  case remark(String)
}

/// Something the workbench wants done by whoever owns the terminal and the engine.
public enum Effect: Sendable, Equatable {
  /// Ask the engine for something to look at.
  case browse(BrowsingCommand)
  /// Ask it about a run to come.
  case ask(PlanningCommand)
  /// Ask it about a model's answers.
  case inspect(InspectionCommand)
  /// Hand work to the engine that trains.
  case send(WorkCommand)
  /// Look for runs that are being trained elsewhere.
  case findLiveRuns
  /// Attach to the engine of the run in this folder.
  case attach(folder: String)
  /// Leave: restore the terminal, exit. A run that is under way goes on in its own process.
  case quit
  /// Stop the process as ctrl-z does in a shell.
  case suspend
  /// Draw with the theme of this name from now on.
  case useTheme(String)
  /// Put a text onto the terminal's clipboard.
  case copy(String)
  /// Have the desktop tell somebody who does not look.
  case announce(String)
  /// Open another dataset, by its folder as the person wrote it.
  case open(data: String)
  /// Draw every cell again, whatever is believed to be on the screen.
  case redraw
  /// Leave at once, without waiting for anything.
  case interruptNow
}

/// What to do before the first event: what each pane asks for.
public func initialEffects(_ state: WorkbenchState) -> [Effect] {
  state.panes.all.flatMap { $0.initialEffects(state) }
}

extension WorkbenchState {
  /// The command whose answer fills the layers pane.
  var describeNetwork: BrowsingCommand {
    .describeNetwork(
      planned.network, imageSize: planned.preprocessing.imageSize, classes: classCount,
      batchSize: planned.batchSize, threads: planned.threads, workers: planned.workers,
      freeze: planned.freeze, remembering: planned.remembered)
  }

  /// Asks for a plan where something is left to the recipe, or somebody looks at the settings, and nothing else keeps the
  /// machine busy: steps are tried.
  mutating func requestPlan() -> [Effect] {
    (plan, planRefusal, planRequest) = (nil, nil, nil)
    guard !settings.automatic.isEmpty || isEditingSettings, !runUnderWay, !looksOnly, dataset.report != nil,
      refusal == nil
    else { return [] }
    planRequest = settings
    return [.ask(.plan(settings))]
  }

  /// Says again what settings come to, where a form shows it.
  mutating func resolveSettings() {
    guard isEditingSettings else { return }
    resolvedSettings = rules.resolved(planned, classes: classCount)
  }

  /// Opens the form, and asks for what it has to say of the next run.
  mutating func openForm(_ form: SettingsForm = SettingsForm()) -> [Effect] {
    overlay = .settings(form)
    resolveSettings()
    let described: [Effect] = runUnderWay ? [.browse(describeNetwork)] : []
    return described + (plan == nil && planRequest != settings ? requestPlan() : [])
  }

  /// The same for the network of a run.
  func describe(_ run: RunDescription) -> BrowsingCommand {
    .describeNetwork(
      run.settings.network, imageSize: run.settings.preprocessing.imageSize, classes: max(1, run.classes.count),
      batchSize: run.settings.batchSize, threads: run.settings.threads, workers: run.settings.workers,
      freeze: run.settings.freeze, remembering: run.settings.remembered)
  }
}
