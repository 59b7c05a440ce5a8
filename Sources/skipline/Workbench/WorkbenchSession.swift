// Where the pure workbench meets the world: input and events go in, frames and commands come out. The engine runs on
// threads of its own and is reached only through its mailboxes.

import Canvas
import Engine
import Glibc
import Messages
import Networks
import Support
import Terminal
import Training
import Workbench

/// One opening of the workbench, from the first frame to the restored terminal.
final class WorkbenchSession {
  /// What the trap of a crash writes, and why engines ended badly; nothing else in ordinary use.
  private let log: UserLog
  private let screen: TerminalScreen
  private let events: Mailbox<Event>
  private let engine: EngineHub
  private let themes: ThemeShelf
  private var theme: Theme
  private var state: WorkbenchState
  private var pictures = DrawnPictures()
  /// Whether it was said that names cannot be shown.
  private var toldOfNames = false
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastFrame: ContinuousClock.Instant
  private var lastTick: ContinuousClock.Instant

  /// At most so many frames a second for what the engine reports; a key press is drawn at once.
  private static let frameInterval = Duration.milliseconds(40)
  private static let tickInterval = Duration.milliseconds(250)

  /// - Throws: `TerminalFailure` without a terminal that can show a screen.
  /// - Parameter looksOnly: whether keys may start or change runs.
  init(settings: TrainingSettings, themes: ThemeShelf, theme name: String?, looksOnly: Bool = false) throws {
    log = try UserLog()
    screen = try TerminalScreen(
      log: log.path, crashMessage: "skipline crashed; the terminal is restored, and \(log.path) says more.\n")
    let waker = screen.waker
    events = Mailbox.forEvents(wake: { waker.wake() })
    engine = try EngineHub(
      events: events, log: log.path, workingFolder: WorkingFolder.path, commandLine: ProgramArguments.all)
    self.themes = themes
    let chosen = name ?? (screen.colors == .none ? ThemeShelf.monochrome : ThemeShelf.dark)
    theme = (themes[chosen] ?? .dark).with(glyphs: screen.glyphs, pictures: screen.colors.pictures)
    state = WorkbenchState(
      // As paths in events are written, so that the two can be compared.
      data: settings.data.shownPath(from: WorkingFolder.path), settings: settings,
      rules: TrainingRules(networks: Architecture.examples, refusing: { $0.refusal }), themeNames: themes.names,
      theme: chosen, size: screen.size, looksOnly: looksOnly)
    start = clock.now
    lastFrame = start
    lastTick = start
  }

  /// Shows a run that is being trained elsewhere.
  /// - Throws: what `EngineHub.attach` throws; the terminal is then restored.
  func attach(to folder: String, readOnly: Bool) throws {
    do {
      try engine.attach(to: folder, readOnly: readOnly)
    } catch {
      screen.close()
      throw error
    }
  }

  /// Shows a run that nobody trains.
  func show(ended folder: String) {
    _ = handle(.showRun(folder: folder.shownPath(from: WorkingFolder.path)))
  }

  /// Runs until the person leaves.
  /// - Returns: the signal that ended it, if one did.
  func run() -> Int32? {
    for remark in screen.remarks {
      // For whoever finds the log later; on the screen it passes.
      Console.complain(remark)
      _ = handle(.remark(remark))
    }
    for effect in initialEffects(state) { _ = carryOut(effect) }
    if !engine.isAttached, !state.looksOnly {
      _ = handle(.liveRuns(engine.liveRuns(project: state.project), asked: false))
    }
    show()
    var ending: Ending?
    var stale = false
    while ending == nil {
      let inputs = screen.waitForInput(timeout: timeout(stale: stale))
      for (place, input) in inputs.enumerated() {
        ending =
          ending ?? (input == .endOfInput ? .terminalGone : handle(.input(input, isAhead: place > 0)))
      }
      var changed = !inputs.isEmpty
      while ending == nil, let event = events.poll() {
        ending = handle(.engine(event.shown(from: WorkingFolder.path)))
        if case .dataset(let report) = event { tellOfNames(in: report) }
        stale = true
      }
      let now = clock.now
      if now - lastTick >= Self.tickInterval {
        lastTick = now
        if tick(&state, seconds: (now - start).seconds) { changed = true }
      }
      if changed || (stale && now - lastFrame >= Self.frameInterval) {
        show()
        stale = false
      }
    }
    return finish(ending ?? .left)
  }

  /// Says once that a terminal of ASCII has no signs for the names in this dataset.
  private func tellOfNames(in report: DatasetReport) {
    guard !toldOfNames, screen.glyphs == .ascii else { return }
    let isForeign = report.classes.contains { entry in
      !entry.name.utf8.allSatisfy { $0 < 0x80 } || entry.images.contains { !$0.path.utf8.allSatisfy { $0 < 0x80 } }
    }
    guard isForeign else { return }
    toldOfNames = true
    _ = handle(
      .remark(
        "this locale has no letters beyond ASCII: names with others cannot be shown, each letter is a '?'; "
          + "LC_ALL=C.UTF-8 shows them"))
  }

  private enum Ending { case left, interrupted, terminalGone }

  /// Milliseconds until something must be drawn or told.
  private func timeout(stale: Bool) -> Int {
    let now = clock.now
    let tick = Self.tickInterval - (now - lastTick)
    let next = stale ? min(tick, Self.frameInterval - (now - lastFrame)) : tick
    return max(0, Int((next.seconds * 1000).rounded(.up)))
  }

  private func handle(_ event: WorkbenchEvent) -> Ending? {
    var ending: Ending?
    for effect in update(&state, event) { ending = ending ?? carryOut(effect) }
    return ending
  }

  /// Says that a command was not taken.
  private func refuse() -> Ending? {
    handle(.engine(.warning("the engine is busy with earlier commands; try again in a moment")))
  }

  private func carryOut(_ effect: Effect) -> Ending? {
    switch effect {
    case .browse(let command): if !engine.send(command) { return refuse() }
    case .ask(let command): if !engine.send(command) { return refuse() }
    case .send(let command): if !engine.send(command) { return refuse() }
    case .findLiveRuns: return handle(.liveRuns(engine.liveRuns(project: state.project), asked: true))
    case .attach(let folder):
      do { try engine.attach(to: folder) } catch { return handle(.engine(.failure("\(error)"))) }
    case .quit: return .left
    case .interruptNow: return .interrupted
    case .suspend:
      screen.suspend()
      raise(SIGSTOP)
      screen.resume()
    case .useTheme(let name):
      if let chosen = themes[name] { theme = chosen.with(glyphs: screen.glyphs, pictures: screen.colors.pictures) }
    case .redraw:
      screen.suspend()
      screen.resume()
    }
    return nil
  }

  private func show() {
    screen.present(render(state, size: screen.size, theme: theme, pictures: &pictures))
    lastFrame = clock.now
  }

  /// Where the run is and how to come back to it, in the shell.
  private func sayFarewell() {
    if let farewell = state.farewell { Console.progress(farewell) }
  }

  /// Restores the terminal. A run that is under way goes on in its own process.
  private func finish(_ ending: Ending) -> Int32? {
    defer { log.close() }
    switch ending {
    case .interrupted:
      screen.close()
      sayFarewell()
      return SIGINT
    case .left:
      screen.close()
      sayFarewell()
      engine.leave()
      return nil
    case .terminalGone:
      engine.leave()
      screen.close()
      return screen.endingSignal ?? SIGHUP
    }
  }
}
