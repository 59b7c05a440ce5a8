// The naive twin of every layer's forward pass: the formula as the paper or PyTorch's documentation gives it, in
// double precision, with a loop an index. No backward passes: finite differences of these are the test of those.

import Foundation
import Tensors

/// Forward passes on [N, H, W, C].
enum Naive {
  /// weight: [KH, KW, C / groups, O]; bias: [O]; padding above and below, and on the left and the right.
  static func convolution(
    _ x: NaiveTensor, weight w: NaiveTensor, bias: NaiveTensor?, stride: Int,
    padding: (height: Int, width: Int), groups: Int = 1
  ) -> NaiveTensor {
    let (inputs, outputs) = (w.shape[2], w.shape[3])
    let height = (x.shape[1] + 2 * padding.height - w.shape[0]) / stride + 1
    let width = (x.shape[2] + 2 * padding.width - w.shape[1]) / stride + 1
    var y = NaiveTensor(zeros: [x.shape[0], height, width, outputs])
    for n in 0..<x.shape[0] {
      for row in 0..<height {
        for column in 0..<width {
          for o in 0..<outputs {
            var sum = bias?.values[o] ?? 0
            for ky in 0..<w.shape[0] {
              let inRow = row * stride + ky - padding.height
              guard (0..<x.shape[1]).contains(inRow) else { continue }
              for kx in 0..<w.shape[1] {
                let inColumn = column * stride + kx - padding.width
                guard (0..<x.shape[2]).contains(inColumn) else { continue }
                let first = o / (outputs / groups) * inputs
                // Where x[n, inRow, inColumn, first] and w[ky, kx, 0, o] are: most of the tests' time goes by here.
                let pixel = ((n * x.shape[1] + inRow) * x.shape[2] + inColumn) * x.shape[3] + first
                let tap = (ky * w.shape[1] + kx) * inputs * outputs + o
                for c in 0..<inputs { sum += x.values[pixel + c] * w.values[tap + c * outputs] }
              }
            }
            y[n, row, column, o] = sum
          }
        }
      }
    }
    return y
  }

  /// Mean and biased variance of each channel.
  static func moments(_ x: NaiveTensor) -> (mean: [Double], variance: [Double]) {
    let channels = x.shape[x.shape.count - 1]
    let rows = Double(x.values.count / channels)
    var mean = [Double](repeating: 0, count: channels)
    for (i, value) in x.values.enumerated() { mean[i % channels] += value / rows }
    var variance = [Double](repeating: 0, count: channels)
    for (i, value) in x.values.enumerated() {
      let deviation = value - mean[i % channels]
      variance[i % channels] += deviation * deviation / rows
    }
    return (mean, variance)
  }

  static func batchNorm(
    _ x: NaiveTensor, scale: NaiveTensor, shift: NaiveTensor, mean: [Double], variance: [Double],
    epsilon: Double = 1e-5
  ) -> NaiveTensor {
    let channels = mean.count
    return NaiveTensor(
      x.shape,
      x.values.enumerated().map { i, value in
        let c = i % channels
        return (value - mean[c]) / (variance[c] + epsilon).squareRoot() * scale.values[c] + shift.values[c]
      })
  }

  static func relu(_ x: NaiveTensor) -> NaiveTensor { x.map { $0 < 0 ? 0 : $0 } }

  /// In ceil mode the number of windows is rounded up, and a last one that would begin behind the map is none.
  static func maxPool(
    _ x: NaiveTensor, kernel: Int, stride: Int, padding: Int, ceilMode: Bool = false
  ) -> NaiveTensor {
    func windows(_ side: Int) -> Int {
      let steps = Double(side + 2 * padding - kernel) / Double(stride)
      var count = Int(steps.rounded(ceilMode ? .up : .down)) + 1
      if ceilMode, (count - 1) * stride >= side + padding { count -= 1 }
      return count
    }
    let (height, width) = (windows(x.shape[1]), windows(x.shape[2]))
    var y = NaiveTensor(zeros: [x.shape[0], height, width, x.shape[3]])
    for n in 0..<x.shape[0] {
      for row in 0..<height {
        for column in 0..<width {
          for c in 0..<x.shape[3] {
            var largest = -Double.infinity
            for inRow in (row * stride - padding)..<(row * stride - padding + kernel)
            where (0..<x.shape[1]).contains(inRow) {
              for inColumn in (column * stride - padding)..<(column * stride - padding + kernel)
              where (0..<x.shape[2]).contains(inColumn) {
                largest = max(largest, x[n, inRow, inColumn, c])
              }
            }
            y[n, row, column, c] = largest
          }
        }
      }
    }
    return y
  }

