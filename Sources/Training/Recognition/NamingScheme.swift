// Ways of naming a network's arrays: those of programs whose networks are ours under other names, each with what the
// names are here, and those of programs whose networks are none of ours, known by their words.

import Support

/// How a program names the arrays of networks that are here.
struct NamingScheme: Sendable {
  /// Whose names they are: `Hugging Face's`; nil for torchvision's, which are those here.
  let owner: String?
  /// Arrays of which a file has one.
  let anchors: [String]
  /// The name here.
  let rename: @Sendable (_ words: [Substring]) -> [String]?

  static let torchvision = NamingScheme(owner: nil, anchors: []) { _ in nil }

  /// All but torchvision's.
  static let foreign = [huggingFace, timmPreActivation, timmVGG, shortcutAndLinear, layerZero, wideBlocks]

  /// The name that an array of this name has here.
  func own(_ name: String) -> String {
    if owner == nil { return name }
    return rename(name.split(separator: ".", omittingEmptySubsequences: false))?.joined(separator: ".") ?? name
  }

  /// Whether a file with these names may be meant.
  func isMeant(_ names: Set<String>) -> Bool { anchors.contains { names.contains($0) } }

  /// transformers' ResNet, with and without its classifier.
  private static let huggingFace = NamingScheme(
    owner: "Hugging Face's",
    anchors: ["embedder.embedder.convolution.weight", "resnet.embedder.embedder.convolution.weight"]
  ) { words in
    let words = words.first == "resnet" ? words.dropFirst() : words[...]
    guard let last = words.last else { return nil }
    func kind(_ word: Substring, _ convolution: String, _ norm: String) -> String? {
      word == "convolution" ? convolution : word == "normalization" ? norm : nil
    }
    if words.starts(with: ["embedder", "embedder"]), words.count == 4 {
      return kind(words[words.startIndex + 2], "conv1", "bn1").map { [$0, String(last)] }
    }
    if words.starts(with: ["classifier", "1"]) { return ["fc", String(last)] }
    let parts = Array(words)
    guard parts.count >= 8, parts[0] == "encoder", parts[1] == "stages", parts[3] == "layers",
      let stage = Int(parts[2]), (0..<100).contains(stage)
    else { return nil }
    let block = ["layer\(stage + 1)", String(parts[4])]
    if parts[5] == "shortcut", parts.count == 8 {
      return kind(parts[6], "0", "1").map { block + ["downsample", $0, String(last)] }
    }
    guard parts[5] == "layer", parts.count == 9, let index = Int(parts[6]), (0..<100).contains(index) else {
      return nil
    }
    return kind(parts[7], "conv\(index + 1)", "bn\(index + 1)").map { block + [$0, String(last)] }
  }

  /// timm's ResNetV2 with batch norm.
  private static let timmPreActivation = NamingScheme(owner: "timm's ResNetV2's", anchors: ["stem.conv.weight"]) {
    words in
    let words = words.map(String.init)
    if words.starts(with: ["stem", "conv"]) { return ["conv1"] + words.dropFirst(2) }
    if words.starts(with: ["head", "fc"]) { return ["fc"] + words.dropFirst(2) }
    guard words.count >= 6, words[0] == "stages", words[2] == "blocks", let stage = Int(words[1]),
      (0..<100).contains(stage)
    else { return nil }
    let block = ["layer\(stage + 1)", words[3]]
    switch words[4] {
    case "downsample" where words[5] == "conv": return block + ["downsample", "0"] + words.dropFirst(6)
    case let word where word.hasPrefix("norm"): return block + ["bn" + word.dropFirst(4)] + words.dropFirst(5)
    default: return block + words.dropFirst(4)
    }
  }

