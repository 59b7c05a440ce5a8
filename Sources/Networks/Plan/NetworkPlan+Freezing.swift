// Which part of a network a name freezes. A part ends between two layers of the description, never inside a block: what
// is frozen leads from the image to one value, and everything that is trained comes behind it.

import Messages

extension NetworkPlan {
  /// The same network in which a part keeps its weights: everything from the image to the end of what is named.
  ///
  /// Layers without parameters that follow are frozen with it, as a pool is, but not dropout: before what is trained it
  /// still drops.
  /// - Parameter part: `none`, `backbone`, `stem`, or a name as in files: `layer2`, `layer3.1`, `features.10`.
  /// - Throws: `NetworkError.unsupported` for a part that the network does not have, or one that leaves nothing to train.
  public func freezing(_ part: String) throws -> NetworkPlan {
    if part == FreezeSettings.none.layers { return try freezing(operations: 0) }
    let parts = layers.map { Part($0) }
    var count = try elements(of: part, parts)
    while count < parts.count, parts[count].names.isEmpty, !parts[count].drops { count += 1 }
    return try freezing(operations: parts[..<count].reduce(0) { $0 + $1.operations })
  }

  /// What comes out of the frozen layers for one image; the image where none are.
  public var features: FeatureShape {
    lowered.features == LoweredPlan.image ? lowered.image : lowered.operations[lowered.features - 1].output
  }

  /// Whether only the classifier is trained, and it is a dense layer: one that takes features one by one.
  public var trainsClassifierAlone: Bool {
    guard let classifier = lowered.lastLearning, case .dense = lowered.operations[classifier].kind else {
      return false
    }
    return !lowered.operations[lowered.frozen..<max(lowered.frozen, classifier)].contains { $0.kind.learns }
  }

  /// The parts that a message names: the first words of names, the layers before the first stage as the stem.
  public var freezableParts: [String] {
    let names = layers.flatMap { Part($0).names }
    let staged = names.contains { $0.hasPrefix(Self.firstStage) }
    var found: [String] = []
    for name in names where name != classifier {
      let isStem = staged && !name.hasPrefix("layer") && !found.contains { $0.hasPrefix("layer") }
      let word = isStem ? Self.stem : String(name.prefix { $0 != "." })
      if !found.contains(word), !classifier.hasPrefix(word + ".") { found.append(word) }
    }
    return found
  }

  private static let stem = "stem"
  private static let firstStage = "layer1."

  /// How many layers of the description are frozen, without those that have no parameters behind them.
  private func elements(of part: String, _ parts: [Part]) throws -> Int {
    let head = parts.lastIndex { $0.names.contains(classifier) } ?? parts.count
    switch part {
    case FreezeSettings.backbone: return head
    case Self.stem:
      if let first = parts.firstIndex(where: { $0.names.contains { $0.hasPrefix(Self.firstStage) } }), first > 0 {
        return first
      }
    default:
      func belongs(_ name: String) -> Bool { name == part || name.hasPrefix(part + ".") }
      guard let last = parts.lastIndex(where: { $0.names.contains(where: belongs) }) else { break }
      guard last < head else {
        throw NetworkError.unsupported(
          "--freeze \(part) would leave nothing of \(settings.name) to train; --freeze backbone trains the classifier "
            + "alone")
      }
      guard parts[last].names.allSatisfy(belongs) else {
        let block = parts[last].names[0].split(separator: ".").prefix(2).joined(separator: ".")
        throw NetworkError.unsupported(
          "--freeze \(part) ends inside of a block of \(settings.name); --freeze \(block) freezes all of it")
      }
      return last + 1
    }
    throw NetworkError.unsupported(
      "\(settings.name) has no part '\(part)' to freeze; choose none, backbone, "
        + freezableParts.joined(separator: ", ") + ", or a layer by its name in 'skipline summary'")
  }

  /// One layer of the description, or one block: what it has to say here.
  private struct Part {
    /// Of what has parameters.
    var names: [String] = []
    var operations = 0
    var drops = false

    init(_ plan: LayerPlan) { add(plan) }

    private mutating func add(_ plan: LayerPlan) {
      switch plan {
      case .block(_, let layers): for layer in layers { add(layer) }
      case .branches(_, let branches, _):
        for branch in branches { for layer in branch { add(layer) } }
        operations += 1
      case .auxiliaryHead(_, let layers):
        // It belongs to the map that it reads: where that is frozen, it has nothing to teach.
        operations += layers.reduce(0) { $0 + Part($1).operations }
      case .layer(let kind):
        operations += 1
        switch kind {
        case .convolution(let name, _, _, _, _, _, _), .batchNorm(let name, _), .whitening(let name, _),
          .squeezeExcitation(let name, _), .dense(let name, _, _, _), .sparseConvolution(let name, _, _),
          .subsampling(let name, _):
          names.append(name)
        case .dropout, .dropPath: drops = true
        case .relu, .scaledTanh, .luma, .maxPool, .averagePool, .averageWindows, .globalMaxPool, .flatten, .scale,
          .zeroPadding, .join:
          break
        }
      }
    }
  }
}
