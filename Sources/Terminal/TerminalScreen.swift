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
  /// The drawing characters that the terminal's character set allows.
  public let glyphs: Glyphs
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
  ///   - crashMessage: shown on the normal screen when the program dies of a fatal signal.
  /// - Throws: `TerminalFailure` when there is no terminal, when terminfo knows neither it nor a common one, when it
  ///   cannot move its cursor, or when the log cannot be opened.
  public init(
    log path: String? = nil, mouse: Bool = true,
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
      glyphs = locale.isUTF8 ? .unicode : .ascii
      var settings = termios()
      tcgetattr(STDIN_FILENO, &settings)
      waker = try TerminalWaker()
      log = try path.map { try StandardErrorLog(path: $0) }
      let opened = try Self.openScreen()
      screen = opened.screen
      remarks = [locale.remark, opened.remark].compactMap { $0 }
      window = shim_standard_window()
      let terminfo: (String) -> String? = { name in shim_terminfo_string(name).map { String(cString: $0) } }
      modes = TerminalModes(
        isANSI: terminfo("cup")?.hasPrefix("\u{1B}[") == true, mouse: mouse && terminfo("kmous") != nil)
      decoder = InputDecoder(escapeDelay: Self.escapeDelay, table: KeyTable(terminfo: terminfo))
      reportedSize = Self.askSize()
      Self.prepareInput(window)

      let hasColors = has_colors() && !Terminal.refusesColor
      if hasColors { start_color() }
      hasOwnColors = hasColors && use_default_colors() == OK
      colors = hasColors ? ColorDepth(colors: Int(shim_color_count())) : .none
      pairs = PairTable(capacity: hasColors ? min(Int(shim_pair_count()), 65_536) : 1)
      log?.redirect()
      do {
        try CrashGuard.begin(settings: settings, modes: modes, message: crashMessage)
        guard terminal_signals_begin(waker.writeEnd) == 0 else {
          throw TerminalFailure(description: "cannot handle signals: \(String(cString: strerror(errno)))")
        }
        Self.send(modes.on)
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
    Self.send(modes.off)
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
    Self.send(modes.on)
  }

  /// Restores the terminal and standard error. Calling it again does nothing.
  public func close() {
    guard state != .closed else { return }
    if state == .active {
      Self.send(modes.off)
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

  /// Opens the terminal by the entry that fits it.
  /// - Returns: the screen, and that it is by another entry than TERM's, if it is.
  private static func openScreen() throws -> (screen: OpaquePointer, remark: String?) {
    let wanted = Sanitizer.sanitized(String((ProcessInfo.processInfo.environment["TERM"] ?? "").prefix(60)))
    guard let entry = TerminalEntry.ofEnvironment(refusesColor: Terminal.refusesColor),
      let screen = newScreen(entry)
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
    return (screen, entry.remark)
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
      let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
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
}
