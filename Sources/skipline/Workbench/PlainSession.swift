// `skipline DATA --plain`: the workbench without a screen, for screen readers. What happens is printed as lines; what is
// typed is a key, or the words of a command as in the palette. It is the same workbench: nothing is decided here.

import Canvas
import Engine
import Files
import Glibc
import Messages
import Networks
import Support
import Terminal
import Training
import Workbench

final class PlainSession {
  private let log: UserLog
  private let events: Mailbox<Event>
  private let engine: EngineHub
  private let theme = Theme.monochrome.with(glyphs: .ascii, pictureOutput: PictureOutput.none)
  private var state: WorkbenchState
  private var printer = TrainingPrinter(json: false)
  private var message: String?
  private var pending: [UInt8] = []
  private let clock = ContinuousClock()

  init(settings: TrainingSettings) throws {
    log = try UserLog()
    events = Mailbox.forEvents(wake: {})
    engine = try EngineHub(
      events: events, log: log.path, workingFolder: WorkingFolder.path, commandLine: ProgramArguments.all)
    state = WorkbenchState(
      data: settings.data.shownPath(from: WorkingFolder.path), settings: settings,
      rules: TrainingRules(networks: Architecture.examples, refusing: { $0.refusal }), themeNames: [],
      size: Size(width: 100, height: 40), glyphs: .ascii)
  }

  private static let help = [
    "Type a line and Enter. Words are a command, as: train, stop, evaluate, save, quit. A single character is a key.",
    "An empty line reads what is before you: the pane, or the question. 1 to 6 go to a pane and read it.",
    "keys: the keys that mean something now. up, down, enter, escape, space, tab: those keys. help: this.",
  ]

  /// Runs until the person leaves.
  func run() {
    for line in Self.help { Console.print(line) }
    for effect in initialEffects(state) { _ = carryOut(effect) }
    _ = handle(.liveRuns(engine.liveRuns(project: state.project), asked: false))
    let start = clock.now
    var isOver = false
    while !isOver {
      for line in readLines() {
        isOver = isOver || take(line)
      }
      while !isOver, let event = events.poll() {
        let event = event.shown(from: WorkingFolder.path)
        if case .training(let event) = event { printer.report(event) }
        isOver = handle(.engine(event))
      }
      isOver = isOver || handle(.tick(seconds: (clock.now - start).seconds))
      tellMessage()
    }
    engine.leave()
    if let farewell = state.farewell { Console.progress(farewell) }
    log.close()
  }

  /// The lines that were typed, after waiting a little for one.
  private func readLines() -> [String] {
    var source = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&source, 1, 100) > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    // The end of input leaves, and a run goes on.
    guard count > 0 else { return count == 0 ? ["\u{4}"] : [] }
    pending += bytes.prefix(count)
    var lines: [String] = []
    while let end = pending.firstIndex(of: 10) {
      lines.append(String(decoding: pending[..<end], as: UTF8.self))
      pending.removeFirst(end + 1)
    }
    return lines
  }

  /// - Returns: whether it was the last.
  private func take(_ line: String) -> Bool {
    let words = line.split(separator: " ").joined(separator: " ")
    switch words {
    case "\u{4}": return true
    case "":
      readAloud()
      return false
    case "help":
      for line in Self.help { Console.print(line) }
      return false
    case "keys":
      Console.print(PlainScreen.keys(state))
      return false
    default: break
    }
    let wasAsking = PlainScreen.isAsking(state)
    var isOver = false
    for key in keys(for: words, isAsking: wasAsking) { isOver = isOver || handle(.input(key)) }
    // A question, and the pane that one has moved to, are read without asking.
    if !isOver, PlainScreen.isAsking(state) || words.first?.isNumber == true { readAloud() }
    return isOver
  }

  private static let named: [String: Key] = [
    "up": .up, "down": .down, "left": .left, "right": .right, "enter": .enter, "escape": .escape,
    "space": .character(" "),
    "tab": .tab, "pageup": .pageUp, "pagedown": .pageDown, "home": .home, "end": .end, "backspace": .backspace,
  ]

  /// What is typed for a line: a key, a text for a line that is asked for, or a command's words into the palette.
  private func keys(for line: String, isAsking: Bool) -> [Canvas.Input] {
    if let key = Self.named[line.lowercased()] { return [.key(key)] }
    if line.count == 1, let character = line.first { return [.key(.character(character))] }
    if isAsking { return [.paste(line), .key(.enter)] }
    return [.key(.character(":")), .paste(line), .key(.enter)]
  }

  private func readAloud() {
    for line in PlainScreen.lines(state, theme: theme) { Console.print(line) }
  }

  private func tellMessage() {
    let new = PlainScreen.message(state)
    if let new, new != message { Console.print(new) }
    message = new
  }

  private func handle(_ event: WorkbenchEvent) -> Bool {
    var isOver = false
    for effect in update(&state, event) { isOver = carryOut(effect) || isOver }
    return isOver
  }

  private func carryOut(_ effect: Effect) -> Bool {
    var isTaken = true
    switch effect {
    case .browse(let command): isTaken = engine.send(command)
    case .ask(let command): isTaken = engine.send(command)
    case .inspect(let command): isTaken = engine.send(command)
    case .send(let command): isTaken = engine.send(command)
    case .findLiveRuns: return handle(.liveRuns(engine.liveRuns(project: state.project), asked: true))
    case .attach(let folder):
      do { try engine.attach(to: folder) } catch { return handle(.engine(.failure("\(error)"))) }
    case .quit, .interruptNow: return true
    case .copy(let text): Console.print("$ " + text)
    case .open(let data): Console.print("open it with: skipline \(shellQuoted(data)) --plain")
    case .suspend, .useTheme, .announce, .redraw: break
    }
    if !isTaken {
      return handle(.engine(.warning("the engine is busy with earlier commands; try again in a moment")))
    }
    return false
  }
}
