// The screen: opening the terminal, closing it, and giving it back for a time. What is shown is in
// TerminalScreen+Presenting.swift, what is typed in TerminalScreen+Input.swift. It decides nothing about content.

import CNcurses
import CTerminal
import Canvas
import FoundationEssentials
import Glibc
import Synchronization

/// The terminal as a grid of cells and a source of input.
///
/// To be used on the main thread, where the kernel delivers signals first; only `waker` may be handed to others.
/// Only one screen can be open at a time.
public final class TerminalScreen {
  /// For other threads that have something to show.
  public let waker: TerminalWaker
  /// How many colors the terminal shows; `.none` also when the user set `NO_COLOR`. Then `Theme.monochrome` is the
  /// theme that can be told apart.
  public let colors: ColorDepth
  /// Whether the terminal's background is light; nil where it does not say.
  public let isLight: Bool?
  /// The drawing characters that the terminal's character set allows.
  public let glyphs: Glyphs
  /// How pictures come onto the screen; the theme has to know.
  public let pictureOutput: PictureOutput
  /// What is not as the environment says: another locale, another terminal's entry.
  public let remarks: [String]
  /// The signal that asked the program to end (SIGTERM or SIGHUP), if one did: `.endOfInput` was its sign.
  public internal(set) var endingSignal: Int32?

  let screen: OpaquePointer
  let window: UnsafeMutablePointer<WINDOW>
  /// What was presented last; nil when the terminal's content is not known.
  var shown: Frame?
  var pairs: PairTable
  var rendered: [Style: RenderedStyle] = [:]
  let hasOwnColors: Bool
  var decoder: InputDecoder
  /// Columns and rows as the terminal last said; `LINES` and `COLUMNS` may give the screen others.
  var reportedSize: Size?
  var isCursorVisible = false
  /// Whether a frame was shown: what was typed before is not meant for it.
  var hasShown = false
  let modes: TerminalModes
  let words: TerminalWords
  /// The one of them that is in use, if any.
  var kitty: KittyPictures?
  var sixels: SixelPictures?
  private(set) var state = State.active
  private let log: StandardErrorLog?

  enum State {
    case active, suspended, closed
  }

  private static let isOpen = Mutex(false)

  /// Opens the screen.
  /// - Parameters:
  ///   - log: a file that takes standard error while the screen is open; nil leaves it alone.
  ///   - mouse: whether clicks and the wheel are reported; the terminal's own selection then needs Shift.
  ///   - pictures: how pictures are to come onto the screen.
  ///   - crashMessage: shown on the normal screen when the program dies of a fatal signal.
  /// - Throws: `TerminalFailure` when there is no terminal, when terminfo knows neither it nor a common one, when it
  ///   cannot move its cursor or show pictures as asked for, or when the log cannot be opened.
  public init(
    log path: String? = nil, mouse: Bool = true, pictures choice: PictureChoice = .auto,
    crashMessage: String = "The program crashed; the screen is restored.\n"
  ) throws {
    guard Terminal.isInteractive else {
      throw TerminalFailure(description: "standard input and output are not a terminal, so there can be no screen")
    }
    let wasOpen = Self.isOpen.withLock { isOpen in
      defer { isOpen = true }
      return isOpen
    }
    precondition(!wasOpen, "only one screen can be open at a time")
    do {
      let locale = LocaleChoice.adopt()
      let environment = ProcessInfo.processInfo.environment
      glyphs = Self.glyphs(isUTF8: locale.isUTF8, environment: environment)
      var settings = termios()
      tcgetattr(STDIN_FILENO, &settings)
      waker = try TerminalWaker()
      log = try path.map { try StandardErrorLog(path: $0) }
      // A signal that comes while the terminal is asked must not leave it as it is then.
      guard terminal_signals_begin(waker.writeEnd) == 0 else {
        throw TerminalFailure(description: "cannot handle signals: \(String(cString: strerror(errno)))")
      }
      let opened: Opened
      do {
        opened = try Self.open(choice, isUTF8: locale.isUTF8, environment: environment)
      } catch {
        terminal_signals_end()
        throw error
      }
      screen = opened.screen
      remarks = [locale.remark, opened.remark].compactMap { $0 }
      window = shim_standard_window()
      let terminfo: (String) -> String? = { name in shim_terminfo_string(name).map { String(cString: $0) } }
      modes = TerminalModes(
        isANSI: terminfo("cup")?.hasPrefix("\u{1B}[") == true, mouse: mouse && terminfo("kmous") != nil)
      decoder = InputDecoder(escapeDelay: Self.escapeDelay, table: KeyTable(terminfo: terminfo))
      // What was typed before there was anything to answer is dropped, but not the beginning of an answer.
      _ = decoder.feed(opened.rest, at: Self.now)
      reportedSize = Self.askSize()
      Self.prepareInput(window)

      let hasColors = has_colors() && !Terminal.refusesColor
      if hasColors { start_color() }
      hasOwnColors = hasColors && use_default_colors() == OK
      colors = hasColors ? ColorDepth(colors: Int(shim_color_count())) : .none
      pairs = PairTable(capacity: hasColors ? min(Int(shim_pair_count()), 65_536) : 1)
      pictureOutput = opened.pictures.output
      isLight = opened.answers.isLight
      words = TerminalWords(
        isANSI: modes.isANSI, name: opened.answers.name, environment: environment,
        hasTitle: terminfo("tsl") != nil || opened.answers.name != nil)
      switch opened.pictures {
      case .kitty(let throughTmux): kitty = KittyPictures(throughTmux: throughTmux, colors: colors)
      case .sixel(let cell):
        sixels = SixelPictures(cell: cell)
        // Characters that are pushed aside would take a picture's pixels with them.
        idcok(window, false)
      case .cells, .none: break
      }
      log?.redirect()
      do {
        try CrashGuard.begin(settings: settings, modes: modes, pictures: endOfAnyPicture, message: crashMessage)
        Self.send(modes.on + words.keepTitle)
      } catch {
        close()
        throw error
      }
    } catch {
      Self.isOpen.withLock { $0 = false }
      throw error
    }
  }

