// Timing one layer by itself, its input and the gradient of its output made anew before each repetition, as they are
// when the layer before or after it has just written them.

import Measuring
import Networks
import Support
import Tensors

/// Seconds of one call, medians.
struct LayerTimes {
  var forward: Double
  var backward: Double
}

/// How long and on how many threads to measure.
struct LayerTimer {
  let pool: ThreadPool
  let repetitions: Int
  private var clock: Clock { Clock(forThreads: pool.threads) }

  /// - Parameters:
  ///   - input: the shape of the layer's input, [N, H, W, C].
  ///   - repetitions: at least so many; short layers are repeated more often.
  init(threads: Int, repetitions: Int) {
    pool = ThreadPool(threads: threads)
    self.repetitions = repetitions
  }

  /// Both passes of a layer.
  func time(_ layer: any Layer, input shape: [Int]) -> LayerTimes {
    let input = uniformNoise(shape, seed: 1)
    let pass = Pass(.training, pool)
    let outputGradient = uniformNoise(layer.forward(input, pass).shape, seed: 2)
    _ = layer.backward(outputGradient, pass)
    var forward: [Double] = []
    var backward: [Double] = []
    repeatEnough {
      // Copies of their own, for layers that work in place.
      let input = copied(input)
      let gradient = copied(outputGradient)
      let start = clock.seconds
      _ = layer.forward(input, pass)
      let middle = clock.seconds
      _ = layer.backward(gradient, pass)
      let end = clock.seconds
      forward.append(middle - start)
      backward.append(end - middle)
      return end - start
    }
    return LayerTimes(forward: Spread(forward).median, backward: Spread(backward).median)
  }

  /// The sum of two tensors of a shape, in place.
  func timeAddition(_ shape: [Int]) -> Double {
    var sum = uniformNoise(shape, seed: 1)
    let term = uniformNoise(shape, seed: 2)
    return time { Ops(pool).add(term, to: &sum) }
  }

  /// Anything else.
  func time(_ body: () -> Void) -> Double {
    body()
    var times: [Double] = []
    repeatEnough {
      let seconds = clock.time(body)
      times.append(seconds)
      return seconds
    }
    return Spread(times).median
  }

  /// Calls `body`, which returns its seconds, at least `repetitions` times and until a fifth of a second is over, or
  /// ten times as often.
  private func repeatEnough(_ body: () -> Double) {
    var total = 0.0
    for turn in 0..<(10 * repetitions) {
      if turn >= repetitions, total > 0.2 { return }
      total += body()
    }
  }

  private func uniformNoise(_ shape: [Int], seed: UInt64) -> Tensor {
    var generator = RandomGenerator(seed: seed)
    return Tensor(shape) { _ in generator.uniform(in: -1...1) }
  }

  private func copied(_ tensor: Tensor) -> Tensor {
    var copy = tensor
    copy[0] = tensor[0]
    return copy
  }
}