  /// timm's VGG, whose dense layers are convolutions over the whole map.
  private static let timmVGG = NamingScheme(owner: "timm's VGG's", anchors: ["pre_logits.fc1.weight"]) { words in
    let words = words.map(String.init)
    guard words.count == 3 else { return nil }
    return switch (words[0], words[1]) {
    case ("pre_logits", "fc1"): ["classifier", "0", words[2]]
    case ("pre_logits", "fc2"): ["classifier", "3", words[2]]
    case ("head", "fc"): ["classifier", "6", words[2]]
    default: nil
    }
  }

  /// ResNets whose projections are called `shortcut`, as in many programs for small images.
  private static let shortcutAndLinear = NamingScheme(
    owner: "those of ResNets with 'shortcut' for torchvision's 'downsample'",
    anchors: ["layer1.0.shortcut.0.weight", "layer2.0.shortcut.0.weight"]
  ) { words in
    words.contains("shortcut") ? words.map { $0 == "shortcut" ? "downsample" : String($0) } : nil
  }

  /// pretrainedmodels' ResNets, whose stem is `layer0`.
  private static let layerZero = NamingScheme(owner: "pretrainedmodels'", anchors: ["layer0.conv1.weight"]) {
    words in words.first == "layer0" ? words.dropFirst().map(String.init) : nil
  }

  /// WideResNet-pytorch's, which many programs took over.
  private static let wideBlocks = NamingScheme(
    owner: "WideResNet-pytorch's", anchors: ["block1.layer.0.conv1.weight"]
  ) { words in
    let words = words.map(String.init)
    if words.count == 2, words[0] == "bn1" { return ["norm", words[1]] }
    guard words.count == 5, words[1] == "layer", words[0].hasPrefix("block") else { return nil }
    let block = ["layer" + words[0].dropFirst(5), words[2]]
    return block + (words[3] == "convShortcut" ? ["downsample", "0", words[4]] : [words[3], words[4]])
  }
}

/// Names of arrays that are of no network here, known by their words.
struct ForeignNames {
  /// Whose they are, and what to do.
  let text: String

  private static let known: [(words: [String], text: String)] = [
    (["stages.0.blocks.0.conv_dw", "mlp.fc1"], "it is a ConvNeXt, which no network here is"),
    (["dwconv", "pwconv1"], "it is a ConvNeXt, which no network here is"),
    (["Conv2d_1a_3x3", "Mixed_5b"], "it is Inception v3, which no network here is (googlenet is Inception v1)"),
    (["s1.b1.conv1"], "it is a RegNet, which no network here is"),
    (["features.conv0.", "denseblock"], "it is a DenseNet, which no network here is"),
    (
      ["stages.0.blocks.0"],
      "its names are those of timm's ResNetV2 and networks like it, of which only those with batch norm and without a "
        + "deep stem are here"
    ),
    (
      ["stem.conv1.", "res2.0.conv1"],
      "its names are those of Detectron2's backbones; rename its arrays to torchvision's"
    ),
    (["lora_"], "it holds low-rank changes (LoRA) of another network's weights, no network"),
    (["/kernel"], "its names are Keras' or Flax', whose arrays have other orders too"),
    (["patch_embed"], "it is a vision transformer, which no network here is"),
    (["embeddings.patch_embeddings"], "it is a vision transformer, which no network here is"),
    (["embed_tokens"], "it is a language model, which no network here is"),
    (["features.denseblock1"], "it is a DenseNet, which no network here is"),
    (["features.0.0.weight"], "it is a MobileNet, EfficientNet or ConvNeXt, which no network here is"),
    (["blocks.0.0.conv_dw"], "it is timm's MobileNet or EfficientNet, which no network here is"),
    (["stages.0.downsample.0", "gamma"], "it is a ConvNeXt, which no network here is"),
  ]

  /// nil where none are known.
  init?(_ names: [String]) {
    let found = Self.known.first { scheme in
      scheme.words.allSatisfy { word in names.contains { $0.contains(word) } }
    }
    guard let found else { return nil }
    text = found.text
  }
}
