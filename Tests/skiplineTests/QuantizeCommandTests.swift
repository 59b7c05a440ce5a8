// `skipline quantize` as a program, and what the others do with what it writes.

import Foundation
import Messages
import Testing

@Suite struct QuantizeCommandTests {
  @Test
  func `a quantized checkpoint is evaluated beside its source, predicts, and is not exported or trained from`()
    async throws
  {
    let workspace = try Workspace()
    try await workspace.train()
    let quantized = try await workspace.skipline("quantize", "runs/tiny", "--images", "10")
    #expect(quantized.status == 0, "\(quantized.errors)")
    #expect(
      quantized.output.contains("best-int8.safetensors") && quantized.output.contains("by 10 training images"))
    #expect(quantized.output.contains("in float: fc"))
    #expect(quantized.outputLines.last?.contains("val images: accuracy ") == true)
    let again = try await workspace.skipline("quantize", "runs/tiny")
    #expect(again.status == 64 && again.errors.contains("--overwrite"))
    let file = "runs/tiny/checkpoints/best-int8.safetensors"
    let evaluated = try await workspace.skipline("evaluate", file)
    #expect(
      evaluated.status == 0 && evaluated.outputLines.last?.contains(" in int8 (") == true, "\(evaluated.output)")
    #expect(evaluated.errors.contains("int8 weights, quantized from"))
    let json = try await workspace.skipline("evaluate", file, "--json")
    #expect(try json.decoded(EvaluationReport.self).images == 16 && json.errors.contains(" in float, "))
    let predicted = try await workspace.skipline("predict", file, "data/test")
    #expect(predicted.status == 0 && predicted.outputLines.count == 16)
    let exported = try await workspace.skipline("export", file, "--onnx", "model.onnx")
    #expect(exported.status == 65 && exported.errors.contains("not for other programs; use the checkpoint"))
    let trained = try await workspace.skipline("train", "data", "--weights", file, "--epochs", "1")
    #expect(trained.status == 65 && trained.errors.contains("not for training; use the checkpoint"))
    try FileManager.default.removeItem(atPath: "\(workspace.folder)/runs/tiny/checkpoints/best.safetensors")
    let alone = try await workspace.skipline("evaluate", file)
    #expect(alone.status == 0 && alone.errors.contains("is not there any more"))
  }
}