  /// weight, bias: [C].
  static func subsampling(_ x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor, kernel: Int) -> NaiveTensor {
    var y = NaiveTensor(zeros: [x.shape[0], x.shape[1] / kernel, x.shape[2] / kernel, x.shape[3]])
    for n in 0..<y.shape[0] {
      for row in 0..<y.shape[1] {
        for column in 0..<y.shape[2] {
          for c in 0..<y.shape[3] {
            var sum = 0.0
            for a in 0..<kernel { for b in 0..<kernel { sum += x[n, row * kernel + a, column * kernel + b, c] } }
            y[n, row, column, c] = weight.values[c] * sum + bias.values[c]
          }
        }
      }
    }
    return y
  }

  /// The mean of what is there of each square.
  static func averageWindows(_ x: NaiveTensor, side: Int) -> NaiveTensor {
    let (height, width) = ((x.shape[1] + side - 1) / side, (x.shape[2] + side - 1) / side)
    var y = NaiveTensor(zeros: [x.shape[0], height, width, x.shape[3]])
    for n in 0..<x.shape[0] {
      for row in 0..<height {
        for column in 0..<width {
          for c in 0..<x.shape[3] {
            var (sum, count) = (0.0, 0.0)
            for inRow in (row * side)..<min((row + 1) * side, x.shape[1]) {
              for inColumn in (column * side)..<min((column + 1) * side, x.shape[2]) {
                sum += x[n, inRow, inColumn, c]
                count += 1
              }
            }
            y[n, row, column, c] = sum / count
          }
        }
      }
    }
    return y
  }

  static func luma(_ x: NaiveTensor) -> NaiveTensor {
    guard x.shape[3] == 3 else { return x }
    var y = NaiveTensor(zeros: [x.shape[0], x.shape[1], x.shape[2], 1])
    for pixel in y.values.indices {
      y.values[pixel] =
        0.299 * x.values[3 * pixel] + 0.587 * x.values[3 * pixel + 1] + 0.114 * x.values[3 * pixel + 2]
    }
    return y
  }

  /// firstWeight: [1, 1, C, R]; secondWeight: [1, 1, R, C].
  static func squeezeExcitation(
    _ x: NaiveTensor, firstWeight: NaiveTensor, firstBias: NaiveTensor, secondWeight: NaiveTensor,
    secondBias: NaiveTensor
  ) -> NaiveTensor {
    let (channels, reduced, pixels) = (x.shape[3], firstWeight.shape[3], x.shape[1] * x.shape[2])
    var y = x
    for n in 0..<x.shape[0] {
      var means = [Double](repeating: 0, count: channels)
      for i in 0..<pixels {
        for c in 0..<channels { means[c] += x.values[(n * pixels + i) * channels + c] / Double(pixels) }
      }
      let hidden = (0..<reduced).map { r in
        max(0, (0..<channels).reduce(firstBias.values[r]) { $0 + means[$1] * firstWeight.values[$1 * reduced + r] })
      }
      for c in 0..<channels {
        let sum = (0..<reduced).reduce(secondBias.values[c]) {
          $0 + hidden[$1] * secondWeight.values[$1 * channels + c]
        }
        for i in 0..<pixels { y.values[(n * pixels + i) * channels + c] /= 1 + exp(-sum) }
      }
    }
    return y
  }

  /// The maximum of each channel over the map: [N, 1, 1, C].
  static func globalMaxPool(_ x: NaiveTensor) -> NaiveTensor {
    var y = NaiveTensor(zeros: [x.shape[0], 1, 1, x.shape[3]])
    for n in 0..<x.shape[0] {
      for c in 0..<x.shape[3] {
        var best = -Double.infinity
        for row in 0..<x.shape[1] {
          for column in 0..<x.shape[2] { best = max(best, x[n, row, column, c]) }
        }
        y[n, 0, 0, c] = best
      }
    }
    return y
  }