  /// In cells.
  public var size: Size {
    Size(width: Int(getmaxx(window)), height: Int(getmaxy(window)))
  }

  /// Gives the terminal back for a time, to run another program in it. Frames are not shown until `resume`.
  public func suspend() {
    guard state == .active else { return }
    state = .suspended
    Self.send(modes.off + words.restoreTitle + endPictures())
    terminal_guard_set_active(0)
    endwin()
    log?.restore()
  }

  /// Takes the terminal again. The next frame is drawn as a whole.
  public func resume() {
    guard state == .suspended else { return }
    state = .active
    log?.redirect()
    terminal_guard_set_active(1)
    shown = nil
    clearok(window, true)
    wrefresh(window)
    Self.send(modes.on + words.keepTitle)
  }

  /// Puts a text into the title of the terminal's window, or of tmux's pane, until the screen is closed.
  public func show(title: String) {
    guard state == .active else { return }
    Self.send(words.title(title))
  }

  /// Has the desktop show a notice, where the terminal knows how.
  public func announce(_ text: String) {
    guard state == .active else { return }
    Self.send(words.notice(text))
  }

  /// Puts a text onto the clipboard of the terminal, through any number of shells; whether it allows that it does not
  /// tell.
  /// - Returns: false where the terminal has no word for it.
  public func copy(_ text: String) -> Bool {
    guard state == .active, !words.copy(text).isEmpty else { return false }
    Self.send(words.copy(text))
    return true
  }

  /// Restores the terminal and standard error. Calling it again does nothing.
  public func close() {
    guard state != .closed else { return }
    if state == .active {
      Self.send(modes.off + words.restoreTitle + endPictures())
      endwin()
    }
    state = .closed
    terminal_signals_end()
    terminal_guard_end()
    delscreen(screen)
    log?.restore()
    Self.isOpen.withLock { $0 = false }
  }

  deinit { close() }

  /// What takes the pictures away that are on the screen.
  private func endPictures() -> String {
    shown = nil
    if sixels != nil {
      sixels?.forgetAll()
      return SixelPictures.wipe
    }
    return kitty?.forgetAll() ?? ""
  }

  /// The same for a handler of crashes, which cannot look.
  private var endOfAnyPicture: String { sixels != nil ? SixelPictures.wipe : kitty?.forgetAny ?? "" }

  /// The drawing characters for a terminal.
  static func glyphs(isUTF8: Bool, environment: [String: String]) -> Glyphs {
    guard isUTF8 else { return .ascii }
    return environment["TERM"]?.hasPrefix("linux") == true ? .console : .unicode
  }

  private struct Opened {
    var screen: OpaquePointer
    /// That it is by another entry than TERM's, if it is.
    var remark: String?
    var pictures: PictureProtocol
    var answers: TerminalAnswers
    /// What came while the terminal was asked, and was no answer.
    var rest: [UInt8]
  }

