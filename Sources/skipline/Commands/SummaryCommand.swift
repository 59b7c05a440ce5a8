// `skipline summary`: one network's table of layers, which the layers pane shows, or several networks beside each
// other, as text.

import ArgumentParser
import Canvas
import Messages
import Networks
import Tensors
import Training

struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Lists a network's layers, parameters and multiply-adds, or compares several networks.",
    discussion: """
      "share" is that of the multiply-adds, "sees" the side in pixels of the square of the image that one output is made \
      from. With several names it compares the networks: layers, parameters, multiply-adds, memory for training, images/s as \
      measured here by a short trial of each, and the error that was published, with its source.
      """)

  @Argument(
    help: "The network, or several: \(Architecture.overview).", transform: given)
  var net: [String]
  @OptionGroup var network: NetworkOptions
  @Option(Settings.imageSize.number, instead: "default: what is usual for the network") var imgsz: Int?
  @Option(Limits.classes, instead: "default: what is usual for the network") var classes: Int?
  @Option(Settings.batchSize.number, note: "For the memory estimate.") var batch = 64
  @Option(Settings.freeze, saying: Settings.freeze.meaning + " (default: none)") var freeze: FreezeSettings?
  @Flag(help: "Compare without measuring the speed.") var noTrial = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let plans = try net.map { try plan($0) }
    guard let plan = plans.first, plans.count == 1 else { return try compare(plans) }
    try list(plan)
  }

  private func plan(_ name: String) throws -> NetworkPlan {
    let usual = try Architecture(name: name).usual
    return try NetworkPlan(
      try network.settings(name: name), imageSize: imgsz ?? usual.imageSize, classes: classes ?? usual.classes)
  }

  // MARK: One network

  private func list(_ plan: NetworkPlan) throws {
    let summary = try plan.summary(batchSize: batch, threads: nil, workers: 1, freeze: freeze ?? .none)
    if json { return try Console.print(json: summary) }
    let rows = summary.layers.map { row in
      [
        String(repeating: "  ", count: row.depth) + row.name, row.kind.rawValue, row.kernel ?? "",
        "\(row.output.height)x\(row.output.width)x\(row.output.channels)",
        row.parameters > 0 ? Format.count(row.parameters) + (row.isTrained ? "" : " frozen") : "",
        row.multiplyAdds > 0 ? Format.count(row.multiplyAdds) : "",
        row.multiplyAdds > 0
          ? Format.percent(Double(row.multiplyAdds) / Double(max(1, summary.multiplyAdds))) : "",
        row.receptiveField > summary.input.height ? "all" : "\(row.receptiveField)",
      ]
    }
    for line in Console.table(
      [["layer", "kind", "kernel", "output", "parameters", "multiply-adds", "share", "sees"]] + rows)
    {
      Console.print(line)
    }
    let settings = summary.network
    let options = settings.optionNotes
    Console.print("")
    Console.print("\(settings.name)\(options.isEmpty ? "" : " (\(options))"), \(summary.classes) classes")
    Console.print("parameters     \(Format.count(summary.parameters))")
    if summary.freeze.freezes {
      Console.print("trained        \(Format.count(summary.trainedParameters))")
    }
    Console.print("multiply-adds  \(Format.count(summary.multiplyAdds)) an image")
    if let published = summary.published { Console.print("published      \(published.text)") }
    Console.print(
      "memory         about \(Format.bytes(summary.trainingMemory)) to train at batch \(summary.batchSize)")
  }

  // MARK: Several

  private func compare(_ plans: [NetworkPlan]) throws {
    if let freeze, freeze.freezes {
      throw ValidationError("--freeze \(freeze) is for one network: leave it out, or name one")
    }
    let pool = noTrial ? nil : try ThreadPool(reserving: nil)
    let comparison = try NetworkComparison(plans, batchSize: batch, pool: pool) {
      Console.progress("trying \($0.settings.name)")
    }
    if json { return try Console.print(json: comparison) }
    for line in comparison.lines { Console.print(line) }
  }
}

extension PublishedFigures {
  /// The paper's figures and the error, with their sources and what they are of.
  fileprivate var text: String {
    var parts: [String] = []
    if let size {
      let figures = [
        size.parameters.map { Format.short(Int($0)) + " parameters" },
        size.multiplyAdds.map { Format.short(Int($0)) + " multiply-adds" },
      ].compactMap { $0 }.joined(separator: ", ")
      parts.append("\(figures) at \(imageSize)x\(imageSize), \(classes) classes (\(size.source))")
    }
    if let error {
      let errors = [
        error.top1.map { "\(Format.fixed($0, 2))% top-1" }, error.top5.map { "\(Format.fixed($0, 2))% top-5" },
      ].compactMap { $0 }.joined(separator: ", ")
      parts.append("error \(errors) on \(error.data) (\(error.source))")
    }
    return parts.joined(separator: "; ")
  }
}

extension NetworkSettings {
  /// `shortcut B, v1.5, large stem`; nothing for networks without such options.
  fileprivate var optionNotes: String {
    [
      variant.map { "\($0.rawValue) variant" }, shortcut.map { "shortcut \($0.rawValue)" }, version?.rawValue,
      stem.map { "\($0.rawValue) stem" },
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension NetworkComparison {
  /// A row for each network, then what the columns mean and where the figures come from.
  fileprivate var lines: [String] {
    var header = ["network", "input", "layers", "parameters", "multiply-adds", "memory"]
    if threads != nil { header += ["training", "inference"] }
    header += ["top-1", "top-5", ""]
    let notes = self.notes
    let rows = networks.map { network in
      var row = [
        network.network.name, "\(network.input.height)x\(network.input.width)", "\(network.layers)",
        Format.count(network.parameters), Format.short(network.multiplyAdds), Format.bytes(network.trainingMemory),
      ]
      if threads != nil {
        row += [network.speed?.training, network.speed?.inference].map { $0.map(Format.speed) ?? Format.absent }
      }
      let published = network.published
      row += [published?.top1, published?.top5].map { $0.map { Format.fixed($0, 2) } ?? Format.absent }
      let marks = notes.enumerated().filter { $0.element.isOf(network) }.map { "[\($0.offset + 1)]" }
      return row + [marks.joined(separator: " ")]
    }
    var lines = Console.table([header] + rows) + [""]
    lines.append("multiply-adds  of an image")
    lines.append("memory         about so much to train at batch \(networks.first?.batchSize ?? 0)")
    if let threads {
      lines.append("speed          measured here with \(Format.counted(threads, "thread"))")
    }
    lines.append("error          in percent, as published")
    return lines + notes.enumerated().map { "[\($0 + 1)] \($1.text)" }
  }

  /// What stands below the table of some networks, in the order in which it is first needed.
  private var notes: [Note] {
    var notes: [Note] = []
    func add(_ note: Note) { if !notes.contains(note) { notes.append(note) } }
    for network in networks {
      if let published = network.published { add(.source(published.data, published.source)) }
      if let obstacle = network.obstacle { add(.obstacle(obstacle)) }
    }
    return notes
  }

  private enum Note: Equatable {
    case source(_ data: String, _ text: String)
    case obstacle(String)

    func isOf(_ network: ComparedNetwork) -> Bool {
      switch self {
      case .source(let data, let text): network.published.map { $0.data == data && $0.source == text } ?? false
      case .obstacle(let text): network.obstacle == text
      }
    }

    var text: String {
      switch self {
      case .source(let data, let text): "\(data): \(text)"
      case .obstacle(let text): "not measured: \(text)"
      }
    }
  }
}
