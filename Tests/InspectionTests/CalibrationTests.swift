// Temperatures and files of features: numbers that are known beforehand, and files that other programs read.

import Files
import Foundation
import Messages
import Support
import Tensors
import TestSupport
import Testing

@testable import Inspection
@testable import Training

@Suite struct CalibrationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `the temperature is the one that makes confidence accuracy`() throws {
    // Nine to one for the first class, and right in 75 of 100: log 9 / T = log 3, so T = 2.
    var fitting = TemperatureFitting()
    for number in 0..<100 { fitting.add([log(9), 0], truth: number < 75 ? 0 : 1) }
    let fit = try fitting.fit(split: .validation, checkpoint: "crc32c:1")
    #expect(abs(fit.temperature - 2) < 1e-9 && fit.images == 100)
    #expect(abs(fit.errorBefore - 0.15) < 1e-9 && fit.errorAfter < 1e-9)
    #expect(abs(fit.lossAfter + 0.75 * log(0.75) + 0.25 * log(0.25)) < 1e-9 && fit.lossBefore > fit.lossAfter)
    let path = try Calibration.write(fit, besides: folder.file("best.safetensors"))
    #expect(path == folder.file("best.calibration.json"))
    #expect(try Calibration.read(besides: folder.file("best.safetensors"), checksum: "crc32c:1") == fit)
    func refusal(_ checksum: String, _ name: String = "best.safetensors") -> String {
      do { return "\(try Calibration.read(besides: folder.file(name), checksum: checksum))" } catch {
        return "\(error)"
      }
    }
    #expect(refusal("crc32c:2").contains("is of an earlier best.safetensors; fit one with: skipline evaluate"))
    #expect(refusal("crc32c:1", "last.safetensors").contains("has no calibration"))
    for text in ["", "{}", #"{"temperature":-1}"#] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      #expect(refusal("crc32c:1").contains("is damaged"))
    }
  }

  @Test func `too few images, or none that are wrong, fit no temperature`() throws {
    var fitting = TemperatureFitting()
    #expect(throws: CalibrationRefusal.self) { try fitting.fit(split: .validation, checkpoint: "") }
    for _ in 0..<40 { fitting.add([3, 0], truth: 0) }
    #expect(throws: CalibrationRefusal.self) { try fitting.fit(split: .validation, checkpoint: "") }
  }

  @Test func `features are written for NumPy, as a table and as safetensors`() throws {
    func write(_ name: String) throws -> [UInt8] {
      try FeatureFile.write(to: folder.file(name), width: 2, metadata: ["layer": "fc"]) { file in
        try file.append("a,b.png", [1, -0.5])
        try file.append("c\nd.png", [0.25, 3])
      }
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file(name))))
    }
    let array = try write("f.npy")
    // 128 bytes of header, then 2 x 2 numbers of 4 bytes.
    #expect(
      array.count == 128 + 16 && array.prefix(8) == [0x93] + Array("NUMPY".utf8) + [1, 0] && array[127] == 0x0a)
    #expect(
      String(decoding: array[10..<128], as: UTF8.self).hasPrefix(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"))
    #expect(try String(contentsOfFile: folder.file("f.txt"), encoding: .utf8) == "a,b.png\n\"c\\nd.png\"\n")
    #expect(
      String(decoding: try write("f.csv"), as: UTF8.self)
        == "path,f0,f1\n\"a,b.png\",1.0,-0.5\n\"c\nd.png\",0.25,3.0\n")
    _ = try write("f.safetensors")
    for name in ["f", "f.txt", ".npy", "f.npy.gz"] {
      #expect(throws: FeatureFileRefusal.self, "\(name)") {
        try FeatureFile.write(to: folder.file(name), width: 2) { _ in }
      }
    }
  }

  @Test func `only what changed in a folder is computed again`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 2, test: 3))
    let run = try project.trained(project.settings(epochs: 1))
    let model = try Checkpoint.load(path: run.path(of: .best))
    let extractor = try FeatureExtractor(model: model, pool: ThreadPool(threads: 1))
    let cache = FeatureCache(folder: folder.file("features"))
    let root = project.data.root
    func paths() -> [String] { (0..<3).map { "\(root)/test/red/\($0).png" } + ["\(root)/test/blue/0.png"] }
    func computed() throws -> FolderFeatures {
      try #require(try cache.features(of: paths(), below: root, extractor, batchSize: 2))
    }
    let first = try computed()
    #expect(try first.computed == 4 && computed().computed == 0)
    let query = try extractor.features(of: paths()[0])
    let alike = try computed().mostAlike(to: query, count: 2)
    #expect(alike[0].path == paths()[0] && alike[0].similarity > 0.9999)
    #expect(try computed().mostAlike(to: query, count: 9, leavingOut: paths()[0]).count == 3)
    try project.data.add("test/red/1.png", color: "blue", side: 9)
    let after = try computed()
    #expect(try after.computed == 1 && computed().computed == 0)
    try project.data.addBroken("test/red/2.png")
    let broken = try computed()
    #expect(broken.paths.count == 3 && broken.failures.count == 1)
    // A damaged file of the cache is made anew.
    for name in try Folder.names(in: folder.file("features")) {
      try Data("no".utf8).write(to: URL(fileURLWithPath: folder.file("features") + "/" + name))
    }
    #expect(try computed().computed == 3)
  }
}
