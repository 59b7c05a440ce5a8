// Arrays of doubles with a shape, for the naive twins: slow, obvious, indexed by coordinates.

import Tensors

/// A row-major array of doubles; [N, H, W, C] or [N, C] where it holds activations.
struct NaiveTensor: Sendable {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int], _ values: [Double]) {
    self.shape = shape
    self.values = values
  }

  init(zeros shape: [Int]) { self.init(shape, [Double](repeating: 0, count: shape.reduce(1, *))) }

  init(_ tensor: Tensor) { self.init(tensor.shape, tensor.values.map(Double.init)) }

  /// The value at four coordinates.
  subscript(_ i: Int, _ j: Int, _ k: Int, _ l: Int) -> Double {
    get { values[((i * shape[1] + j) * shape[2] + k) * shape[3] + l] }
    set { values[((i * shape[1] + j) * shape[2] + k) * shape[3] + l] = newValue }
  }

  /// The Euclidean norm.
  var norm: Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// The sum of products with numbers of the same count.
  func dot(_ other: [Double]) -> Double { zip(values, other).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Each value by a function.
  func map(_ function: (Double) -> Double) -> NaiveTensor { NaiveTensor(shape, values.map(function)) }

  static func + (left: NaiveTensor, right: NaiveTensor) -> NaiveTensor {
    NaiveTensor(left.shape, zip(left.values, right.values).map(+))
  }
}

/// How far two arrays are apart.
enum Deviation {
  /// The largest difference of elements, relative to the largest magnitude of the second array (at least `floor`).
  static func largest(_ a: Tensor, from b: NaiveTensor, floor: Double = 0) -> Double {
    let size = max(floor, b.values.reduce(0) { max($0, abs($1)) })
    let difference = zip(a.values, b.values).reduce(0.0) { largest, pair in
      let difference = abs(Double(pair.0) - pair.1)
      // `max` may lose a NaN.
      return difference.isNaN ? .infinity : max(largest, difference)
    }
    return difference == 0 ? 0 : difference / size
  }

  /// The norm of the difference, relative to the norm of the second array (at least `floor`).
  static func norm(_ a: Tensor, from b: NaiveTensor, floor: Double = 0) -> Double {
    let difference = zip(a.values, b.values).reduce(0.0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    guard !difference.isNaN else { return .infinity }
    return difference == 0 ? 0 : difference.squareRoot() / max(floor, b.norm)
  }
}
