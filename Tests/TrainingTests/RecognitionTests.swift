// Which network a file of weights is of, told by the names and shapes of its arrays: every network of the table, widths
// that are none of it, names as other programs give them, and words that wrappers put before them.

import Foundation
import Messages
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct RecognitionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The arrays of a network, all zero: names and shapes are what counts.
  private func arrays(_ settings: NetworkSettings, classes: Int = 5) throws -> [NamedArray] {
    let architecture = try Architecture(name: settings.name)
    return try NetworkPlan(settings, imageSize: architecture.sizeOfFiles, classes: classes).state.map {
      NamedArray(name: $0.name, shape: $0.shape, floats: [Float](repeating: 0, count: $0.shape.reduce(1, *)))
    }
  }

  private func weights(_ arrays: [NamedArray], rename: (String) -> String = { $0 }) throws -> InitialWeights {
    let path = folder.file("w.safetensors")
    let renamed = arrays.map {
      var array = $0
      array.name = rename($0.name)
      return array
    }
    try Safetensors.write(renamed, metadata: [:], to: path)
    return try InitialWeights(path)
  }

  private func plan(_ settings: NetworkSettings, classes: Int = 5) throws -> NetworkPlan {
    try NetworkPlan(settings, imageSize: try Architecture(name: settings.name).sizeOfFiles, classes: classes)
  }

  // MARK: The network

  @Test(arguments: Architecture.examples)
  func `every network of the table is told by its arrays`(name: String) throws {
    let forms = Architecture.forms(of: name)
    for var settings in [forms.first, forms.count > 1 ? forms.last : nil].compactMap({ $0 }) {
      settings.widthMultiplier = 1.0 / 32
      let own = try plan(settings)
      let found = try weights(try arrays(settings)).network()
      #expect(found.classes == 5)
      #expect(try plan(found.settings).state == own.state, "\(name) \(settings.optionWords): \(found.text)")
      // Whichever of those with the same arrays it is, the one that is named is taken.
      #expect(try weights(try arrays(settings)).network(NetworkRequest(settings)).settings == settings)
    }
  }

  @Test(arguments: [0.3, 0.35, 1.0 / 3, 0.75, 1.1, 0.0625, 0.11, 1.0 / 7])
  func `a width that is none of the table's is measured`(width: Double) throws {
    for name in width < 0.2 ? ["resnet18", "resnet50", "cifar20", "resnet9"] : ["cifar20"] {
      let settings = NetworkSettings(name: name, widthMultiplier: width)
      let found = try weights(try arrays(settings)).network()
      #expect(found.settings.name == name)
      #expect(try plan(found.settings).state == plan(settings).state)
    }
  }

  @Test(arguments: [("resnet50", 24), ("resnet50", 32), ("resnet18", 24), ("cifar20", 1), ("plain20", 24)])
  func `the stem has a width of its own`(name: String, stem: Int) throws {
    let settings = NetworkSettings(name: name, widthMultiplier: 0.125, stemWidth: stem)
    let found = try weights(try arrays(settings)).network()
    #expect(found.settings.stemWidth == stem && found.settings.widthMultiplier == 0.125, "\(found.text)")
    #expect(found.text.contains("--width 0.125 --stem-width \(stem)"))
    #expect(try plan(found.settings).state == plan(settings).state)
  }

  @Test func `a network without a classifier is told too`() throws {
    let found = try weights(try arrays(NetworkSettings(name: "cifar20")).filter { !$0.name.hasPrefix("fc.") })
      .network()
    #expect(found.settings.name == "cifar20" && found.classes == nil)
    #expect(found.text.hasPrefix("cifar20 without a classifier"))
  }

  @Test func `depths that are not listed are told by their blocks`() throws {
    for name in ["cifar26", "wrn-10-1", "wrn-10-3", "wrn-16-8", "wrn-16-2", "wrn-22-1", "wrn-22-2", "wrn-40-1"] {
      let found = try weights(try arrays(NetworkSettings(name: name))).network()
      #expect(try plan(found.settings).state == (try plan(NetworkSettings(name: name)).state))
      // The narrowest are the arrays of a CIFAR network too.
      if !name.hasSuffix("-1") {
        #expect(found.text.hasPrefix("\(name) for 5 classes: --net \(name) --stem small"), "\(found.text)")
      }
    }
    let narrow = NetworkSettings(name: "wrn-16-8", widthMultiplier: 0.25)
    #expect(try plan(try weights(try arrays(narrow)).network().settings).state == (try plan(narrow).state))
  }

  @Test func `wide networks with the names of WideResNet-pytorch are told`() throws {
    let own = NetworkSettings(name: "wrn-16-2")
    let found = try weights(try arrays(own)) { name in
      var words = name.split(separator: ".").map(String.init)
      if words[0] == "norm" { words[0] = "bn1" }
      if words[0].hasPrefix("layer") {
        words[0] = "block" + words[0].dropFirst(5)
        words.insert("layer", at: 1)
      }
      if words.count == 6, words[3] == "downsample" { words.replaceSubrange(3...4, with: ["convShortcut"]) }
      return words.joined(separator: ".")
    }.network()
    #expect(found.settings.name == "wrn-16-2" && found.classes == 5)
    #expect(found.readingText?.contains("WideResNet-pytorch's") == true)
  }

  @Test func `what the arrays cannot tell is said`() throws {
    let first = try weights(try arrays(NetworkSettings(name: "resnet50", widthMultiplier: 0.0625))).network()
    #expect(first.text.contains("--block v1, which cannot be told apart"))
    let second = try weights(try arrays(NetworkSettings(name: "cifar8"))).network()
    #expect(second.text.contains("--net plain8 without shortcuts, --zeros end"))
  }

  // MARK: What is said of it

  /// A request as options make it.
  private func request(_ name: String?, _ change: @escaping (inout NetworkSettings) -> Void = { _ in })
    -> NetworkRequest
  { NetworkRequest(name: name, change: change) }

  private func refusal(_ weights: InitialWeights, _ request: NetworkRequest) -> String {
    let error = #expect(throws: CheckpointError.self) { try weights.network(request) }
    return error?.description ?? ""
  }

  @Test func `what is not said is taken from the file`() throws {
    let settings = NetworkSettings(name: "resnet50", widthMultiplier: 0.0625, stemWidth: 7)
    let weights = try weights(try arrays(settings))
    for request in [request(nil), request("ResNet50"), request("resnet50") { $0.widthMultiplier = 0.0625 }] {
      let found = try weights.network(request)
      #expect(found.settings.stemWidth == 7 && found.settings.widthMultiplier == 0.0625)
    }
    #expect(try weights.network(request(nil) { $0.version = .v1 }).settings.version == .v1)
    #expect(try weights.network(request(nil) { $0.head = .regularized }).settings.head == .regularized)
  }

  @Test func `what is said and not so is an error that says what the file looks like`() throws {
    let weights = try weights(try arrays(NetworkSettings(name: "resnet34", widthMultiplier: 0.0625)))
    let looks = "looks like resnet34 for 5 classes: --net resnet34"
    for (request, word) in [
      (request("resnet18"), "80 arrays ('layer1.2.bn1.bias', 'layer1.2.bn1.running_mean'"),
      (request("resnet50"), "lacks"), (request("cifar20"), "besides"),
      (request(nil) { $0.widthMultiplier = 0.5 }, "'conv1.weight' is [4, 3, 7, 7]"),
      (request("resnet34") { $0.stem = .small }, "needs [4, 3, 3, 3]"),
      (request(nil) { $0.shortcut = .zeroPadding }, "'layer2.0.downsample.0.weight'"),
      (request(nil) { $0.stemWidth = 8 }, "needs [8, 3, 7, 7]"),
    ] {
      let text = refusal(weights, request)
      #expect(text.contains(looks) && text.contains(word), "\(text)")
    }
    #expect(throws: NetworkError.self) { try weights.network(request("resnet35")) }
    #expect(throws: NetworkError.self) { try weights.network(request(nil) { $0.isWhitened = true }) }
  }

  @Test func `a file of no network here says what comes nearest, or whose names they are`() throws {
    let cut = try arrays(NetworkSettings(name: "cifar20")).filter { !$0.name.hasPrefix("layer3.2.") }
    #expect(refusal(try weights(cut), request(nil)).contains("cifar20 comes nearest"))
    #expect(refusal(try weights(cut), request("cifar20")).contains("it lacks 10 arrays"))
    let other = [NamedArray(name: "patch_embed.proj.weight", shape: [1], floats: [1])]
    #expect(refusal(try weights(other), request(nil)).contains("vision transformer"))
    let none = [NamedArray(name: "w", shape: [1], floats: [1])]
    #expect(refusal(try weights(none), request(nil)).contains("of no network here"))
    #expect(refusal(try weights([]), request(nil)).contains("no arrays"))
  }

  // MARK: Names

  @Test(arguments: [
    "module.", "_orig_mod.", "model.", "backbone.", "encoder.", "net.", "_orig_mod.module.", "model.net.encoder.",
    "any.words.",
  ])
  func `words before names are taken off`(prefix: String) throws {
    let settings = NetworkSettings(name: "cifar14")
    let found = try weights(try arrays(settings)) { prefix + $0 }.network()
    #expect(found.settings.name == "cifar14" && found.readingText == "names without '\(prefix)'")
  }

  @Test func `words that only some names have are taken off too`() throws {
    let arrays = try arrays(NetworkSettings(name: "cifar14"))
    let found = try weights(arrays) { ($0.hasPrefix("fc") ? "module." : "module.backbone.") + $0 }.network()
    #expect(found.settings.name == "cifar14" && found.classes == 5)
  }

  @Test func `a network that stands beside other arrays is taken alone, and these are named`() throws {
    let arrays = try arrays(NetworkSettings(name: "cifar14"))
    let more = [NamedArray(name: "queue", shape: [2, 2], floats: [1, 2, 3, 4])]
    let weights = try weights(arrays + more) { $0 == "queue" ? $0 : "encoder_q." + $0 }
    let found = try weights.network()
    #expect(
      found.classes == 5 && found.readingText?.contains("'queue' of the file is none of the network's") == true)
    #expect(try weights.report(plan(found.settings), classes: ["a"], naming: nil).last?.fate == .unused)
    // Not where nothing tells them from the network's.
    #expect(refusal(try self.weights(arrays + more), request("cifar14")).contains("it has 'queue' besides"))
  }

  @Test(arguments: ["head.fc", "linear", "last_linear", "head", "fc.1", "classifier"])
  func `the classifier may have another name`(name: String) throws {
    let arrays = try arrays(NetworkSettings(name: "cifar14"))
    let weights = try weights(arrays) { $0.hasPrefix("fc.") ? name + $0.dropFirst(2) : "backbone." + $0 }
    let found = try weights.network()
    #expect(found.classes == 5 && found.readingText?.contains("the classifier is '\(name)'") == true)
    let names = ["a", "b", "c", "d", "e"]
    #expect(
      try weights.check(plan(found.settings), classes: names, naming: .names(names)) == .kept(rows: nil))
  }

  static func huggingFace(_ name: String) -> String {
    var words = name.split(separator: ".").map(String.init)
    let last = words.removeLast()
    func kind(_ word: String) -> String { word.hasPrefix("conv") ? "convolution" : "normalization" }
    if words[0] == "fc" { return "classifier.1.\(last)" }
    guard words[0].hasPrefix("layer") else { return "resnet.embedder.embedder.\(kind(words[0])).\(last)" }
    let block = "resnet.encoder.stages.\(Int(words[0].dropFirst(5))! - 1).layers.\(words[1])"
    if words[2] == "downsample" {
      return "\(block).shortcut.\(words[3] == "0" ? "convolution" : "normalization").\(last)"
    }
    let index = Int(String(words[2].last!))! - 1
    return "\(block).layer.\(index).\(kind(words[2])).\(last)"
  }

  static let programs: [(owner: String, network: NetworkSettings, rename: @Sendable (String) -> String)] = [
    ("Hugging Face's", NetworkSettings(name: "resnet18", widthMultiplier: 0.0625), { huggingFace($0) }),
    (
      "Hugging Face's", NetworkSettings(name: "resnet50", widthMultiplier: 0.0625),
      { "module." + huggingFace($0) }
    ),
    (
      "Hugging Face's", NetworkSettings(name: "resnet34", widthMultiplier: 0.0625),
      { String(huggingFace($0).trimmingPrefix("resnet.")) }
    ),
    (
      "'shortcut'", NetworkSettings(name: "cifar20", shortcut: .projection),
      { $0.replacing("downsample", with: "shortcut").replacing("fc.", with: "linear.") }
    ),
    (
      "pretrainedmodels'", NetworkSettings(name: "resnet18", widthMultiplier: 0.0625),
      { $0.hasPrefix("layer") ? $0 : $0.hasPrefix("fc") ? "last_linear" + $0.dropFirst(2) : "layer0." + $0 }
    ),
    (
      "timm's ResNetV2's", NetworkSettings(name: "resnet50", version: .v2, widthMultiplier: 0.0625),
      {
        if $0.hasPrefix("conv1") { return "stem.conv" + $0.dropFirst(5) }
        if $0.hasPrefix("fc") { return "head." + $0 }
        guard $0.hasPrefix("layer"), let stage = Int($0.dropFirst(5).prefix(1)) else { return $0 }
        return "stages.\(stage - 1).blocks"
          + $0.dropFirst(6).replacing("bn", with: "norm")
          .replacing("downsample.0", with: "downsample.conv")
      }
    ),
  ]

  @Test(arguments: programs.indices)
  func `names of other programs are read`(index: Int) throws {
    let (owner, settings, rename) = Self.programs[index]
    let weights = try weights(try arrays(settings), rename: rename)
    let found = try weights.network()
    #expect(found.settings.name == settings.name && found.classes == 5)
    #expect(found.readingText?.contains(owner) == true, "\(found.readingText ?? "")")
    #expect(try plan(found.settings).state == plan(settings).state)
    let report = try weights.report(plan(found.settings), classes: ["a"], naming: nil)
    #expect(report.filter { $0.fate == .taken }.count == (try plan(settings).state.count) - 2)
  }

  @Test func `dense layers that are stored as convolutions are taken`() throws {
    let settings = NetworkSettings(name: "vgg19", widthMultiplier: 1.0 / 64)
    let arrays = try arrays(settings).map { array in
      var shape = array.shape
      if array.name == "classifier.0.weight" { shape = [shape[0], shape[1] / 49, 7, 7] }
      if array.name == "classifier.3.weight" { shape += [1, 1] }
      return NamedArray(name: array.name, shape: shape, values: array.values)
    }
    let names = ["classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2", "classifier.6": "head.fc"]
    let found = try weights(arrays) { name in
      names.first { name.hasPrefix($0.key) }.map { $0.value + name.dropFirst($0.key.count) } ?? name
    }.network()
    #expect(found.settings.name == "vgg19" && found.classes == 5)
  }

  // MARK: Looking at a file

  @Test func `a file is inspected, with numbers that are none`() throws {
    var arrays = try arrays(NetworkSettings(name: "cifar8"))
    arrays[0] = NamedArray(
      name: arrays[0].name, shape: arrays[0].shape,
      floats: [.nan, .infinity, 3, -4] + [Float](repeating: 0, count: arrays[0].values.count - 4))
    let inspection = try WeightsInspection(try weights(arrays) { "module." + $0 }.path)
    #expect(inspection.network?.name == "cifar8" && inspection.network?.classes == 5)
    #expect(inspection.network?.names == "names without 'module.'" && inspection.network?.isDescribed == false)
    #expect(inspection.unusable.map(\.name) == ["module.conv1.weight"])
    let first = try #require(inspection.unusable.first)
    #expect(first.nan == 1 && first.infinite == 1 && first.norm == 5 && first.minimum == -4 && first.maximum == 3)
    #expect(first.own == "conv1.weight" && first.shape == arrays[0].shape && first.type == "F32")
  }

  @Test func `a checkpoint of ours is inspected by what it says`() throws {
    let path = folder.file("own.safetensors")
    try Checkpoint.save(try Specimen.network(Specimen.cifar), Specimen.cifar, info: Specimen.info(path))
    let inspection = try WeightsInspection(path)
    #expect(inspection.network?.isDescribed == true && inspection.classes == Specimen.cifar.classes)
    #expect(inspection.preprocessing == Specimen.cifar.preprocessing && inspection.mismatch == nil)
    #expect(inspection.metadata["format"] == "pt")
  }

  @Test func `a file of no network is inspected all the same`() throws {
    let path = try weights([NamedArray(name: "w", shape: [2], floats: [3, 4])]).path
    let inspection = try WeightsInspection(path)
    #expect(inspection.network == nil && inspection.mismatch?.contains("no network here") == true)
    #expect(inspection.arrays.first?.norm == 5)
  }
}
