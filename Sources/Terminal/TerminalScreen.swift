// The screen: opening the terminal, closing it, and giving it back for a time. What is shown is in
// TerminalScreen+Presenting.swift, what is typed in TerminalScreen+Input.swift. It decides nothing about content.

import CNcurses
import CTerminal
import Canvas
import Foundation
import Synchronization

/// The terminal as a grid of cells and a source of input.
///
/// To be used on the main thread, where the kernel delivers signals first; only `waker` may be handed to others.
/// Only one screen can be open at a time.
public final class TerminalScreen {
  /// For other threads that have something to show.
  public let waker: TerminalWaker
  /// How many colours the terminal shows; `.none` also when the user set `NO_COLOR`. Then `Theme.monochrome` is the
  /// theme that can be told apart.
  public let colours: ColourDepth
  /// The drawing characters that the terminal's character set allows.
  public let glyphs: Glyphs
  /// The signal that asked the program to end (SIGTERM or SIGHUP), if one did: `.endOfInput` was its sign.
  public internal(set) var endingSignal: Int32?

  let screen: OpaquePointer
  let window: UnsafeMutablePointer<WINDOW>
  /// What was presented last; nil when the terminal's content is not known.
  var shown: Frame?
  var pairs: PairTable
  var rendered: [Style: RenderedStyle] = [:]
  let hasOwnColours: Bool
  /// Whether ncurses may hold more input than the descriptor shows.
  var mayHoldInput = false
  var isCursorVisible = false
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
  /// - Throws: `TerminalFailure` when there is no terminal, when terminfo does not know it, when it cannot move its
  ///   cursor, or when the log cannot be opened.
  public init(
    log path: String? = nil, mouse: Bool = true,
    crashMessage: String = "The program crashed; the screen is restored.\n"
  ) throws {
    guard Terminal.isInteractive else {
      throw TerminalFailure(description: "standard input and output are no terminal, so there can be no screen")
    }
    let wasOpen = Self.isOpen.withLock { isOpen in
      defer { isOpen = true }
      return isOpen
    }
    precondition(!wasOpen, "only one screen can be open at a time")
    do {
      glyphs = Self.adoptLocale() ? .unicode : .ascii
      var settings = termios()
      tcgetattr(STDIN_FILENO, &settings)
      waker = try TerminalWaker()
      log = try path.map { try StandardErrorLog(path: $0) }
      screen = try Self.openScreen()
      window = shim_standard_window()
      Self.prepareInput(window, mouse: mouse)

      let hasColours = has_colors() && !Terminal.refusesColour
      if hasColours { start_color() }
      hasOwnColours = hasColours && use_default_colors() == OK
      colours = hasColours ? ColourDepth(colours: Int(shim_colour_count())) : .none
      pairs = PairTable(capacity: hasColours ? min(Int(shim_pair_count()), 65_536) : 1)
      log?.redirect()
      do {
        try CrashGuard.begin(settings: settings, mouse: mouse, message: crashMessage)
        guard terminal_signals_begin(waker.writeEnd) == 0 else {
          throw TerminalFailure(description: "cannot handle signals: \(String(cString: strerror(errno)))")
        }
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
  }

  /// Restores the terminal and standard error. Calling it again does nothing.
  public func close() {
    guard state != .closed else { return }
    if state == .active { endwin() }
    state = .closed
    terminal_signals_end()
    terminal_guard_end()
    delscreen(screen)
    log?.restore()
    Self.isOpen.withLock { $0 = false }
  }

  deinit { close() }

  /// Takes the locale from the environment.
  /// - Returns: whether its character set is UTF-8.
  private static func adoptLocale() -> Bool {
    setlocale(LC_ALL, "")
    // A decimal comma must not get into numbers that other programs read.
    setlocale(LC_NUMERIC, "C")
    return nl_langinfo(Int32(CODESET)).map { String(cString: $0) } == "UTF-8"
  }

  private static func openScreen() throws -> OpaquePointer {
    let name = ProcessInfo.processInfo.environment["TERM"] ?? ""
    guard let screen = shim_new_screen() else {
      let shown = Sanitiser.sanitised(String(name.prefix(60)))
      throw TerminalFailure(
        description: name.isEmpty
          ? "TERM is not set, so the terminal's commands are not known; set it, for example TERM=xterm-256color"
          : "the terminal “\(shown)” (TERM) is not in this machine's terminfo; install it or set TERM=xterm-256color"
      )
    }
    guard shim_terminfo_string("cup") != nil else {
      endwin()
      delscreen(screen)
      throw TerminalFailure(
        description: "the terminal “\(name)” (TERM) cannot move its cursor; use the commands without a screen")
    }
    return screen
  }

  private static func prepareInput(_ window: UnsafeMutablePointer<WINDOW>, mouse: Bool) {
    // Raw, so that ctrl-c and ctrl-z arrive as keys: what they mean is the program's decision.
    raw()
    noecho()
    nonl()
    keypad(window, true)
    nodelay(window, true)
    // How long an escape may be the start of a sequence, in milliseconds.
    set_escdelay(25)
    // A frame is drawn as a whole even while keys come in.
    typeahead(-1)
    curs_set(0)
    if mouse {
      mousemask(shim_left_pressed | shim_wheel_up | shim_wheel_down, nil)
      // No waiting for a second click.
      mouseinterval(0)
    }
  }
}
