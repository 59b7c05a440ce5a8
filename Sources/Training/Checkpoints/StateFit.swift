// How the arrays of a file are those of a network: by names and shapes alone, from the file's header and the network's
// plan, before weights are read or made. Every array of the network must be there, and none besides.

import Messages
import Networks
import Support
import WeightFiles

/// The file's names for a network's arrays.
struct StateFit {
  /// What to do about a classifier that is not the network's.
  enum Classifier {
    /// It has to be there.
    case required
    /// It may be missing, or be for other classes, whose rows are read all the same.
    case ofOtherClasses
  }

  /// The network's names to the file's; without the classifier's where that has other inputs, or none.
  let stored: [String: String]
  /// Whether the file has the classifier, in the network's shape.
  let hasClassifier: Bool
  /// Whether it has one of the same inputs for other classes, or as many of another order.
  let hasClassifierOfOtherClasses: Bool
  /// The extents of the file's classifier, [classes, inputs]; nil where it has none.
  let classifierShape: [Int]?

  /// What a file of ours has besides the network's arrays: the optimizer's state.
  static let ownPrefix = "skipline."
  static let countSuffix = ".num_batches_tracked"

  /// - Parameter network: how the network is called in the message: "the network", or "the network it describes".
  /// - Throws: `CheckpointError.doesNotFit`.
  init(
    _ plan: NetworkPlan, _ file: WeightsOutline, classifier policy: Classifier = .required,
    network: String = "the network"
  ) throws {
    let wanted = plan.state
    let names = file.names.filter { !$0.hasPrefix(Self.ownPrefix) }
    let wrapper = Self.wrapper(of: names, around: wanted)
    let plain = Dictionary(uniqueKeysWithValues: names.map { (String($0.dropFirst(wrapper.count)), $0) })
    func shape(_ name: String) -> [Int]? { plain[name].flatMap { file.shape(of: $0) } }

    let ends = [plan.classifier + ".weight", plan.classifier + ".bias"]
    let fits = wanted.filter { ends.contains($0.name) }.allSatisfy { shape($0.name) == $0.shape }
    hasClassifier = fits
    classifierShape = shape(ends[0])
    let shapes = ends.map { shape($0) }
    let own = wanted.first { $0.name == ends[0] }?.shape
    let isOfOthers =
      policy == .ofOtherClasses && !fits && shapes[0]?.dropFirst() == own?.dropFirst()
      && shapes[1] == shapes[0].map { [$0[0]] }
    hasClassifierOfOtherClasses = isOfOthers
    let leavesOut = policy == .ofOtherClasses && !fits
    let needed = leavesOut ? wanted.filter { !ends.contains($0.name) } : wanted

    var mismatch = StateMismatch()
    for entry in needed {
      if let found = shape(entry.name) {
        if found != entry.shape { mismatch.misshapen.append((entry.name, found, entry.shape)) }
      } else {
        mismatch.missing.append(entry.name)
      }
    }
    let known = Set(wanted.map(\.name))
    let norms = wanted.filter { $0.kind == .runningMean }.map { $0.name.dropLast(".running_mean".count) }
    let counts = Set(norms.map { String($0) + Self.countSuffix })
    mismatch.surplus = plain.keys.filter { !known.contains($0) && !counts.contains($0) && !plan.passesOver($0) }
      .sorted()
    guard mismatch.isEmpty else {
      throw CheckpointError.doesNotFit(
        path: file.path,
        reason: mismatch.text(of: plan, network: network, path: file.path, names: names) { shape($0) })
    }
    stored = Dictionary(
      uniqueKeysWithValues: (needed.map(\.name) + (isOfOthers ? ends : []) + counts).compactMap { name in
        plain[name].map { (name, $0) }
      })
  }

  /// What stands before every name, as wrapped modules write it: `module.`, `_orig_mod.`, `model.backbone.`. Whatever
  /// the words are, they are taken for a wrapper only where every array has them and the network's own names follow.
  static func wrapper(of names: [String], around wanted: [StateEntry]) -> String {
    guard let first = names.first, let last = names.last, let own = wanted.first?.name else { return "" }
    var common = String(zip(first, last).prefix { $0 == $1 }.map(\.0))
    while let dot = common.lastIndex(of: ".") {
      common = String(common[...dot])
      // All, not only the first and the last: a letter that is joined to the dot is another character than the dot.
      if names.contains(common + own), names.allSatisfy({ $0.hasPrefix(common) }) { return common }
      common.removeLast()
    }
    return ""
  }
}

/// What of a file is not as a network needs it.
struct StateMismatch {
  var missing: [String] = []
  var misshapen: [(name: String, found: [Int], needed: [Int])] = []
  var surplus: [String] = []

  var isEmpty: Bool { missing.isEmpty && misshapen.isEmpty && surplus.isEmpty }

  /// So many names of each kind are told; the others are counted.
  private static let mostNames = 3

