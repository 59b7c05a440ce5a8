// What the numbers of a tensor are like, to be looked at: sums, bounds and histograms. Nothing is computed with them
// further on, so they need not be fast, only cheap beside a step; values that are not finite are counted and left out.

/// The numbers of each channel of a matrix [rows, C].
public struct ChannelStatistics: Sendable {
  public let rows: Int
  /// [C], of the finite numbers.
  public private(set) var sums: [Double]
  public private(set) var squares: [Double]
  /// [C], the least and the greatest finite number; infinity and -infinity where there is none.
  public private(set) var lowest: [Double]
  public private(set) var highest: [Double]
  /// Numbers that are NaN or infinite.
  public private(set) var nonFinite = 0

  fileprivate init(rows: Int, channels: Int) {
    self.rows = rows
    sums = [Double](repeating: 0, count: channels)
    squares = sums
    lowest = [Double](repeating: .infinity, count: channels)
    highest = [Double](repeating: -.infinity, count: channels)
  }

  public var channels: Int { sums.count }
  /// Numbers that are finite.
  public var finite: Int { rows * channels - nonFinite }

  /// Of all numbers that are finite; 0 where none is.
  public var mean: Double { finite > 0 ? sums.reduce(0, +) / Double(finite) : 0 }
  public var std: Double {
    guard finite > 0 else { return 0 }
    return max(0, squares.reduce(0, +) / Double(finite) - mean * mean).squareRoot()
  }
  /// The least and the greatest; nil where no number is finite.
  public var bounds: ClosedRange<Double>? {
    guard finite > 0, let low = lowest.min(), let high = highest.max() else { return nil }
    return low...high
  }
  /// Channels of which every number is zero.
  public var zeroChannels: Int {
    guard rows > 0, nonFinite == 0 else { return 0 }
    return zip(lowest, highest).count { $0 == 0 && $1 == 0 }
  }

  fileprivate mutating func add(_ part: UnsafePointer<Double>) {
    let channels = channels
    for c in 0..<channels {
      sums[c] += part[c]
      squares[c] += part[channels + c]
      lowest[c] = min(lowest[c], part[2 * channels + c])
      highest[c] = max(highest[c], part[3 * channels + c])
    }
    nonFinite += Int(part[4 * channels])
  }
}

extension FoldedBatchNorm {
  /// The sum of the squares of what the normalization makes of numbers, before any addition or activation.
  /// - Parameter input: of the numbers that are normalized.
  public func sumOfSquares(normalizing input: ChannelStatistics) -> Double {
    precondition(input.channels == foldedWeight.count, "a channel for each")
    return input.sums.indices.reduce(0) { sum, c in
      let (weight, bias) = (Double(foldedWeight[c]), Double(foldedBias[c]))
      return sum + weight * weight * input.squares[c] + 2 * weight * bias * input.sums[c]
        + bias * bias * Double(input.rows)
    }
  }
}

extension Ops {
  /// The numbers of x [..., C], channel by channel.
  public func statistics(of x: Tensor, channels: Int) -> ChannelStatistics {
    let channels = max(1, channels)
    let rows = x.count / channels
    let chunks = min(ThreadPool.standardChunks, max(1, rows))
    let width = 4 * channels + 1
    var statistics = ChannelStatistics(rows: rows, channels: channels)
    guard rows > 0 else { return statistics }
    StoragePool.withScratch(of: Double.self, chunks * width) { parts in
      x.read { x in
        pool.run(chunks: chunks) { chunk in
          let range = ThreadPool.range(chunk, of: chunks, count: rows)
          Self.gather(x + range.lowerBound * channels, range.count, channels, into: parts + chunk * width)
        }
      }
      for chunk in 0..<chunks { statistics.add(parts + chunk * width) }
    }
    return statistics
  }

  /// - Parameter part: [4 * C + 1]: sums, squares, least, greatest; and how many are not finite.
  private static func gather(
    _ x: UnsafePointer<Float>, _ rows: Int, _ channels: Int, into part: UnsafeMutablePointer<Double>
  ) {
    let (sums, squares) = (part, part + channels)
    let (lowest, highest) = (part + 2 * channels, part + 3 * channels)
    sums.update(repeating: 0, count: 2 * channels)
    lowest.update(repeating: .infinity, count: channels)
    highest.update(repeating: -.infinity, count: channels)
    part[4 * channels] = 0
    for row in 0..<rows {
      let x = x + row * channels
      for c in 0..<channels {
        let value = Double(x[c])
        sums[c] += value
        squares[c] += value * value
        lowest[c] = value < lowest[c] ? value : lowest[c]
        highest[c] = value > highest[c] ? value : highest[c]
      }
    }
    // The square of a Float always fits: a sum that is not finite has met a number that is not.
    guard !(0..<channels).allSatisfy({ squares[$0].isFinite }) else { return }
    sums.update(repeating: 0, count: 2 * channels)
    lowest.update(repeating: .infinity, count: channels)
    highest.update(repeating: -.infinity, count: channels)
    for row in 0..<rows {
      for c in 0..<channels {
        let value = Double(x[row * channels + c])
        guard value.isFinite else {
          part[4 * channels] += 1
          continue
        }
        sums[c] += value
        squares[c] += value * value
        lowest[c] = min(lowest[c], value)
        highest[c] = max(highest[c], value)
      }
    }
  }

  /// How many numbers lie in each of so many ranges of the same width; those outside and those that are not finite are
  /// left out.
  public func histogram(of x: Tensor, over bounds: ClosedRange<Double>, bins: Int) -> [Int] {
    let count = x.count
    let chunks = ThreadPool.chunks(of: count)
    let (low, high) = (bounds.lowerBound, bounds.upperBound)
    let scale = high > low ? Double(bins) / (high - low) : 0
    var counts = [Int](repeating: 0, count: bins)
    StoragePool.withScratch(of: Double.self, chunks * bins) { parts in
      parts.update(repeating: 0, count: chunks * bins)
      x.read { x in
        pool.run(chunks: chunks) { chunk in
          let part = parts + chunk * bins
          for index in ThreadPool.range(chunk, of: chunks, count: count) {
            let place = (Double(x[index]) - low) * scale
            guard place >= 0, place <= Double(bins) else { continue }
            part[min(bins - 1, Int(place))] += 1
          }
        }
      }
      for place in 0..<chunks * bins { counts[place % bins] += Int(parts[place]) }
    }
    return counts
  }

  /// The sum of (x - y)^2, in double precision; chunks are added in order.
  public func squaredDistance(_ x: Tensor, _ y: Tensor) -> Double {
    precondition(x.count == y.count, "the distance of \(x.shape) and \(y.shape)")
    let count = x.count
    let chunks = ThreadPool.chunks(of: count)
    return StoragePool.withScratch(of: Double.self, chunks) { parts in
      Tensor.read(x, y) { x, y in
        pool.run(chunks: chunks) { chunk in
          var sum = 0.0
          for index in ThreadPool.range(chunk, of: chunks, count: count) {
            let difference = Double(x[index]) - Double(y[index])
            sum += difference * difference
          }
          parts[chunk] = sum
        }
      }
      return (0..<chunks).reduce(0) { $0 + parts[$1] }
    }
  }
}
