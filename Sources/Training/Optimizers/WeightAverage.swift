// An average of the weights over the steps, to be evaluated and saved in their place.

import Glibc
import Networks
import Tensors

/// The exponential moving average of a network's weights (Polyak and Juditsky 1992; in this form Tarvainen and Valpola
/// 2017, arXiv:1703.01780, section 2):
///
///     average += (1 - d) * (weights - average)        after every step
///     d = min(decay, (1 + n) / (10 + n))              n steps averaged before
///
/// The second line keeps a short run's average from being that of its random beginning (TensorFlow's
/// ExponentialMovingAverage).
///
/// Batch norm's running statistics are averaged likewise. They are those of the activations that the weights gave at
/// their time, so the average of both belongs together; the newest statistics would be those of weights that the average
/// is many steps behind.
struct WeightAverage {
  let decay: Double
  private(set) var weights: NetworkWeights

  /// It begins with the weights as they are.
  init(decay: Double, of network: Network) {
    self.decay = decay
    weights = NetworkWeights(of: network)
  }

  /// From a checkpoint, or anew.
  mutating func set(_ weights: NetworkWeights) { self.weights = weights }

  /// Counts the weights after a step.
  /// - Parameter averaged: steps counted before.
  mutating func add(_ network: Network, averaged: Int, _ ops: Ops) {
    let share = Float(1 - Self.decay(decay, averaged: averaged))
    // What is frozen is its own average, and shares its memory.
    for (index, parameter) in network.parameters.enumerated() where parameter.isTrained {
      ops.approach(&weights.parameters[index], toward: parameter.value, by: share)
    }
    for (index, buffer) in network.buffers.enumerated() {
      ops.approach(&weights.buffers[index], toward: buffer.value, by: share)
    }
  }

  static func decay(_ decay: Double, averaged: Int) -> Double {
    min(decay, Double(1 + averaged) / Double(10 + averaged))
  }
}
