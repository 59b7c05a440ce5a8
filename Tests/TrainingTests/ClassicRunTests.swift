// Runs of networks from before residual learning: interrupted ones end in the same bits, a classifier that is a
// convolution is treated as any other, and files may have what training alone needs.

import Messages
import Networks
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct ClassicRunTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  typealias Change = @Sendable (inout TrainingSettings) -> Void

  private static let squeeze = NetworkSettings(name: "squeezenet1_1", widthMultiplier: 0.0625)

  private static let changes: [(String, Change)] = [
    ("lenet5-classic", { $0.network = NetworkSettings(name: "lenet5-classic") }),
    (
      "lenet5-classic with muon",
      {
        $0.network = NetworkSettings(name: "lenet5-classic")
        $0.optimizer = OptimizerMethod.muon.usual
        $0.learningRate = 0.01
      }
    ),
    ("lenet5", { $0.network = NetworkSettings(name: "lenet5") }),
    (
      "squeezenet in bf16",
      {
        $0.network = squeeze
        // Where that is refused, the network's own case is left.
        $0.precision = OperandPrecision.hasFastBFloat16 ? .bf16 : .fp32
      }
    ),
    (
      "googlenet",
      {
        $0.network = NetworkSettings(name: "googlenet", widthMultiplier: 0.0625)
        $0.ema = 0.9
      }
    ),
    (
      "googlenet with auxiliary heads",
      {
        $0.network = NetworkSettings(name: "googlenet", widthMultiplier: 0.0625, auxiliaryHeads: true)
        $0.accumulate = 2
      }
    ),
    ("wide with dropout", { $0.network = NetworkSettings(name: "wrn-10-1", widthMultiplier: 0.5, dropout: 0.3) }),
  ]

  @Test(arguments: changes)
  func `a run that is interrupted ends in the same bits`(title: String, change: Change) throws {
    let settings = project.settings(epochs: 2) {
      $0.preprocessing.imageSize = 32
      change(&$0)
    }
    let reference = try project.train(settings)
    #expect(reference.outcome.reason == .completed)
    for step in [2, 6] {
      let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
      let run = try project.resume(stopped.run, ResumeChanges(threads: 2))
      let comparison = try RunComparison(reference.run, run.run)
      #expect(comparison.isSame, "\(title), step \(step): \(comparison.differences)")
    }
  }

  @Test func `what a map of the classic LeNet does not read is zero in its checkpoints`() throws {
    let run = try project.train(
      project.settings(epochs: 1) {
        $0.preprocessing.imageSize = 32
        $0.network = NetworkSettings(name: "lenet5-classic")
      })
    let array = try #require(try run.arrays()["c3.weight"])
    guard case .float32(let values) = array.values else { return }
    #expect(array.shape == [16, 6, 5, 5] && values.count { $0 != 0 } == 1500)
  }

  // MARK: Weights

  private func write(_ arrays: [NamedArray]) throws -> String {
    let path = project.folder.file("weights.safetensors")
    try Safetensors.write(arrays, metadata: [:], to: path)
    return path
  }

  private func network(_ settings: NetworkSettings, classes: Int, seed: UInt64) throws -> Network {
    Network(try NetworkPlan(settings, imageSize: 32, classes: classes), seed: seed)
  }

  @Test func `a classifier that is a convolution is taken by the names of its classes`() throws {
    let source = try network(Self.squeeze, classes: 5, seed: 1)
    let weights = try InitialWeights(try write(source.stateArrays()))
    let target = try network(Self.squeeze, classes: 3, seed: 2)
    let own = try #require(target.parameters.first { $0.name == "classifier.1.weight" })
    let before = own.fileOrder(own.value)
    let taken = try weights.load(
      into: target, classes: ["c", "x", "a"], naming: .names(["a", "b", "c", "d", "e"]))
    #expect(taken == .partly(rows: [2, nil, 0]))
    let theirs = try #require(source.parameters.first { $0.name == "classifier.1.weight" })
    let rows = theirs.fileOrder(theirs.value)
    let width = rows.count / 5
    let expected = Array(rows[(2 * width)..<(3 * width)]) + before[width..<(2 * width)] + rows[..<width]
    #expect(own.fileOrder(own.value) == expected)
  }

  /// On features one by one only a dense layer could be.
  @Test func `a classifier that is a convolution is trained alone on whole images`() throws {
    let path = try write(try network(Self.squeeze, classes: 7, seed: 1).stateArrays())
    let settings = project.settings(epochs: 1) {
      $0.preprocessing.imageSize = 32
      $0.network = Self.squeeze
      $0.initialWeights = path
      $0.freeze = FreezeSettings(layers: "backbone")
    }
    let run = try project.train(settings)
    #expect(run.outcome.reason == .completed)
    let source = try network(Self.squeeze, classes: 7, seed: 1).stateArrays()
    let arrays = try run.arrays(.best)
    for array in source where !array.name.hasPrefix("classifier.") {
      #expect(arrays[array.name] == array, "\(array.name)")
    }
    #expect(arrays["classifier.1.weight"]?.shape.first != 7)
  }

  @Test func `auxiliary classifiers in a file of GoogLeNet are passed over, other arrays are not`() throws {
    let settings = NetworkSettings(name: "googlenet", widthMultiplier: 0.0625)
    let source = try network(settings, classes: 3, seed: 1)
    func file(_ more: [String]) throws -> String {
      try write(source.stateArrays() + more.map { NamedArray(name: $0, shape: [1], floats: [1]) })
    }
    let model = Specimen.model(settings, side: 32)
    let loaded = try Checkpoint.load(path: try file(["aux1.fc1.weight", "aux2.conv.bn.running_var"]), as: model)
    #expect(loaded.network.stateArrays() == source.stateArrays())
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint.load(path: try file(["aux1.fc1.weight", "aux3.fc1.weight"]), as: model)
    }
    #expect(error?.description.contains("it has 'aux3.fc1.weight' besides") == true)
  }

  private static let headed = NetworkSettings(name: "googlenet", widthMultiplier: 0.0625, auxiliaryHeads: true)

  @Test func `auxiliary heads are taken from a file where they are asked for, and named where they are not`() throws
  {
    let source = try network(Self.headed, classes: 3, seed: 1)
    let path = try write(source.stateArrays())
    let weights = try InitialWeights(path)
    let found = try weights.network()
    #expect(found.settings.name == "googlenet" && found.settings.auxiliaryHeads == nil)
    #expect(found.readingText?.contains("of auxiliary heads, which only training uses, are left out") == true)
    let asked = try weights.network(NetworkRequest { $0.auxiliaryHeads = true })
    #expect(asked.settings.auxiliaryHeads == true && asked.readingText == nil)
    // Of the same classes in another order, every classifier's rows are put into order; of others, all begin anew.
    let names = ["a", "b", "c"]
    let taken = try network(Self.headed, classes: 3, seed: 2)
    try weights.load(into: taken, classes: ["c", "a", "b"], naming: .names(names))
    let other = try network(Self.headed, classes: 2, seed: 3)
    let begun = Dictionary(uniqueKeysWithValues: other.stateArrays().map { ($0.name, $0) })
    try weights.load(into: other, classes: ["x", "y"], naming: nil)
    let own = Dictionary(uniqueKeysWithValues: source.stateArrays().map { ($0.name, $0) })
    let reordered = Dictionary(uniqueKeysWithValues: taken.stateArrays().map { ($0.name, $0) })
    for array in other.stateArrays() {
      let isClassifier = ["fc.", "aux1.fc2.", "aux2.fc2."].contains { array.name.hasPrefix($0) }
      #expect(array == (isClassifier ? begun : own)[array.name], "\(array.name)")
      if !isClassifier { #expect(reordered[array.name] == own[array.name], "\(array.name)") }
    }
    for name in ["fc.bias", "aux1.fc2.bias", "aux2.fc2.weight"] {
      let (before, after) = (try floats(own[name]), try floats(reordered[name]))
      let width = before.count / 3
      #expect(after == Array(before[(2 * width)...] + before[..<(2 * width)]), "\(name)")
    }
  }

  private func floats(_ array: NamedArray?) throws -> [Float] {
    guard case .float32(let values) = try #require(array).values else { return [] }
    return values
  }

  @Test func `auxiliary heads that a file has not are refused`() throws {
    let plain = NetworkSettings(name: "googlenet", widthMultiplier: 0.0625)
    let weights = try InitialWeights(try write(try network(plain, classes: 3, seed: 1).stateArrays()))
    let error = #expect(throws: CheckpointError.self) {
      try weights.network(NetworkRequest { $0.auxiliaryHeads = true })
    }
    #expect(error?.description.contains("it has no auxiliary heads: leave --aux-heads out") == true)
  }
}
