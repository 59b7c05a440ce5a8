// Files that PyTorch itself wrote, in both forms: Fixtures/make_weights.py made them and says what is in them.

import Foundation
import Testing
import TestSupport

@testable import WeightFiles

@Suite struct PyTorchFileTests {
  private func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: nil))
  }

  @Test(arguments: ["state.pth", "state-old.pth"])
  func `tensors of every type and layout are read`(name: String) throws {
    let file = try WeightsFile.read(try fixture(name))
    let base = (0..<24).map { Float($0) / 8 }
    #expect(file.outline.format == (name == "state.pth" ? .pyTorch : .oldPyTorch))
    #expect(
      file.names == [
        "bfloat", "count", "double", "empty", "expanded", "half", "parameter", "plain", "transposed", "view",
      ])
    #expect(try file.floats("plain") == base)
    #expect(file.shape(of: "transposed") == [4, 3, 2])
    #expect(try file.floats("transposed") == (0..<24).map { base[$0 % 2 * 12 + $0 / 2 % 3 * 4 + $0 / 6] })
    #expect(file.shape(of: "view") == [2, 2])
    #expect(try file.floats("view") == [base[16], base[18], base[20], base[22]])
    #expect(try file.floats("expanded") == [1.5, 1.5, 1.5, -2, -2, -2])
    #expect(try file.floats("parameter") == [0.25, -0.5])
    #expect(try file.floats("half") == [1, -2.5, 0x1p-24])
    #expect(file.dtype(of: "half") == .float16)
    #expect(try file.floats("bfloat") == [1, 3.140625])
    #expect(try file.floats("double") == [1.5, -2])
    #expect(try file.integers("count") == [7])
    #expect(try file.count("count") == 7)
    #expect(file.shape(of: "empty") == [0, 4])
    #expect(try file.floats("empty") == [])
    #expect(file.outline.notes.isEmpty)
    #expect(try WeightsFile.outline(of: try fixture(name)).names == file.names)
  }

  @Test(arguments: ["checkpoint.pth", "checkpoint-old.pth"])
  func `a checkpoint gives its network, its plain values, and says what else there was`(name: String) throws {
    let file = try WeightsFile.read(try fixture(name))
    #expect(file.names.allSatisfy { $0.hasPrefix("module.") })
    #expect(file.shape(of: "module.0.weight") == [2, 1, 3, 3])
    // What PyTorch prints of it.
    #expect(try file.floats("module.0.weight")[1] == 0.24975000321865082)
    #expect(try file.floats("module.1.running_mean") == [0.9000000357627869, 2.924999952316284])
    #expect(try file.count("module.1.num_batches_tracked") == 1)
    #expect(file.metadata == ["arch": "tiny", "best_acc1": "61.5", "epoch": "7"])
    #expect(file.outline.notes == ["the arrays under 'model' are taken", "those under 'model_ema' are not"])
  }

  @Test func `a whole module is refused by its class, and the line that saves its weights is told`() throws {
    let path = try fixture("module.pth")
    let error = #expect(throws: WeightsFileError.self) { try WeightsFile.outline(of: path) }
    #expect(error?.fault == .refusedObject("torch.nn.modules.container.Sequential"))
    #expect(error?.description.contains("python3 -c") == true && error?.description.contains("state_dict") == true)
  }

  @Test(arguments: ["state.pth", "state-old.pth", "checkpoint.pth"])
  func `a file cut off anywhere is refused`(name: String) throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: try fixture(name))))
    for length in stride(from: 1, to: bytes.count, by: 37) {
      let path = try folder.write(Array(bytes[..<length]), to: "cut.pth")
      #expect(throws: (any Error).self, "\(length) bytes") { try WeightsFile.read(path) }
    }
  }

  @Test func `a flipped bit in a storage is found by the archive's checksum`() throws {
    let folder = try TemporaryFolder()
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: try fixture("state.pth"))))
    // 23 / 8, the last of the first storage.
    let place = try #require(bytes.firstRange(of: floatBytes([22.0 / 8, 23.0 / 8]))).lowerBound
    bytes[place] ^= 4
    let path = try folder.write(bytes, to: "flipped.pth")
    let error = #expect(throws: WeightsFileError.self) { try WeightsFile.read(path) }
    #expect(error?.description.contains("checksum") == true, "\(String(describing: error))")
  }
}
