// How soon a person sees something: from starting the program to its first frame on a terminal of 80 x 24.

import Foundation
import Measuring

/// Prints the times for the sample data and for a folder of very many files.
func measureStart(of program: String, _ log: ResultsLog) throws {
  try ProgramOnTerminal.require(program)
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
      guard file >= 0 else {
        throw TerminalProgramFailure(reason: "\(place.path): \(String(cString: strerror(errno)))")
      }
      close(file)
    }
  }
}

/// One start of the program.
struct FirstFrame {
  /// Seconds.
  var frame: Double
  var counts: Double

  /// Starts the program, waits for the title of its first pane and for `counts`, and leaves it by its own key.
  /// - Parameter home: the folder that takes what the program writes down.
  static func measure(_ program: String, data: String, counts: String, home: String) throws -> FirstFrame {
    let start = Clock.wall.seconds
    let screen = try ProgramOnTerminal([program, data], home: home)
    defer { screen.end() }
    try screen.wait(for: "Dataset")
    let frame = Clock.wall.seconds - start
    try screen.wait(for: counts)
    let counted = Clock.wall.seconds - start
    screen.leave()
    return FirstFrame(frame: frame, counts: counted)
  }
}
