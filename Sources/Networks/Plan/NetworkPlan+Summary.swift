// Counting a plan: a row an operation. The memory that training takes is in NetworkPlan+Memory.

import Messages
import Tensors

extension NetworkPlan {
  /// Bytes of the program itself, its libraries and threads. Measured: 26 to 45 MiB.
  public static let programMemory = 32 << 20

  /// Rows, totals and the memory estimate at a batch size.
  /// - Parameters:
  ///   - threads: how many compute, each with buffers of its own.
  ///   - optimizerState: numbers that the optimizer remembers of each number of a parameter; one for a momentum.
  ///   - optimizerScratch: numbers that its step takes for a while.
  public func summary(
    batchSize: Int, threads: Int = 2, optimizerState: Int = 1, optimizerScratch: Int = 0
  ) -> NetworkSummary {
    let fields = lowered.receptiveFields
    var summary = NetworkSummary(
      network: settings, input: input, classes: classes,
      layers: lowered.operations.enumerated().map { index, operation in
        operation.row(isTrained: index >= lowered.frozen, receptiveField: fields[index + 1])
      },
      batchSize: batchSize,
      trainingMemory: Self.programMemory
        + trainingMemory(
          batchSize: batchSize, threads: threads, optimizerState: optimizerState, optimizerScratch: optimizerScratch
        ))
    summary.published = publishedFigures
    return summary
  }
}

extension NetworkPlan {
  /// More rows than that are not told to whoever follows a run.
  private static let mostRows = 2000

  /// Its rows, to be told with a run; nil where there are very many.
  public var tellableSummary: NetworkSummary? {
    lowered.operations.count <= Self.mostRows ? summary(batchSize: 1) : nil
  }

  /// A name for each row of the summary that no other has: one that the row lacks is made of that of the row before,
  /// `bn1.relu`.
  var measureNames: [String] {
    var names: [String] = []
    for operation in lowered.operations {
      let word = operation.heading.name
      let before = operation.inputs.first.flatMap { $0 > LoweredPlan.image ? names[$0 - 1] : nil }
      names.append(operation.kind.name ?? before.map { "\($0).\(word)" } ?? word)
    }
    return names
  }

  /// Convolutions and dense layers on the longest way from the image to the logits: the number in most networks' names.
  /// Wide residual networks count their projections instead of the classifier.
  public var depth: Int {
    var depths = [0]
    for operation in lowered.operations {
      let before = operation.inputs.map { depths[$0] }.max() ?? 0
      depths.append(before + (operation.multiplyAdds > 0 ? 1 : 0))
    }
    return depths.last ?? 0
  }
}

extension LoweredPlan.Operation {
  /// Numbers that it learns, or that are fixed.
  var parameters: Int {
    switch kind {
    case .convolution(_, let outputs, let kernel, _, _, let bias, let groups):
      kernel.count * input.channels / groups * outputs + (bias ? outputs : 0)
    case .sparseConvolution(_, let kernel, let sources):
      kernel.count * sources.reduce(0) { $0 + $1.count } + sources.count
    case .batchNorm, .subsampling: 2 * input.channels
    case .dense(_, let outputs, _, _): (input.count + 1) * outputs
    case .whitening(_, let kernel): kernel * kernel * input.channels * output.channels
    case .squeezeExcitation(_, let reduced): (2 * input.channels + 1) * reduced + input.channels
    case .relu, .scaledTanh, .luma, .maxPool, .averagePool, .averageWindows, .globalMaxPool, .flatten, .dropout,
      .dropPath, .scale,
      .zeroPadding, .join:
      0
    }
  }

  /// For one image; of convolutions and dense layers only, as the papers count.
  var multiplyAdds: Int {
    switch kind {
    case .convolution(_, let outputs, let kernel, _, _, _, let groups):
      kernel.count * input.channels / groups * outputs * output.height * output.width
    case .sparseConvolution(_, let kernel, let sources):
      kernel.count * sources.reduce(0) { $0 + $1.count } * output.height * output.width
    case .dense(_, let outputs, _, _): input.count * outputs
    case .whitening(_, let kernel):
      kernel * kernel * input.channels * output.channels * output.height * output.width
    case .squeezeExcitation(_, let reduced): 2 * input.channels * reduced
    case .batchNorm, .relu, .scaledTanh, .subsampling, .luma, .maxPool, .averagePool, .averageWindows,
      .globalMaxPool, .flatten, .dropout, .dropPath, .scale,
      .zeroPadding,
      .join:
      0
    }
  }

  fileprivate func row(isTrained: Bool, receptiveField: Int) -> LayerRow {
    let (name, rowKind, kernel) = heading
    return LayerRow(
      name: name, kind: rowKind, kernel: kernel, output: output, parameters: parameters, multiplyAdds: multiplyAdds,
      depth: depth, isTrained: isTrained, inputs: inputs, block: block, receptiveField: receptiveField)
  }

  fileprivate var heading: (name: String, kind: LayerRow.Kind, kernel: String?) {
    func text(_ kernel: Extent, _ stride: Int) -> String { stride == 1 ? "\(kernel)" : "\(kernel)/\(stride)" }
    return switch kind {
    case .convolution(let name, _, let kernel, let stride, _, _, let groups):
      (name, .convolution, text(kernel, stride) + (groups > 1 ? " in \(groups)" : ""))
    case .batchNorm(let name, _): (name, .batchNorm, nil)
    case .sparseConvolution(let name, let kernel, _): (name, .convolution, text(kernel, 1))
    case .scaledTanh: ("tanh", .tanh, nil)
    case .subsampling(let name, let kernel): (name, .subsampling, text(Extent(kernel), kernel))
    case .luma: ("luma", .luma, nil)
    case .relu: ("relu", .relu, nil)
    case .maxPool(let kernel, let stride, _, _): ("maxpool", .maxPool, text(Extent(kernel), stride))
    case .averagePool(let side): ("avgpool", side == 1 ? .globalAveragePool : .averagePool, nil)
    case .averageWindows(let side): ("avgpool", .averagePool, text(Extent(side), side))
    case .globalMaxPool: ("maxpool", .globalMaxPool, nil)
    case .flatten: ("flatten", .flatten, nil)
    case .dropout(let rate): ("dropout \(rate)", .dropout, nil)
    case .dropPath(let rate): ("drop path \((rate * 1000).rounded() / 1000)", .dropPath, nil)
    case .scale(let factor): ("scale \(factor)", .scale, nil)
    case .squeezeExcitation(let name, _): (name, .squeezeExcitation, nil)
    case .whitening(let name, let kernel): (name, .whitening, text(Extent(kernel), 1))
    case .dense(let name, _, _, _): (name, .dense, nil)
    case .zeroPadding(let name, let stride, _, let placement): (name, .zeroPad, "\(placement.rawValue)/\(stride)")
    case .join(let name, .addition): (name, .addition, nil)
    case .join(let name, .concatenation): (name, .concatenation, nil)
    }
  }
}