  /// Asks the terminal what it can, and opens it by the entry that fits it.
  private static func open(
    _ choice: PictureChoice, isUTF8: Bool, environment: [String: String]
  ) throws -> Opened {
    let wanted = Sanitizer.sanitized(String((environment["TERM"] ?? "").prefix(60)))
    let refusesColor = Terminal.refusesColor
    // Whoever wants neither colors nor the terminal's own pictures has nothing to ask.
    let (answers, rest) =
      refusesColor && choice != .sixel ? (TerminalAnswers(), []) : TerminalAnswers.ask(environment: environment)
    let isTmux = TerminalAnswers.isTmux(environment)
    let pictures = try PictureProtocol.choose(
      choice, answers: answers, isTmux: isTmux, isUTF8: isUTF8, hasColor: !refusesColor,
      cell: askCell() ?? answers.cell)
    guard
      let entry = TerminalEntry.ofEnvironment(
        refusesColor: refusesColor, showsDirectColor: answers.hasDirectColor,
        // tmux may turn a color of 24 bits, which there is a picture's number, into another.
        keepsPalette: pictures == .kitty(throughTmux: true)), let screen = newScreen(entry)
    else {
      throw TerminalFailure(
        description: wanted.isEmpty
          ? "TERM is not set, so the terminal's commands are not known; set it, for example TERM=xterm-256color"
          : "the terminal “\(wanted)” (TERM) is not in terminfo; install its entry or set TERM=xterm-256color"
      )
    }
    guard shim_terminfo_string("cup") != nil else {
      endwin()
      delscreen(screen)
      throw TerminalFailure(
        description: "the terminal “\(wanted)” (TERM) cannot move its cursor; use the commands without a screen")
    }
    return Opened(screen: screen, remark: entry.remark, pictures: pictures, answers: answers, rest: rest)
  }

  private static func newScreen(_ entry: TerminalEntry) -> OpaquePointer? {
    guard let embedded = entry.embedded else { return shim_new_screen(entry.plainName) }
    let before = getenv("TERMINFO").map { String(cString: $0) }
    setenv("TERMINFO", embedded, 1)
    let screen = shim_new_screen(CompiledTerminal.directName)
    if let before { setenv("TERMINFO", before, 1) } else { unsetenv("TERMINFO") }
    // An ncurses that cannot read it opens the terminal by the entry that it was made from.
    return screen ?? shim_new_screen(entry.plainName)
  }

  /// How long an escape may be the start of a sequence, in milliseconds: `ESCDELAY`, else what a slow line needs and a
  /// person hardly notices.
  private static var escapeDelay: Int {
    let given = ProcessInfo.processInfo.environment["ESCDELAY"].flatMap { Int($0) }
    return given.map { max(0, min($0, 10_000)) } ?? 150
  }

  private static func prepareInput(_ window: UnsafeMutablePointer<WINDOW>) {
    // Raw, so that ctrl-c and ctrl-z arrive as keys: what they mean is the program's decision.
    raw()
    noecho()
    nonl()
    // The keypad in the mode that terminfo's sequences are of; they are read in TerminalScreen+Input.swift.
    keypad(window, true)
    // A frame is drawn as a whole even while keys come in.
    typeahead(-1)
    curs_set(0)
  }

  /// Writes a sequence that ncurses has no word for, after all that ncurses wrote.
  private static func send(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, written))
    }
  }

  /// Columns and rows as the terminal says; nil where it does not know.
  static func askSize() -> Size? {
    var answer = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &answer) == 0, answer.ws_col > 0, answer.ws_row > 0 else {
      return nil
    }
    return Size(width: Int(answer.ws_col), height: Int(answer.ws_row))
  }

  /// The extent of a cell in pixels as the terminal says; nil where it does not know.
  private static func askCell() -> Size? {
    var answer = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &answer) == 0, answer.ws_col > 0, answer.ws_row > 0 else {
      return nil
    }
    return TerminalAnswers.cell(
      width: Int(answer.ws_xpixel / answer.ws_col), height: Int(answer.ws_ypixel / answer.ws_row))
  }
}

// MARK: Input

// Waiting for input: keys, mouse, pasted text, changes of size, wakes, signals, and the terminal's end. The terminal's
// bytes are read here and decoded by `InputDecoder`; ncurses reads nothing, because what it makes of a sequence that
// comes in pieces cannot be put together again.

extension TerminalScreen {
  /// So many bytes are read at a time: a large paste must not keep the screen from being drawn.
  private static let batch = 4096

  private static let start = ContinuousClock.now

  /// Milliseconds on a clock that never goes back.
  private static var now: Int {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
  }

