// What other programs make of exported models. These tests need a Python with torch, onnx, onnxruntime and safetensors:
// name it in the environment variable SKIPLINE_PYTHON; without it they are skipped.

import Foundation
import TestSupport
import Testing
import Training
import WeightFiles

@testable import Exports

private let python = ProcessInfo.processInfo.environment["SKIPLINE_PYTHON"]

@Suite(
  .enabled(if: python != nil, "set SKIPLINE_PYTHON to a Python with torch, onnx and onnxruntime to run these"),
  .serialized)
struct PythonTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func compare(_ theirs: [[Double]], _ ours: [[Double]]) throws {
    try #require(theirs.count == ours.count)
    let largest = zip(theirs.joined(), ours.joined()).map { abs($0 - $1) }.max() ?? .nan
    #expect(largest <= 1e-4, "probabilities differ by \(largest)")
  }

  @Test(arguments: ExportedModels.all.indices, [ONNXExport(), ONNXExport(input: .float, batch: 2)])
  func `ONNX Runtime gives our probabilities, and the checker finds no fault`(place: Int, export: ONNXExport) throws
  {
    let (settings, side) = ExportedModels.all[place]
    let model = try ExportedModels.model(settings, side: side)
    try export.write(model, version: "0", to: folder.file("model.onnx"))
    let pixels = ExportedModels.pixels(2, side: side)
    try Data(pixels).write(to: URL(fileURLWithPath: folder.file("pixels")))
    let theirs = try probabilities(
      """
      import json, sys, numpy, onnx, onnxruntime
      folder, side, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
      onnx.checker.check_model(folder + "/model.onnx", full_check=True)
      pixels = numpy.fromfile(folder + "/pixels", numpy.uint8).reshape(2, 3, side, side)
      if kind == "float": pixels = pixels.astype(numpy.float32) / 255
      session = onnxruntime.InferenceSession(folder + "/model.onnx")
      print(json.dumps(session.run(["probabilities"], {"images": pixels})[0].tolist()))
      """, [folder.path, "\(side)", export.input.rawValue])
    try compare(theirs, ExportedModels.probabilities(model, pixels, count: 2))
  }

  @Test(arguments: ExportedModels.all.indices)
  func `PyTorch runs the file that defines the network`(place: Int) throws {
    let (settings, side) = ExportedModels.all[place]
    let model = try ExportedModels.model(settings, side: side)
    let source = try PyTorchSource(
      model.network.plan, model.description, weights: "model.safetensors"
    ).text()
    try Data(source.utf8).write(to: URL(fileURLWithPath: folder.file("model.py")))
    try Safetensors.write(model.network.stateArrays(), metadata: [:], to: folder.file("model.safetensors"))
    let pixels = ExportedModels.pixels(2, side: side)
    try Data(pixels).write(to: URL(fileURLWithPath: folder.file("pixels")))
    let theirs = try probabilities(
      """
      import json, sys, numpy, torch
      folder, side = sys.argv[1], int(sys.argv[2])
      sys.path.insert(0, folder)
      import model
      pixels = torch.tensor(numpy.fromfile(folder + "/pixels", numpy.uint8).reshape(2, 3, side, side)) / 255
      pixels = (pixels - torch.tensor(model.MEAN)[:, None, None]) / torch.tensor(model.STD)[:, None, None]
      assert model.CLASSES == ["a \\"cat\\"", "ß", "c"]
      with torch.no_grad(): print(json.dumps(model.load().eval()(pixels).softmax(1).tolist()))
      """, [folder.path, "\(side)"])
    try compare(theirs, ExportedModels.probabilities(model, pixels, count: 2))
  }

  /// Runs a script that prints a JSON list of lists.
  private func probabilities(_ script: String, _ arguments: [String]) throws -> [[Double]] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = ["-B", "-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "exit status \(process.terminationStatus)")
    return try JSONDecoder().decode([[Double]].self, from: data)
  }
}
