// Residual networks and their plain twins, all depths and versions, from one loop over stages.
//
// He et al. 2015, "Deep residual learning for image recognition" (arXiv:1512.03385), table 1 and section 4.2;
// He et al. 2016, "Identity mappings in deep residual networks" (arXiv:1603.05027), for v2.

import Messages

/// How many blocks a stage has, how wide they are and of what kind.
struct ResidualStages: Sendable, Equatable {
  /// A stage each.
  var blocks: [Int]
  /// Channels of each stage's 3x3 convolutions, before the width multiplier.
  var widths = [64, 128, 256, 512]
  /// Channels of the first convolution, before the width multiplier; nil for those of the first stage.
  var stemChannels: Int?
  /// Whether blocks are of three convolutions, the first and last 1x1.
  var bottleneck: Bool
  /// Whether inputs are added to the outputs of blocks.
  var residual = true
  /// A bottleneck's 3x3 convolution has this many times the stage's channels.
  var innerFactor = 1
  /// Into so many groups it is cut.
  var groups = 1
  /// Whether the large stem is of three 3x3 convolutions, and a shortcut takes means where the map shrinks.
  var isD = false
  /// Whether bodies end in squeeze and excitation.
  var excites = false

  /// A bottleneck's output has this many times its 3x3's channels.
  static let bottleneckExpansion = 4

  /// Layers with weights, as the paper counts them: the convolutions outside of shortcuts, and the classifier.
  var depth: Int { blocks.reduce(0, +) * (bottleneck ? 3 : 2) + 2 }

  /// From the image to the logits.
  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    let builder = ResidualBuilder(plan: plan, stages: self)
    let preActivated = plan.settings.version == .v2
    var channels = plan.settings.stemWidth ?? plan.width(stemChannels ?? widths[0])
    var layers = builder.stem(channels)
    var number = 0
    for (stage, count) in blocks.enumerated() {
      let width = plan.width(widths[stage])
      let inner = groups * plan.width(widths[stage] * innerFactor, of: groups)
      let outputs = bottleneck ? width * Self.bottleneckExpansion : width
      // The paper strides where a stage begins, the article where one ends.
      let strided: Int? =
        plan.settings.variant == .article
        ? (stage < blocks.count - 1 ? count - 1 : nil) : (stage > 0 ? 0 : nil)
      for index in 0..<count {
        let block = BlockShape(
          name: "layer\(stage + 1).\(index)", inputs: channels, inner: inner, outputs: outputs,
          stride: index == strided ? 2 : 1, index: number)
        layers += residual ? [builder.residualBlock(block)] : builder.plainBlock(block)
        channels = outputs
        number += 1
      }
    }
    if preActivated { layers += [.batchNorm(name: "norm"), .relu] }
    return layers + plan.head()
  }
}

/// What the convolutions of a block are made for.
private struct BlockShape {
  var name: String
  var inputs: Int
  var inner: Int
  var outputs: Int
  var stride: Int
  /// Its number in the network, from 0.
  var index: Int

  var changesShape: Bool { stride != 1 || inputs != outputs }
}

/// The parts of a residual or plain network, of one kind of block.
private struct ResidualBuilder {
  let plan: PlanBuilder
  let stages: ResidualStages

  private var bottleneck: Bool { stages.bottleneck }
  /// In the network.
  private var blocks: Int { stages.blocks.reduce(0, +) }
  private var settings: NetworkSettings { plan.settings }
  /// v2: norm and ReLU come before a convolution.
  private var preActivated: Bool { settings.version == .v2 }

  func stem(_ channels: Int) -> [LayerPlan] {
    let activation: [LayerPlan] = preActivated ? [] : [.batchNorm(name: "bn1"), .relu]
    return switch settings.stem ?? .large {
    case .small: [plan.convolution("conv1", channels, 3)] + activation
    case .large:
      (stages.isD ? deepStem(channels) : [plan.convolution("conv1", channels, 7, stride: 2)]) + activation + [
        .maxPool(kernel: 3, stride: 2, padding: 1)
      ]
    }
  }

  /// As far as the last of three convolutions, the first two of half the channels.
  private func deepStem(_ channels: Int) -> [LayerPlan] {
    let half = plan.width(32)
    return [
      plan.convolution("conv1.0", half, 3, stride: 2), .batchNorm(name: "conv1.1"), .relu,
      plan.convolution("conv1.3", half, 3), .batchNorm(name: "conv1.4"), .relu,
      plan.convolution("conv1.6", channels, 3),
    ]
  }

