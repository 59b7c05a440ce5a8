// On what the figures were measured, and where they are kept.

import Foundation
import Measuring
import Tensors

/// The machine, the libraries and the day.
struct MachineFacts: Encodable {
  let processor: String
  let processors: Int
  /// The vector level of our loops; OpenBLAS with its version and the processor it takes this one for.
  let kernels: String
  let swift: String
  let date: String
  /// Processes that wanted to run when the measurement began, on average over a minute.
  let load: Double

  init() {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor =
      model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
    processors = ProcessInfo.processInfo.activeProcessorCount
    kernels = Kernels.description
    let version = (try? output(of: ["swift", "--version"])) ?? ""
    swift = version.split(separator: "\n").first.map(String.init) ?? "Swift of unknown version"
    date = ISO8601DateFormatter().string(from: Date())
    var averages = [0.0]
    load = getloadavg(&averages, 1) == 1 ? averages[0] : 0
  }

  var text: String {
    "\(processor), \(processors) processors, \(kernels)\n\(swift)\n\(date), load \(load.text(2)) at the start"
  }
}

/// A file of JSON lines, one for each thing measured.
final class ResultsLog {
  let path: String
  private let handle: FileHandle

  /// - Parameter folder: is made if it is not there.
  init(folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd-HHmmss"
    path = "\(folder)/\(formatter.string(from: Date())).jsonl"
    try Data().write(to: URL(fileURLWithPath: path))
    handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }

  func add(_ value: some Encodable) throws { try handle.write(contentsOf: Data((jsonLine(value) + "\n").utf8)) }
}
