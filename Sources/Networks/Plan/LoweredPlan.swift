// A description made into what is computed: the one list of operations, each with its inputs, its shape and what is
// done together with it. The builder, the memory estimate, the summary and the list of arrays in files all read it, so
// that none of them walks the description or works out a shape. What is fused is decided here and nowhere else.

import Messages
import Tensors

/// The operations of a network, in an order in which each comes after those whose outputs it reads.
///
/// What flows between operations is numbered: value 0 is the image, value i + 1 the output of operation i. A value that
/// several operations read is where branches part. The last one is the network's output.
public struct LoweredPlan: Sendable, Equatable {
  public typealias Value = Int
  public static let image: Value = 0

  public struct Operation: Sendable, Equatable {
    public let kind: LayerKind
    /// The values that it reads: one, or those that it joins.
    public let inputs: [Value]
    /// The first input's shape.
    public let input: FeatureShape
    /// The map that the first input was before it was flattened, which decides the order of dense weights in files; the
    /// input's own shape if it never was.
    public let map: FeatureShape
    public let output: FeatureShape
    /// Nesting below the network: 0 outside blocks, 1 in a block's body, 2 on its shortcut.
    public let depth: Int
    /// Whether it is of an auxiliary head, which only training runs.
    public let isAuxiliary: Bool
    /// The block that it is a part of, by its name; nil outside of blocks.
    public let block: String?
    /// The batch norm that does this addition or ReLU along with its own work; nil if it is done for itself.
    public fileprivate(set) var fusedWith: Int?
  }

  /// What is done in one go: an operation, and for a batch norm the addition and the ReLU that are fused with it.
  public struct Step: Sendable, Equatable {
    /// The operation that is done, or that the others are fused with.
    public let operation: Int
    /// The operation's inputs; after a batch norm's own, what it adds.
    public let inputs: [Input]
    /// The output of the last operation of the step.
    public let output: Value
    /// Whether a ReLU is fused.
    public let activates: Bool
    /// The batch norm, by its operation, that alone reads this convolution's output: its moments can be gathered while
    /// the output is in cache.
    public let momentsFor: Int?
    /// Whether it keeps its weights: it is run as in inference, and never backwards.
    public let isFrozen: Bool
    /// Whether it is of an auxiliary head.
    public let isAuxiliary: Bool

    /// Whether a batch norm adds what a shortcut carries.
    public var adds: Bool { inputs.count == 2 }
  }

  /// A value where a step reads it.
  public struct Input: Sendable, Equatable {
    public let value: Value
    /// Whether nothing reads it later: its memory can be used again.
    public let isLast: Bool
    /// Whether there is anything to learn before it. The image has no gradient, so a convolution that reads it leaves
    /// that out.
    public let hasGradient: Bool
  }

  public let image: FeatureShape
  /// The first so many operations keep their weights. They form a whole from the image to the value `features`: no other
  /// value of theirs is read behind it.
  public let frozen: Int
  /// What comes out of the frozen operations; the image where none are.
  public let features: Value
  /// The outputs of auxiliary heads, [N, classes] each, in the order of the description.
  public let heads: [Value]
  /// In the order of the description, which is that of rows, parameters and arrays in files.
  public let operations: [Operation]
  /// In the order in which they are run; backwards, in the opposite one.
  public let steps: [Step]

  /// - Parameters:
  ///   - image: what value 0 is.
  ///   - imageGradient: whether the gradient by the image is wanted too, as tests do.
  ///   - frozen: how many operations, from the first, keep their weights.
  /// - Throws: `NetworkError.vanishes` where a map is too small for a layer.
  public init(_ plans: [LayerPlan], image: FeatureShape, imageGradient: Bool = false, frozen: Int = 0) throws {
    var lowering = Lowering(image: image, frozen: frozen)
    _ = try lowering.add(plans, to: Self.image, depth: 0)
    self.image = image
    self.frozen = frozen
    (operations, steps) = lowering.finished(imageGradient: imageGradient)
    features = operations.prefix(frozen).lastIndex { !$0.isAuxiliary }.map { $0 + 1 } ?? Self.image
    heads = lowering.heads
  }

  public var output: FeatureShape { operations.last?.output ?? image }

  /// Of each value, the side in pixels of the square of the image that one of its places is made from, padding left
  /// aside: from layer to layer it grows by the kernel less one, times the pixels between two places (Araujo, Norris and
  /// Sim 2019, "Computing receptive fields of convolutional neural networks", section 2.2).
  var receptiveFields: [Int] {
    var fields = [(side: 1, step: 1)]
    for operation in operations {
      let inputs = operation.inputs.map { fields[$0] }
      var field = inputs.max { $0.side < $1.side } ?? (1, 1)
      let (kernel, stride) = operation.window
      field.side += (kernel - 1) * field.step
      field.step *= stride
      fields.append(field)
    }
    return fields.map(\.side)
  }

