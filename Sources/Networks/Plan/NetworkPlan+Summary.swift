// Counting a plan: a row a layer. The memory that training takes is in NetworkPlan+Memory.

import Messages

extension NetworkPlan {
  /// Bytes of the program itself, its libraries and threads. Measured: 26 to 45 MiB.
  public static let programMemory = 32 << 20

  /// Rows, totals and the memory estimate at a batch size.
  /// - Parameter threads: how many compute, each with buffers of its own.
  public func summary(batchSize: Int, threads: Int = 2) -> NetworkSummary {
    var counter = RowCounter()
    counter.add(layers, to: input, depth: 0)
    return NetworkSummary(
      network: settings, input: input, classes: classes, layers: counter.rows, batchSize: batchSize,
      trainingMemory: Self.programMemory
        + trainingMemory(
          batchSize: batchSize, parameters: counter.rows.reduce(0) { $0 + $1.parameters }, threads: threads))
  }
}

/// Walks a plan and writes down a row a layer.
private struct RowCounter {
  var rows: [LayerRow] = []

  @discardableResult
  mutating func add(_ layers: [LayerPlan], to input: FeatureShape, depth: Int) -> FeatureShape {
    var shape = input
    for layer in layers { shape = add(layer, to: shape, depth: depth) }
    return shape
  }

  private mutating func add(_ layer: LayerPlan, to input: FeatureShape, depth: Int) -> FeatureShape {
    guard let output = try? layer.output(for: input) else {
      preconditionFailure("a plan's shapes are checked when it is made")
    }
    func row(
      _ name: String, _ kind: LayerRow.Kind, _ window: String? = nil, parameters: Int = 0, multiplyAdds: Int = 0
    ) -> LayerRow {
      LayerRow(
        name: name, kind: kind, window: window, output: output, parameters: parameters, multiplyAdds: multiplyAdds,
        depth: depth)
    }
    switch layer {
    case .convolution(let name, let outputs, let kernel, let stride, _, let bias):
      let weights = kernel * kernel * input.channels * outputs
      rows.append(
        row(
          name, .convolution, windowText(kernel, stride), parameters: weights + (bias ? outputs : 0),
          multiplyAdds: weights * output.height * output.width))
    case .batchNorm(let name): rows.append(row(name, .batchNorm, parameters: 2 * input.channels))
    case .relu: rows.append(row("relu", .relu))
    case .maxPool(let kernel, let stride, _): rows.append(row("maxpool", .maxPool, windowText(kernel, stride)))
    case .averagePool(let side): rows.append(row("avgpool", side == 1 ? .globalAveragePool : .averagePool))
    case .flatten: rows.append(row("flatten", .flatten))
    case .dropout(let rate): rows.append(row("dropout \(rate)", .dropout))
    case .dense(let name, let outputs, _, _):
      rows.append(
        row(
          name, .dense, parameters: (input.count + 1) * outputs, multiplyAdds: input.count * outputs))
    case .residual(let block): addResidual(block, to: input, output: output, depth: depth)
    }
    return output
  }

  private mutating func addResidual(
    _ block: ResidualPlan, to input: FeatureShape, output: FeatureShape, depth: Int
  ) {
    let activated = add(block.preActivation, to: input, depth: depth + 1)
    add(block.body, to: activated, depth: depth + 1)
    switch block.shortcut {
    case .identity: break
    case .zeroPadding(let stride, _, let placement):
      rows.append(
        LayerRow(
          name: "\(block.name).shortcut", kind: .zeroPad, window: "\(placement.rawValue)/\(stride)", output: output,
          depth: depth + 2))
    case .projection(let layers): add(layers, to: activated, depth: depth + 2)
    }
    rows.append(LayerRow(name: "\(block.name).add", kind: .addition, output: output, depth: depth + 1))
    if block.activatesSum { rows.append(LayerRow(name: "relu", kind: .relu, output: output, depth: depth + 1)) }
  }

  private func windowText(_ kernel: Int, _ stride: Int) -> String {
    stride == 1 ? "\(kernel)x\(kernel)" : "\(kernel)x\(kernel)/\(stride)"
  }
}
