// Residual networks and their plain twins, all depths and versions, from one loop over stages.
//
// He et al. 2015, "Deep residual learning for image recognition" (arXiv:1512.03385), table 1 and section 4.2;
// He et al. 2016, "Identity mappings in deep residual networks" (arXiv:1603.05027), for v2.

import Messages

extension PlanBuilder {
  /// - Parameters:
  ///   - blocks: blocks a stage.
  ///   - widths: channels of each stage's 3x3 convolutions, before the width multiplier.
  func resNet(_ blocks: [Int], widths: [Int], bottleneck: Bool, residual: Bool) -> [LayerPlan] {
    let preActivated = settings.version == .v2
    var layers = stem(width(widths[0]), preActivated: preActivated)
    var channels = width(widths[0])
    for (stage, count) in blocks.enumerated() {
      let inner = width(widths[stage])
      let outputs = bottleneck ? inner * Architecture.bottleneckExpansion : inner
      for index in 0..<count {
        let block = BlockShape(
          name: "layer\(stage + 1).\(index)", inputs: channels, inner: inner, outputs: outputs,
          stride: stage > 0 && index == 0 ? 2 : 1)
        layers += residual ? [.residual(residualBlock(block, bottleneck))] : plainBlock(block, bottleneck)
        channels = outputs
      }
    }
    if preActivated { layers += [.batchNorm(name: "norm"), .relu] }
    return layers + head()
  }

  private struct BlockShape {
    var name: String
    var inputs: Int
    var inner: Int
    var outputs: Int
    var stride: Int

    var changesShape: Bool { stride != 1 || inputs != outputs }
  }

  private func stem(_ channels: Int, preActivated: Bool) -> [LayerPlan] {
    let activation: [LayerPlan] = preActivated ? [] : [.batchNorm(name: "bn1"), .relu]
    return switch settings.stem ?? .large {
    case .small: [convolution("conv1", channels, 3)] + activation
    case .large:
      [convolution("conv1", channels, 7, stride: 2)] + activation + [.maxPool(kernel: 3, stride: 2, padding: 1)]
    }
  }

  /// The convolutions of a block with kernel, outputs and stride.
  private func convolutions(_ block: BlockShape, _ bottleneck: Bool) -> [(kernel: Int, outputs: Int, stride: Int)] {
    guard bottleneck else { return [(3, block.inner, block.stride), (3, block.outputs, 1)] }
    // The paper strides in the first 1x1, which skips three quarters of its input; v1.5 and v2 in the 3x3.
    let first = settings.version == .v1 ? block.stride : 1
    return [(1, block.inner, first), (3, block.inner, block.stride / first), (1, block.outputs, 1)]
  }

  private func residualBlock(_ block: BlockShape, _ bottleneck: Bool) -> ResidualPlan {
    let preActivated = settings.version == .v2
    return ResidualPlan(
      name: block.name, preActivation: preActivated ? [.batchNorm(name: block.name + ".bn1"), .relu] : [],
      body: preActivated ? preActivatedBody(block, bottleneck) : body(block, bottleneck),
      shortcut: shortcut(block, preActivated: preActivated), activatesSum: !preActivated)
  }

  /// conv, bn, relu, conv, bn: the last ReLU follows the addition.
  private func body(_ block: BlockShape, _ bottleneck: Bool) -> [LayerPlan] {
    let steps = convolutions(block, bottleneck)
    return steps.enumerated().flatMap { index, step -> [LayerPlan] in
      let number = index + 1
      return [
        convolution("\(block.name).conv\(number)", step.outputs, step.kernel, stride: step.stride),
        .batchNorm(name: "\(block.name).bn\(number)"),
      ] + (number < steps.count ? [.relu] : [])
    }
  }

  /// conv, bn, relu, conv: the first norm and ReLU stand before the block.
  private func preActivatedBody(_ block: BlockShape, _ bottleneck: Bool) -> [LayerPlan] {
    convolutions(block, bottleneck).enumerated().flatMap { index, step -> [LayerPlan] in
      let number = index + 1
      return (number > 1 ? [.batchNorm(name: "\(block.name).bn\(number)"), .relu] : [])
        + [convolution("\(block.name).conv\(number)", step.outputs, step.kernel, stride: step.stride)]
    }
  }

  private func shortcut(_ block: BlockShape, preActivated: Bool) -> ShortcutPlan {
    let projection = ShortcutPlan.projection(
      [convolution("\(block.name).downsample.0", block.outputs, 1, stride: block.stride)]
        + (preActivated ? [] : [.batchNorm(name: "\(block.name).downsample.1")]))
    switch settings.shortcut ?? .projection {
    case .projectionAlways: return projection
    case .projection: return block.changesShape ? projection : .identity
    case .zeroPadding:
      return block.changesShape
        ? .zeroPadding(stride: block.stride, channels: block.outputs, placement: settings.zeroPlacement) : .identity
    }
  }

  /// The twin without shortcuts: every convolution followed by norm and ReLU (or preceded, in v2).
  private func plainBlock(_ block: BlockShape, _ bottleneck: Bool) -> [LayerPlan] {
    settings.version == .v2
      ? [.batchNorm(name: block.name + ".bn1"), .relu] + preActivatedBody(block, bottleneck)
      : body(block, bottleneck) + [.relu]
  }
}
