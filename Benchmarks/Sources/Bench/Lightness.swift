// How light the screen is: from a key to its frame while every core trains, the processor time that the screen takes
// meanwhile, and what it takes when nothing happens.

import Foundation
import Measuring

/// Trains the sample data behind a screen of 140 x 44 and prints what the screen costs.
func measureLightness(of program: String, _ log: ResultsLog) throws {
  try ProgramOnTerminal.require(program)
  let home = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: home) }
  let data = URL(fileURLWithPath: "sample-data").path
  let words = [
    URL(fileURLWithPath: program).path, data, "--recipe", "none", "--net", "resnet18", "--imgsz", "64", "--batch",
    "32",
    "--epochs", "1000", "--project", home + "/runs",
  ]
  let screen = try ProgramOnTerminal(words, home: home, folder: home, columns: 140, rows: 44)
  defer { screen.end() }
  try screen.wait(for: "1,280 images")
  screen.readOn(for: 2)
  let idle = processorShare(of: screen, seconds: 10)

  screen.type(" ")
  try screen.wait(for: "Start")
  screen.type("\r")
  try screen.wait(for: "training", patience: 60)
  screen.readOn(for: 3)
  let training = processorShare(of: screen, seconds: 20)
  // The help covers most of the screen, and no frame of the run has its title.
  let keys = try (0..<200).map { _ in
    let start = Clock.wall.seconds
    screen.type("?")
    try screen.wait(for: "Keys")
    let taken = Clock.wall.seconds - start
    screen.type("\u{1B}")
    // An escape is one once nothing follows it.
    screen.readOn(for: 0.25)
    return taken * 1000
  }
  screen.type("X")
  screen.readOn(for: 1)
  screen.type("y")
  screen.readOn(for: 3)
  screen.leave()

  let sorted = keys.sorted()
  let line = LightnessLine(
    keyMs: Spread(keys), key99thMs: sorted[min(sorted.count - 1, sorted.count * 99 / 100)],
    trainingShare: training, idleShare: idle)
  try log.add(line)
  print("\nthe screen while every core trains (resnet18, 64 px), 140 x 44, \(keys.count) keys")
  print(
    "from a key to its frame: median \(line.keyMs.median.text()) ms, 99th percentile \(line.key99thMs.text()) ms; "
      + "processor time: \((100 * training).text()) % of a core, \((100 * idle).text()) % when nothing happens")
}

private struct LightnessLine: Encodable {
  var keyMs: Spread
  var key99thMs: Double
  /// Of a core, 0...1.
  var trainingShare: Double
  var idleShare: Double
}

/// The share of a core that the process takes, its screen being read.
private func processorShare(of screen: ProgramOnTerminal, seconds: Double) -> Double {
  /// User and system time in ticks (proc_pid_stat(5), fields 14 and 15).
  func ticks() -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(screen.process)/stat", encoding: .utf8)) ?? ""
    let fields = text.drop { $0 != ")" }.split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
    return user + system
  }
  let (start, before) = (Clock.wall.seconds, ticks())
  screen.readOn(for: seconds)
  return (ticks() - before) / Double(sysconf(Int32(_SC_CLK_TCK))) / (Clock.wall.seconds - start)
}
