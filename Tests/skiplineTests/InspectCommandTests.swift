// `skipline inspect`, and files of other programs that are evaluated without a word about their network.

import Foundation
import Messages
import Testing
import Training
import WeightFiles

@Suite(.serialized) struct InspectCommandTests {
  /// A run's best weights as another program would save them.
  private func foreign(in workspace: Workspace, prefix: String = "") async throws {
    try await workspace.train("own", epochs: 1)
    let file = try Safetensors.read(path: "\(workspace.folder)/runs/own/checkpoints/best.safetensors")
    let arrays = try file.names.map {
      var array = try file.array($0)
      array.name = prefix + $0
      return array
    }
    try Safetensors.write(arrays, metadata: ["note": "a try"], to: "\(workspace.folder)/w.safetensors")
  }

  @Test func `a file and a run are inspected, as text and as JSON`() async throws {
    let workspace = try Workspace()
    try await foreign(in: workspace, prefix: "module.")
    let text = try await workspace.skipline("inspect", "w.safetensors")
    #expect(text.status == 0)
    for part in [
      "safetensors", "network     cifar8 for 8 classes: --net cifar8", "--width 0.25", "names without 'module.'",
      "note: a try", "module.conv1.weight", "4x3x3x3",
    ] {
      #expect(text.output.contains(part), "\(part): \(text.output)")
    }
    let json = try await workspace.skipline("inspect", "w.safetensors", "--json").decoded(WeightsInspection.self)
    #expect(json.network?.name == "cifar8" && json.network?.classes == 8)
    #expect(json.arrays.contains { $0.own == "fc.weight" && $0.shape == [8, 16] && $0.nan == 0 })
    let own = try await workspace.skipline("inspect", "runs/own", "--json").decoded(WeightsInspection.self)
    #expect(own.network?.isDescribed == true && own.classes?.count == 8)
    #expect(try await workspace.skipline("inspect", "none.safetensors").status == 66)
  }

  @Test func `a file with NaN is shown and ends with 65`() async throws {
    let workspace = try Workspace()
    try Safetensors.write(
      [NamedArray(name: "w", shape: [3], floats: [1, .nan, .nan])], metadata: [:],
      to: "\(workspace.folder)/bad.safetensors")
    let result = try await workspace.skipline("inspect", "bad.safetensors")
    #expect(result.status == 65 && result.output.contains("! 'w': 2 NaN of 3 numbers"), "\(result.output)")
  }

  @Test
  func `a file of another program is evaluated and trained without --net, and it is said what it is taken for`()
    async throws
  {
    let workspace = try Workspace()
    try await foreign(in: workspace, prefix: "model.")
    let evaluate = ["evaluate", "w.safetensors", "--data", "data", "--imgsz", "16"]
    let first = try await workspace.skipline(evaluate + ["--verbose"])
    #expect(first.status == 0, "\(first.errors)")
    for part in [
      "looks like cifar8 for 8 classes", "names without 'model.'", "mean 0.485,0.456,0.406", "model.conv1.weight",
      "taken",
    ] {
      #expect(first.errors.contains(part), "\(part): \(first.errors)")
    }
    let own = try await workspace.skipline("evaluate", "runs/own", "--json").decoded(EvaluationReport.self)
    struct Input: Decodable {
      struct Model: Decodable {
        struct Preprocessing: Decodable { var mean, std: [Float] }
        var preprocessing: Preprocessing
      }
      var model: Model
    }
    let input = try JSONDecoder().decode(Input.self, from: Data(workspace.text("runs/own/run.json").utf8)).model
      .preprocessing
    func text(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    let same = try await workspace.skipline(
      evaluate + ["--json", "--mean", text(input.mean), "--std", text(input.std)]
    ).decoded(EvaluationReport.self)
    #expect(same.loss == own.loss && same.top1 == own.top1)

    let wrong = try await workspace.skipline(evaluate + ["--width", "0.5"])
    #expect(wrong.status == 65 && wrong.errors.contains("looks like cifar8 for 8 classes"), "\(wrong.errors)")
    let other = try await workspace.skipline(evaluate + ["--net", "cifar14"])
    #expect(other.status == 65 && other.errors.contains("lacks") && other.errors.contains("looks like cifar8"))
    let few = try await workspace.skipline(evaluate + ["--classes", "a,b"])
    #expect(few.status == 65 && few.errors.contains("8 classes apart, and 2 are named"), "\(few.errors)")

    let trained = try await workspace.skipline(
      "train", "data", "--weights", "w.safetensors", "--recipe", "none", "--imgsz", "16", "--epochs", "1",
      "--threads", "1", "--verbose")
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.errors.contains("looks like cifar8") && trained.errors.contains("new, random"))
    #expect(try workspace.text("runs/cifar8-1/run.json").contains("\"widthMultiplier\" : 0.25"))
  }
}
