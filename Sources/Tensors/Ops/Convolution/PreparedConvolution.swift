// A convolution for inference alone: its weights are packed, or transformed, once instead of at each pass, a batch norm's
// factors are multiplied into them, and bias, shortcut and ReLU follow each product while it is in registers. It knows
// nothing of gradients, and of layers nothing but their numbers.

import CKernels

/// y = activation(x * w + bias + addend), as `Ops.convolve` defines x * w, of weights that do not change any more.
///
/// The bits of a result depend on shape and weights alone: each number is one sum in a fixed order, wherever the work is
/// cut. Not `Sendable`: what a shape needs is made when it first comes.
public final class PreparedConvolution {
  /// [KH, KW, C / groups, O], as they were.
  private let weight: Tensor
  /// [O]; nil for ones.
  private let factors: Tensor?
  /// [O].
  private let bias: Tensor
  private let stride: Int
  private let padding: Extent
  private let groups: Int
  private let algorithms: ConvolutionAlgorithms
  private var last: (method: ConvolutionMethod, batch: Int)?
  /// The last that was needed, and no other: batches are mostly of one size.
  private var prepared: (form: Form, weights: Tensor)?

  /// What weights are made into.
  private enum Form: Hashable {
    /// Panels for products.
    case panels(OperandPrecision)
    /// Winograd's planes.
    case planes(Winograd.Tile, OperandPrecision)
    /// As they are, multiplied.
    case plain
  }

  /// - Parameters:
  ///   - weight: [KH, KW, C / groups, O].
  ///   - norm: what follows, multiplied into weights and bias; nil for nothing.
  ///   - bias: [O], without a norm; nil for zeros.
  ///   - algorithms: with `.bfloat16`, weights are rounded after a norm's factors are multiplied into them, and the
  ///     input as it is copied for the product, both as Winograd's algorithm transforms them where it is taken; bias,
  ///     addend and sums are not.
  public init(
    weight: Tensor, bias: Tensor? = nil, norm: FoldedBatchNorm? = nil, stride: Int = 1, padding: Extent = 0,
    groups: Int = 1, algorithms: ConvolutionAlgorithms = .fastest
  ) {
    precondition(norm == nil || bias == nil, "a norm after a bias")
    let outputs = weight.shape[3]
    self.weight = weight
    factors = norm.map { Tensor([outputs], $0.foldedWeight) }
    self.bias = norm.map { Tensor([outputs], $0.foldedBias) } ?? bias ?? Tensor(zeros: [outputs])
    (self.stride, self.padding, self.groups, self.algorithms) = (stride, padding, groups, algorithms)
  }

  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - addend: [N, H', W', O]; becomes the result where nobody else has it.
  ///   - batch: the images of the batch that x is a part of; nil for N. What comes of an image depends on it alone, not
  ///     on N.
  /// - Returns: [N, H', W', O].
  public func callAsFunction(
    _ x: Tensor, adding addend: consuming Tensor? = nil, _ activation: Activation, ofBatch batch: Int? = nil,
    _ ops: Ops
  ) -> Tensor {
    let method = method(x.shape, batch ?? x.shape[0])
    precondition(addend.map { $0.shape == method.outputShape } ?? true, "an addend of another shape")
    let weights = form(of: method, ops)
    let relu: Int32 = activation == .relu ? 1 : 0
    func compute(_ y: UnsafeMutablePointer<Float>, adding addend: UnsafePointer<Float>?) {
      Tensor.read(x, weights) { x, weights in
        bias.read { bias in
          method.finish(
            x: x, prepared: weights, y: y, ProductFinish(bias: bias, addend: addend, relu: relu), ops.pool)
        }
      }
    }
    guard var added = consume addend else {
      var output = Tensor(uninitialized: method.outputShape)
      output.write { compute($0, adding: nil) }
      return output
    }
    if added.isUnique() {
      added.write { compute($0, adding: UnsafePointer($0)) }
      return added
    }
    var output = Tensor(uninitialized: method.outputShape)
    added.read { added in output.write { compute($0, adding: added) } }
    return output
  }

  /// Lets go of what was made of the weights; whoever uses it again has it made anew.
  public func forgetPrepared() { prepared = nil }

  private func method(_ input: [Int], _ batch: Int) -> ConvolutionMethod {
    if let last, last.batch == batch, last.method.inputShape == input { return last.method }
    let method = ConvolutionMethod(
      input: input, weight: weight.shape, stride: stride, padding: padding, groups: groups, algorithms, batch: batch
    )
    last = (method, batch)
    return method
  }

