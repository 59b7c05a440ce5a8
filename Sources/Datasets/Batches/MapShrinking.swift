// Normalized images made smaller, for training on smaller ones than the network will be used on.

/// From one square size to a smaller one, with a triangle as wide as the ratio of the sizes, as Pillow's and
/// torchvision's bilinear filter with antialiasing: every pixel of the source counts.
struct MapShrinking {
  let from: Int
  let to: Int
  /// Of each row or column of the result: the first of the source that it is made of, and their weights, of sum 1.
  private let taps: [(first: Int, weights: [Float])]

  init(from: Int, to: Int) {
    precondition(0 < to && to <= from, "shrinking \(from) to \(to) pixels")
    self.from = from
    self.to = to
    let ratio = Double(from) / Double(to)
    taps = (0..<to).map { index in
      let center = (Double(index) + 0.5) * ratio
      let first = max(0, Int((center - ratio + 0.5)))
      let end = min(from, Int(center + ratio + 0.5))
      let weights = (first..<max(end, first + 1)).map { max(0, 1 - abs(Double($0) + 0.5 - center) / ratio) }
      let sum = weights.reduce(0, +)
      return (first, weights.map { Float($0 / sum) })
    }
  }

  /// - Parameters:
  ///   - source: [from, from, 3].
  ///   - target: [to, to, 3].
  func apply(_ source: UnsafeBufferPointer<Float>, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(source.count >= from * from * 3 && target.count >= to * to * 3, "the buffers hold whole images")
    let line = from * 3
    var row = [Float](repeating: 0, count: line)
    row.withUnsafeMutableBufferPointer { row in
      for (y, vertical) in taps.enumerated() {
        row.update(repeating: 0)
        for (tap, weight) in vertical.weights.enumerated() {
          let start = (vertical.first + tap) * line
          for index in 0..<line { row[index] += weight * source[start + index] }
        }
        for (x, horizontal) in taps.enumerated() {
          var sum = SIMD3<Float>.zero
          for (tap, weight) in horizontal.weights.enumerated() {
            let place = (horizontal.first + tap) * 3
            sum += weight * SIMD3(row[place], row[place + 1], row[place + 2])
          }
          let place = (y * to + x) * 3
          for channel in 0..<3 { target[place + channel] = sum[channel] }
        }
      }
    }
  }
}
