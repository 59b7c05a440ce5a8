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
    let report = try json.decoded(EvaluationReport.self)
    let comparison = try #require(report.comparison)
    #expect(report.images == 16 && report.precision == .int8 && json.errors.contains(" in fp32, "))
    #expect(comparison.images == 16 && comparison.checkpoint.hasSuffix("best.safetensors"))
    let float = try await workspace.skipline("evaluate", "runs/tiny", "--json").decoded(EvaluationReport.self)
    #expect(float.precision == .fp32 && float.comparison == nil)
    #expect(comparison.top1 == float.top1 && comparison.loss == float.loss)
    #expect(try workspace.evaluation("runs/tiny", "best-int8-test").comparison?.agreement == comparison.agreement)
    let quick = try await workspace.skipline("evaluate", file, "--json", "--no-compare")
    #expect(try quick.decoded(EvaluationReport.self).comparison == nil && !quick.errors.contains("fp32"))
    for command in [["evaluate", file], ["predict", file, "data/test"]] {
      let refused = try await workspace.skipline(command + ["--precision", "bf16"])
      #expect(refused.status == 65 && refused.errors.contains("its weights are quantized to int8"), "\(command)")
    }
    let int8 = try await workspace.skipline("evaluate", "runs/tiny", "--precision", "int8")
    #expect(int8.status == 64 && int8.errors.contains("is not quantized"))
    for command in [["evaluate", "runs/tiny"], ["predict", "runs/tiny", "data/test"]] {
      let mixed = try await workspace.skipline(command + ["--precision", "bf16"])
      if mixed.errors.contains("this processor has no AVX512-BF16") {
        #expect(mixed.status == 64 && mixed.output.isEmpty)
      } else {
        #expect(mixed.status == 0 && (mixed.output + mixed.errors).contains("computed in bf16"))
        #expect(command[0] == "predict" || mixed.outputLines.last?.contains(" in bf16 (") == true)
      }
    }
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
