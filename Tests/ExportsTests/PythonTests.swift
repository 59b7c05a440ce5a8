// What other programs make of exported models. These tests need a Python with torch, onnx, onnxruntime and safetensors:
// name it in the environment variable SKIPLINE_PYTHON; without it they are skipped.

import Datasets
import Foundation
import Messages
import Tensors
import TestSupport
import Testing
import Training
import WeightFiles

@testable import Exports
@testable import Networks

@Suite(
  .enabled(if: Python.isThere, "set SKIPLINE_PYTHON to a Python with torch, onnx and onnxruntime to run these"),
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
    let arrays = model.network.stateArrays().filter { !model.network.plan.isOfHead($0.name) }
    try Safetensors.write(arrays, metadata: [:], to: folder.file("model.safetensors"))
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
    try Python.run(["-c", script] + arguments, as: [[Double]].self)
  }

  // MARK: Real pictures

  /// Files of pictures, twice as large as in the repository so that each network takes them.
  private func pictures() throws -> [String] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("sample-data/test").path
    let manager = FileManager.default
    let found = try manager.contentsOfDirectory(atPath: root).sorted().compactMap { name -> String? in
      let files = try manager.contentsOfDirectory(atPath: "\(root)/\(name)").sorted()
      return files.last.map { "\(root)/\(name)/\($0)" }
    }
    return try Python.run(
      [
        "-c",
        """
        import json, sys
        from PIL import Image
        out = []
        for place, path in enumerate(sys.argv[2:]):
            image = Image.open(path).convert("RGB")
            out.append(f"{sys.argv[1]}/{place}.png")
            image.resize((80, 80), Image.NEAREST).save(out[-1])
        print(json.dumps(out))
        """, folder.path,
      ] + found, as: [String].self)
  }

  /// The first and the last name of each family, narrow, with random weights whose scores differ by some.
  private static func model(_ name: String, side: Int) throws -> LoadedModel {
    let model = try ExportedModels.model(
      NetworkSettings(name: name, widthMultiplier: 0.0625), side: side, classes: ["a", "b", "c", "d", "e"],
      resize: .stretch)
    let network = model.network
    let pixels = ExportedModels.pixels(4, side: side)
    let logits = ExportedModels.logits(model, pixels, count: 4)
    let mean = logits.reduce(0, +) / Double(logits.count)
    let spread = (logits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logits.count)).squareRoot()
    for parameter in network.parameters where parameter.name == network.plan.classifier + ".weight" {
      parameter.value = Tensor(
        parameter.value.shape, parameter.value.values.map { $0 * Float(2 / max(spread, 1e-6)) })
    }
    return model
  }

  @Test func `every family sees in real pictures what ONNX Runtime sees`() throws {
    let side = 80
    let pictures = try pictures()
    #expect(pictures.count == 8)
    var names: [String] = []
    for family in Architecture.families {
      names += Set([family.examples.first, family.examples.last].compactMap { $0 }).sorted()
    }
    let exports = [
      ("free", ONNXExport()), ("fixed", ONNXExport(input: .float, batch: pictures.count)),
      ("fixed-bytes", ONNXExport(batch: pictures.count)), ("free-floats", ONNXExport(input: .float)),
    ]
    var ours: [String: [[Double]]] = [:]
    for (place, name) in names.enumerated() {
      let model = try Self.model(name, side: side)
      // Two ways to export for each, and every way for some network of each two.
      for (kind, export) in place.isMultiple(of: 2) ? exports[..<2] : exports[2...] {
        try export.write(model, version: "0", to: folder.file("\(name).\(kind).onnx"))
      }
      var rows: [[Double]] = []
      Predictor(model: model, pool: ThreadPool(threads: 2)).predict(pictures, batchSize: 3) { path, outcome in
        guard case .classes(let outputs) = outcome else { return }
        rows.append((0..<5).map { outputs.probability($0) })
      }
      try #require(rows.count == pictures.count, "\(name)")
      ours[name] = rows
    }
    let theirs = try Python.run(
      [
        "-c",
        """
        import glob, json, os, sys, numpy, onnx, onnxruntime
        from PIL import Image
        images = [numpy.asarray(Image.open(path)).transpose(2, 0, 1) for path in sys.argv[2:]]
        pixels, out = numpy.stack(images), {}
        for path in sorted(glob.glob(sys.argv[1] + "/*.onnx")):
            onnx.checker.check_model(path, full_check=True)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            session = onnxruntime.InferenceSession(path, options)
            kind = session.get_inputs()[0].type
            given = pixels if "uint8" in kind else pixels.astype(numpy.float32) / 255
            out[os.path.basename(path)[:-5]] = session.run(["probabilities"], {"images": given})[0].tolist()
        print(json.dumps(out))
        """, folder.path,
      ] + pictures, as: [String: [[Double]]].self)
    #expect(theirs.count == 2 * names.count)
    for (file, rows) in theirs {
      let name = String(file.prefix { $0 != "." })
      let own = try #require(ours[name])
      let largest = zip(rows.joined(), own.joined()).map { abs($0 - $1) }.max() ?? .nan
      #expect(rows.count == own.count && largest <= 1e-4, "\(file): probabilities differ by \(largest)")
    }
  }
}