  /// Whether what comes out of a step is what somebody would look at as a layer's activations: it has gone through an
  /// activation function or is a sum, or nothing of the kind follows at once.
  func givesActivations(_ step: Step) -> Bool {
    switch operations[step.output - 1].kind {
    case .relu, .scaledTanh, .join: true
    case .convolution, .sparseConvolution, .batchNorm, .subsampling, .whitening, .dense, .squeezeExcitation:
      !operations.contains { $0.inputs.contains(step.output) && $0.kind.belongsToLayerBefore }
    case .luma, .maxPool, .averagePool, .averageWindows, .globalMaxPool, .flatten, .dropout, .dropPath, .scale,
      .zeroPadding:
      false
    }
  }

  /// Whether a ReLU has done the last of a step.
  func isRectified(_ step: Step) -> Bool { operations[step.output - 1].kind == .relu }

  /// The sum of two branches that a step does: its operation, and whether the step's own first input is the first branch,
  /// which is a residual block's body.
  func sum(_ step: Step) -> (operation: Int, beginsWithBody: Bool)? {
    let place = operations.indices.first { index in
      index == step.operation || operations[index].fusedWith == step.operation
        ? operations[index].kind.isSum && operations[index].inputs.count == 2 : false
    }
    guard let place else { return nil }
    return (place, place == step.operation || operations[place].inputs[0] == step.operation + 1)
  }

  /// Whether a squashing function follows an operation at once.
  func isSquashed(_ operation: Int) -> Bool {
    operation + 1 < operations.count && operations[operation + 1].kind == .scaledTanh
      && operations[operation + 1].inputs == [operation + 1]
  }

  /// The last operation that learns, which is the classifier of a whole network; nil where none does.
  var lastLearning: Int? { operations.lastIndex { $0.kind.learns && !$0.isAuxiliary } }
}

// MARK: - Shapes

extension LayerKind {
  /// The shape that comes out.
  /// - Parameter inputs: one shape, or those of the branches that are joined.
  /// - Throws: `NetworkError.vanishes`.
  fileprivate func output(for inputs: [FeatureShape]) throws -> FeatureShape {
    let input = inputs[0]
    switch self {
    case .convolution(let name, let outputs, let kernel, let stride, let padding, _, let groups):
      precondition(
        input.channels % groups == 0 && outputs % groups == 0,
        "'\(name)' cuts \(input.channels) channels and \(outputs) outputs into \(groups) groups")
      return try Self.slide(input, outputs, kernel, stride, padding, name)
    case .sparseConvolution(let name, let kernel, let sources):
      return try Self.slide(input, sources.count, kernel, 1, 0, name)
    case .subsampling(let name, let kernel):
      return try Self.slide(input, input.channels, Extent(kernel), kernel, 0, name)
    case .luma: return FeatureShape(height: input.height, width: input.width, channels: 1)
    case .maxPool(let kernel, let stride, let padding, let ceilMode):
      let window = MaxPoolWindow(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
      let (height, width) = (window.count(along: input.height), window.count(along: input.width))
      guard min(height, width) > 0 else { throw NetworkError.vanishes(layer: "max pool", input: input) }
      return FeatureShape(height: height, width: width, channels: input.channels)
    case .averagePool(let side): return FeatureShape(height: side, width: side, channels: input.channels)
    case .averageWindows(let side):
      return FeatureShape(
        height: (input.height + side - 1) / side, width: (input.width + side - 1) / side, channels: input.channels)
    case .globalMaxPool: return FeatureShape(height: 1, width: 1, channels: input.channels)
    case .whitening(let name, let kernel):
      return try Self.slide(
        input, Self.whiteningFilters(kernel, channels: input.channels), Extent(kernel), 1, 0, name)
    case .flatten: return FeatureShape(height: 1, width: 1, channels: input.count)
    case .dense(_, let outputs, _, _): return FeatureShape(height: 1, width: 1, channels: outputs)
    case .batchNorm, .relu, .scaledTanh, .dropout, .dropPath, .scale, .squeezeExcitation: return input
    case .zeroPadding(let name, let stride, let channels, _):
      guard channels >= input.channels else {
        throw NetworkError.unsupported(
          "shortcut A puts zeros where channels are new and cannot drop any, and '\(name)' would go from \(input.channels) "
            + "to \(channels): choose another --shortcut, or a smaller --stem-width")
      }
      return FeatureShape(
        height: (input.height + stride - 1) / stride, width: (input.width + stride - 1) / stride, channels: channels
      )
    case .join(let name, .addition):
      precondition(inputs.allSatisfy { $0 == input }, "'\(name)' adds maps of different shapes: \(inputs)")
      return input
    case .join(let name, .concatenation):
      precondition(
        inputs.allSatisfy { ($0.height, $0.width) == (input.height, input.width) },
        "'\(name)' concatenates maps of different sizes: \(inputs)")
      return FeatureShape(
        height: input.height, width: input.width, channels: inputs.reduce(0) { $0 + $1.channels })
    }
  }

  /// Filters of a whitening layer.
  static func whiteningFilters(_ kernel: Int, channels: Int) -> Int { 2 * kernel * kernel * channels }

  private static func slide(
    _ input: FeatureShape, _ channels: Int, _ kernel: Extent, _ stride: Int, _ padding: Extent, _ name: String
  ) throws -> FeatureShape {
    let height = (input.height + 2 * padding.height - kernel.height) / stride + 1
    let width = (input.width + 2 * padding.width - kernel.width) / stride + 1
    guard input.height + 2 * padding.height >= kernel.height, input.width + 2 * padding.width >= kernel.width,
      height > 0, width > 0
    else { throw NetworkError.vanishes(layer: name, input: input) }
    return FeatureShape(height: height, width: width, channels: channels)
  }
}

// MARK: - Lowering

/// Writes the list, and then decides what is done together.
private struct Lowering {
  typealias Value = LoweredPlan.Value

