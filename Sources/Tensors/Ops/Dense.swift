// The products of a fully connected layer, by BLAS. Letters: N images, I values in, O values out.

extension Ops {
  /// y = x * w + b
  /// - Parameters:
  ///   - x: [N, ...] of I values an image.
  ///   - w: [I, O].
  ///   - b: [O].
  /// - Returns: [N, O].
  public func dense(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Tensor {
    let (images, inputs, outputs) = (x.shape[0], w.shape[0], w.shape[1])
    var output = Tensor(uninitialized: [images, outputs])
    Tensor.read(x, w) { x, w in
      b.read { b in
        output.write { y in
          // Each chunk sets some columns of every row, so the weights are read once: they are the large matrix.
          pool.run(over: outputs) { range in
            StoragePool.withScratch(images * range.count) { part in
              GEMM.multiply(
                MatrixView(x, stride: inputs), MatrixView(w + range.lowerBound, stride: outputs), into: part,
                rows: images, columns: range.count, inner: inputs)
              for image in 0..<images {
                for (column, output) in range.enumerated() {
                  y[image * outputs + output] = part[image * range.count + column] + b[output]
                }
              }
            }
          }
        }
      }
    }
    return output
  }

  /// The dot products of all rows of two matrices.
  /// - Parameters:
  ///   - a: [N, I].
  ///   - b: [M, I].
  /// - Returns: [N, M].
  public func dotProducts(_ a: Tensor, _ b: Tensor) -> Tensor {
    let (rows, inner, others) = (a.shape[0], a.shape[1], b.shape[0])
    precondition(b.shape[1] == inner, "rows of \(inner) numbers, and of \(b.shape[1])")
    var products = Tensor(uninitialized: [rows, others])
    Tensor.read(a, b) { a, b in
      products.write { products in
        // A chunk sets some columns of every row: `b` is the large matrix, and is read once.
        pool.run(over: others) { range in
          StoragePool.withScratch(rows * range.count) { part in
            GEMM.multiply(
              MatrixView(a, stride: inner), MatrixView(b + range.lowerBound * inner, stride: inner, .transposed),
              into: part, rows: rows, columns: range.count, inner: inner)
            for row in 0..<rows {
              (products + row * others + range.lowerBound).update(
                from: part + row * range.count, count: range.count)
            }
          }
        }
      }
    }
    return products
  }

  /// dw [I, O] = transposed x * dy
  public func denseWeightGradient(_ x: Tensor, _ dy: Tensor, into dw: inout Tensor) {
    let (images, inputs, outputs) = (x.shape[0], dw.shape[0], dw.shape[1])
    Tensor.read(x, dy) { x, dy in
      dw.write { dw in
        // A chunk sets some rows.
        pool.run(over: inputs) { range in
          GEMM.multiply(
            MatrixView(x + range.lowerBound, stride: inputs, .transposed), MatrixView(dy, stride: outputs),
            into: dw + range.lowerBound * outputs, rows: range.count, columns: outputs, inner: images)
        }
      }
    }
  }

  /// dx [N, I] = dy * transposed w
  /// - Parameter shape: the input's, of N * I values.
  public func denseInputGradient(_ dy: Tensor, _ w: Tensor, inputShape shape: [Int]) -> Tensor {
    let (inputs, outputs) = (w.shape[0], w.shape[1])
    var gradient = Tensor(uninitialized: shape)
    Tensor.read(w, dy) { w, dy in
      gradient.write { dx in
        // A chunk sets some images.
        pool.run(over: shape[0]) { range in
          GEMM.multiply(
            MatrixView(dy + range.lowerBound * outputs, stride: outputs),
            MatrixView(w, stride: outputs, .transposed), into: dx + range.lowerBound * inputs, rows: range.count,
            columns: inputs, inner: outputs)
        }
      }
    }
    return gradient
  }
}
