// How soon a person sees something: from starting the program to its first frame on a terminal of 80 x 24. The terminal
// is a pair of descriptors that the driver reads.

import Foundation
import Measuring

/// Prints the times for the sample data and for a folder of very many files.
func measureStart(of program: String, _ log: ResultsLog) throws {
  guard FileManager.default.isExecutableFile(atPath: program) else {
    throw StartFailure(reason: "\(program) is not there; build it: swift build -c release --product skipline")
  }
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let many = folder.appendingPathComponent("many")
  try makeManyFiles(count: 100_000, in: many)

  print("\nfrom starting the program to the first frame and to the counts of its images, ms: medians of 10 starts")
  let table = TextTable([.init("data", -16), .init("first frame", 22), .init("counts", 22)])
  table.printHeader()
  let sets = [("sample-data", "sample-data", "1,280 images"), ("100,000 files", many.path, "100,000 images")]
  for (name, data, counts) in sets {
    // The first one fills the system's cache of the program, and is not counted.
    let starts = try (0...10).map { _ in
      try FirstFrame.measure(program, data: data, counts: counts, home: folder.path)
    }.dropFirst()
    let line = StartLine(
      data: name, firstFrameMs: Spread(starts.map { $0.frame * 1000 }),
      countsMs: Spread(starts.map { $0.counts * 1000 }))
    try log.add(line)
    table.printRow([name, text(line.firstFrameMs), text(line.countsMs)])
  }
}

private func text(_ spread: Spread) -> String {
  "\(spread.median.text()) (\(spread.least.text())..\(spread.greatest.text()))"
}

private struct StartLine: Encodable {
  var data: String
  var firstFrameMs: Spread
  var countsMs: Spread
}

/// Ten classes of empty files: what stands in them is not looked at before the first frame.
private func makeManyFiles(count: Int, in folder: URL) throws {
  for label in 0..<10 {
    let place = folder.appendingPathComponent("class-\(label)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    for index in 0..<(count / 10) {
      let file = open("\(place.path)/\(index).png", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      guard file >= 0 else { throw StartFailure(reason: "\(place.path): \(String(cString: strerror(errno)))") }
      close(file)
    }
  }
}

struct StartFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}

/// One start of the program.
struct FirstFrame {
  /// Seconds.
  var frame: Double
  var counts: Double

  /// `TIOCSPTLCK` and `TIOCGPTN` of ioctl_tty(2), `POSIX_SPAWN_SETSID` of spawn.h: not imported.
  private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
  private static let newSession: Int16 = 0x80
  /// Seconds.
  private static let patience = 30.0

  /// Starts the program, waits for the title of its first pane and for `counts`, and leaves it by its own key.
  /// - Parameter home: the folder that takes what the program writes down.
  static func measure(_ program: String, data: String, counts: String, home: String) throws -> FirstFrame {
    let (master, terminal) = try openTerminal()
    defer { close(master) }
    let start = Clock.wall.seconds
    let child = try spawn([program, data], terminal: terminal, home: home)
    defer {
      kill(child, SIGKILL)
      var status: Int32 = 0
      waitpid(child, &status, 0)
    }
    var screen = Data()
    func wait(for text: String) throws -> Double {
      var bytes = [UInt8](repeating: 0, count: 65_536)
      while screen.range(of: Data(text.utf8)) == nil {
        guard Clock.wall.seconds - start < patience else {
          throw StartFailure(reason: "'\(text)' never came onto the screen of \(program) \(data)")
        }
        var state = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 100) > 0 else { continue }
        let count = read(master, &bytes, bytes.count)
        guard count > 0 else { throw StartFailure(reason: "\(program) \(data) ended before its first frame") }
        screen.append(contentsOf: bytes[..<count])
      }
      return Clock.wall.seconds - start
    }
    let frame = try wait(for: "Dataset")
    let counted = try wait(for: counts)
    leave(child, master)
    return FirstFrame(frame: frame, counts: counted)
  }

  private static func openTerminal() throws -> (master: Int32, path: String) {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (locked, number): (Int32, Int32) = (0, 0)
    guard master >= 0, ioctl(master, setLock, &locked) == 0, ioctl(master, getNumber, &number) == 0 else {
      throw StartFailure(reason: "the system gives no terminal: \(String(cString: strerror(errno)))")
    }
    var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    return (master, "/dev/pts/\(number)")
  }

  private static func spawn(_ words: [String], terminal: String, home: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The leader of a session that opens a terminal has it as its own.
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, newSession)

    let own = [
      "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": home, "XDG_CONFIG_HOME": home + "/config",
      "XDG_CACHE_HOME": home + "/cache", "XDG_STATE_HOME": home + "/state", "TMPDIR": home,
    ]
    let arguments = words.map { strdup($0) } + [nil]
    let settings = measuringEnvironment.merging(own) { $1 }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + settings { free(text) } }
    var child = pid_t()
    let code = posix_spawn(&child, words[0], &actions, &attributes, arguments, settings)
    guard code == 0 else {
      throw StartFailure(reason: "\(words[0]) cannot be started: \(String(cString: strerror(code)))")
    }
    return child
  }

  /// Presses `q` and reads on until the program has gone, so that it never waits for a reader.
  private static func leave(_ child: pid_t, _ master: Int32) {
    _ = "q".withCString { write(master, $0, 1) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let end = Clock.wall.seconds + 5
    while Clock.wall.seconds < end {
      var state = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
      if poll(&state, 1, 100) > 0, read(master, &bytes, bytes.count) <= 0 { return }
    }
  }
}
