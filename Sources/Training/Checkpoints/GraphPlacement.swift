// The arrays of an ONNX file given to a network by their place: exporters rename arrays and fold batch norms into the
// convolutions before them, but the graph says what each array does. It is followed from its outputs backwards along the
// network's own operations (`GraphMatching`); where the two differ, the file is not this network's.

import Messages
import Networks
import WeightFiles

/// Which node of a graph does each operation of a network.
struct GraphPlacement {
  /// Names and shapes as the network has them, in the place of the file's.
  let outline: WeightsOutline
  private let sources: [String: Source]

  /// Where an array of the network comes from.
  private enum Source {
    case stored(String)
    /// [inputs, outputs] instead of [outputs, inputs].
    case transposed(String)
    case constant(Float, count: Int)
    /// A variance that was used with another epsilon.
    case variance(String, change: Float)
    /// A mean, before which another bias was added.
    case mean(String, bias: String)
  }

  /// - Returns: nil for a file without a graph, and for one whose arrays have the network's own names.
  /// - Throws: `CheckpointError.doesNotFit`, saying where the graph differs.
  init?(_ plan: NetworkPlan, _ file: WeightsOutline) throws {
    guard let graph = file.graph, !plan.state.allSatisfy({ file.shape(of: $0.name) != nil }) else { return nil }
    var matching = GraphMatching(plan.lowered, graph, file)
    do { try matching.run() } catch {
      let found = Self.network(file).map { "; it looks like \($0.name)\($0.optionText)" } ?? ""
      throw CheckpointError.doesNotFit(
        path: file.path,
        reason: "its graph is not that of \(plan.settings.name)\(plan.settings.optionText): \(error.reason)\(found)"
      )
    }
    var shapes: [String: [Int]] = [:]
    var sources: [String: Source] = [:]
    func put(_ name: String, _ shape: [Int], _ source: Source) {
      shapes[name] = shape
      sources[name] = source
    }
    // Of convolutions that have none in the network: the batch norm behind them takes it away with the mean.
    var biases: [Int: String] = [:]
    for (index, node) in matching.nodes.sorted(by: { $0.key < $1.key }) {
      let operation = plan.lowered.operations[index]
      switch operation.kind {
      case .convolution(let name, let outputs, _, _, _, let bias, _):
        let weight = node.arrays[0]
        put(name + ".weight", file.shape(of: weight) ?? [], .stored(weight))
        let own = node.arrays.count > 1 && !matching.folded.contains(index) ? node.arrays[1] : nil
        if bias {
          put(name + ".bias", [outputs], own.map { .stored($0) } ?? .constant(0, count: outputs))
        } else if let own {
          biases[index] = own
        }
      case .batchNorm(let name, let own):
        let channels = operation.input.channels
        switch node.kind {
        case .norm(let epsilon):
          put(name + ".weight", [channels], .stored(node.arrays[0]))
          put(name + ".bias", [channels], .stored(node.arrays[1]))
          let bias = biases.removeValue(forKey: operation.inputs[0] - 1)
          put(
            name + ".running_mean", [channels],
            bias.map { .mean(node.arrays[2], bias: $0) } ?? .stored(node.arrays[2]))
          put(
            name + ".running_var", [channels],
            .variance(node.arrays[3], change: epsilon - Float(own)))
        default:
          // Folded: the convolution has its own scale and shift, and this one must change nothing but add the bias.
          put(name + ".weight", [channels], .constant((1 + Float(own)).squareRoot(), count: channels))
          put(name + ".bias", [channels], node.arrays.first.map { .stored($0) } ?? .constant(0, count: channels))
          put(name + ".running_mean", [channels], .constant(0, count: channels))
          put(name + ".running_var", [channels], .constant(1, count: channels))
        }
      case .dense(let name, _, _, _):
        let weight = node.arrays[0]
        let shape = Array((file.shape(of: weight) ?? []).prefix(2))
        let isTransposed = node.kind == .product(outputsFirst: false)
        put(
          name + ".weight", isTransposed ? shape.reversed() : shape,
          isTransposed ? .transposed(weight) : .stored(weight))
        let outputs = (isTransposed ? shape.last : shape.first) ?? 0
        put(
          name + ".bias", [outputs],
          node.arrays.count > 1 ? .stored(node.arrays[1]) : .constant(0, count: outputs))
      case .squeezeExcitation(let name, let reduced):
        let channels = operation.input.channels
        for (layer, outputs, arrays) in [("fc1", reduced, node.arrays[..<2]), ("fc2", channels, node.arrays[2...])]
        {
          let stored = Array(arrays)
          put("\(name).\(layer).weight", file.shape(of: stored[0]) ?? [], .stored(stored[0]))
          put("\(name).\(layer).bias", [outputs], .stored(stored[1]))
        }
      default: break
      }
    }
    if let (index, bias) = biases.first {
      throw CheckpointError.doesNotFit(
        path: file.path,
        reason: "its graph adds '\(bias)' behind \(plan.lowered.operations[index].kind.label), which has none in "
          + "\(plan.settings.name)\(plan.settings.optionText)")
    }
    self.sources = sources
    outline = WeightsOutline(
      path: file.path, format: file.format, metadata: file.metadata, notes: file.notes + matching.notes,
      shapes: shapes)
  }

