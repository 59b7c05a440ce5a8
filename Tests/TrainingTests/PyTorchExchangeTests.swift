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

private let python = ProcessInfo.processInfo.environment["SKIPLINE_PYTHON"]

@Suite(
  .enabled(if: python != nil, "set SKIPLINE_PYTHON to a Python with torch and torchvision to run these"),
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

  private func expectSame(_ network: Network, _ expected: [[Float]], _ what: String) throws {
    let logits = network.forward(Self.input, Pass(.inference, ThreadPool())).values
    let theirs = Array(expected.joined())
    try #require(logits.count == theirs.count)
    let largest = zip(logits, theirs).map { abs($0 - $1) }.max() ?? .nan
    let scale = theirs.map(abs).max() ?? .nan
    print("\(what): logits up to \(scale), largest difference \(largest)")
    #expect(largest <= Self.tolerance * scale, "\(what): logits up to \(scale) differ by \(largest)")
  }

  /// [2, 64, 64, 3]: the stream "input" of reference_tools.py, which is [2, 3, 64, 64] there.
  private static let input: Tensor = {
    let side = 64
    var generator = RandomGenerator(seed: stableHash("input"))
    let planes = (0..<2 * 3 * side * side).map { _ in Float((2 * Double(generator.uniform()) - 1) * 1.7) }
    return Tensor([2, side, side, 3]) { index in
      let (pixel, channel) = (index / 3, index % 3)
      let (image, place) = (pixel / (side * side), pixel % (side * side))
      return planes[(image * 3 + channel) * side * side + place]
    }
  }()

  /// Runs check_checkpoint.py.
  private func pythonLogits(_ arguments: [String]) throws -> [[Float]] {
    struct Answer: Decodable { var logits: [[Float]] }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    // The script lies in the sources: Python is not to leave compiled files beside it.
    process.arguments = ["-B", References.folder + "/check_checkpoint.py"] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(arguments): exit status \(process.terminationStatus)")
    return try JSONDecoder().decode(Answer.self, from: data).logits
  }
}
