// The training loss of a network that knows all there is to know: more than zero where labels are smoothed or mixed.

import Glibc
import Messages

extension TrainingSettings {
  /// The mean entropy of the labels that the loss compares with, nats: no network gets below it.
  func lossFloor(classes: Int) -> Double {
    let floors = [mixingFloor, smoothingFloor(classes: classes)]
    // Together they are less than the sum, but what is asked of it is no more than an order of magnitude.
    return min(floors.reduce(0, +), 0.9 * log(Double(max(2, classes))))
  }

  /// Of a label that is spread over all classes.
  private func smoothingFloor(classes: Int) -> Double {
    guard labelSmoothing > 0, classes > 1 else { return 0 }
    let other = labelSmoothing / Double(classes)
    let own = 1 - labelSmoothing + other
    return -own * log(own) - Double(classes - 1) * other * log(other)
  }

  /// Of two labels whose share is drawn from Beta(alpha, alpha): digamma(2 alpha + 1) - digamma(alpha + 1), where both
  /// are of different classes.
  private var mixingFloor: Double {
    let alphas = [augmentation.mixup, augmentation.cutMix].filter { $0 > 0 }
    guard !alphas.isEmpty else { return 0 }
    return alphas.reduce(0) { $0 + Self.digamma(2 * $1 + 1) - Self.digamma($1 + 1) } / Double(alphas.count)
  }

  /// The derivative of the logarithm of the gamma function, for x > 0: by its recurrence up to where the asymptotic
  /// series is exact to ten digits (Abramowitz and Stegun, 6.3.5 and 6.3.18).
  private static func digamma(_ x: Double) -> Double {
    var (x, sum) = (x, 0.0)
    while x < 8 {
      sum -= 1 / x
      x += 1
    }
    let square = 1 / (x * x)
    return sum + log(x) - 1 / (2 * x) - square * (1 / 12 - square * (1 / 120 - square / 252))
  }
}
