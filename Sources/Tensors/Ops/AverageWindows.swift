// Means of squares of pixels side by side, and their gradient.

import CKernels

extension Ops {
  /// The mean of each square of `side` x `side` pixels of x [N, H, W, C]; at the lower and the right edge, of what is
  /// there of it (PyTorch's AvgPool2d with that stride, `ceil_mode` and without `count_include_pad`).
  /// - Returns: [N, ceil(H / side), ceil(W / side), C].
  public func averageWindows(_ x: Tensor, side: Int) -> Tensor {
    let shape = x.shape
    let squares = Squares(shape, side: side)
    var output = Tensor(zeros: [shape[0], squares.lines, squares.columns, shape[3]])
    x.read { x in
      output.write { y in
        pool.run(over: shape[0] * squares.lines) { lines in
          for line in lines {
            squares.forEach(inLine: line) { pixel, rows, width, share in
              let mean = y + pixel
              for row in rows { ck_column_sums(x + row, width, shape[3], mean) }
              ck_scale(mean, share, shape[3])
            }
          }
        }
      }
    }
    return output
  }

  /// dx: each square's share, dy / (its pixels).
  /// - Parameters:
  ///   - dy: [N, ceil(H / side), ceil(W / side), C].
  ///   - shape: the input's, [N, H, W, C].
  public func averageWindowsGradient(_ dy: consuming Tensor, side: Int, inputShape shape: [Int]) -> Tensor {
    let squares = Squares(shape, side: side)
    var gradient = Tensor(zeros: shape)
    dy.write { dy in
      gradient.write { dx in
        pool.run(over: shape[0] * squares.lines) { lines in
          for line in lines {
            squares.forEach(inLine: line) { pixel, rows, width, share in
              ck_scale(dy + pixel, share, shape[3])
              for row in rows { ck_add_bias(dx + row, width, shape[3], dy + pixel) }
            }
          }
        }
      }
    }
    return gradient
  }
}

/// A map [N, H, W, C] cut into squares.
private struct Squares {
  private let shape: [Int]
  private let side: Int
  let lines: Int
  let columns: Int

  init(_ shape: [Int], side: Int) {
    (self.shape, self.side) = (shape, side)
    (lines, columns) = ((shape[1] + side - 1) / side, (shape[2] + side - 1) / side)
  }

  /// Of each square of a line of the batch: where its mean is, where its rows begin in the map, their pixels, and one
  /// over the number of all of them.
  func forEach(
    inLine line: Int, _ body: (_ mean: Int, _ rows: StrideTo<Int>, _ width: Int, _ share: Float) -> Void
  ) {
    let (image, y) = line.quotientAndRemainder(dividingBy: lines)
    let row = shape[2] * shape[3]
    let height = min(side, shape[1] - y * side)
    for column in 0..<columns {
      let width = min(side, shape[2] - column * side)
      let first = (image * shape[1] + y * side) * row + column * side * shape[3]
      body(
        (line * columns + column) * shape[3], stride(from: first, to: first + height * row, by: row), width,
        1 / Float(height * width))
    }
  }
}