  /// The file's arrays as those of the network.
  /// - Throws: as `WeightsContents.floats`.
  func contents(_ file: WeightsContents) throws -> WeightsContents {
    let arrays = try sources.map { name, source in
      let shape = outline.shape(of: name) ?? []
      var values: [Float]
      switch source {
      case .stored(let array): values = try file.floats(array)
      case .constant(let value, let count): values = Array(repeating: value, count: count)
      case .variance(let array, let change): values = try file.floats(array).map { $0 + change }
      case .mean(let array, let bias):
        values = zip(try file.floats(array), try file.floats(bias)).map { $0 - $1 }
      case .transposed(let array):
        let stored = try file.floats(array)
        let (outputs, inputs) = (shape[0], shape[1])
        values = (0..<stored.count).map { stored[$0 % inputs * outputs + $0 / inputs] }
      }
      return NamedArray(name: name, shape: shape, floats: values)
    }
    return WeightsContents(outline, checksum: file.checksum, arrays: arrays)
  }
}

extension GraphPlacement {
  /// The network of the table whose graph a file has.
  /// - Returns: nil for none.
  static func network(_ file: WeightsOutline) -> NetworkSettings? {
    guard let graph = file.graph else { return nil }
    let convolutions = graph.nodes.filter { $0.operation == "Conv" }
    guard let first = convolutions.first, first.inputs.count > 1, let shape = file.shape(of: first.inputs[1]),
      let width = shape.first, width > 0
    else { return nil }
    let blocks = graph.nodes.count { $0.operation == "Add" }
    let channels = convolutions.dropFirst().first.flatMap {
      $0.inputs.count > 1 ? file.shape(of: $0.inputs[1])?.first : 0
    }
    for name in Architecture.candidates(blocksInFirstStage: blocks / 3, channels: channels ?? 0) {
      guard let size = try? Architecture(name: name).sizeOfFiles,
        let full = try? NetworkPlan(NetworkSettings(name: name), imageSize: size, classes: 1)
      else { continue }
      let own = full.lowered.convolutionOutputs
      guard let first = own.first, first > 0 else { continue }
      // Most convolutions tell the width; the first one may have another.
      var ratios: [Double: Int] = [Double(width) / Double(first): 0]
      let found = convolutions.compactMap { node in
        node.inputs.count > 1 ? file.shape(of: node.inputs[1])?.first : nil
      }
      for (own, found) in zip(own, found) where own > 0 { ratios[Double(found) / Double(own), default: 0] += 1 }
      let multiplier = ratios.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 1
      for settings in variants(name, widthMultiplier: multiplier, stem: width) {
        guard let plan = try? NetworkPlan(settings, imageSize: size, classes: 1),
          plan.lowered.convolutionOutputs.count == convolutions.count
        else { continue }
        var matching = GraphMatching(plan.lowered, graph, file)
        if (try? matching.run()) != nil { return settings }
      }
    }
    return nil
  }

  /// Each way to build a network that a graph tells apart.
  private static func variants(_ name: String, widthMultiplier: Double, stem: Int) -> [NetworkSettings] {
    guard let architecture = try? Architecture(name: name) else { return [] }
    guard architecture.hasBlocks else { return [NetworkSettings(name: name, widthMultiplier: widthMultiplier)] }
    let versions: [BlockVersion?] = [nil] + BlockVersion.allCases.map { $0 }
    let shortcuts: [Shortcut?] = architecture.hasShortcuts ? [nil] + Shortcut.allCases.map { $0 } : [nil]
    return versions.flatMap { version in
      shortcuts.flatMap { shortcut in
        // The first of several convolutions of a stem does not tell how many channels the last one has.
        [Stem.large, .small].flatMap { kind in
          [stem, nil].map {
            NetworkSettings(
              name: name, shortcut: shortcut, version: version, stem: kind, widthMultiplier: widthMultiplier,
              stemWidth: $0)
          }
        }
      }
    }
  }
}

extension LoweredPlan {
  /// The outputs of each node that is a convolution in a graph.
  fileprivate var convolutionOutputs: [Int] {
    operations.flatMap { operation -> [Int] in
      switch operation.kind {
      case .convolution(_, let outputs, _, _, _, _, _): [outputs]
      case .squeezeExcitation(_, let reduced): [reduced, operation.output.channels]
      default: []
      }
    }
  }
}