  private var operations: [LoweredPlan.Operation] = []
  /// Of each value: its shape, and the map that it was before it was flattened.
  private var shapes: [FeatureShape]
  private var maps: [FeatureShape]
  private let frozen: Int
  /// The values that come out of auxiliary heads.
  private(set) var heads: [Value] = []
  private var isInHead = false
  private var block: String?

  init(image: FeatureShape, frozen: Int) {
    (shapes, maps) = ([image], [image])
    self.frozen = frozen
  }

  /// - Returns: the value that comes out: the input's own for no layers.
  mutating func add(_ plans: [LayerPlan], to input: Value, depth: Int) throws -> Value {
    var value = input
    for plan in plans {
      switch plan {
      case .layer(let kind): value = try add(kind, reading: [value], depth: depth)
      case .block(let name, let layers):
        let outer = block
        block = name
        value = try add(layers, to: value, depth: depth + 1)
        block = outer
      case .branches(let name, let branches, let join):
        precondition(branches.count > 1, "'\(name)' joins one branch")
        let ends = try branches.enumerated().map { index, branch in
          try add(branch, to: value, depth: index == 0 ? depth : depth + 1)
        }
        value = try add(.join(name: name, join), reading: ends, depth: depth)
      case .auxiliaryHead(let name, let layers):
        precondition(!isInHead && !layers.isEmpty, "'\(name)' is no head")
        isInHead = true
        heads.append(try add(layers, to: value, depth: depth + 1))
        isInHead = false
      }
    }
    return value
  }

  private mutating func add(_ kind: LayerKind, reading inputs: [Value], depth: Int) throws -> Value {
    let (shape, map) = (shapes[inputs[0]], maps[inputs[0]])
    let output = try kind.output(for: inputs.map { shapes[$0] })
    operations.append(
      LoweredPlan.Operation(
        kind: kind, inputs: inputs, input: shape, map: map, output: output, depth: depth, isAuxiliary: isInHead,
        block: block))
    shapes.append(output)
    switch kind {
    // Each value stays where it was.
    case .flatten, .relu, .scaledTanh, .dropout, .dropPath, .scale: maps.append(map)
    default: maps.append(output)
    }
    return operations.count
  }

  /// A batch norm with what it does besides its own work, while that is gathered.
  private struct Fusion {
    var addend: Value?
    var activates = false
    /// The last operation of the step.
    var last: Int
  }

  mutating func finished(imageGradient: Bool) -> ([LoweredPlan.Operation], [LoweredPlan.Step]) {
    let readers = readers
    let fusions = fuse(readers)
    let hasGradient = hasGradient(imageGradient)

    // A norm that adds waits for the branch that it adds: a step stands where its last operation does.
    var steps: [(operation: Int, inputs: [Value], last: Int, activates: Bool)] = []
    for (index, operation) in operations.enumerated() where operation.fusedWith == nil {
      let fusion = fusions[index]
      steps.append(
        (
          index, operation.inputs + (fusion?.addend.map { [$0] } ?? []), fusion?.last ?? index,
          fusion?.activates ?? false
        ))
    }
    steps.sort { $0.last < $1.last }

    // From the end, whoever comes first is the last reader.
    var isReadLater = [Bool](repeating: false, count: shapes.count)
    var finished: [LoweredPlan.Step] = []
    for step in steps.reversed() {
      var inputs: [LoweredPlan.Input] = []
      for value in step.inputs.reversed() {
        inputs.append(
          LoweredPlan.Input(value: value, isLast: !isReadLater[value], hasGradient: hasGradient[value]))
        isReadLater[value] = true
      }
      finished.append(
        LoweredPlan.Step(
          operation: step.operation, inputs: inputs.reversed(), output: step.last + 1, activates: step.activates,
          momentsFor: momentsReader(of: step.operation, readers), isFrozen: step.last < frozen,
          isAuxiliary: operations[step.operation].isAuxiliary))
    }
    return (operations, finished.reversed())
  }

