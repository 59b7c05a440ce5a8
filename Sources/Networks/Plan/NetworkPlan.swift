// The plan of a whole network: its settings, its input and its layers, described and lowered. The layers come from the
// network's family, in Models.

import Messages
import Tensors

/// A network's description: everything but its weights.
public struct NetworkPlan: Sendable, Equatable {
  /// With every default filled in.
  public let settings: NetworkSettings
  /// Of three channels, or of one for gray images.
  public let input: FeatureShape
  public let classes: Int
  public let layers: [LayerPlan]
  /// The layers as what is computed.
  public private(set) var lowered: LoweredPlan

  /// - Parameter channels: of the images: 3, or 1 for gray ones.
  /// - Throws: `NetworkError` for an unknown name, an option the family lacks, or an image that is too small.
  public init(_ settings: NetworkSettings, imageSize: Int, classes: Int, channels: Int = 3) throws {
    do {
      try Settings.imageSize.check(imageSize)
      try Limits.classes.check(classes)
      try settings.checkNumbers()
    } catch {
      throw NetworkError.unsupported("\(error)")
    }
    let architecture = try Architecture(name: settings.name)
    let resolved = architecture.resolved(settings, imageSize: imageSize)
    let builder = PlanBuilder(settings: resolved, classes: classes)
    try self.init(
      resolved: resolved, imageSize: imageSize, classes: classes, channels: channels,
      layers: architecture.network.layers(builder))
  }

  /// A plan of any layers, in the registry or not.
  /// - Throws: `NetworkError.vanishes`, or `NetworkError.unsupported` for images of other than one or three channels.
  init(
    resolved settings: NetworkSettings, imageSize: Int, classes: Int, channels: Int = 3, layers: [LayerPlan]
  ) throws {
    guard channels == 1 || channels == 3 else {
      throw NetworkError.unsupported("images have one channel or three, not \(channels)")
    }
    self.settings = settings
    self.classes = classes
    self.layers = layers
    input = FeatureShape(height: imageSize, width: imageSize, channels: channels)
    lowered = try LoweredPlan(layers, image: input)
  }

  /// The same network with the first so many operations frozen.
  func freezing(operations: Int) throws -> NetworkPlan {
    var plan = self
    plan.lowered = try LoweredPlan(layers, image: input, frozen: operations)
    return plan
  }
}

/// Puts layers together; its settings have every default filled in.
struct PlanBuilder {
  let settings: NetworkSettings
  let classes: Int

  /// A channel count of the paper under the width multiplier.
  func width(_ channels: Int) -> Int { width(channels, of: 1) }

  /// The same for each of so many groups that have these channels together.
  func width(_ channels: Int, of groups: Int) -> Int { settings.width(channels / groups) }

  /// With as much padding as leaves a map its size at stride 1.
  func convolution(
    _ name: String, _ outputs: Int, _ kernel: Int, stride: Int = 1, bias: Bool = false, groups: Int = 1
  ) -> LayerPlan {
    .convolution(
      name: name, outputs: outputs, kernel: Extent(kernel), stride: stride, padding: Extent(kernel / 2), bias: bias,
      groups: groups)
  }

  /// What stands at the end of a residual block's body so that it can be left out in training: nothing where that is
  /// not asked for. From the first block to the last the rate rises evenly to the one that was chosen (Huang et al.
  /// 2016, arXiv:1603.09382, section 3, the linear decay rule).
  /// - Parameters:
  ///   - block: its number, from 0.
  ///   - count: how many there are.
  func dropPath(block: Int, of count: Int) -> [LayerPlan] {
    settings.dropPath > 0 ? [.dropPath(rate: settings.dropPath * Double(block + 1) / Double(count))] : []
  }

  /// The network's own dropout; nothing where its rate is 0.
  func dropout() -> [LayerPlan] {
    guard let rate = settings.dropout, rate > 0 else { return [] }
    return [.dropout(rate: rate)]
  }

  /// The classifier after global pooling. The regularized one is the article's: dropout 0.5, truncated normal 0.1,
  /// and an L2 penalty on its weights of twice the usual decay.
  func head() -> [LayerPlan] {
    [.averagePool(side: 1), .flatten] + classifier("fc")
  }

  /// The classifier of values that are pooled and flattened.
  func classifier(_ name: String) -> [LayerPlan] {
    switch settings.head {
    case .standard:
      [.dense(name: name, outputs: classes, initialization: .uniform, weightDecay: nil)]
    case .regularized:
      [
        .dropout(rate: 0.5),
        .dense(
          name: name, outputs: classes, initialization: .truncatedNormal(std: 0.1),
          weightDecay: Self.regularizedHeadWeightDecay),
      ]
    }
  }

  /// The last of several dense layers, which have dropout between them in any case.
  func lastDense(_ name: String, usually initialization: DenseInitialization) -> LayerPlan {
    let regularized = settings.head == .regularized
    return .dense(
      name: name, outputs: classes, initialization: regularized ? .truncatedNormal(std: 0.1) : initialization,
      weightDecay: regularized ? Self.regularizedHeadWeightDecay : nil)
  }

  /// The article's L2 regularizer on the classifier.
  static let regularizedHeadWeightDecay = 1e-3
}

extension NetworkSettings {
  /// A channel count of the paper under the width multiplier.
  func width(_ channels: Int) -> Int { max(1, Int((Double(channels) * widthMultiplier).rounded())) }
}