  private typealias Step = (kernel: Int, outputs: Int, stride: Int, groups: Int)

  /// The convolutions of a block.
  private func convolutions(_ block: BlockShape) -> [Step] {
    guard bottleneck else { return [(3, block.inner, block.stride, 1), (3, block.outputs, 1, 1)] }
    // The paper strides in the first 1x1, which skips three quarters of its input; v1.5 and v2 in the 3x3.
    let first = settings.version == .v1 ? block.stride : 1
    return [
      (1, block.inner, first, 1), (3, block.inner, block.stride / first, stages.groups), (1, block.outputs, 1, 1),
    ]
  }

  /// v1: relu(body(x) + shortcut(x)). v2: body(h) + shortcut(x or h), where h is x after batch norm and ReLU: a
  /// projection shares it with the body, everything without parameters carries x itself (He et al. 2016, section 4.1).
  func residualBlock(_ block: BlockShape) -> LayerPlan {
    let shortcut = shortcut(block)
    func sum(_ body: [LayerPlan]) -> LayerPlan {
      .branches(
        name: block.name + ".add",
        [body + excitation(block) + plan.dropPath(block: block.index, of: blocks), shortcut.layers],
        joined: .addition)
    }
    let layers: [LayerPlan] =
      if !preActivated {
        [sum(body(block)), .relu]
      } else if shortcut.learns {
        preActivation(block) + [sum(preActivatedBody(block))]
      } else {
        [sum(preActivation(block) + preActivatedBody(block))]
      }
    return .block(name: block.name, layers)
  }

  private func excitation(_ block: BlockShape) -> [LayerPlan] {
    stages.excites
      ? [.squeezeExcitation(name: block.name + ".se", reduced: SEResNet.reduced(block.outputs))] : []
  }

  private func preActivation(_ block: BlockShape) -> [LayerPlan] {
    [.batchNorm(name: block.name + ".bn1"), .relu]
  }

  /// conv, bn, relu, conv, bn: the last ReLU follows the addition.
  private func body(_ block: BlockShape) -> [LayerPlan] {
    let steps = convolutions(block)
    return steps.enumerated().flatMap { index, step -> [LayerPlan] in
      let number = index + 1
      return [
        convolution(block, number, step),
        .batchNorm(name: "\(block.name).bn\(number)"),
      ] + (number < steps.count ? [.relu] : [])
    }
  }

  /// conv, bn, relu, conv: the first norm and ReLU stand before the block.
  private func preActivatedBody(_ block: BlockShape) -> [LayerPlan] {
    convolutions(block).enumerated().flatMap { index, step -> [LayerPlan] in
      let number = index + 1
      // Between a block's convolutions, as wide residual networks have it.
      return (number > 1 ? [.batchNorm(name: "\(block.name).bn\(number)"), .relu] + plan.dropout() : [])
        + [convolution(block, number, step)]
    }
  }

  private func convolution(_ block: BlockShape, _ number: Int, _ step: Step) -> LayerPlan {
    plan.convolution(
      "\(block.name).conv\(number)", step.outputs, step.kernel, stride: step.stride, groups: step.groups)
  }

  /// The shortcut's layers, none for the identity, and whether they have parameters.
  private func shortcut(_ block: BlockShape) -> (layers: [LayerPlan], learns: Bool) {
    let projection = projection(block)
    switch settings.shortcut ?? .projection {
    case .projectionAlways: return (projection, true)
    case .projection where block.changesShape: return (projection, true)
    case .zeroPadding where block.changesShape:
      let padding = LayerPlan.zeroPadding(
        name: "\(block.name).shortcut", stride: block.stride, channels: block.outputs,
        placement: settings.zeroPlacement)
      return ([padding], false)
    case .projection, .zeroPadding: return ([], false)
    }
  }

  private func projection(_ block: BlockShape) -> [LayerPlan] {
    // timm's first place is the pool's, also where there is none.
    let place = stages.isD ? 1 : 0
    let averages = stages.isD && block.stride > 1
    return (averages ? [.averageWindows(side: block.stride)] : [])
      + [
        plan.convolution(
          "\(block.name).downsample.\(place)", block.outputs, 1, stride: averages ? 1 : block.stride)
      ] + (preActivated ? [] : [.batchNorm(name: "\(block.name).downsample.\(place + 1)")])
  }

  /// The twin without shortcuts: every convolution followed by norm and ReLU (or preceded, in v2).
  func plainBlock(_ block: BlockShape) -> [LayerPlan] {
    preActivated ? preActivation(block) + preActivatedBody(block) : body(block) + [.relu]
  }
}
