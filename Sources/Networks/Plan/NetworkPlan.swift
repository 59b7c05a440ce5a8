// The plan of a whole network: its settings, its input and its layers in order. Built from the table in
// Architecture by NetworkPlan+ResNet and NetworkPlan+VGG.

import Messages

/// A network's description: everything but its weights.
public struct NetworkPlan: Sendable, Equatable {
  /// With every default filled in.
  public let settings: NetworkSettings
  public let input: FeatureShape
  public let classes: Int
  public let layers: [LayerPlan]

  /// - Throws: `NetworkError` for an unknown name, an option the family lacks, or an image that is too small.
  public init(_ settings: NetworkSettings, imageSize: Int, classes: Int) throws {
    do {
      try Limits.imageSize.check(imageSize)
      try Limits.classes.check(classes)
      try settings.checkNumbers()
    } catch {
      throw NetworkError.unsupported("\(error)")
    }
    let architecture = try Architecture(name: settings.name)
    let resolved = architecture.resolved(settings, imageSize: imageSize)
    let builder = PlanBuilder(settings: resolved, classes: classes)
    let layers =
      switch architecture {
      case .resNet(let stages, let residual):
        builder.resNet(
          stages.blocks, widths: Architecture.resNetWidths, bottleneck: stages.bottleneck, residual: residual)
      case .cifar(let blocks, let residual):
        builder.resNet(
          Architecture.cifarWidths.map { _ in blocks }, widths: Architecture.cifarWidths, bottleneck: false,
          residual: residual)
      case .vgg19(let batchNorm):
        builder.vgg19(batchNorm: batchNorm)
      }
    try self.init(resolved: resolved, imageSize: imageSize, classes: classes, layers: layers)
  }

  /// A plan of any layers, in the table or not.
  /// - Throws: `NetworkError.vanishes`.
  init(resolved settings: NetworkSettings, imageSize: Int, classes: Int, layers: [LayerPlan]) throws {
    self.settings = settings
    self.classes = classes
    self.layers = layers
    input = FeatureShape(height: imageSize, width: imageSize, channels: 3)
    _ = try layers.reduce(input) { try $1.output(for: $0) }
  }
}

/// Puts layers together; its settings have every default filled in.
struct PlanBuilder {
  let settings: NetworkSettings
  let classes: Int

  /// A channel count of the paper under the width multiplier.
  func width(_ channels: Int) -> Int { max(1, Int((Double(channels) * settings.widthMultiplier).rounded())) }

  func convolution(_ name: String, _ outputs: Int, _ kernel: Int, stride: Int = 1, bias: Bool = false) -> LayerPlan
  {
    .convolution(
      name: name, outputs: outputs, kernel: kernel, stride: stride, padding: kernel / 2, bias: bias)
  }

  /// The classifier after global pooling. The regularised one is the article's: dropout 0.5, truncated normal 0.1,
  /// and an L2 penalty on its weights of twice the usual decay.
  func head() -> [LayerPlan] {
    switch settings.head {
    case .standard:
      [
        .averagePool(side: 1), .flatten,
        .dense(name: "fc", outputs: classes, initialisation: .uniform, penalty: nil),
      ]
    case .regularised:
      [
        .averagePool(side: 1), .flatten, .dropout(rate: 0.5),
        .dense(
          name: "fc", outputs: classes, initialisation: .truncatedNormal(deviation: 0.1),
          penalty: Self.regularisedHeadPenalty),
      ]
    }
  }

  /// The article's L2 regulariser on the classifier.
  static let regularisedHeadPenalty = 1e-3
}
