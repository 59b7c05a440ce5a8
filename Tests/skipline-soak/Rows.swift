// The table: a name for each kind of fault, and what provokes it.

import Foundation

/// A kind of fault.
struct Row {
  var name: String
  /// Whether it is provoked in a process of its own, because a broken promise would be a crash.
  var isolated = false
  /// Provokes it; throws where a promise is broken, and answers with figures where all are kept.
  var body: (Laboratory) throws -> String

  static var all: [Row] {
    [
      Row(name: "kill -9 at random moments", body: randomKills),
      Row(name: "kill -9 at each call of a save", body: killsAtCalls),
      Row(name: "kill -9 of a random rank", body: rankKills),
      Row(name: "order of write, sync, rename, sync", body: orderOfCalls),
      Row(name: "a hundred starts of the screen", body: screenStarts),
      Row(name: "kill -9 of the screen", body: screenKills),
      Row(name: "kill -9 of the engine", body: engineKills),
      Row(name: "stop and continue storm", body: stopStorm),
      Row(name: "clients: garbage, silence, deafness", body: clients),
      Row(name: "refused threads, sockets, memory", body: refusals),
      Row(name: "full disk", body: fullDisk),
      Row(name: "limit on file sizes", body: fileSizeLimit),
      Row(name: "bit flips in a checkpoint", isolated: true, body: bitFlips),
      Row(name: "fuzzed checkpoint headers", isolated: true, body: fuzzedHeaders),
      Row(name: "fuzzed themes", isolated: true, body: fuzzedThemes),
      Row(name: "fuzzed run records", isolated: true, body: fuzzedRecords),
    ]
  }

  func outcome(in laboratory: Laboratory, program: String) -> Outcome {
    let start = ContinuousClock.now
    laboratory.remove("runs")
    let result = Result { try isolated ? runOutside(laboratory, program) : body(laboratory) }
    let seconds = (ContinuousClock.now - start).seconds
    switch result {
    case .success(let figures): return Outcome(name: name, passed: true, figures: figures, seconds: seconds)
    case .failure(let error):
      return Outcome(name: name, passed: false, figures: "\(error)", seconds: seconds)
    }
  }

  private func runOutside(_ laboratory: Laboratory, _ program: String) throws -> String {
    let child = try Child(
      [
        program, "--inside", "--rows", name, "--mutations", "\(laboratory.mutations)", "--seed",
        "\(laboratory.seed)", "--skipline", laboratory.skipline,
      ], output: "row.txt")
    let ending = child.wait()
    let text = (try? String(contentsOfFile: "row.txt", encoding: .utf8)) ?? ""
    let last = text.split(separator: "\n").last.map(String.init) ?? ""
    try expect(ending == .exited(0), "\(ending): \(last)")
    return last
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
