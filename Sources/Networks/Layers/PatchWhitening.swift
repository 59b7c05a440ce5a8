// The filters of a whitening layer, measured on images: the principal directions of small patches, each divided by how
// much patches vary along it, and their negatives. Before a ReLU nothing of a patch is lost then, and all directions
// reach the next layer with the same strength.

import Tensors

/// The second moments of all patches of some images, and the filters that follow from them (Page 2019, "How to train
/// your ResNet 8"; Jordan 2024, arXiv:2404.00498, section 3.1).
///
///     var patches = PatchWhitening(kernel: 2, channels: 3)
///     for batch in loader.epoch() { patches.add(batch.images, height: 32, width: 32) }
///     let weight = patches.filters    // [2, 2, 3, 24]
public struct PatchWhitening {
  public let kernel: Int
  public let channels: Int
  /// The values of a patch, in the order of a convolution's weights: rows, columns, channels.
  private var dimension: Int { kernel * kernel * channels }
  /// The upper triangle of the sum over all patches of the products of two values, [dimension, dimension].
  private var sums: [Double]
  private var patches = 0

  /// Added to each variance before its root is taken, so that a direction of almost no variance is not made noise
  /// (the paper's).
  static let epsilon = 5e-4
  /// Directions with a smaller share of the largest variance hold nothing: gray images have them between their
  /// channels. Their filters are zero.
  static let smallestShare = 1e-7

  public init(kernel: Int, channels: Int) {
    precondition(kernel > 0 && channels > 0, "patches of \(kernel)x\(kernel)x\(channels)")
    self.kernel = kernel
    self.channels = channels
    sums = [Double](repeating: 0, count: kernel * kernel * channels * kernel * kernel * channels)
  }

  /// Adds every patch of some images.
  /// - Parameter images: [N, height, width, channels], normalized.
  public mutating func add(_ images: [Float], height: Int, width: Int) {
    let line = width * channels
    let image = height * line
    guard image > 0, height >= kernel, width >= kernel else { return }
    precondition(images.count % image == 0, "\(images.count) values are no images of \(height)x\(width)")
    let offsets = (0..<dimension).map { value in
      let (row, rest) = value.quotientAndRemainder(dividingBy: kernel * channels)
      return row * line + rest
    }
    let count = images.count / image
    let (rows, columns) = (height - kernel + 1, width - kernel + 1)
    patches += count * rows * columns
    images.withUnsafeBufferPointer { pixels in
      for first in 0..<dimension {
        for second in first..<dimension {
          let (a, b) = (offsets[first], offsets[second])
          var total = 0.0
          for row in 0..<count * rows {
            let start = (row / rows) * image + (row % rows) * line
            // A line's sum in single precision errs by less than what distinguishes one sample of images from another.
            var sum: Float = 0
            for column in 0..<columns {
              let place = start + column * channels
              sum += pixels[place + a] * pixels[place + b]
            }
            total += Double(sum)
          }
          sums[first * dimension + second] += total
        }
      }
    }
  }

  /// The filters, [kernel, kernel, channels, 2 * kernel * kernel * channels]: those of the largest variance first, then
  /// their negatives in the same order. nil before any patch was added, or where one held a value that is not finite.
  ///
  /// Filter i is v / sqrt(variance + epsilon) for the i-th eigenvector v of the patches' second moments, whose entry of
  /// the largest size is positive.
  public var filters: Tensor? {
    guard patches > 0, sums.allSatisfy(\.isFinite) else { return nil }
    var moments = sums.map { $0 / Double(patches) }
    for row in 0..<dimension {
      for column in 0..<row { moments[row * dimension + column] = moments[column * dimension + row] }
    }
    let directions = SymmetricMatrix(side: dimension, values: moments).eigenvectors
    let largest = directions.first?.value ?? 0
    var weight = Tensor(zeros: [kernel, kernel, channels, 2 * dimension])
    for (index, direction) in directions.enumerated() where direction.value > Self.smallestShare * largest {
      let peak = direction.vector.reduce(0) { abs($1) > abs($0) * (1 + 1e-9) ? $1 : $0 }
      let scale = (peak < 0 ? -1 : 1) / (direction.value + Self.epsilon).squareRoot()
      for (place, value) in direction.vector.enumerated() {
        let filter = Float(value * scale)
        weight[place * 2 * dimension + index] = filter
        weight[place * 2 * dimension + dimension + index] = -filter
      }
    }
    return weight
  }
}

/// A symmetric matrix that is taken apart into its eigenvectors.
struct SymmetricMatrix {
  let side: Int
  /// [side, side]
  let values: [Double]

  /// Sweeps after which rotations have long become nothing.
  private static let mostSweeps = 60

  /// Eigenvalues, the largest first, with eigenvectors of length 1 (Jacobi's method, cyclic by rows; Golub and Van Loan
  /// 2013, section 8.5).
  var eigenvectors: [(value: Double, vector: [Double])] {
    var a = values
    // Its columns become the vectors.
    var v = [Double](repeating: 0, count: side * side)
    for index in 0..<side { v[index * side + index] = 1 }
    for _ in 0..<Self.mostSweeps {
      var rotated = false
      for p in 0..<side {
        for q in (p + 1)..<max(side, p + 1) {
          let off = a[p * side + q]
          guard abs(off) > 1e-15 * (abs(a[p * side + p]) + abs(a[q * side + q])), off != 0 else { continue }
          rotated = true
          let tau = (a[q * side + q] - a[p * side + p]) / (2 * off)
          let t = (tau >= 0 ? 1 : -1) / (abs(tau) + (1 + tau * tau).squareRoot())
          let c = 1 / (1 + t * t).squareRoot()
          let s = t * c
          for k in 0..<side {
            let (kp, kq) = (a[k * side + p], a[k * side + q])
            (a[k * side + p], a[k * side + q]) = (c * kp - s * kq, s * kp + c * kq)
          }
          for k in 0..<side {
            let (pk, qk) = (a[p * side + k], a[q * side + k])
            (a[p * side + k], a[q * side + k]) = (c * pk - s * qk, s * pk + c * qk)
            let (kp, kq) = (v[k * side + p], v[k * side + q])
            (v[k * side + p], v[k * side + q]) = (c * kp - s * kq, s * kp + c * kq)
          }
        }
      }
      if !rotated { break }
    }
    return (0..<side)
      .map { index in (a[index * side + index], (0..<side).map { v[$0 * side + index] }) }
      .sorted { $0.0 > $1.0 }
  }
}

extension Network {
  /// The whitening layer's weights, [KH, KW, C, O]; nil for a network without one. Setting them is for the start of a
  /// run.
  public var whitening: Parameter? { parameters.first { $0.isFixed } }
}
