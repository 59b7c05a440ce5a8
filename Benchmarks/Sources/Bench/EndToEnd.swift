// From a folder of images to an accuracy: the whole program beside a peer's script with the same recipe, everything that a
// person waits for included.

import Foundation
import Measuring

/// What one run took, decoding and an evaluation of the test images after each epoch included.
struct EndToEndFigures: Codable {
  var engine: String
  var seconds: Double
  var cpuSeconds: Double
  /// Of the test images, after the last epoch.
  var accuracy: Double

  enum CodingKeys: String, CodingKey {
    case engine, seconds, accuracy
    case cpuSeconds = "cpu_seconds"
  }
}

/// A folder and how both train on it: SGD with a momentum of 0.9, a learning rate of 0.1 that falls by half a cosine after
/// a warm-up of a twentieth, a weight decay of 5e-4, crops of images padded by an eighth.
struct EndToEndWorkload {
  var data = "sample-data"
  var net = "cifar20"
  var size = 32
  var batch = 64
  var epochs = 5
  var threads = 2
  var mirrors = false

  var text: String { "\(data), \(net), \(size) px, batches of \(batch), \(epochs) epochs, \(threads) threads" }
}

/// Prints what runs of both took, in pairs that alternate.
/// - Parameter python: one with torch, torchvision and Pillow; nil for none.
func measureEndToEnd(
  _ workload: EndToEndWorkload, program: String, python: String?, pairs: Int, _ log: ResultsLog
) throws {
  guard FileManager.default.isExecutableFile(atPath: program) else {
    throw FailedProgram(words: [program])
  }
  print(
    "\nfrom a folder to an accuracy: \(workload.text); medians of \(plural(pairs, "run", "runs")) (least..greatest)"
  )
  var ours: [EndToEndFigures] = []
  var theirs: [EndToEndFigures] = []
  for pair in 0..<pairs {
    ours.append(try trainOurs(workload, program, seed: pair))
    if let python { theirs.append(try trainTheirs(workload, python, seed: pair)) }
  }
  let table = TextTable([
    .init("", -16), .init("wall, s", 22), .init("CPU, s", 22), .init("test accuracy, %", 22),
  ])
  table.printHeader()
  for figures in [ours, theirs] {
    guard let first = figures.first else { continue }
    for figure in figures { try log.add(figure) }
    func text(_ value: (EndToEndFigures) -> Double) -> String {
      let spread = Spread(figures.map(value))
      return "\(spread.median.text()) (\(spread.least.text())..\(spread.greatest.text()))"
    }
    table.printRow([
      first.engine, text(\.seconds), text(\.cpuSeconds), text { 100 * $0.accuracy },
    ])
  }
  guard !theirs.isEmpty else { return }
  let ratios = zip(ours, theirs).map { ($1.seconds / $0.seconds, $1.cpuSeconds / $0.cpuSeconds) }
  print(
    "ratio of a pair: wall \(Spread(ratios.map(\.0)).median.text(2)), CPU \(Spread(ratios.map(\.1)).median.text(2))"
  )
}

private func trainOurs(_ workload: EndToEndWorkload, _ program: String, seed: Int) throws -> EndToEndFigures {
  let project = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: project) }
  // The test images take the place of those for validation, so that both train on all others.
  let words = [
    program, "train", workload.data, "--recipe", "none", "--net", workload.net, "--imgsz", "\(workload.size)",
    "--batch", "\(workload.batch)", "--epochs", "\(workload.epochs)", "--threads", "\(workload.threads)", "--seed",
    "\(seed)", "--lr", "0.1", "--schedule", "cosine:0.05", "--weight-decay", "0.0005", "--crop", "pad",
    workload.mirrors ? "--flip" : "--no-flip", "--val", "test", "--project", project.path, "--json",
  ]
  let (wall, cpu) = (Clock.wall.seconds, childrenSeconds())
  let text = try output(of: words, errors: FileHandle(forWritingAtPath: "/dev/null"))
  let (seconds, cpuSeconds) = (Clock.wall.seconds - wall, childrenSeconds() - cpu)
  let lines = text.split(separator: "\n").compactMap {
    try? JSONDecoder().decode(EpochLine.self, from: Data($0.utf8))
  }
  guard let last = lines.last, lines.count == workload.epochs else { throw FailedProgram(words: words) }
  return EndToEndFigures(
    engine: "skipline", seconds: seconds, cpuSeconds: cpuSeconds, accuracy: last.epoch.validation.top1)
}

private func trainTheirs(_ workload: EndToEndWorkload, _ python: String, seed: Int) throws -> EndToEndFigures {
  let text = try output(
    of: [
      python, "Benchmarks/peers/pytorch_train.py", workload.data, "--net", workload.net, "--size",
      "\(workload.size)",
      "--batch", "\(workload.batch)", "--epochs", "\(workload.epochs)", "--threads", "\(workload.threads)",
      "--seed",
      "\(seed)",
    ] + (workload.mirrors ? ["--flip"] : []))
  return try JSONDecoder().decode(EndToEndFigures.self, from: Data(text.utf8))
}

/// Of `train --json`, an epoch's line.
private struct EpochLine: Decodable {
  struct Epoch: Decodable { var validation: Validation }
  struct Validation: Decodable { var top1: Double }

  var epoch: Epoch
}

/// Processor time of the children that have ended.
private func childrenSeconds() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
  func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
  return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