  /// Area i of `side` covers the pixels floor(i * extent / side) ..< ceiling((i + 1) * extent / side).
  static func averagePool(_ x: NaiveTensor, side: Int) -> NaiveTensor {
    func area(_ index: Int, _ extent: Int) -> Range<Int> {
      let share = Double(extent) / Double(side)
      return Int((Double(index) * share).rounded(.down))..<Int((Double(index + 1) * share - 1e-9).rounded(.up))
    }
    var y = NaiveTensor(zeros: [x.shape[0], side, side, x.shape[3]])
    for n in 0..<x.shape[0] {
      for row in 0..<side {
        for column in 0..<side {
          let (rows, columns) = (area(row, x.shape[1]), area(column, x.shape[2]))
          for c in 0..<x.shape[3] {
            var sum = 0.0
            for inRow in rows { for inColumn in columns { sum += x[n, inRow, inColumn, c] } }
            y[n, row, column, c] = sum / Double(rows.count * columns.count)
          }
        }
      }
    }
    return y
  }

  /// weight: [I, O].
  static func dense(_ x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor) -> NaiveTensor {
    let (inputs, outputs) = (weight.shape[0], weight.shape[1])
    let images = x.values.count / inputs
    var y = NaiveTensor(zeros: [images, outputs])
    for n in 0..<images {
      for o in 0..<outputs {
        var sum = bias.values[o]
        for i in 0..<inputs { sum += x.values[n * inputs + i] * weight.values[i * outputs + o] }
        y.values[n * outputs + o] = sum
      }
    }
    return y
  }

  /// Every `stride`-th pixel; `before` zero channels, the input's, zeros up to `channels`.
  static func zeroPadded(_ x: NaiveTensor, stride: Int, channels: Int, before: Int) -> NaiveTensor {
    let rows = Array(Swift.stride(from: 0, to: x.shape[1], by: stride))
    let columns = Array(Swift.stride(from: 0, to: x.shape[2], by: stride))
    var y = NaiveTensor(zeros: [x.shape[0], rows.count, columns.count, channels])
    for n in 0..<x.shape[0] {
      for (row, inRow) in rows.enumerated() {
        for (column, inColumn) in columns.enumerated() {
          for c in 0..<x.shape[3] { y[n, row, column, before + c] = x[n, inRow, inColumn, c] }
        }
      }
    }
    return y
  }

  /// The channels of each map in turn.
  static func concatenated(_ maps: [NaiveTensor]) -> NaiveTensor {
    let channels = maps.map { $0.shape[3] }
    var y = NaiveTensor(zeros: Array(maps[0].shape.dropLast()) + [channels.reduce(0, +)])
    for n in 0..<y.shape[0] {
      for row in 0..<y.shape[1] {
        for column in 0..<y.shape[2] {
          var place = 0
          for (map, count) in zip(maps, channels) {
            for c in 0..<count {
              y[n, row, column, place] = map[n, row, column, c]
              place += 1
            }
          }
        }
      }
    }
    return y
  }

  /// The mean of -sum over k of q[k] * log softmax(logits)[k], q = (1 - smoothing) * onehot + smoothing / classes.
  static func crossEntropy(_ logits: NaiveTensor, labels: [Int], smoothing: Double, weights: [Double]? = nil)
    -> Double
  {
    let classes = logits.shape[1]
    var total = 0.0
    for (n, label) in labels.enumerated() {
      let exponentials = (0..<classes).map { exp(logits.values[n * classes + $0]) }
      let sum = exponentials.reduce(0, +)
      for k in 0..<classes {
        let target = (k == label ? 1 - smoothing : 0) + smoothing / Double(classes)
        total -= target * (weights?[k] ?? 1) * log(exponentials[k] / sum)
      }
    }
    return total / Double(labels.count)
  }

  /// Of images made of two: the mean of the losses by either label, each by its share.
  static func crossEntropy(_ logits: NaiveTensor, labels: MixedLabels, smoothing: Double) -> Double {
    let classes = logits.shape[1]
    var total = 0.0
    for n in labels.first.indices {
      let row = NaiveTensor([1, classes], Array(logits.values[(n * classes)..<((n + 1) * classes)]))
      total += labels.shares[n] * crossEntropy(row, labels: [labels.first[n]], smoothing: smoothing)
      total += (1 - labels.shares[n]) * crossEntropy(row, labels: [labels.second[n]], smoothing: smoothing)
    }
    return total / Double(labels.first.count)
  }
}
