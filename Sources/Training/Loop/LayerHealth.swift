// When something is called wrong with a layer: every threshold, with its reason.

import Messages

/// Finds the words for layers.
enum LayerHealth {
  /// So many of a layer's channels are dead: half of it is of no use, and no gradient reaches it to change that. Some dead
  /// channels are usual.
  static let deadShare = 0.5
  /// A step that changes more than a tenth of the weights makes another layer of them in ten steps. A thousandth is usual.
  static let largestUpdate = 0.1
  /// Values so large lose what is added to them: Float32 has seven digits. Behind a batch norm they are about 1.
  static let largestActivation = 1e4
  /// So little of the gradient, compared with the layer that has most: weight decay then does more than learning. In a
  /// network that learns, layers lie within a factor of a hundred or so.
  static let vanishingShare = 1e-4
  /// So little is the update, as a share of the weights, compared with the middle one of all layers.
  static let slowShare = 0.1

  /// Says of each layer how it is.
  /// - Parameter learns: whether a step was taken at a learning rate above 0; else nothing is said of updates.
  static func assess(_ layers: inout [LayerMeasure], learns: Bool) {
    let trained = layers.compactMap { $0.weights.flatMap { $0.isTrained ? $0 : nil } }
    let steepest = trained.compactMap(\.gradientNorm).max() ?? 0
    let updates = trained.compactMap(\.updateRatio).sorted()
    let middle = updates.isEmpty ? 0 : updates[updates.count / 2]
    for index in layers.indices {
      layers[index].condition = condition(of: layers[index], steepest: steepest, middle: middle, learns: learns)
    }
  }

  private static func condition(
    of layer: LayerMeasure, steepest: Double, middle: Double, learns: Bool
  ) -> LayerCondition {
    let (weights, activations) = (layer.weights, layer.activations)
    if (weights?.nonFinite ?? 0) + (activations?.nonFinite ?? 0) > 0 { return .nan }
    if let gradient = weights?.gradientNorm, !gradient.isFinite { return .nan }
    if let update = weights?.updateRatio, update > largestUpdate { return .exploding }
    if let activations, max(abs(activations.mean), activations.std) > largestActivation { return .exploding }
    if let dead = activations?.deadShare, dead >= deadShare { return .dead }
    guard let weights else { return .ok }
    if !weights.isTrained { return .frozen }
    if let gradient = weights.gradientNorm, steepest > 0, gradient < vanishingShare * steepest {
      return .vanishing
    }
    guard learns, let update = weights.updateRatio else { return .ok }
    if update == 0 { return .frozen }
    return update < slowShare * middle ? .slow : .ok
  }
}
