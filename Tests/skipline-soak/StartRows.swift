// The workbench is opened and left again and again: nothing stays behind that the first start did not leave.

import Foundation
import TestSupport

private let starts = 100

/// Opens the screen on a terminal of its own, waits for its first frame and leaves it by its own key, a hundred times.
func screenStarts(_ laboratory: Laboratory) throws -> String {
  try FileManager.default.createDirectory(atPath: "tmp", withIntermediateDirectories: true)
  // What is made once, as the list of datasets that were opened, the first one makes.
  try openAndLeave(laboratory)
  let (files, descriptors) = (try Set(FileManager.default.subpathsOfDirectory(atPath: ".")), openDescriptors)
  let start = ContinuousClock.now
  for _ in 0..<starts { try openAndLeave(laboratory) }
  let seconds = (ContinuousClock.now - start).seconds
  let left = try Set(FileManager.default.subpathsOfDirectory(atPath: ".")).subtracting(files)
  try expect(left.isEmpty, "left behind: \(left.sorted().prefix(5).joined(separator: ", "))")
  try waitUntil("the terminals' end") { openDescriptors <= descriptors }
  let others = processesHere
  try expect(others.isEmpty, "processes \(others) are still there")
  laboratory.remove("tmp")
  return String(
    format: "%d starts and ends, %.0f ms each; no file, process or descriptor more, every terminal as it was",
    starts, 1000 * seconds / Double(starts))
}

private func openAndLeave(_ laboratory: Laboratory) throws {
  let terminal = try PseudoTerminal(size: (columns: 80, rows: 24, width: 0, height: 0)) { _ in [] }
  defer { terminal.breakDown() }
  let before = modes(of: terminal)
  let screen = try Child(
    [laboratory.skipline, "data"], environment: ["TMPDIR": FileManager.default.currentDirectoryPath + "/tmp"],
    terminal: terminal.programEnd)
  try waitUntil("a first frame") { String(decoding: terminal.output, as: UTF8.self).contains("Dataset") }
  terminal.type("q")
  let ending = try screen.wait(atMost: 20)
  try expect(ending == .exited(0), "the screen ended with \(ending)")
  try expect(modes(of: terminal) == before, "the terminal is not as it was")
  terminal.handedOver()
}

/// What a shell would find changed, as that keys are not shown.
private func modes(of terminal: PseudoTerminal) -> [UInt32] {
  var modes = termios()
  tcgetattr(terminal.programEnd, &modes)
  return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
}

private var openDescriptors: Int {
  (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
}

/// Whatever else runs in the laboratory's folder.
private var processesHere: [Int32] {
  let here = FileManager.default.currentDirectoryPath
  return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int32.init).filter {
    $0 != getpid() && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")) == here
  }
}