  /// Waits until something was typed, the terminal changed, another thread called `waker.wake()`, or time is up.
  ///
  /// ctrl-c arrives as a key, and so does a SIGINT from elsewhere. ctrl-z is carried out here: the job stops, and
  /// when it is continued the answer is a change of size, so that a new frame is drawn. SIGTERM, SIGHUP and a
  /// terminal that is gone are `.endOfInput`.
  /// - Parameter milliseconds: nil waits without limit, 0 not at all.
  /// - Returns: what came in, in order; empty after a wake or when time was up.
  public func waitForInput(timeout milliseconds: Int?) -> [Input] {
    guard state != .closed else { return [.endOfInput] }
    var sources = [
      pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
      pollfd(fd: waker.readEnd, events: Int16(POLLIN), revents: 0),
    ]
    let due = decoder.deadline.map { max(0, $0 - Self.now) }
    let limit = [milliseconds.map { max(0, $0) }, due].compactMap { $0 }.min()
    // A signal ends the wait early with an error; what it meant is found below all the same.
    let ready = poll(&sources, 2, limit.map { Int32(clamping: $0) } ?? -1)
    waker.drain()
    let events = ready > 0 ? Int32(sources[0].revents) : 0
    var inputs: [Input] = []
    var isAtEnd = events & (POLLERR | POLLNVAL) != 0 || (events & POLLHUP != 0 && events & POLLIN == 0)
    if state == .active {
      if let size = adoptSize() { inputs.append(.resized(size)) }
      if events & POLLIN != 0 { isAtEnd = !read(into: &inputs) || isAtEnd }
      // After the reading: what came in time may have waited here.
      inputs += decoder.expire(at: Self.now)
    }
    carryOutStops(in: &inputs)
    takeSignals(into: &inputs)
    if isAtEnd { inputs.append(.endOfInput) }
    return inputs
  }

  /// - Returns: false when there is nothing more to come.
  private func read(into inputs: inout [Input]) -> Bool {
    var bytes = [UInt8](repeating: 0, count: Self.batch)
    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
    guard count > 0 else { return count < 0 && [EINTR, EAGAIN].contains(errno) }
    inputs += decoder.feed(bytes.prefix(count), at: Self.now)
    return true
  }

  /// Drops what was typed before there was anything to answer: it is decoded, so that a sequence of which only the
  /// beginning is here types nothing when its rest comes.
  func dropWhatWasTyped() {
    var source = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    var rounds = 0
    while poll(&source, 1, 0) > 0, Int32(source.revents) & POLLIN != 0, rounds < 64 {
      var dropped: [Input] = []
      guard read(into: &dropped) else { return }
      rounds += 1
    }
  }

  /// Gives the screen the terminal's size.
  /// - Returns: the new size where it changed.
  private func adoptSize() -> Size? {
    guard let now = Self.askSize(), now != reportedSize else { return nil }
    reportedSize = now
    resizeterm(Int32(now.height), Int32(now.width))
    // The terminal may have moved its content about; everything is drawn again.
    shown = nil
    clearok(window, true)
    return size
  }

  private func carryOutStops(in inputs: inout [Input]) {
    guard inputs.contains(.key(.control("z"))) else { return }
    inputs.removeAll { $0 == .key(.control("z")) }
    suspend()
    terminal_stop_job()
    resume()
    _ = adoptSize()
    inputs.append(.resized(size))
  }

  private func takeSignals(into inputs: inout [Input]) {
    while true {
      switch terminal_signals_take() {
      case 0: return
      case SIGINT: inputs.append(.key(.control("c")))
      case let signal:
        endingSignal = endingSignal ?? signal
        inputs.append(.endOfInput)
      }
    }
  }
}

// MARK: Presenting

// Showing frames. Rows that have not changed are not touched; of the others ncurses finds the cells that differ.

/// A style as ncurses takes it.
struct RenderedStyle {
  var attributes: attr_t
  var pair: Int32
}

extension TerminalScreen {
  /// Shows a frame. What lies outside the terminal is cut off; what the frame does not cover is blank.
  public func present(_ wanted: Frame) {
    guard state == .active else { return }
    var frame = wanted
    if shown?.size != frame.size {
      shown = nil
      werase(window)
    }
    let gone = resolvePictures(of: &frame)
    var written = writeRows(of: frame)
    if pairs.overflowed {
      // Of the pairs that were given out most are not on the screen any more.
      reset_color_pairs()
      pairs.removeAll()
      rendered.removeAll(keepingCapacity: true)
      shown = nil
      written = writeRows(of: frame)
    }
    for y in gone where y < frame.size.height { wredrawln(window, Int32(y), 1) }
    let visible = Rect(size).intersection(Rect(frame.size))
    if let cursor = frame.cursor, visible.contains(x: cursor.x, y: cursor.y) {
      wmove(window, Int32(cursor.y), Int32(cursor.x))
      showCursor(true)
    } else {
      showCursor(false)
    }
    if !hasShown {
      hasShown = true
      // Before anything of the frame can be seen: who answers what is shown is heard.
      dropWhatWasTyped()
    }
    wrefresh(window)
    if let painted = sixels?.paint(written: written.union(gone)), !painted.isEmpty { Self.send(painted) }
    shown = frame
  }