  private func form(of method: ConvolutionMethod, _ ops: Ops) -> Tensor {
    let form: Form =
      if let winograd = method.winograd {
        .planes(winograd.tile, winograd.precision)
      } else if method.grouped != nil {
        .plain
      } else {
        .panels(method.direct.precision)
      }
    if let prepared, prepared.form == form { return prepared.weights }
    prepared = nil
    let made = made(form, method, ops.pool)
    prepared = (form, made)
    return made
  }

  private func made(_ form: Form, _ method: ConvolutionMethod, _ pool: ThreadPool) -> Tensor {
    guard let factors else { return made(form, weight, method, pool) }
    var product = Tensor(uninitialized: weight.shape)
    let outputs = bias.count
    Tensor.read(weight, factors) { weight, factors in
      product.write { product in
        pool.run(over: weightRows, chunks: ThreadPool.chunks(of: weightRows * outputs)) { rows in
          let start = rows.lowerBound * outputs
          ck_scale_channels(product + start, weight + start, rows.count, outputs, factors, nil)
        }
      }
    }
    return made(form, product, method, pool)
  }

  private var weightRows: Int { weight.count / max(1, bias.count) }

  private func made(_ form: Form, _ weight: Tensor, _ method: ConvolutionMethod, _ pool: ThreadPool) -> Tensor {
    var made = Tensor(uninitialized: [method.preparedFloats])
    switch form {
    case .plain: return weight
    case .panels(let precision):
      let depth = method.direct.forwardGEMM.depth
      weight.read { weight in
        made.write { made in
          PackedWeights(depth: depth, columns: bias.count, precision, made)
            .pack(weight, count: depth, rowStride: bias.count, pool)
        }
      }
    case .planes:
      weight.read { weight in made.write { method.winograd?.prepare(weight, into: $0, pool) } }
    }
    return made
  }
}

extension ConvolutionMethod {
  /// Floats of the weights as files have them.
  public var weights: Int { direct.forwardGEMM.depth * direct.outputs * (grouped?.groups ?? 1) }

  /// Floats of weights that are prepared for it.
  public var preparedFloats: Int {
    if let winograd { return winograd.preparedPlanes.floats }
    if grouped != nil { return weights }
    return PackedWeights.floats(
      depth: direct.forwardGEMM.depth, columns: direct.outputs, direct.precision)
  }

  /// Floats that preparing weights needs for itself.
  public func preparationScratch(threads: Int) -> Int {
    winograd.map { min(threads, $0.groups) * $0.filterScratch } ?? 0
  }

  /// Floats that a pass over prepared weights needs for itself.
  public func finishScratch(threads: Int) -> Int {
    if let winograd { return winograd.preparedScratch(threads: threads).floats(threads: threads) }
    if let grouped {
      // What is summed before it is added.
      var scratch = grouped.forwardScratch
      scratch.shared += outputShape.reduce(1, *)
      return scratch.floats(threads: threads)
    }
    let gemm = direct.forwardGEMM
    return gemm.placesScratch(direct.precision)
      + threads * gemm.finishScratch(columns: direct.outputs, direct.precision)
  }

  /// Sets y [N, H', W', O] from x [N, H, W, C], with what follows.
  fileprivate func finish(
    x: UnsafePointer<Float>, prepared: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
    _ finish: ProductFinish,
    _ pool: ThreadPool
  ) {
    if let winograd {
      winograd.convolve(x, prepared: prepared, into: y, finish, pool)
    } else if let grouped {
      finishGroups(grouped, x, prepared, into: y, finish, pool)
    } else {
      let gemm = direct.forwardGEMM
      // Only read.
      let weights = PackedWeights(
        depth: gemm.depth, columns: direct.outputs, direct.precision, UnsafeMutablePointer(mutating: prepared))
      gemm.finish(x, weights, into: y, finish, pool)
    }
  }

  /// Groups are summed first; what follows is a pass of its own over what they gave.
  private func finishGroups(
    _ grouped: GroupedConvolution, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>, _ finish: ProductFinish, _ pool: ThreadPool
  ) {
    let (pixels, channels) = (outputShape[..<3].reduce(1, *), outputShape[3])
    func sum(into target: UnsafeMutablePointer<Float>) {
      grouped.forward(x: x, w: w, y: target, moments: nil, pool)
      let ones = [Float](repeating: 1, count: channels)
      pool.run(over: pixels, chunks: ThreadPool.chunks(of: pixels * channels)) { part in
        let start = part.lowerBound * channels
        ck_batchnorm_apply(
          y + start, target + start, finish.addend.map { $0 + start }, part.count, channels, ones, finish.bias,
          finish.relu, nil, 0)
      }
    }
    // What is added may stand where the result goes.
    if finish.addend == UnsafePointer(y) {
      StoragePool.withScratch(pixels * channels) { sum(into: $0) }
    } else {
      sum(into: y)
    }
  }
}
