// A network's weights out of a checkpoint that torch.save wrote, wherever weights come in.

import Foundation
import Messages
import Networks
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct PyTorchWeightsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A checkpoint as a training program with several processes writes it.
  private func checkpoint(_ arrays: [NamedArray]) throws -> String {
    var tensors: [(String, [UInt8])] = []
    var storages: [(String, [UInt8])] = []
    for (number, array) in arrays.enumerated() {
      let key = String(number)
      let type: String
      switch array.values {
      case .float32(let values):
        storages.append((key, floatBytes(values)))
        type = "FloatStorage"
      case .int64(let values):
        storages.append((key, values.flatMap { Pickle.little(Int($0), 8) }))
        type = "LongStorage"
      default: preconditionFailure("a checkpoint has no such numbers")
      }
      tensors.append(("module." + array.name, Pickle.tensor(key, shape: array.shape, type: type)))
    }
    let root = Pickle.dictionary([
      ("state_dict", Pickle.dictionary(tensors)), ("epoch", Pickle.integer(7)),
      ("args", Pickle.call("argparse", "Namespace", [])),
    ])
    return try folder.write(ZipWriter(pickle: Pickle.whole(root), storages: storages).bytes(), to: "w.pth")
  }

  @Test func `weights of a PyTorch checkpoint are those of the network`() throws {
    let model = Specimen.cifar
    let original = try Specimen.network(model)
    let path = try checkpoint(original.stateArrays())
    let loaded = try Checkpoint.load(path: path, as: model)
    #expect(loaded.network.stateArrays() == original.stateArrays())
    #expect(loaded.notes == ["the arrays under 'state_dict' are taken"])
    #expect(loaded.checksum.hasPrefix("crc32c:"))
    #expect(try Checkpoint.notes(path: path, as: model) == loaded.notes)
    let weights = try InitialWeights(path)
    #expect(weights.notes == loaded.notes && weights.description == nil)
    let other = Network(try model.plan(), seed: 5)
    #expect(
      try weights.load(into: other, classes: model.classes, naming: .names(model.classes)) == .kept(rows: nil))
    #expect(other.stateArrays() == original.stateArrays())
    #expect(throws: CheckpointError.noDescription(path: path)) { try Checkpoint.load(path: path) }
  }

  @Test func `a number that is none is refused, with its array and how many there are`() throws {
    let arrays = try Specimen.network(Specimen.cifar).stateArrays().map { array in
      guard array.name == "conv1.weight", case .float32(var values) = array.values else { return array }
      (values[0], values[3]) = (.nan, .infinity)
      return NamedArray(name: array.name, shape: array.shape, floats: values)
    }
    let path = try checkpoint(arrays)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path, as: Specimen.cifar) }
    let text = error?.description ?? ""
    #expect(text.contains("'module.conv1.weight'") && text.contains("2 of"), "\(text)")
  }
}
