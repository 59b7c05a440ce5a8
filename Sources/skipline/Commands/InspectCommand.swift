// `skipline inspect`: what is in a file of weights, as text; looking is WeightsInspection's.

import ArgumentParser
import Canvas
import Messages
import Support
import Training

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Says what is in a file of weights: network, classes, metadata, every array.",
    discussion: """
      The network is told by the names and shapes of the arrays. Norm and bounds are of the numbers that are finite; a file \
      with numbers that are not exits with 65, because nothing takes it.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a file of weights.", transform: given) var file: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let inspection = try WeightsInspection(foundRun(file))
    if json { try Console.print(json: inspection) } else { print(inspection) }
    guard !inspection.unusable.isEmpty else { return }
    if !json {
      for array in inspection.unusable {
        let counts = [(array.nan, "NaN"), (array.infinite, "infinite")].filter { $0.0 > 0 }
          .map { "\(Format.count($0)) \($1)" }.joined(separator: ", ")
        Console.print(
          "! '\(array.name)': \(counts) of \(Format.counted(array.count, "number")): nothing takes this file")
      }
    }
    throw ExitCode(ExitStatus.badData.rawValue)
  }

  private func print(_ inspection: WeightsInspection) {
    let numbers = inspection.arrays.reduce(0) { $0 + $1.count }
    Console.print(
      "\(inspection.path): \(inspection.format), \(Format.bytes(inspection.bytes)), "
        + "\(Format.counted(inspection.arrays.count, "array")), \(Format.counted(numbers, "number"))")
    for (label, text) in facts(inspection) {
      Console.print(label + String(repeating: " ", count: max(1, 12 - label.count)) + text)
    }
    guard !inspection.arrays.isEmpty else { return }
    Console.print("")
    let isRenamed = inspection.arrays.contains { $0.own != nil && $0.own != $0.name }
    let heading = ["array"] + (isRenamed ? ["here"] : []) + ["shape", "type", "norm", "minimum", "maximum"]
    let rows = inspection.arrays.map { array in
      [array.name] + (isRenamed ? [array.own ?? Format.absent] : [])
        + [Self.text(array.shape), array.type]
        + [array.norm, array.minimum, array.maximum].map { $0.map { Format.general($0) } ?? Format.absent }
    }
    for line in Console.table([heading] + rows) { Console.print(line) }
  }

  private func facts(_ inspection: WeightsInspection) -> [(String, String)] {
    var facts: [(String, String)] = []
    if let network = inspection.network {
      let classes =
        network.classes.map { "for \(Format.counted($0, "class", plural: "classes"))" } ?? "without a classifier"
      facts.append(
        (
          "network",
          "\(network.name) \(classes): \((["--net", network.name] + network.options).joined(separator: " "))"
        ))
      if !network.alternatives.isEmpty {
        facts.append(("or", "\(network.alternatives.joined(separator: ", ")), which has the same arrays"))
      }
      if let names = network.names { facts.append(("reading", names)) }
    }
    if let mismatch = inspection.mismatch { facts.append(("network", "not recognized: \(mismatch)")) }
    if let classes = inspection.classes {
      facts.append(("classes", classes.joined(separator: ", ")))
    }
    if let input = inspection.preprocessing {
      func channels(_ values: [Float]) -> String { Settings.mean.kind.text(of: Channels(values: values)) }
      facts.append(
        (
          "input",
          "\(input.imageSize) pixels, \(input.resize.rawValue), mean \(channels(input.mean)), std \(channels(input.std))"
        ))
    }
    // What is said above is not said again.
    for (key, value) in inspection.metadata.sorted(by: { $0.key < $1.key }) where !value.hasPrefix("{\"") {
      facts.append(("metadata", "\(key): \(value.prefix(Self.longestValue))"))
    }
    return facts
  }

  private static let longestValue = 200

  static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "x")
  }
}

/// Prints what becomes of each array, for `--verbose`.
func printArrays(_ arrays: [ArrayReport]) {
  let rows = arrays.map { array in
    [
      array.name ?? Format.absent, InspectCommand.text(array.shape),
      array.stored.map { $0 == array.name ? "" : $0 } ?? Format.absent, array.fate.text,
    ]
  }
  for line in Console.table([["array", "shape", "in the file", ""]] + rows) { Console.progress(line) }
}

extension ArrayReport.Fate {
  fileprivate var text: String {
    switch self {
    case .taken: "taken"
    case .reordered: "taken, rows in the order of the data's classes"
    case .partly: "rows of known classes taken"
    case .new: "new, random"
    case .unused: "not used"
    }
  }
}
