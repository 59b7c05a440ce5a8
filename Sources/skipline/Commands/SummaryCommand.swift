// `skipline summary`: the table of layers that the layers pane shows, as text.

import ArgumentParser
import Canvas
import Messages
import Networks

struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary", abstract: "Lists a network's layers, parameters and multiply-adds.")

  @Argument(
    help: "The network: \(Architecture.overview).", transform: given)
  var net: String
  @OptionGroup var network: NetworkOptions
  @Option(Settings.imageSize.number, instead: "default: 32 for the CIFAR family and 224 for the others") var imgsz:
    Int?
  @Option(Limits.classes, instead: "default: 10 for the CIFAR family and 1000 for the others") var classes: Int?
  @Option(Settings.batchSize.number, note: "For the memory estimate.") var batch = 64
  @Option(Settings.freeze, saying: Settings.freeze.meaning + " (default: none)") var freeze: FreezeSettings?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let usual = try Architecture(name: net).usual
    let plan = try NetworkPlan(
      try network.settings(name: net), imageSize: imgsz ?? usual.imageSize,
      classes: classes ?? usual.classes)
    let summary = try plan.summary(batchSize: batch, threads: nil, workers: 1, freeze: freeze ?? .none)
    if json { return try Console.print(json: summary) }
    let rows = summary.layers.map { row in
      [
        String(repeating: "  ", count: row.depth) + row.name, row.kind.rawValue, row.kernel ?? "",
        "\(row.output.height)x\(row.output.width)x\(row.output.channels)",
        row.parameters > 0 ? Format.count(row.parameters) + (row.isTrained ? "" : " frozen") : "",
        row.multiplyAdds > 0 ? Format.count(row.multiplyAdds) : "",
      ]
    }
    for line in Console.table([["layer", "kind", "kernel", "output", "parameters", "multiply-adds"]] + rows) {
      Console.print(line)
    }
    let settings = summary.network
    let options = [
      settings.variant.map { "\($0.rawValue) variant" },
      settings.shortcut.map { "shortcut \($0.rawValue)" }, settings.version?.rawValue,
      settings.stem.map { "\($0.rawValue) stem" },
    ].compactMap { $0 }.joined(separator: ", ")
    Console.print("")
    Console.print("\(settings.name)\(options.isEmpty ? "" : " (\(options))"), \(summary.classes) classes")
    Console.print("parameters     \(Format.count(summary.parameters))")
    if summary.freeze.freezes {
      Console.print("trained        \(Format.count(summary.trainedParameters))")
    }
    Console.print("multiply-adds  \(Format.count(summary.multiplyAdds)) an image")
    Console.print(
      "memory         about \(Format.bytes(summary.trainingMemory)) to train at batch \(summary.batchSize)")
  }
}