  /// What is wrong, what the file looks like instead, and what to do.
  /// - Parameter shape: of an array, by its name without a wrapper.
  fileprivate func text(
    of plan: NetworkPlan, network: String, path: String, names: [String], shape: (String) -> [Int]?
  ) -> String {
    var faults: [String] = []
    if !missing.isEmpty { faults.append("it lacks \(Self.listed(missing))") }
    if let (name, found, needed) = misshapen.first {
      let others = misshapen.count - 1
      let more =
        others == 0
        ? "" : others == 1 ? ", and one more has another shape" : ", and \(others) more have other shapes"
      faults.append("'\(name)' is \(found), \(network) needs \(needed)\(more)")
    }
    if !surplus.isEmpty { faults.append("it has \(Self.listed(surplus)) besides, which \(network) has not") }
    return faults.joined(separator: "; ") + "; " + advice(plan, path: path, names: names, shape: shape)
  }

  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(mostNames).map { "'\($0)'" }.joined(separator: ", ")
    if names.count == 1 { return shown }
    let more = names.count > mostNames ? " and \(names.count - mostNames) more" : ""
    return "\(names.count) arrays (\(shown)\(more))"
  }

  private func advice(
    _ plan: NetworkPlan, path: String, names: [String], shape: (String) -> [Int]?
  ) -> String {
    let classifier = plan.classifier + ".weight"
    if missing.isEmpty, surplus.isEmpty, let classes = shape(classifier)?.first,
      misshapen.allSatisfy({ $0.name.hasPrefix(plan.classifier + ".") })
    {
      return "it tells \(classes) classes apart and not \(plan.classes): name as many"
    }
    if missing.count == 2, misshapen.isEmpty, surplus.isEmpty, missing.contains(classifier) {
      return "it has no classifier: start a run from it with train --weights"
    }
    if let part = path.firstMatch(of: /-\d{5}-of-\d{5}(\.safetensors|\.bin)$/) {
      return "it is one file of several: name their index, \(path.replacing(part.0, with: part.1 + ".index.json"))"
    }
    if let scheme = NamingScheme(names) { return scheme.text }
    let plain = StateFit.wrapper(of: names, around: plan.state)
    let shapes = Dictionary(
      uniqueKeysWithValues: names.map { String($0.dropFirst(plain.count)) }
        .filter { !$0.hasSuffix(StateFit.countSuffix) }.map { ($0, shape($0) ?? []) })
    if let guess = NetworkGuess(shapes) { return "it looks like \(guess.text)" }
    if let prefix = partialWrapper(names, plan) {
      return "the network's arrays stand under '\(prefix)' beside others: take these alone, "
        + Self.extraction(path: path, prefix: prefix)
    }
    return "check --net, --shortcut, --block, --stem, --width and the number of classes"
  }

  /// The words under which the file has most of the network's arrays, though not every array has them.
  private func partialWrapper(_ names: [String], _ plan: NetworkPlan) -> String? {
    let wanted = plan.state.map(\.name)
    guard let own = wanted.first else { return nil }
    let all = Set(names)
    return names.filter { $0.hasSuffix("." + own) }.map { String($0.dropLast(own.count)) }.first { prefix in
      wanted.count { all.contains(prefix + $0) } > wanted.count / 2
    }
  }

  private static func extraction(path: String, prefix: String) -> String {
    let program =
      #"import sys;from safetensors.torch import load_file as r,save_file as w;p=sys.argv[3];"#
      + #"w({k[len(p):]:v for k,v in r(sys.argv[1]).items() if k.startswith(p)},sys.argv[2])"#
    let target = path.hasSuffix(".safetensors") ? String(path.dropLast(".safetensors".count)) : path
    return "with Python's torch and safetensors: python3 -c \(shellQuoted(program)) \(shellQuoted(path)) "
      + "\(shellQuoted(target + "-network.safetensors")) \(shellQuoted(prefix))"
  }
}

/// A way of naming a network's arrays that is not torchvision's, known by its words.
struct NamingScheme {
  let text: String

  private static let known: [(words: [String], text: String)] = [
    (
      ["embedder.embedder.convolution", "encoder.stages.0.layers.0"],
      "its names are those of Hugging Face's ResNet; save the same network from torchvision, or rename its arrays to "
        + "torchvision's (conv1, layer1.0.conv1, fc)"
    ),
    (
      ["stages.0.blocks.0"],
      "its names are those of timm's ResNetV2 and networks like it, which are none of the networks here"
    ),
    (
      ["pre_logits.fc1", "head.fc"],
      "its names are those of timm's VGG; save the same network from torchvision"
    ),
    (
      ["stem.conv1.", "res2.0.conv1"],
      "its names are those of Detectron2's backbones; rename its arrays to torchvision's"
    ),
    (
      ["layer1.0.shortcut.0.weight"],
      "its names are those of a ResNet with 'shortcut.' and 'linear.' instead of "
        + "torchvision's 'downsample.' and 'fc.'; rename them"
    ),
    (
      ["layer2.0.shortcut.0.weight"],
      "its names are those of a ResNet with 'shortcut.' and 'linear.' instead of "
        + "torchvision's 'downsample.' and 'fc.'; rename them"
    ),
    (["backbone.conv1", "head.fc"], "its names are OpenMMLab's; take 'backbone.' off, and make 'head.fc' 'fc'"),
    (
      ["layer0.conv1", "last_linear"],
      "its names are those of pretrainedmodels' networks; rename them to torchvision's"
    ),
    (["lora_"], "it holds low-rank changes (LoRA) of another network's weights, no network"),
    (["/kernel"], "its names are Keras' or Flax', whose arrays have other orders too"),
    (
      ["patch_embed"], "it is a vision transformer, and networks here are residual ones and VGG"
    ),
    (["embeddings.patch_embeddings"], "it is a vision transformer, and networks here are residual ones and VGG"),
    (["embed_tokens"], "it is a language model, and networks here are residual ones and VGG"),
    (
      ["features.denseblock1"], "it is a DenseNet, and networks here are residual ones and VGG"
    ),
    (
      ["features.0.0.weight"],
      "it is a MobileNet, EfficientNet or ConvNeXt, and networks here are residual ones and VGG"
    ),
  ]

  init?(_ names: [String]) {
    let found = Self.known.first { scheme in
      scheme.words.allSatisfy { word in names.contains { $0.contains(word) } }
    }
    guard let found else { return nil }
    text = found.text
  }
}
