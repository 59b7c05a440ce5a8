// Where the pure workbench meets the world: input and events go in, frames and commands come out. The engine runs on
// threads of its own and is reached only through its mailboxes.

import Canvas
import Engine
import Files
import Glibc
import Messages
import Networks
import Resources
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
  private var machine = MachineMonitor()
  private var lastReading: ContinuousClock.Instant?
  /// What stands in the window's title.
  private var title = ""
  /// Whether it was said that names cannot be shown.
  private var toldOfNames = false
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastFrame: ContinuousClock.Instant
  private var lastTick: ContinuousClock.Instant

  /// Between two frames for what the engine reports; a key press is drawn at once. Figures that change more often cannot
  /// be read, and the time that drawing takes is the run's.
  private static let frameInterval = Duration.milliseconds(80)
  private static let tickInterval = Duration.milliseconds(250)
  /// How often the machine is looked at, while that is on the screen.
  private static let readingInterval = Duration.seconds(1)

  /// - Parameters:
  ///   - options: how the screen is to be.
  ///   - looksOnly: whether keys may start or change runs.
  /// - Throws: `TerminalFailure` without a terminal that can show a screen; `ValidationError` for a theme that is not
  ///   there.
  init(settings: TrainingSettings, options: ScreenOptions, looksOnly: Bool = false) throws {
    let themes = try ThemeShelf(for: options.theme)
    self.themes = themes
    log = try UserLog()
    screen = try TerminalScreen(
      log: log.path, mouse: options.mouse, pictures: options.pictures,
      crashMessage: "skipline crashed; the terminal is restored, and \(log.path) says more.\n")
    let waker = screen.waker
    events = Mailbox.forEvents(wake: { waker.wake() })
    engine = try EngineHub(
      events: events, log: log.path, workingFolder: WorkingFolder.path, commandLine: ProgramArguments.all)
    let (memory, complaint) = WorkbenchMemoryFile.read()
    let usual =
      screen.colors == .none ? ThemeShelf.monochrome : screen.isLight == true ? ThemeShelf.light : ThemeShelf.dark
    // Colors that were chosen elsewhere are of no use where there are none.
    let remembered = screen.colors == .none ? nil : memory.theme.flatMap { themes[$0] == nil ? nil : $0 }
    let chosen = options.theme ?? remembered ?? usual
    theme = screen.adapted(themes[chosen] ?? .dark)
    state = WorkbenchState(
      // As paths in events are written, so that the two can be compared.
      data: settings.data.shownPath(from: WorkingFolder.path), settings: settings,
      rules: TrainingRules(
        networks: Architecture.examples, refusing: { $0.refusal }, resolving: { $0.resolved(classes: $1) }),
      themeNames: themes.names,
      theme: chosen, size: screen.size, looksOnly: looksOnly, glyphs: screen.glyphs)
    state.adopt(memory)
    state.opened(FilePath.absolute(settings.data))
    if let complaint { _ = update(&state, .remark(complaint)) }
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
        if readMachine(at: now) { changed = true }
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

  /// - Returns: whether it was looked at.
  private func readMachine(at now: ContinuousClock.Instant) -> Bool {
    guard state.showsMachine else {
      lastReading = nil
      return false
    }
    if let lastReading, now - lastReading < Self.readingInterval { return false }
    lastReading = now
    let reading = machine.read()
    _ = handle(
      .machine(
        MachineReading(
          processors: reading.processors, available: SystemProcessors.available, memory: reading.memory,
          freeMemory: reading.freeMemory, temperature: reading.temperature)))
    return true
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
    case .inspect(let command): if !engine.send(command) { return refuse() }
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
      if let chosen = themes[name] { theme = screen.adapted(chosen) }
    case .copy(let text): state.copied(text, screen.copy(text))
    case .announce(let text): screen.announce(text)
    case .open(let data): return open(data)
    case .redraw:
      screen.suspend()
      screen.resume()
    }
    return nil
  }

  /// Begins anew with another dataset.
  private func open(_ data: String) -> Ending? {
    let home = UserFolders.current.home
    let path = data == "~" || data.hasPrefix("~/") ? (home ?? "~") + data.dropFirst() : data
    guard (try? FilePath.kind(of: path)) == .folder else {
      return handle(
        .engine(.failure("\(path) is not a folder: O opens one that holds a folder of images for each class")))
    }
    var settings = state.settings
    // The runs of a dataset are beside it, unless they were to be elsewhere.
    if settings.project == ProjectFolder.standard(data: settings.data) {
      settings.project = ProjectFolder.standard(data: path)
    }
    settings.data = path
    var ending: Ending?
    for effect in state.open(data: path.shownPath(from: WorkingFolder.path), settings: settings) {
      ending = ending ?? carryOut(effect)
    }
    state.opened(FilePath.absolute(path))
    return ending
  }

  private func show() {
    screen.present(render(state, size: screen.size, theme: theme, pictures: &pictures))
    lastFrame = clock.now
    if state.title != title {
      title = state.title
      screen.show(title: title)
    }
  }

  /// Where the run is and how to come back to it, in the shell.
  private func sayFarewell() {
    if let farewell = state.farewell { Console.progress(farewell) }
  }

  /// Restores the terminal. A run that is under way goes on in its own process.
  private func finish(_ ending: Ending) -> Int32? {
    defer {
      // After the screen is closed, so that whatever it says is seen.
      if let complaint = WorkbenchMemoryFile.write(state.memory) { Console.complain(complaint) }
      log.close()
    }
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

extension TerminalScreen {
  /// A theme with the characters, the colors and the way of showing pictures that this terminal has.
  fileprivate func adapted(_ theme: Theme) -> Theme {
    theme.with(glyphs: glyphs, pictures: colors.pictures, pictureOutput: pictureOutput)
  }
}
