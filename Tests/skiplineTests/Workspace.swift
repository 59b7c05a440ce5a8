// A folder of a test's own in which the program is run: a small dataset beside the runs it makes. It is removed with
// the value. It knows nothing of what the program does.

import Foundation
import Messages
import SampleData

/// A temporary folder with a dataset in `data`: eight classes of pictures, 16 pixels a side.
final class Workspace: Sendable {
  let folder: String

  /// Six training and two test pictures a class: enough for a network to train on in a blink.
  static let pictures = SampleSet(seed: 7, side: 16, trainingCount: 6, testCount: 2)
  /// Drawn once.
  private static let files = Result {
    try pictures.items.map { (path: $0.path, bytes: try pictures.picture(of: $0).encodedAsPNG()) }
  }

  /// 40 for training, 8 for validation, 16 for tests.
  static let imageCount = 64
  static let testCount = 16

  /// A network so small that an epoch takes some hundredths of a second.
  static let tinyNetwork = [
    "--recipe", "none",
    "--net", "cifar8", "--width", "0.25", "--imgsz", "16", "--batch", "8", "--threads", "1",
  ]

  init(withData: Bool = true) throws {
    let short = UUID().uuidString.prefix(8)
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("skipline-test-\(short)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    guard withData else { return }
    // Written here because SampleSet.write(to:) waits for the disk after every file.
    for (path, bytes) in try Self.files.get() {
      // The last training picture of each class is for validation: no class is without one.
      let isLast = path.hasPrefix("train/") && path.hasSuffix("-0006.png")
      try write(bytes, to: "data/\(isLast ? "val" + path.dropFirst("train".count) : path)")
    }
  }

  deinit {
    endProcesses()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Ends what still works in the folder: an engine outlives whoever started it, and a test that failed too.
  private func endProcesses() {
    for number in processNumbers() { kill(number, SIGKILL) }
  }

  /// The processes whose working folder is this one, by the words of their command lines.
  func processNumbers(with word: String? = nil) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter { number in
      let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd")
      guard number != getpid(), place == folder else { return false }
      guard let word else { return true }
      let line = (try? String(contentsOfFile: "/proc/\(number)/cmdline", encoding: .utf8)) ?? ""
      return line.split(separator: "\0").contains { $0 == word }
    }
  }

  /// Gives every picture of a class other names too, so that there are many without taking space.
  func multiplyPictures(in part: String, by copies: Int) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data/\(part)") {
      let place = "\(folder)/data/\(part)/\(name)"
      for file in try FileManager.default.contentsOfDirectory(atPath: place) {
        for copy in 0..<copies { link("\(place)/\(file)", "\(place)/\(copy)-\(file)") }
      }
    }
  }

  /// Writes a file, making the folders above it.
  func write(_ bytes: [UInt8], to name: String) throws {
    let file = URL(fileURLWithPath: "\(folder)/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  /// Leaves the first half of a file only.
  func truncate(_ name: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    try write(Array(bytes.prefix(bytes.count / 2)), to: name)
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }

  func text(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }

  /// The lines of a file, without an empty last one.
  func lines(_ name: String) throws -> [String] { try text(name).split(separator: "\n").map(String.init) }
}

extension Workspace {
  /// The evaluation that the program saved in a run's folder.
  func evaluation(_ run: String, _ name: String = "best-test") throws -> EvaluationReport {
    try JSONDecoder().decode(EvaluationReport.self, from: Data(text("\(run)/evaluations/\(name).json").utf8))
  }
}
