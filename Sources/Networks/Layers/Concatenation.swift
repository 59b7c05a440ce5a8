// Branches put side by side: what a GoogLeNet block ends in.

import Tensors

/// The channels of several maps of one size, one map's after the other's: [N, H, W, C1], [N, H, W, C2], ... to
/// [N, H, W, C1 + C2 + ...] (Szegedy et al. 2014, "Going deeper with convolutions", arXiv:1409.4842, section 4).
///
/// Backwards each map gets the gradients of its own channels.
final class Concatenation {
  private var channels: [Int]?

  /// - Parameter inputs: at least one.
  func forward(_ inputs: [Tensor], _ pass: Pass) -> Tensor {
    let channels = inputs.map { $0.shape[$0.shape.count - 1] }
    let shape = Array(inputs[0].shape.dropLast())
    precondition(inputs.allSatisfy { $0.shape.dropLast() == shape[...] }, "maps of different sizes side by side")
    let (total, pixels) = (channels.reduce(0, +), shape.reduce(1, *))
    var output = Tensor(uninitialised: shape + [total])
    var first = 0
    for (input, count) in zip(inputs, channels) {
      input.read { x in
        output.write { y in
          pass.workers.run(over: pixels) { [first] pixels in
            for pixel in pixels { (y + pixel * total + first).update(from: x + pixel * count, count: count) }
          }
        }
      }
      first += count
    }
    if pass.mode == .training { self.channels = channels }
    return output
  }

  /// - Returns: the gradients by the inputs, in their order.
  func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> [Tensor] {
    let channels = used(&self.channels, by: "concatenation")
    let shape = Array(outputGradient.shape.dropLast())
    let (total, pixels) = (channels.reduce(0, +), shape.reduce(1, *))
    var first = 0
    var gradients: [Tensor] = []
    for count in channels {
      var gradient = Tensor(uninitialised: shape + [count])
      outputGradient.read { dy in
        gradient.write { dx in
          pass.workers.run(over: pixels) { [first] pixels in
            for pixel in pixels { (dx + pixel * count).update(from: dy + pixel * total + first, count: count) }
          }
        }
      }
      gradients.append(gradient)
      first += count
    }
    return gradients
  }
}
