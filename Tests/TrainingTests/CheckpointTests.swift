// Networks to files and back, and files that do not fit.

import Support
import Datasets
import Foundation
import Messages
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

@testable import Training

/// Networks with weights that are nobody's initial ones, to be saved and found again.
enum Specimen {
  /// A network after a training pass, so that its running statistics and their counts are its own.
  static func network(_ model: ModelDescription, seed: UInt64 = 11) throws -> Network {
    let network = Network(try model.plan(), seed: seed)
    _ = network.forward(images(side: model.preprocessing.imageSize), Pass(.training, ThreadPool(threads: 2)))
    return network
  }

  static func model(_ network: NetworkSettings, side: Int, classes: Int = 3) -> ModelDescription {
    ModelDescription(
      network: network, classes: (0..<classes).map { "class \($0)" },
      preprocessing: Preprocessing(
        imageSize: side, resize: .stretch, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25]))
  }

  static func images(_ count: Int = 2, side: Int) -> Tensor {
    var generator = RandomGenerator(99)
    return Tensor([count, side, side, 3]) { _ in generator.normal() }
  }

  static func logits(_ network: Network, side: Int) -> [Float] {
    network.forward(images(side: side), Pass(.inference, ThreadPool(threads: 1))).values
  }

  static func info(_ path: String) -> CheckpointInfo {
    CheckpointInfo(
      path: path, name: CheckpointName(path: path).stem, epoch: 2, step: 9, validationAccuracy: 0.75,
      savedAt: "2026-01-31T12:00:00Z")
  }

  static let cifar = model(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), side: 8)
}

