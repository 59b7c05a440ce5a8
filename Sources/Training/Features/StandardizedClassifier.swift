// The coordinates in which a classifier is trained on features that do not change. Features differ in scale and go
// together, so that no learning rate suits all of their weights; standardized, one rate suits any. The network's own
// weights change with each step: they, not these coordinates, are what is saved and evaluated.

import Networks
import Tensors

/// The features that a network's classifier is trained on.
struct ClassifierFeatures {
  let set: FeatureSet
  private let coordinates: StandardizedClassifier

  init(_ set: FeatureSet) {
    self.set = set
    coordinates = StandardizedClassifier(set)
  }

  /// Puts the classifier into the coordinates in which it is trained.
  func enter(_ network: Network) -> StandardizedClassifier.Original {
    let (weight, bias) = Self.classifier(of: network)
    return coordinates.enter(weight, bias)
  }

  func leave(_ network: Network) {
    let (weight, bias) = Self.classifier(of: network)
    coordinates.leave(weight, bias)
  }

  func restore(_ original: StandardizedClassifier.Original, _ network: Network) {
    let (weight, bias) = Self.classifier(of: network)
    coordinates.restore(original, weight, bias)
  }

  private static func classifier(of network: Network) -> (weight: Parameter, bias: Parameter) {
    let trained = network.trainedParameters
    precondition(trained.count == 2, "features are for a classifier alone")
    return (trained[0], trained[1])
  }
}

/// A dense layer of features f, seen as one of z = (f - mean) / scale, with scale = deviation * sqrt(features) / 10:
///
///     w' = scale * w        b' = b + mean . w        f . w + b = z . w' + b'
///     dL/dw' = (dL/dw - mean * dL/db) / scale        dL/db' = dL/db
///
/// The factor makes the largest curvature about that for which the usual learning rates, 0.01 to 0.3, are right.
struct StandardizedClassifier {
  /// Of each feature. A feature that is the same in all images has scale 1 and is left alone.
  let mean: [Float]
  let scale: [Float]
  private let isAlive: [Bool]

  /// A feature counts as the same everywhere if it deviates by less than this share of the one that deviates most.
  private static let leastShare = 1e-6

  init(_ features: FeatureSet) {
    let width = features.width
    var (sums, rows) = ([Double](repeating: 0, count: width), 0.0)
    features.forEachRow { row in
      for i in 0..<width { sums[i] += Double(row[i]) }
      rows += 1
    }
    let means = sums.map { $0 / max(1, rows) }
    var squares = [Double](repeating: 0, count: width)
    features.forEachRow { row in
      for i in 0..<width {
        let difference = Double(row[i]) - means[i]
        squares[i] += difference * difference
      }
    }
    let deviations = squares.map { ($0 / max(1, rows)).squareRoot() }
    let least = Self.leastShare * (deviations.max() ?? 0)
    let alive = deviations.map { $0.isFinite && $0 > least }
    let factor = Double(alive.count { $0 }).squareRoot() / 10
    isAlive = alive
    mean = zip(means, alive).map { $1 ? Float($0) : 0 }
    scale = zip(deviations, alive).map { $1 ? Float($0 * factor) : 1 }
  }

  /// - Parameters: of each feature.
  init(mean: [Float], scale: [Float]) {
    (self.mean, self.scale) = (mean, scale)
    isAlive = scale.map { _ in true }
  }

  /// Value of the classifier, before it was put into other coordinates.
  struct Original {
    fileprivate let weight: Tensor
    fileprivate let bias: Tensor
  }

  /// Puts values and gradients into these coordinates.
  /// - Parameters:
  ///   - weight: [features, classes]; bias: [classes].
  /// - Returns: the values as they were.
  func enter(_ weight: Parameter, _ bias: Parameter) -> Original {
    let original = Original(weight: weight.value, bias: bias.value)
    let classes = bias.value.count
    var (values, gradient) = (weight.value.values, weight.gradient.values)
    let biasGradient = bias.gradient.values
    var shift = bias.value.values.map(Double.init)
    precondition(values.count == mean.count * classes, "\(weight.name) is not of \(mean.count) features")
    for i in mean.indices {
      for c in 0..<classes {
        let place = i * classes + c
        shift[c] += Double(mean[i]) * Double(values[place])
        values[place] *= scale[i]
        gradient[place] = isAlive[i] ? (gradient[place] - mean[i] * biasGradient[c]) / scale[i] : 0
      }
    }
    weight.value = Tensor(weight.value.shape, values)
    weight.gradient = Tensor(weight.value.shape, gradient)
    bias.value = Tensor(bias.value.shape, shift.map(Float.init))
    return original
  }

  /// Puts the values back into the network's coordinates, after a step.
  func leave(_ weight: Parameter, _ bias: Parameter) {
    let classes = bias.value.count
    var (values, shift) = (weight.value.values, bias.value.values.map(Double.init))
    for i in mean.indices {
      for c in 0..<classes {
        let place = i * classes + c
        values[place] /= scale[i]
        shift[c] -= Double(mean[i]) * Double(values[place])
      }
    }
    weight.value = Tensor(weight.value.shape, values)
    bias.value = Tensor(bias.value.shape, shift.map(Float.init))
  }

  /// Takes a step back that was not taken.
  func restore(_ original: Original, _ weight: Parameter, _ bias: Parameter) {
    (weight.value, bias.value) = (original.weight, original.bias)
  }
}
