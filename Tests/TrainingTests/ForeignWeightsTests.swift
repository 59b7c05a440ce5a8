// Files of weights from elsewhere: wrapped, with too much or too little, of another network, with numbers that are
// none, in another format; and the order of classes that such a file does not say.

import Datasets
import Foundation
import Messages
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct ForeignWeightsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ arrays: [NamedArray], _ name: String = "w.safetensors") throws -> String {
    let path = folder.file(name)
    try Safetensors.write(arrays, metadata: [:], to: path)
    return path
  }

  private func arrays(of model: ModelDescription, seed: UInt64 = 3) throws -> [NamedArray] {
    Network(try model.plan(), seed: seed).stateArrays()
  }

  private func wrapped(_ prefix: String, _ arrays: [NamedArray]) -> [NamedArray] {
    arrays.map {
      var array = $0
      array.name = prefix + $0.name
      return array
    }
  }

  private func refusal(_ arrays: [NamedArray], as model: ModelDescription = Specimen.cifar) throws -> String {
    let path = try write(arrays)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path, as: model) }
    return error?.description ?? ""
  }

  // MARK: Names and shapes

  @Test(arguments: [
    "module.", "model.", "backbone.", "encoder.", "net.", "module.encoder_q.", "state_dict.model.", "x.y.z.",
  ])
  func `words before every name are taken off`(prefix: String) throws {
    let arrays = try arrays(of: Specimen.cifar)
    let loaded = try Checkpoint.load(path: try write(wrapped(prefix, arrays)), as: Specimen.cifar)
    #expect(loaded.network.stateArrays() == arrays)
  }

  @Test func `a network that stands twice in a file is refused, and the message says how to take one out`() throws {
    let arrays = try arrays(of: Specimen.cifar)
    let text = try refusal(wrapped("student.", arrays) + wrapped("teacher.", arrays))
    #expect(text.contains("'student.' and 'teacher.'") && text.contains("python3 -c"), "\(text)")
  }

  @Test func `arrays that the network has not are refused and named`() throws {
    let more = ["layer3.1.conv1.weight", "extra", "fc2.bias", "fc2.weight"].map {
      NamedArray(name: $0, shape: [1], floats: [1])
    }
    let text = try refusal(try arrays(of: Specimen.cifar) + more)
    #expect(text.contains("4 arrays ('extra', 'fc2.bias', 'fc2.weight' and 1 more)"), "\(text)")
  }

  @Test(arguments: [
    ("resnet34", NetworkSettings(name: "resnet34", stem: .large, widthMultiplier: 0.0625), "resnet18"),
    ("cifar14", NetworkSettings(name: "cifar14", widthMultiplier: 0.25), "cifar8"),
    (
      "resnet50", NetworkSettings(name: "resnet50", version: .v2, stem: .small, widthMultiplier: 0.0625), "resnet50"
    ),
    (
      "resnet18", NetworkSettings(name: "resnet18", shortcut: .zeroPadding, stem: .large, widthMultiplier: 0.0625),
      "resnet18"
    ),
    ("cifar20", NetworkSettings(name: "plain20", widthMultiplier: 0.25), "vgg19"),
    (
      "wide_resnet50_2", NetworkSettings(name: "wide_resnet50_2", stem: .large, widthMultiplier: 0.0625), "resnet50"
    ),
    (
      "resnext50_32x4d", NetworkSettings(name: "resnext50_32x4d", stem: .large, widthMultiplier: 0.0625), "resnet50"
    ),
    ("resnet18d", NetworkSettings(name: "resnet18d", stem: .large, widthMultiplier: 0.0625), "resnet18"),
    ("seresnet18", NetworkSettings(name: "seresnet18", stem: .large, widthMultiplier: 0.0625), "resnet18"),
    ("vgg19_bn", NetworkSettings(name: "vgg19_bn", widthMultiplier: 0.03125), "vgg19"),
    ("resnet9", NetworkSettings(name: "resnet9", widthMultiplier: 0.0625), "vgg19"),
    ("vgg16", NetworkSettings(name: "vgg16", widthMultiplier: 0.03125), "vgg19"),
    ("vgg11_bn", NetworkSettings(name: "vgg11_bn", widthMultiplier: 0.03125), "vgg11"),
    ("googlenet", NetworkSettings(name: "googlenet", widthMultiplier: 0.0625), "vgg19"),
    ("squeezenet1_1", NetworkSettings(name: "squeezenet1_1", widthMultiplier: 0.0625), "squeezenet1_0"),
    ("wrn-16-4", NetworkSettings(name: "wrn-16-4", widthMultiplier: 0.25), "resnet18"),
    ("lenet5", NetworkSettings(name: "lenet5"), "lenet5-classic"),
    ("lenet5-classic", NetworkSettings(name: "lenet5-classic"), "lenet5"),
    ("resnet9", NetworkSettings(name: "resnet9", widthMultiplier: 0.0625, isWhitened: true), "resnet18"),
  ])
  func `a file of another network is told by what it looks like, and that loads it`(
    name: String, own: NetworkSettings, asked: String
  ) throws {
    let file = Specimen.model(own, side: 32, classes: 7)
    let path = try write(try arrays(of: file))
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint.load(
        path: path,
        as: Specimen.model(NetworkSettings(name: asked, widthMultiplier: own.widthMultiplier), side: 32, classes: 7)
      )
    }
    let text = error?.description ?? ""
    #expect(text.contains("looks like \(name) for 7 classes: --net \(name)"), "\(text)")
    let found = try InitialWeights(path).network()
    #expect(found.classes == 7)
    _ = try Checkpoint.load(path: path, as: Specimen.model(found.settings, side: 32, classes: 7))
  }

  @Test func `another number of classes is told as such`() throws {
    let text = try refusal(try arrays(of: Specimen.model(Specimen.cifar.network, side: 8, classes: 5)))
    #expect(text.contains("5 classes apart and not 3"), "\(text)")
  }

  @Test func `a file without a classifier can be trained on, and the message says so`() throws {
    let text = try refusal(try arrays(of: Specimen.cifar).filter { !$0.name.hasPrefix("fc.") })
    #expect(text.contains("no classifier") && text.contains("train --weights"), "\(text)")
  }

  @Test(arguments: [
    ("stem.conv.weight stages.0.blocks.0.conv1.weight", "timm"),
    ("features.denseblock1.x features.conv0.weight", "DenseNet"),
    ("patch_embed.proj.weight blocks.0.attn.qkv.weight", "vision transformer"), ("res_net/conv1/kernel", "Keras"),
  ])
  func `the names of other programs are recognized`(names: String, program: String) throws {
    let text = try refusal(
      names.split(separator: " ").map { NamedArray(name: String($0), shape: [1], floats: [1]) })
    #expect(text.contains(program), "\(text)")
  }

  @Test(arguments: [("resnet152", 16.0, 224), ("vgg19", 16, 224), ("cifar1202", 16, 32), ("plain1202", 16, 4096)])
  func `a small file that describes a huge network is refused without making it`(
    name: String, width: Double, side: Int
  ) throws {
    let path = folder.file("huge.safetensors")
    try Checkpoint.save(
      try Specimen.network(Specimen.cifar),
      Specimen.model(NetworkSettings(name: name, widthMultiplier: width), side: side), info: Specimen.info(path))
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path) }
    #expect(error?.description.contains("the network it describes") == true)
    #expect(throws: CheckpointError.self) {
      let weights = try InitialWeights(path)
      let model = try #require(weights.description)
      try weights.check(try model.plan(), classes: model.classes, naming: nil)
    }
  }

  // MARK: Numbers

  @Test(arguments: [
    ("conv1.weight", Float.nan, "NaN"), ("fc.bias", .infinity, "infinite"),
    ("layer2.0.bn1.weight", -.infinity, "infinite"),
    ("bn1.running_mean", .nan, "NaN"), ("bn1.running_var", .nan, "NaN"),
    ("layer3.0.bn2.running_var", -0.001, "below zero"),
  ])
  func `a number that is none is refused wherever weights come in`(name: String, value: Float, word: String) throws
  {
    let bad = try arrays(of: Specimen.cifar).map { array in
      guard array.name == name, case .float32(var values) = array.values else { return array }
      values[values.count / 2] = value
      return NamedArray(name: name, shape: array.shape, floats: values)
    }
    let text = try refusal(bad)
    #expect(text.contains("'\(name)'") && text.contains(word), "\(text)")
    #expect(throws: CheckpointError.self) {
      try InitialWeights(folder.file("w.safetensors")).read(
        try Specimen.cifar.plan(), classes: Specimen.cifar.classes, naming: .names(Specimen.cifar.classes))
    }
    let network = Network(try Specimen.cifar.plan(), seed: 1)
    let before = network.stateArrays()
    #expect(throws: CheckpointError.self) {
      try network.loadState(try Safetensors.read(path: folder.file("w.safetensors")))
    }
    #expect(network.stateArrays() == before)
  }

  @Test(arguments: [-1, .max, .min] as [Int64])
  func `a count of batches that cannot be is refused`(count: Int64) throws {
    let bad = try arrays(of: Specimen.cifar).map {
      $0.name == "bn1.num_batches_tracked" ? NamedArray(name: $0.name, scalar: count) : $0
    }
    #expect(try refusal(bad).contains("'bn1.num_batches_tracked' counts \(count)"))
  }

  @Test func `counts of batches are taken as floats too`() throws {
    let floats = try arrays(of: Specimen.cifar).map {
      $0.name.hasSuffix("tracked") ? NamedArray(name: $0.name, shape: [], floats: [12]) : $0
    }
    let loaded = try Checkpoint.load(path: try write(floats), as: Specimen.cifar)
    #expect(loaded.network.batchNorms.allSatisfy { $0.batchesTracked == 12 })
  }

  // MARK: Kinds of files

  static let kinds: [([UInt8], WeightsFileKind)] = [
    (Array("PK\u{3}\u{4}..........w/data.pkl...".utf8), .pyTorch),
    (Array("PK\u{3}\u{4}..........w/constants.pkl w/code/ w/data.pkl".utf8), .torchScript),
    (Array("PK\u{3}\u{4}..........config.json model.weights.h5".utf8), .kerasArchive),
    (Array("PK\u{3}\u{4}..........conv1.weight.npy".utf8), .numPyArchive),
    (Array("PK\u{3}\u{4}..........readme.txt".utf8), .archive),
    ([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e], .oldPyTorch),
    ([0x80, 4, 0x95, 0, 0, 0] + Array("sklearn.linear".utf8), .scikitLearn),
    ([0x80, 4, 0x95, 0, 0, 0] + Array("builtins".utf8), .pickle),
    ([0x08, 0x08, 0x12, 7] + Array("pytorch".utf8) + [0x1a, 1, 0x32, 0x3a, 0x90, 0x4e, 0x0a, 5], .onnx),
    ([0x08, 0x03, 0x3a, 0x02, 0x0a, 0x00], .onnx),
    ([0x08, 0x04, 0x12, 4, 0x0a, 2, 0x0a, 0], .coreML),
    ([0x0a, 8, 0x0a, 5] + Array("input".utf8) + [0x10], .tensorFlowGraph),
    ([0x89] + Array("HDF\r\n\u{1A}\n".utf8) + Array("keras_version".utf8), .kerasHDF5),
    ([0x89] + Array("HDF\r\n\u{1A}\n".utf8) + Array("group".utf8), .hdf5),
    (Array(repeating: 1, count: 40) + [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], .tensorFlowCheckpoint),
    ([0x1c, 0, 0, 0] + Array("TFL3....".utf8), .tensorFlowLite), ([0x93] + Array("NUMPY\u{1}".utf8), .numPyArray),
    (Array("GGUF\u{3}\0\0\0".utf8), .gguf),
    (Array(#"{"metadata":{},"weight_map":{"a":"b"}}"#.utf8), .safetensorsIndex),
    (Array(#"{"architectures":["ResNet"]}"#.utf8), .json),
    (Array(#"{ "splitFingerprint" : "a"}"#.utf8), .runRecord),
    (Array("version https://git-lfs.github.com/spec/v1\noid".utf8), .gitLFSPointer),
    (Array("\n<!DOCTYPE html><html>".utf8), .webPage), (Array(repeating: 0, count: 100), .zeros),
    ([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0], .compressed), (PNGFile.any, .image),
    ([0x81, 0xa6] + Array("params".utf8) + [0x80], .flax), (Array("epoch,loss\n1,2\n".utf8), .text),
  ]

  @Test(arguments: kinds)
  func `a file of another format is told by its content`(bytes: [UInt8], kind: WeightsFileKind) throws {
    let path = try folder.write(bytes, to: "file")
    let own: [(String) throws -> Void] = [
      { _ = try Safetensors.read(path: $0) }, { _ = try Safetensors.readMetadata(path: $0) },
    ]
    let others: [(String) throws -> Void] = [{ _ = try Checkpoint.load(path: $0) }, { _ = try InitialWeights($0) }]
    for read in own + (kind.isRead ? [] : others) {
      let error = #expect(throws: SafetensorsError.self) { try read(path) }
      #expect(error?.fault == .otherFormat(kind))
      #expect(error?.description.hasPrefix(path) == true)
    }
  }
}

@Suite struct ClassListTests {
  @Test(arguments: [
    ("a,b,c", ["a", "b", "c"]), (" 1, 10,\t11 ", ["1", "10", "11"]),
    (#""Rose, red", Tulip"#, ["Rose, red", "Tulip"]),
    (#"a "b" c,d"#, [#"a "b" c"#, "d"]), (#""say ""x""",y"#, [#"say "x""#, "y"]), ("one", ["one"]),
    (#"" a ",b"#, [" a ", "b"]),
    ("żółw,猫", ["żółw", "猫"]),
  ])
  func `a list is read`(text: String, names: [String]) throws {
    #expect(try ClassList.names(argument: text) == names)
    #expect(try ClassList.names(argument: ClassNameList.text(of: names)) == names)
  }

  @Test(arguments: [
    "", " ", "a,,b", "a,", ",a", "a,b,a", #""a"#, #""a"b,c"#, #""",a"#, "é,e\u{301}", "no/such/file", "none.txt",
  ])
  func `a list that is none is refused`(text: String) {
    #expect(throws: SettingsError.self) { try ClassList.names(argument: text) }
  }

  @Test func `a file is read, a line a class`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("\u{FEFF}Rose, red\r\n  Tulip \n\"a \"\n\n".utf8), to: "names.txt")
    for argument in [path, "@" + path, " " + path] {
      #expect(try ClassList.names(argument: argument) == ["Rose, red", "Tulip", "a "])
    }
    for (text, list) in [
      ("a\n\n b \n \n", ["a", "b"]), ("a\rb\r", ["a", "b"]),
      ("cat, dog,\"Rose, red\"\n", ["cat", "dog", "Rose, red"]),
      ("\n\n\"a,b\"\n", ["a,b"]),
    ] {
      #expect(try ClassList.names(argument: folder.write(Array(text.utf8), to: "good.txt")) == list)
    }
    for text in ["a\na\n", "a,,b\n", "a\n\"\"\n", "", "\n", "\"a\n", "a\0b"] {
      let bad = try folder.write(Array(text.utf8), to: "bad.txt")
      #expect(throws: SettingsError.self, "\(text)") { try ClassList.names(argument: bad) }
    }
    #expect(throws: (any Error).self) { try ClassList.names(argument: "@" + folder.file("none")) }
    #expect(throws: (any Error).self) { try ClassList.names(argument: "@" + folder.file("")) }
  }
}