  /// Puts in place of the marks of pictures what this terminal takes for them.
  /// - Returns: rows that have to be written whole, because a picture on them is gone.
  private func resolvePictures(of frame: inout Frame) -> Set<Int> {
    guard !frame.pictures.isEmpty || sixels != nil else { return [] }
    let fallback = Theme.dark.with(glyphs: glyphs, pictures: colors.pictures)
    // Pictures are never larger than the terminal: what lies outside it is not marked.
    if let sent = kitty?.resolve(&frame, fallback: fallback) {
      if !sent.isEmpty { Self.send(sent) }
      return []
    }
    return sixels?.resolve(&frame, fallback: fallback) ?? []
  }

  /// - Returns: the rows that were not as before.
  private func writeRows(of frame: Frame) -> Set<Int> {
    let visible = Rect(size).intersection(Rect(frame.size))
    var written = Set<Int>()
    for y in 0..<visible.height {
      let row = frame.row(y)
      if let shown, shown.row(y) == row { continue }
      written.insert(y)
      write(row.prefix(visible.width), y: y)
    }
    return written
  }

  private func showCursor(_ visible: Bool) {
    guard visible != isCursorVisible else { return }
    curs_set(visible ? 1 : 0)
    isCursorVisible = visible
  }

  private func write(_ row: ArraySlice<Cell>, y: Int) {
    var cells: [cchar_t] = []
    cells.reserveCapacity(row.count)
    var columns = 0
    for (x, cell) in row.enumerated() where x >= columns {
      let style = render(cell.style)
      // A right half without its left one is blank.
      let character = cell.character ?? " "
      let width = max(1, DisplayWidth.of(character))
      // Half a wide character cannot be shown at the right edge.
      let entries = x + width > row.count ? [[" "]] : Self.entries(for: character)
      for entry in entries { cells.append(Self.cell(entry, style)) }
      columns = x + width
    }
    // Unlike adding character by character, this does not move the cursor past the lower right corner.
    mvwadd_wchnstr(window, Int32(y), 0, cells, Int32(cells.count))
  }

  private static func entries(for character: Character) -> [[Unicode.Scalar]] {
    if let ascii = character.asciiValue, ascii >= 0x20, ascii < 0x7F { return [[Unicode.Scalar(ascii)]] }
    return CellEncoding.entries(for: character) { Int(shim_width($0.value)) }
  }

  private static func cell(_ scalars: [Unicode.Scalar], _ style: RenderedStyle) -> cchar_t {
    var cell = cchar_t()
    let text = scalars.map { wchar_t(bitPattern: $0.value) } + [0]
    // The pair goes through the last argument: the one before it has 16 bits.
    var pair = style.pair
    setcchar(&cell, text, style.attributes, 0, &pair)
    return cell
  }

  private func render(_ style: Style) -> RenderedStyle {
    if let known = rendered[style] { return known }
    var attributes: attr_t = 0
    if style.bold { attributes |= shim_bold }
    if style.dim { attributes |= shim_dim }
    if style.underline { attributes |= shim_underline }
    if style.reverse { attributes |= shim_reverse }
    let result = RenderedStyle(attributes: attributes, pair: pair(for: style))
    rendered[style] = result
    return result
  }

  private func pair(for style: Style) -> Int32 {
    guard colors != .none else { return 0 }
    var (foreground, background) = colors.indices(of: style)
    if !hasOwnColors {
      // Such a terminal cannot name its own colors; white on black is what pair 0 is there.
      if foreground == -1 { foreground = 7 }
      if background == -1 { background = 0 }
      if foreground == 7, background == 0 { return 0 }
    }
    switch pairs.number(for: PairTable.Colors(foreground: foreground, background: background)) {
    case .known(let number): return number
    case .new(let number):
      init_extended_pair(number, Int32(foreground), Int32(background))
      return number
    case .full: return 0
    }
  }
}

extension Frame {
  fileprivate func row(_ y: Int) -> ArraySlice<Cell> {
    cells[y * size.width..<(y + 1) * size.width]
  }
}
