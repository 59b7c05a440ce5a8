// How a convolution is computed: by its definition, or where that takes fewer multiplications by Winograd's algorithm.

/// Which ways of computing convolutions may be taken.
public enum ConvolutionAlgorithms: Sendable {
  /// Whatever is fastest for the shape.
  case fastest
  /// Only the definition's sums of products, whose rounding errors are several times smaller. Comparisons with another
  /// program need it: one activation that falls on the other side of a ReLU changes a gradient by a percent.
  case direct
  /// Mixed precision: like `fastest`, but the factors of products are rounded to bfloat16 (Kalamkar et al. 2019, "A
  /// study of BFLOAT16 for deep learning training"), in training passes and in prepared convolutions. Winograd's
  /// algorithm rounds what it transforms to, which enlarges the error of rounding to that of one bit less in tiles of
  /// 2x2 and of two in tiles of 4x4; with a stride of 2 it is not taken. The first layer stays in float32, and so do
  /// convolutions in groups, whose sums are too short to pay for the packing.
  case bfloat16
}

/// Memory that a pass needs for itself, floats.
public struct ConvolutionScratch: Sendable, Equatable {
  /// Once.
  var shared: Int
  /// For each thread that has a part of the work.
  var each: Int
  /// Parts of the work.
  var parts = Int.max

  public func floats(threads: Int) -> Int { shared + min(threads, parts) * each }
}

/// The way to compute a convolution. It depends on the shape alone, because it is part of the numerical result.
public struct ConvolutionMethod: Sendable {
  /// Of one group, where there are several.
  let direct: DirectConvolution
  /// nil where the definition is as fast or the algorithm does not apply.
  let winograd: Winograd?
  /// nil for one group, which is all channels.
  let grouped: GroupedConvolution?

  /// [N, H, W, C] and [N, H', W', O].
  var inputShape: [Int] { [direct.images, direct.height, direct.width, direct.channels * groups] }
  var outputShape: [Int] {
    [direct.images, direct.outputHeight, direct.outputWidth, direct.outputs * groups]
  }
  private var groups: Int { grouped?.groups ?? 1 }

  /// - Parameters:
  ///   - input: [N, H, W, C].
  ///   - weight: [KH, KW, C / groups, O].
  ///   - batch: the images of the batch that the input is a part of, for which the way is chosen; nil for those of the
  ///     input.
  public init(
    input: [Int], weight: [Int], stride: Int, padding: Extent, groups: Int = 1,
    _ algorithms: ConvolutionAlgorithms = .fastest, batch: Int? = nil
  ) {
    guard groups == 1 else {
      let grouped = GroupedConvolution(
        input: input, weight: weight, stride: stride, padding: padding, groups: groups)
      (direct, winograd, self.grouped) = (grouped.one, nil, grouped)
      return
    }
    grouped = nil
    let isPaired = algorithms == .bfloat16 && weight[2] % 2 == 0 && weight[3] % 2 == 0
    let precision: OperandPrecision = isPaired ? .bfloat16 : .float32
    direct = DirectConvolution(
      input: input, weight: weight, stride: stride, padding: padding, precision, batch: batch)
    let applies = algorithms != .direct && direct.kernel == 3 && stride <= 2 && padding == 1
    let geometry = Winograd.Geometry(
      images: direct.images, height: direct.height, width: direct.width, channels: direct.channels,
      outputs: direct.outputs)
    var whole = geometry
    whole.images = batch ?? geometry.images
    winograd =
      applies
      ? Winograd.choice(for: whole, stride: stride, precision).map { Winograd(geometry, $0, precision) } : nil
  }

  /// Sets y [N, H', W', O] from x [N, H, W, C] and w [KH, KW, C, O].
  /// - Parameters:
  ///   - moments: gathered from y, except by Winograd's algorithm, whose tiles end within lines of the map, and where the
  ///     output is made by places or by columns.
  ///   - finish: done to y.
  func forward(
    x: UnsafePointer<Float>, w: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
    moments: ChannelMoments? = nil, finish: ConvolutionFinish? = nil, _ pool: ThreadPool
  ) {
    if let winograd {
      winograd.convolve(x, w, into: y, finish: finish, pool)
    } else if let moments, grouped != nil || direct.gathersMoments {
      moments.gather(chunks: ThreadPool.standardChunks) {
        sum(x, w, into: y, moments: $0, finish: finish, pool)
      }
    } else {
      sum(x, w, into: y, moments: nil, finish: finish, pool)
    }
  }

  /// By the definition.
  private func sum(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    moments: ChannelMoments.Gathering?, finish: ConvolutionFinish?, _ pool: ThreadPool
  ) {
    if let grouped {
      grouped.forward(x: x, w: w, y: y, moments: moments, pool)
      finish?.apply(to: y, pixels: outputShape[..<3].reduce(1, *), pool)
    } else {
      direct.forward(x: x, w: w, y: y, moments: moments, finish: finish, pool)
    }
  }

  /// Sets dx [N, H, W, C] from dy [N, H', W', O] and w.
  func inputGradient(
    dy: UnsafePointer<Float>, w: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    if let winograd {
      winograd.inputGradient(dy, w, into: dx, pool)
    } else if let grouped {
      grouped.inputGradient(dy: dy, w: w, dx: dx, pool)
    } else {
      direct.inputGradient(dy: dy, w: w, dx: dx, pool)
    }
  }

  /// Sets dw [KH, KW, C, O] from x [N, H, W, C] and dy [N, H', W', O].
  func weightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ pool: ThreadPool
  ) {
    if let winograd {
      winograd.weightGradient(x, dy, into: &dw, pool)
    } else if let grouped {
      grouped.weightGradient(x: x, dy: dy, dw: &dw, pool)
    } else {
      direct.weightGradient(x: x, dy: dy, dw: &dw, pool)
    }
  }

  public var forwardScratch: ConvolutionScratch {
    winograd?.scratch(for: .output) ?? grouped?.forwardScratch ?? direct.forwardScratch
  }

  public var inputGradientScratch: ConvolutionScratch {
    winograd?.scratch(for: .inputGradient) ?? grouped?.inputGradientScratch ?? direct.inputGradientScratch
  }

  public var weightGradientScratch: ConvolutionScratch {
    winograd?.scratch(for: .weightGradient) ?? grouped?.weightGradientScratch ?? direct.weightGradientScratch
  }
}
