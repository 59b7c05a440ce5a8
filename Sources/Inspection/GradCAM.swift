// Where a network looked: Grad-CAM (Selvaraju et al. 2016, arXiv:1610.02391, section 3). Of the last map A^k of the network
// and the logit y of a class,
//
//     a_k = mean over the map of dy / dA^k        heat = max(0, sum over k of a_k A^k)
//
// (equations 1 and 2). The logits before the softmax are taken, and batch norm and dropout are as in inference.

import Messages
import Networks
import Tensors
import Training

/// Grad-CAM of one image.
public struct GradCAM {
  /// [H, W] for each class, 0 or more, not scaled.
  public let maps: [[Float]]
  public let height: Int
  public let width: Int
  /// [classes].
  public let logits: [Float]

  /// - Parameters:
  ///   - image: [size, size, 3], normalized.
  ///   - labels: of the classes to explain.
  /// - Throws: `NetworkError.unsupported` for a network without a map.
  public init(_ network: Network, image: [Float], labels: [Int], pool: ThreadPool) throws {
    let plan = network.plan
    guard let value = plan.lastMap else {
      throw NetworkError.unsupported("\(plan.settings.name) has no convolution whose map could be shown")
    }
    let size = plan.input.height
    precondition(image.count == size * size * 3, "an image of \(size)x\(size) pixels")
    let pass = Pass(.explanation, pool)
    let map = network.forward(Tensor([1, size, size, 3], image), to: value, Pass(.inference, pool))
    let shape = plan.shape(of: value)
    (height, width) = (shape.height, shape.width)
    let activations = map.values
    var (maps, logits): ([[Float]], [Float]) = ([], [])
    // The way back uses up what the way forward kept, so each class has its own; they are short.
    for label in labels {
      let outputs = network.forward(from: value, map, pass)
      logits = outputs.values
      let gradient = network.backward(Tensor([1, logits.count]) { $0 == label ? 1 : 0 }, to: value, pass)
      maps.append(Self.heat(activations, gradient: gradient.values, channels: shape.channels))
    }
    if labels.isEmpty { logits = network.forward(from: value, map, Pass(.inference, pool)).values }
    (self.maps, self.logits) = (maps, logits)
  }

  /// The weighted sum of a map's channels, without what is negative.
  /// - Parameters: [H, W, C] both; returns [H, W].
  static func heat(_ activations: [Float], gradient: [Float], channels: Int) -> [Float] {
    let pixels = activations.count / max(1, channels)
    var weights = [Double](repeating: 0, count: channels)
    for pixel in 0..<pixels {
      for channel in 0..<channels { weights[channel] += Double(gradient[pixel * channels + channel]) }
    }
    return (0..<pixels).map { pixel in
      var sum = 0.0
      for channel in 0..<channels {
        sum += weights[channel] / Double(pixels) * Double(activations[pixel * channels + channel])
      }
      return Float(max(0, sum))
    }
  }

  /// A map divided by its largest value; zeros stay.
  static func scaled(_ map: [Float]) -> [Float] {
    guard let largest = map.max(), largest > 0, largest.isFinite else { return map.map { _ in 0 } }
    return map.map { $0 / largest }
  }
}

/// Explains what a checkpoint says of images.
public struct Explainer {
  public let model: LoadedModel
  private let pool: ThreadPool

  public init(model: LoadedModel, pool: ThreadPool) {
    self.model = model
    self.pool = pool
  }

  /// Where the network looked in an image.
  /// - Parameters:
  ///   - path: of a file, or the name of a place in one.
  ///   - classes: labels that are explained besides the predicted class.
  ///   - top: how many of the most probable classes are told.
  /// - Throws: `DecodingFailure`, `NetworkError`; `NonFiniteOutputs` where the network gives no class.
  public func explain(_ path: String, classes: [Int] = [], top: Int = 5) throws -> Explanation {
    let preprocessing = model.description.preprocessing
    let seen = try preprocessing.evaluationInput(contentsOf: path)
    var input = [Float](repeating: 0, count: seen.pixels.count)
    input.withUnsafeMutableBufferPointer { preprocessing.normalize(seen, into: $0) }
    let first = try GradCAM(model.network, image: input, labels: [], pool: pool)
    guard let outputs = Softmax(first.logits[...]) else {
      throw NonFiniteOutputs(checkpoint: model.path, image: path)
    }
    let order = outputs.mostProbable(max(1, top))
    let labels = [order[0]] + classes.filter { $0 != order[0] && (0..<outputs.classes).contains($0) }
    let cam = try GradCAM(model.network, image: input, labels: labels, pool: pool)
    return Explanation(
      checkpoint: model.path, path: path, classes: model.description.classes,
      top: order.map { ClassProbability(label: $0, probability: outputs.probability($0)) }, seen: seen,
      heats: zip(labels, cam.maps).map { label, map in
        ClassHeat(
          label: label, probability: outputs.probability(label),
          map: HeatMap(height: cam.height, width: cam.width, values: GradCAM.scaled(map)))
      })
  }
}

/// A network's outputs for an image that are NaN or infinite.
public struct NonFiniteOutputs: Error, Equatable, CustomStringConvertible {
  public var checkpoint: String
  public var image: String

  public var description: String {
    "the outputs of \(checkpoint) for \(image) are NaN or infinite: it has overflowed; use another checkpoint, or train "
      + "again with a lower rate"
  }
}
