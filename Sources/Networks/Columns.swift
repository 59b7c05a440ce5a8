// The matrix of columns behind a convolution: its geometry, and walks over it a block at a time.

import CKernels
import Tensors

/// The geometry of one convolution of a batch. A line is one row of an output image; lines are numbered through the
/// whole batch.
struct Columns: Sendable {
  let images: Int
  /// Output lines of the whole batch: N * output height.
  let lines: Int
  /// Output pixels in a line.
  let lineLength: Int
  /// Columns of the matrix: K * K * C.
  let inner: Int
  /// O.
  let outputs: Int
  let outputShape: [Int]

  private let window: ck_window
  private let inputImage: Int
  /// A 1x1 kernel with stride 1: the input is the matrix of columns.
  private let isInput: Bool
  private let linesInBlock: Int

  /// - Parameters:
  ///   - input: [N, H, W, C].
  ///   - weight: [K, K, C, O].
  init(input: [Int], weight: [Int], stride: Int, padding: Int) {
    precondition(input.count == 4 && input[3] == weight[2], "a convolution of \(weight[2]) channels got \(input)")
    let kernel = weight[0]
    let height = (input[1] + 2 * padding - kernel) / stride + 1
    let width = (input[2] + 2 * padding - kernel) / stride + 1
    // Not height > 0: integer division rounds minus a half up to zero.
    precondition(
      min(input[1], input[2]) + 2 * padding >= kernel,
      "a \(kernel)x\(kernel) convolution of \(input) leaves nothing")
    images = input[0]
    lines = images * height
    lineLength = width
    inner = kernel * kernel * input[3]
    outputs = weight[3]
    outputShape = [images, height, width, outputs]
    inputImage = input[1] * input[2] * input[3]
    isInput = kernel == 1 && stride == 1 && padding == 0
    window = ck_window(
      height: Int32(input[1]), width: Int32(input[2]), channels: Int32(input[3]), out_height: Int32(height),
      out_width: Int32(width), kernel: Int32(kernel), stride: Int32(stride), padding: Int32(padding))
    // About half a megabyte of columns, but enough rows to make up for reading the weights once a block.
    let rows = max(Self.fewestRows, Self.blockFloats / inner)
    linesInBlock = max(1, rows / width)
  }

  private static let blockFloats = 1 << 17
  private static let fewestRows = 192

  /// The most floats that one thread's block of columns takes.
  var blockCapacity: Int { isInput ? 0 : linesInBlock * lineLength * inner }

  /// Calls `body` with the columns of successive blocks of `lines` and the output pixels they belong to.
  func forEachBlock(
    of lines: Range<Int>, in input: UnsafePointer<Float>, _ body: (UnsafePointer<Float>, Range<Int>) -> Void
  ) {
    if isInput {
      let pixels = (lines.lowerBound * lineLength)..<(lines.upperBound * lineLength)
      return body(input + pixels.lowerBound * inner, pixels)
    }
    var buffer = Tensor(uninitialised: [min(linesInBlock, lines.count) * lineLength * inner])
    buffer.write { block in
      for start in stride(from: lines.lowerBound, to: lines.upperBound, by: linesInBlock) {
        let part = start..<min(start + linesInBlock, lines.upperBound)
        fill(block, with: part, of: input)
        body(block, (part.lowerBound * lineLength)..<(part.upperBound * lineLength))
      }
    }
  }

  /// Adds to `dw` [K*K*C, O] and sets `dx`, both for a range of images.
  /// - Parameters:
  ///   - x: the whole input [N, H, W, C].
  ///   - dy: the whole output gradient [N, H', W', O].
  ///   - dx: the whole input gradient, nil where it is not wanted.
  func backward(
    images: Range<Int>, x: UnsafePointer<Float>, w: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    dw: UnsafeMutablePointer<Float>, dx: UnsafeMutablePointer<Float>?
  ) {
    let height = Int(window.out_height)
    let lines = (images.lowerBound * height)..<(images.upperBound * height)
    if let dx, !isInput {
      (dx + images.lowerBound * inputImage).update(repeating: 0, count: images.count * inputImage)
    }
    var columnGradient = Tensor(
      uninitialised: [dx == nil || isInput ? 0 : min(linesInBlock, lines.count) * lineLength * inner])
    columnGradient.write { dColumns in
      forEachBlock(of: lines, in: x) { block, pixels in
        let blockGradient = dy + pixels.lowerBound * outputs
        MatrixProduct.multiply(
          MatrixView(block, stride: inner, .transposed), MatrixView(blockGradient, stride: outputs), into: dw,
          rows: inner, columns: outputs, inner: pixels.count, accumulating: true)
        guard let dx else { return }
        MatrixProduct.multiply(
          MatrixView(blockGradient, stride: outputs), MatrixView(w, stride: outputs, .transposed),
          into: isInput ? dx + pixels.lowerBound * inner : dColumns, rows: pixels.count, columns: inner,
          inner: outputs)
        if !isInput {
          let part = (pixels.lowerBound / lineLength)..<(pixels.upperBound / lineLength)
          spread(dColumns, of: part, into: dx)
        }
      }
    }
  }

  private func fill(_ block: UnsafeMutablePointer<Float>, with lines: Range<Int>, of input: UnsafePointer<Float>) {
    forEachImage(in: lines) { image, first, count, offset in
      withUnsafePointer(to: window) {
        ck_windows_to_columns(
          $0, input + image * inputImage, first, count, block + offset * lineLength * inner)
      }
    }
  }

  private func spread(_ block: UnsafePointer<Float>, of lines: Range<Int>, into input: UnsafeMutablePointer<Float>)
  {
    forEachImage(in: lines) { image, first, count, offset in
      withUnsafePointer(to: window) {
        ck_columns_to_windows(
          $0, block + offset * lineLength * inner, first, count, input + image * inputImage)
      }
    }
  }

  /// Cuts a range of lines at the borders of images. `offset` counts lines from the start of the range.
  private func forEachImage(
    in lines: Range<Int>, _ body: (_ image: Int, _ first: Int32, _ count: Int32, _ offset: Int) -> Void
  ) {
    let height = Int(window.out_height)
    var line = lines.lowerBound
    while line < lines.upperBound {
      let image = line / height
      let end = min(lines.upperBound, (image + 1) * height)
      body(image, Int32(line - image * height), Int32(end - line), line - lines.lowerBound)
      line = end
    }
  }
}