@Suite struct CheckpointTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    (NetworkSettings(name: "cifar8", shortcut: .zeroPadding, widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "cifar8", version: .v2, widthMultiplier: 0.25, head: .regularized), 8),
    (NetworkSettings(name: "resnet50", shortcut: .projection, widthMultiplier: 0.0625), 16),
    (NetworkSettings(name: "vgg19_bn", widthMultiplier: 0.03125), 32),
    (NetworkSettings(name: "plain20", widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.0625, variant: .article), 16),
    (NetworkSettings(name: "resnext50_32x4d", widthMultiplier: 0.0625), 16),
    (NetworkSettings(name: "resnet26d", stem: .large, widthMultiplier: 0.0625), 32),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.0625), 16),
    (NetworkSettings(name: "resnet9", widthMultiplier: 0.0625, isWhitened: true, dropPath: 0.2), 16),
  ])
  func `a network comes back from its file with the same logits`(network: NetworkSettings, side: Int) throws {
    let model = Specimen.model(network, side: side)
    let original = try Specimen.network(model)
    let path = folder.file("best.safetensors")
    try Checkpoint.save(original, model, info: Specimen.info(path))
    let loaded = try Checkpoint.load(path: path)
    #expect(loaded.description == model)
    #expect(loaded.network.stateArrays() == original.stateArrays())
    let logits = Specimen.logits(original, side: side)
    #expect(Specimen.logits(loaded.network, side: side) == logits)
    #expect(logits != Specimen.logits(Network(try model.plan(), seed: 0), side: side), "the weights matter")
    #expect(try Checkpoint.model(path: path) == model)
    #expect(CheckpointInfo(path: path, metadata: try Safetensors.readMetadata(path: path)) == Specimen.info(path))
  }

  /// torchvision-names.txt is what torchvision itself calls its arrays.
  @Test func `the arrays of a best checkpoint are torchvision's, name for name and shape for shape`() throws {
    let model = Specimen.model(NetworkSettings(name: "resnet18"), side: 64, classes: 1000)
    let path = folder.file("best.safetensors")
    try Checkpoint.save(Network(try model.plan(), seed: 0), model, info: Specimen.info(path))
    let file = try Safetensors.read(path: path)
    let found = file.names.map { name in
      let shape = (file.shape(of: name) ?? []).map(String.init).joined(separator: "x")
      return "resnet18 \(name) \(shape.isEmpty ? "scalar" : shape)"
    }
    let list = try String(contentsOfFile: References.folder + "/torchvision-names.txt", encoding: .utf8)
    let expected = list.split(separator: "\n").map(String.init).filter { $0.hasPrefix("resnet18 ") }
    #expect(expected.count == 122)
    #expect(Set(found) == Set(expected))
    #expect(file.dtype(of: "bn1.num_batches_tracked") == .int64)
  }

  @Test func `a last checkpoint restores momentum and state, and can be used like any other`() throws {
    let model = Specimen.cifar
    let network = try Specimen.network(model)
    var optimizer = SGD(OptimizerSettings(), network.parameters)
    var generator = RandomGenerator(5)
    optimizer.state[0].tensors = network.parameters.map { Tensor($0.value.shape) { _ in generator.normal() } }
    var state = TrainingState(peak: 0.3, splitFingerprint: "0123456789abcdef")
    state.step = 9
    state.batch = 4
    let path = folder.file("last.safetensors")
    try Checkpoint.save(network, model, info: Specimen.info(path), resumable: (state, optimizer))

    let other = Network(try model.plan(), seed: 1)
    var restored = SGD(OptimizerSettings(), other.parameters)
    #expect(try Checkpoint.resume(path: path, network: other, optimizer: &restored) == state)
    #expect(try Checkpoint.trainingState(path: path) == state)
    #expect(other.stateArrays() == network.stateArrays())
    #expect(restored.state[0].tensors.map(\.values) == optimizer.state[0].tensors.map(\.values))
    #expect(try Checkpoint.load(path: path).network.stateArrays() == network.stateArrays())
  }

  @Test func `a checkpoint of weights only cannot be resumed from, and says what to do`() throws {
    let path = folder.file("best.safetensors")
    let network = try Specimen.network(Specimen.cifar)
    try Checkpoint.save(network, Specimen.cifar, info: Specimen.info(path))
    var optimizer = SGD(OptimizerSettings(), network.parameters)
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint.resume(path: path, network: network, optimizer: &optimizer)
    }
    #expect(error == .notResumable(path: path))
    #expect(error?.description.contains("last.safetensors") == true)
  }

  @Test func `a last checkpoint without a momentum is refused, and changes neither network nor optimizer`() throws {
    let network = try Specimen.network(Specimen.cifar)
    var optimizer = SGD(OptimizerSettings(), network.parameters)
    let path = folder.file("last.safetensors")
    let state = TrainingState(peak: 1, splitFingerprint: "")
    try Checkpoint.save(network, Specimen.cifar, info: Specimen.info(path), resumable: (state, optimizer))
    try rewrite(path, arrays: { $0.filter { $0.name != "skipline.momentum.fc.bias" } })

    let other = Network(try Specimen.cifar.plan(), seed: 1)
    let before = other.stateArrays()
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint.resume(path: path, network: other, optimizer: &optimizer)
    }
    #expect(error?.description.contains("fc.bias") == true)
    #expect(other.stateArrays() == before)
  }

  @Test func `a training state that counts below zero is refused`() throws {
    let network = try Specimen.network(Specimen.cifar)
    var state = TrainingState(peak: 1, splitFingerprint: "")
    state.epochsDone = -1
    let path = folder.file("last.safetensors")
    try Checkpoint.save(
      network, Specimen.cifar, info: Specimen.info(path),
      resumable: (state, SGD(OptimizerSettings(), network.parameters)))
    #expect(throws: CheckpointError.self) { try Checkpoint.trainingState(path: path) }
  }

  // MARK: Files of other programs

  /// Writes a file again with other arrays or other metadata.
  private func rewrite(
    _ path: String, metadata: (inout [String: String]) throws -> Void = { _ in },
    arrays: ([NamedArray]) -> [NamedArray] = { $0 }
  ) throws {
    let file = try Safetensors.read(path: path)
    var texts = file.metadata
    for key in [Safetensors.checksumKey, Safetensors.sealKey] { texts[key] = nil }
    try metadata(&texts)
    try Safetensors.write(arrays(try file.names.map { try file.array($0) }), metadata: texts, to: path)
  }

  private func foreign(_ change: ([NamedArray]) -> [NamedArray]) throws -> (path: String, original: Network) {
    let original = try Specimen.network(Specimen.cifar)
    let path = folder.file("foreign.safetensors")
    try Safetensors.write(change(original.stateArrays()), metadata: [:], to: path)
    return (path, original)
  }

  @Test(arguments: ["module.", "_orig_mod.", "module._orig_mod."])
  func `names that a wrapper prefixed are found`(prefix: String) throws {
    let (path, original) = try foreign { arrays in
      arrays.map { array in
        var wrapped = array
        wrapped.name = prefix + array.name
        return wrapped
      }
    }
    let loaded = try Checkpoint.load(path: path, as: Specimen.cifar)
    #expect(loaded.network.stateArrays() == original.stateArrays())
  }

  @Test func `a letter that joins a wrapper's dot makes a name that no wrapper prefixes`() throws {
    let (path, _) = try foreign { arrays in
      let one = arrays[0]
      // Sorted, the joined name stands between two that begin with "model.", and is as long as the wrapper in it.
      let names = ["model.\u{301}\(one.name)", "model.\u{400}"]
      return arrays.map { NamedArray(name: "model.\($0.name)", shape: $0.shape, values: $0.values) }
        + names.map { NamedArray(name: $0, shape: one.shape, values: one.values) }
    }
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path, as: Specimen.cifar) }
    guard case .doesNotFit(path, let reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("besides, which the network has not"), "\(reason)")
  }

  @Test func `batch counts may be missing`() throws {
    let (path, original) = try foreign { $0.filter { !$0.name.hasSuffix("num_batches_tracked") } }
    let loaded = try Checkpoint.load(path: path, as: Specimen.cifar)
    #expect(Specimen.logits(loaded.network, side: 8) == Specimen.logits(original, side: 8))
    #expect(loaded.network.batchNorms.allSatisfy { $0.batchesTracked == 0 })
  }

  @Test func `a file without a description is refused with advice`() throws {
    let (path, _) = try foreign { $0 }
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path) }
    #expect(error == .noDescription(path: path))
    let text = error?.description ?? ""
    for word in [path, "--net", "--imgsz", "--data"] { #expect(text.contains(word), "\(word) in: \(text)") }
    #expect(try Checkpoint.model(path: path) == nil)
  }

  @Test(arguments: ["conv1.weight", "layer3.0.bn2.running_var", "fc.bias"])
  func `an array that is missing or misshapen is named with its file, and nothing is loaded`(name: String) throws {
    for misshapen in [false, true] {
      let (path, _) = try foreign { arrays in
        arrays.compactMap { array in
          guard array.name == name else { return array }
          return misshapen ? NamedArray(name: name, shape: [1, 2], floats: [1, 2]) : nil
        }
      }
      let network = Network(try Specimen.cifar.plan(), seed: 8)
      let before = network.stateArrays()
      let error = #expect(throws: CheckpointError.self) { try network.loadState(try Safetensors.read(path: path)) }
      guard case .doesNotFit(path, let reason)? = error else {
        Issue.record("\(String(describing: error)) for '\(name)'")
        continue
      }
      #expect(reason.contains("'\(name)'"))
      #expect(!misshapen || reason.contains("[1, 2]"))
      #expect(network.stateArrays() == before)
    }
  }

  /// A description is text that anybody can write: nothing in it may end the process.
  @Test(arguments: [
    (#""mean":[0.5"#, #""mean":[7,0.5"#), (#""imageSize":8"#, #""imageSize":0"#),
    (#""imageSize":8"#, #""imageSize":99999999999"#), (#""std":[0.2"#, #""std":[0"#),
    (#""classes":["class 0","class 1","class 2"]"#, #""classes":[]"#), (#""name":"cifar8""#, #""name":"cifar9""#),
    (#""network":"#, #""net":"#),
  ])
  func `a description that makes no sense is an error`(text: String, replacement: String) throws {
    let path = folder.file("best.safetensors")
    try Checkpoint.save(try Specimen.network(Specimen.cifar), Specimen.cifar, info: Specimen.info(path))
    try rewrite(
      path,
      metadata: { metadata in
        let model = try #require(metadata["skipline.model"])
        try #require(model.contains(text), "\(model)")
        metadata["skipline.model"] = model.replacingOccurrences(of: text, with: replacement)
      })
    #expect(throws: (any Error).self) { try Checkpoint.load(path: path) }
  }

  @Test(arguments: ["2", "4", nil] as [String?])
  func `a checkpoint of another format is refused, with what to do`(format: String?) throws {
    let path = folder.file("best.safetensors")
    try Checkpoint.save(try Specimen.network(Specimen.cifar), Specimen.cifar, info: Specimen.info(path))
    try rewrite(path, metadata: { $0["skipline.format"] = format })
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path) }
    let text = "\(try #require(error))"
    #expect(text.contains("in format \(format ?? "1")") && text.contains("train again"), "\(text)")
  }
}

/// The reference files that belong to the tests of Networks.
enum References {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("NetworksTests/References").path
}