  /// The operations that read each value.
  private var readers: [[Int]] {
    var readers = [[Int]](repeating: [], count: shapes.count)
    for (index, operation) in operations.enumerated() {
      for value in operation.inputs { readers[value].append(index) }
    }
    return readers
  }

  /// The fusions, all of them: a batch norm does the addition of two branches, one of which it ends, and the ReLU after
  /// either. Nothing else may read what is between, because it is never there.
  /// - Returns: by the batch norm's operation.
  private mutating func fuse(_ readers: [[Int]]) -> [Int: Fusion] {
    var fusions: [Int: Fusion] = [:]
    /// Where a value is the output of a batch norm's step that only `reader` reads: that batch norm.
    func norm(before value: Value, onlyFor reader: Int) -> Int? {
      guard value != LoweredPlan.image, readers[value] == [reader] else { return nil }
      let maker = operations[value - 1]
      if case .batchNorm = maker.kind { return value - 1 }
      return maker.fusedWith
    }
    for index in operations.indices {
      let inputs = operations[index].inputs
      switch operations[index].kind {
      case .batchNorm: fusions[index] = Fusion(last: index)
      case .relu:
        guard let norm = norm(before: inputs[0], onlyFor: index), fusions[norm]?.activates == false else {
          continue
        }
        fusions[norm]?.activates = true
        fusions[norm]?.last = index
        operations[index].fusedWith = norm
      case .join(_, .addition) where inputs.count == 2:
        for (value, addend) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
          guard let norm = norm(before: value, onlyFor: index), fusions[norm]?.last == norm else { continue }
          fusions[norm]?.addend = addend
          fusions[norm]?.last = index
          operations[index].fusedWith = norm
          break
        }
      default: break
      }
    }
    return fusions
  }

  private func momentsReader(of index: Int, _ readers: [[Int]]) -> Int? {
    guard case .convolution = operations[index].kind, let reader = readers[index + 1].first,
      readers[index + 1].count == 1, case .batchNorm = operations[reader].kind
    else { return nil }
    return reader
  }

  /// Of each value, whether anything before it learns.
  private func hasGradient(_ image: Bool) -> [Bool] {
    var has = [image]
    for (index, operation) in operations.enumerated() {
      has.append((operation.kind.learns && index >= frozen) || operation.inputs.contains { has[$0] })
    }
    return has
  }
}

extension LoweredPlan.Operation {
  /// Places of the input along a side that one place of the output is made from, and how far two of those are apart.
  fileprivate var window: (kernel: Int, stride: Int) {
    let side = max(input.height, input.width)
    return switch kind {
    case .convolution(_, _, let kernel, let stride, _, _, _): (max(kernel.height, kernel.width), stride)
    case .sparseConvolution(_, let kernel, _): (max(kernel.height, kernel.width), 1)
    case .subsampling(_, let kernel): (kernel, kernel)
    case .maxPool(let kernel, let stride, _, _): (kernel, stride)
    case .averagePool(let count): ((side + count - 1) / count, max(1, side / count))
    case .averageWindows(let width): (width, width)
    case .globalMaxPool, .flatten, .squeezeExcitation: (side, 1)
    case .whitening(_, let kernel): (kernel, 1)
    case .zeroPadding(_, let stride, _, _): (1, stride)
    case .batchNorm, .relu, .scaledTanh, .luma, .dropout, .dropPath, .scale, .dense, .join: (1, 1)
    }
  }
}

extension LayerKind {
  /// Whether it goes on with what the layer before it has made, and that alone is of interest.
  fileprivate var belongsToLayerBefore: Bool {
    switch self {
    case .batchNorm, .relu, .scaledTanh: true
    default: false
    }
  }

  fileprivate var isSum: Bool { if case .join(_, .addition) = self { true } else { false } }

  /// Whether it has parameters that learn.
  var learns: Bool {
    switch self {
    case .convolution, .sparseConvolution, .subsampling, .batchNorm, .dense, .squeezeExcitation: true
    case .relu, .maxPool, .averagePool, .averageWindows, .globalMaxPool, .flatten, .dropout, .dropPath, .scale,
      .zeroPadding, .join, .whitening, .scaledTanh, .luma:
      false
    }
  }
}
