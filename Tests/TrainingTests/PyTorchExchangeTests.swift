// Checkpoints to and from PyTorch itself. These tests need a Python with torch and torchvision: name it in the
// environment variable SKIPLINE_PYTHON; without it they are skipped.

import Support
import Foundation
import Messages
import Networks
import Tensors
import Testing
import TestSupport

@testable import Training

@Suite(
  .enabled(if: Python.isThere, "set SKIPLINE_PYTHON to a Python with torch and torchvision to run these"),
  .serialized)
struct PyTorchExchangeTests {
  /// Relative to the largest logit. They differ by rounding, which grows with the depth: about 2e-6 for resnet50.
  private static let tolerance: Float = 2e-5

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let nets = ["resnet18", "resnet50", "wide_resnet50_2", "resnext50_32x4d", "resnet50d", "seresnet18"]

  @Test(arguments: nets)
  func `PyTorch loads our checkpoint strictly and computes the same logits`(net: String) throws {
    let model = Specimen.model(NetworkSettings(name: net), side: 64, classes: 10)
    let network = try Specimen.network(model)
    let path = folder.file("best.safetensors")
    try Checkpoint.save(network, model, info: Specimen.info(path))
    try expectSame(network, try pythonLogits([path, net]), "\(net), ours in PyTorch")
  }

  @Test(arguments: ["resnet18", "resnet50"])
  func `PyTorch loads our last checkpoint when it leaves the momentum out`(net: String) throws {
    let model = Specimen.model(NetworkSettings(name: net), side: 64, classes: 10)
    let network = try Specimen.network(model)
    let path = folder.file("last.safetensors")
    let state = TrainingState(peak: 1, splitFingerprint: "")
    try Checkpoint.save(
      network, model, info: Specimen.info(path), resumable: (state, SGD(OptimizerSettings(), network.parameters)))
    try expectSame(network, try pythonLogits([path, net, "--ignore", "skipline."]), "\(net), our last in PyTorch")
  }

  @Test(arguments: nets)
  func `a checkpoint that PyTorch saved gives the same logits here`(net: String) throws {
    let path = folder.file("torch.safetensors")
    let logits = try pythonLogits(["--save", path, net, "--classes", "10"])
    let model = Specimen.model(NetworkSettings(name: net), side: 64, classes: 10)
    try expectSame(try Checkpoint.load(path: path, as: model).network, logits, "\(net), PyTorch's here")
  }

  /// Narrow ones, `name@8` in Python, and two at their usual width; GoogLeNet's file also with the auxiliary classifiers.
  @Test(
    arguments: [
      ("alexnet@8", NetworkSettings(name: "alexnet", widthMultiplier: 0.125), 64),
      ("vgg16_bn@8", NetworkSettings(name: "vgg16_bn", widthMultiplier: 0.125), 64),
      ("vgg13@8", NetworkSettings(name: "vgg13", widthMultiplier: 0.125), 64),
      ("squeezenet1_0", NetworkSettings(name: "squeezenet1_0"), 64),
      ("squeezenet1_1@8", NetworkSettings(name: "squeezenet1_1", widthMultiplier: 0.125), 64),
      ("googlenet", NetworkSettings(name: "googlenet"), 64),
      ("googlenet-aux@8", NetworkSettings(name: "googlenet", widthMultiplier: 0.125), 64),
      ("wrn-16-4", NetworkSettings(name: "wrn-16-4"), 64), ("lenet5", NetworkSettings(name: "lenet5"), 32),
      ("lenet5-classic", NetworkSettings(name: "lenet5-classic"), 32),
    ])
  func `a classic network goes to PyTorch and comes from it with the same logits`(
    net: String, settings: NetworkSettings, side: Int
  ) throws {
    let model = Specimen.model(settings, side: side, classes: 10)
    let size = ["--size", "\(side)"]
    let theirs = folder.file("torch.safetensors")
    let logits = try pythonLogits(["--save", theirs, net, "--classes", "10"] + size)
    try expectSame(try Checkpoint.load(path: theirs, as: model).network, logits, "\(net), PyTorch's here", side)
    guard !net.contains("aux") else { return }
    let ours = folder.file("best.safetensors")
    let network = try Specimen.network(model)
    try Checkpoint.save(network, model, info: Specimen.info(ours))
    try expectSame(network, try pythonLogits([ours, net] + size), "\(net), ours in PyTorch", side)
  }

  private func expectSame(_ network: Network, _ expected: [[Float]], _ what: String, _ side: Int = 64) throws {
    let logits = network.forward(Self.input(side), Pass(.inference, ThreadPool())).values
    let theirs = Array(expected.joined())
    try #require(logits.count == theirs.count)
    let largest = zip(logits, theirs).map { abs($0 - $1) }.max() ?? .nan
    let scale = theirs.map(abs).max() ?? .nan
    print("\(what): logits up to \(scale), largest difference \(largest)")
    #expect(largest <= Self.tolerance * scale, "\(what): logits up to \(scale) differ by \(largest)")
  }

  /// [2, side, side, 3]: the stream "input" of reference_tools.py, which is [2, 3, side, side] there.
  private static func input(_ side: Int) -> Tensor {
    var generator = RandomGenerator(seed: stableHash("input"))
    let planes = (0..<2 * 3 * side * side).map { _ in Float((2 * Double(generator.uniform()) - 1) * 1.7) }
    return Tensor([2, side, side, 3]) { index in
      let (pixel, channel) = (index / 3, index % 3)
      let (image, place) = (pixel / (side * side), pixel % (side * side))
      return planes[(image * 3 + channel) * side * side + place]
    }
  }

  /// Runs check_checkpoint.py.
  private func pythonLogits(_ arguments: [String]) throws -> [[Float]] {
    struct Answer: Decodable { var logits: [[Float]] }
    return try Python.run([References.folder + "/check_checkpoint.py"] + arguments, as: Answer.self).logits
  }
}
