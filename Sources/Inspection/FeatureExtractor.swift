// What a network makes of images before it decides: the features of a layer, one row an image.

import Datasets
import Images
import Messages
import Networks
import Tensors
import Training

/// Computes the features of images in files.
public struct FeatureExtractor {
  public let model: LoadedModel
  /// The layer by its name; nil for what the classifier reads.
  public let layer: String?
  /// Numbers an image: of a layer that gives a map, the mean of each channel over it.
  public let width: Int
  private let value: LoweredPlan.Value
  private let pool: ThreadPool

  /// - Parameter layer: as `NetworkPlan.value(named:)` takes it; nil for what the classifier reads.
  /// - Throws: `NetworkError` for a layer that the network does not have.
  public init(model: LoadedModel, layer: String? = nil, pool: ThreadPool) throws {
    let plan = model.network.plan
    value = try layer.map { try plan.value(named: $0) } ?? plan.penultimate
    guard value != LoweredPlan.image else {
      throw NetworkError.unsupported("the classifier of \(plan.settings.name) reads the image itself: name a layer")
    }
    self.model = model
    self.layer = layer
    self.pool = pool
    width = plan.shape(of: value).channels
  }

  /// Computes the features of images, batch by batch.
  /// - Parameters:
  ///   - paths: of files, or the names of places in them.
  ///   - body: called for each path in order with [width] numbers, or with why there are none.
  /// - Throws: what `body` throws.
  public func extract(
    _ paths: [String], batchSize: Int,
    _ body: (_ path: String, _ features: Result<ArraySlice<Float>, DecodingFailure>) throws -> Void
  ) rethrows {
    let network = model.network
    let inference = model.inference()
    try Predictor.forEach(
      paths, model, batchSize: batchSize, pool: pool,
      compute: { batch in
        let input = Tensor([batch.items.count, batch.side, batch.side, 3], batch.images)
        // A value that is part of a larger step there is one of its own here.
        let output =
          inference.computes(value)
          ? inference.forward(input, to: value, pool) : network.forward(input, to: value, Pass(.inference, pool))
        return network.plan.pooled(output, of: value, pool).values
      }, body)
  }

  /// The features of one image.
  /// - Throws: `DecodingFailure`.
  public func features(of path: String) throws -> [Float] {
    var found: [Float] = []
    try extract([path], batchSize: 1) { _, features in found = Array(try features.get()) }
    return found
  }
}
