// Quantized checkpoints: what is in the file, that they answer as the one they were made of, and what is refused of them.

import Foundation
import Messages
import Networks
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct QuantizationTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 3)) }

  /// A trained run, its checkpoint, and the quantized one beside it.
  private func quantized(keeping: [String] = []) throws -> (
    source: String, path: String, record: QuantizationRecord
  ) {
    let run = try project.train(project.settings(epochs: 12)).run
    let source = run.path(of: .last)
    let job = try EvaluationJob(checkpoint: source, data: nil, split: nil, caches: nil)
    let quantized = try #require(try job.quantize(images: 100, keeping: keeping, threads: 1))
    let path = source.replacing(".safetensors", with: "-int8.safetensors")
    try Checkpoint.save(quantized.model, quantized.quantization, quantized.record, to: path)
    return (source, path, quantized.record)
  }

  private func outputs(_ path: String, threads: Int = 1) throws -> [Prediction] {
    let predictor = Predictor(model: try Checkpoint.load(path: path), pool: ThreadPool(threads: threads))
    return project.data.classes.flatMap { name in
      (0..<3).map { predictor.predict(path: "\(project.data.root)/test/\(name)/\($0).png", top: 3) }
    }
  }

  @Test func `a quantized checkpoint answers as the one it was made of, on any number of threads`() throws {
    let (source, path, record) = try quantized()
    #expect(try record.images == 18 && record.sourceChecksum == Checkpoint.load(path: source).checksum)
    let (float, bytes) = (try outputs(source), try outputs(path))
    #expect(try bytes == outputs(path, threads: 3))
    for (one, other) in zip(float, bytes) {
      #expect(one.top[0].name == other.top[0].name)
      #expect(abs(one.top[0].probability - other.top[0].probability) < 0.05, "\(one.path)")
    }
    #expect(float != bytes, "it is computed in bytes")
    let report = try #require(
      try EvaluationJob(checkpoint: path, data: nil, split: .test, caches: nil).run(threads: 1))
    #expect(report.images == 9 && report.top1 == 1)
    #expect(try Checkpoint.quantization(path: path) == record)
    #expect(try record.sourcePath(besides: path) == record.source)
  }

  @Test func `the file has bytes with a scale for each output, and what stays in float as it was`() throws {
    let (source, path, record) = try quantized(keeping: ["conv1"])
    let (float, bytes) = (try WeightsFile.read(source), try WeightsFile.read(path))
    let model = try Checkpoint.load(path: source)
    #expect(record.floatLayers == ["conv1", "fc"])
    #expect(Set(record.inputs.keys) == Set(model.network.plan.quantizableConvolutions).subtracting(["conv1"]))
    for array in model.network.stateArrays() {
      let name = array.name
      #expect(bytes.shape(of: name) == float.shape(of: name))
      let convolution = name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : ""
      guard record.inputs[convolution] != nil else {
        #expect(try bytes.array(name) == float.array(name))
        continue
      }
      let scales = try bytes.floats("skipline.scale.\(name)")
      let (weights, values) = (try float.floats(name), try bytes.int8s(name))
      let each = weights.count / scales.count
      for (index, value) in values.enumerated() {
        #expect(abs(Float(value) * scales[index / each] - weights[index]) <= 0.5001 * scales[index / each])
      }
      for output in scales.indices {
        let part = values[(output * each)..<((output + 1) * each)]
        #expect(part.contains { $0 == 127 || $0 == -127 }, "the largest weight has the last step")
      }
    }
    // The optimizer's state is not in it.
    #expect(bytes.names.allSatisfy { !$0.hasPrefix("skipline.momentum") })
  }

  @Test func `what a quantized checkpoint cannot be used for is refused by the name of the one to use`() throws {
    let (source, path, _) = try quantized()
    func refusal(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(
      refusal { _ = try InitialWeights(path) }.contains("not for training; use the checkpoint that it was made"))
    let job = try EvaluationJob(checkpoint: path, data: nil, split: nil, caches: nil)
    let again = refusal { _ = try job.quantize(images: 4, keeping: [], threads: 1) }
    #expect(again.contains("not for quantizing again; use the checkpoint that it was made from, /"))
    let float = try EvaluationJob(checkpoint: source, data: nil, split: nil, caches: nil)
    #expect(
      refusal { _ = try float.quantize(images: 4, keeping: ["conv7"], threads: 1) }
        .contains("--keep conv7: cifar8 has no such layer"))
    let all = try Checkpoint.load(path: source).network.plan.quantizableConvolutions
    #expect(refusal { _ = try float.quantize(images: 4, keeping: all, threads: 1) }.contains("no convolution left"))
  }

  /// Files are changed array by array and key by key.
  @Test func `a quantized file that is not whole is refused`() throws {
    let (_, path, record) = try quantized()
    let contents = try WeightsFile.read(path)
    func written(_ change: (inout [NamedArray], inout [String: String]) -> Void) throws -> String {
      var arrays = try contents.names.map { name in
        contents.dtype(of: name) == .int8
          ? NamedArray(name: name, shape: contents.shape(of: name) ?? [], values: .int8(try contents.int8s(name)))
          : try contents.array(name)
      }
      var metadata = contents.metadata
      change(&arrays, &metadata)
      let changed = path + ".changed.safetensors"
      try Safetensors.write(arrays, metadata: metadata, to: changed)
      do {
        _ = try Checkpoint.load(path: changed)
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(try written { _, _ in } == "nothing")
    let name = try #require(record.inputs.keys.sorted().first)
    let scale = "skipline.scale.\(name).weight"
    #expect(try written { arrays, _ in arrays.removeAll { $0.name == scale } }.contains("no array"))
    #expect(
      try written { arrays, _ in
        arrays = arrays.map {
          $0.name == scale
            ? NamedArray(name: scale, shape: $0.shape, floats: [Float](repeating: 0, count: $0.values.count)) : $0
        }
      }.contains("a step that is not above 0"))
    #expect(
      try written { arrays, _ in
        arrays = arrays.map { $0.name == scale ? NamedArray(name: scale, shape: [1], floats: [1]) : $0 }
      }.contains("without a scale for each output"))
    #expect(try written { _, metadata in metadata["skipline.quantization"] = "{}" }.contains("cannot be read"))
    #expect(try written { _, metadata in metadata["skipline.quantization"] = nil }.contains("I8"))
    #expect(
      try written { _, metadata in
        metadata["skipline.quantization"] = metadata["skipline.quantization"]?
          .replacingOccurrences(of: "\"zero\":0", with: "\"zero\":7")
      }.contains("makes no sense"))
  }
}
