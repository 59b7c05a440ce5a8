// `skipline evaluate` and `predict` as programs: what is measured, what is printed of many classes, and that figures
// are shown whatever becomes of the file.

import Foundation
import Messages
import Testing

@Suite struct EvaluateCommandTests {
  private func move(_ from: String, to: String, in workspace: Workspace) throws {
    try FileManager.default.moveItem(
      atPath: "\(workspace.folder)/\(from)", toPath: "\(workspace.folder)/\(to)")
  }

  /// The test pictures as plain class folders.
  private func makeHoldout(_ workspace: Workspace) throws {
    try FileManager.default.copyItem(
      atPath: "\(workspace.folder)/data/test", toPath: "\(workspace.folder)/holdout")
  }

  @Test func `other data are measured whole, and the heading says so`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    try makeHoldout(workspace)
    let result = try await workspace.skipline("evaluate", "runs/tiny", "--data", "holdout")
    #expect(result.status == 0)
    #expect(result.output.contains("on all 16 images of holdout"))
    #expect(result.outputLines.last?.hasPrefix("16 images") == true, "totals come last")
    let refused = try await workspace.skipline("evaluate", "runs/tiny", "--data", "holdout", "--split", "val")
    #expect(refused.status == 64 && refused.errors.contains("--split all"))
    let own = try await workspace.skipline("evaluate", "runs/tiny", "--split", "all", "--json")
    #expect(try own.decoded(EvaluationReport.self).images == Workspace.imageCount)
    let kept = try FileManager.default.contentsOfDirectory(atPath: "\(workspace.folder)/runs/tiny/evaluations")
    let files = kept.filter { $0.hasSuffix(".json") }
    #expect(kept.count { $0.hasSuffix(".images.safetensors") } == files.count)
    #expect(files.sorted().first == "best-all-holdout-" + (files.sorted().first?.suffix(13) ?? ""))
    #expect(files.contains("best-all.json") && files.count == 2)
  }

  @Test func `a run goes on where its images were moved`() async throws {
    let workspace = try Workspace()
    try await workspace.train(epochs: 1)
    try move("data", to: "images", in: workspace)
    let gone = try await workspace.skipline("train", "--resume", "runs/tiny", "--epochs", "2")
    #expect(gone.status == 66 && gone.errors.contains("train --resume runs/tiny --data FOLDER"), "\(gone.errors)")
    let evaluate = try await workspace.skipline("evaluate", "runs/tiny")
    #expect(evaluate.status == 66 && evaluate.errors.contains("evaluate runs/tiny --data FOLDER"))
    let moved = try await workspace.skipline("evaluate", "runs/tiny", "--data", "images")
    #expect(moved.output.contains("on the 16 test images of images"))
    let resumed = try await workspace.skipline(
      "train", "--resume", "runs/tiny", "--data", "images", "--epochs", "2")
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try await workspace.skipline("evaluate", "runs/tiny").status == 0)
    let other = try await workspace.skipline("train", "--resume", "runs/tiny", "--data", "images/train")
    #expect(other.status == 65)
    #expect(try await workspace.skipline("train", "images", "--data", "images").status == 64)
  }

  @Test func `figures that cannot be kept are printed, with a status of their own`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    let folder = "\(workspace.folder)/runs/tiny/evaluations"
    try FileManager.default.removeItem(atPath: folder)
    try workspace.write([], to: "runs/tiny/evaluations")
    for words in [[], ["--json"]] {
      let result = try await workspace.skipline(["evaluate", "runs/tiny"] + words)
      #expect(result.status == 74 && result.errors.contains("evaluations"))
      #expect(result.output.contains(words.isEmpty ? "16 images" : "\"images\" : 16"))
    }
    let alone = "runs/tiny/run.json"
    try workspace.write(Array("{".utf8), to: alone)
    let best = "runs/tiny/checkpoints/best.safetensors"
    let result = try await workspace.skipline("evaluate", best, "--data", "data")
    #expect(result.status == 0 && result.output.contains("16 images") && result.errors.contains(alone))
    #expect(try await workspace.skipline("evaluate", best).errors.contains("--data"))
  }

  @Test func `images that do not decode are told by the status, as in predict`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    for number in 7...8 { try workspace.truncate("data/test/disc/disc-000\(number).png") }
    let result = try await workspace.skipline("evaluate", "runs/tiny")
    #expect(result.status == 65)
    #expect(result.output.contains("on 14 of the 16 test images") && result.output.contains("2 not counted"))
    #expect(result.output.contains("disc-0007.png does not decode"))
  }

  /// The classifier overflows: its weights are numbers, and large.
  @Test func `outputs that are not finite end with 1, and are given no class`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    let file = "\(workspace.folder)/runs/tiny/checkpoints/best.safetensors"
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
    let length = bytes[..<8].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    var header = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
    let weight = try #require((header["fc.weight"] as? [String: Any])?["data_offsets"] as? [Int])
    for place in stride(from: 8 + length + weight[0], to: 8 + length + weight[1], by: 4) {
      withUnsafeBytes(of: Float(3e38).bitPattern.littleEndian) {
        bytes.replaceSubrange(place..<place + 4, with: $0)
      }
    }
    // Without its checksum, which does not hold any more.
    var metadata = try #require(header["__metadata__"] as? [String: Any])
    (metadata["skipline.checksum"], metadata["skipline.sealed"]) = (nil, nil)
    header["__metadata__"] = metadata
    let text = try JSONSerialization.data(withJSONObject: header)
    let prefix = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    try workspace.write(prefix + Array(text) + bytes[(8 + length)...], to: "loud.safetensors")

    let evaluate = try await workspace.skipline("evaluate", "loud.safetensors", "--data", "data")
    #expect(evaluate.status == 1 && evaluate.errors.contains("NaN or infinite"), "\(evaluate.errors)")
    #expect(evaluate.output.contains("top-1 0.00%") && evaluate.output.contains("loss -"))
    let json = try await workspace.skipline("evaluate", "loud.safetensors", "--data", "data", "--json")
    #expect(json.status == 1 && json.output.contains("\"loss\" : null"))
    let predict = try await workspace.skipline("predict", "loud.safetensors", "data/test/disc")
    #expect(predict.status == 65 && predict.output.isEmpty && predict.errors.contains("NaN or infinite"))
  }

  @Test func `of many classes the worst and the most confused are printed, and totals come last`() async throws {
    let workspace = try Workspace(withData: false)
    let pictures = Workspace.pictures.items.prefix(4)
    for label in 0..<40 {
      for (number, item) in pictures.enumerated() {
        let picture = try Workspace.pictures.picture(of: item).encodedAsPNG()
        try workspace.write(picture, to: "data/\(number == 0 ? "test" : "train")/class-\(label)/\(number).png")
      }
    }
    try await workspace.train(epochs: 1)
    let short = try await workspace.skipline("evaluate", "runs/tiny", "--split", "train")
    for part in ["lowest recall", "most confused pairs", "most confident of them"] {
      #expect(short.output.contains(part))
    }
    #expect(short.outputLines.count < 80, "\(short.outputLines.count) lines")
    #expect(short.outputLines.last?.contains("top-1") == true)
    let whole = try await workspace.skipline("evaluate", "runs/tiny", "--split", "train", "--all")
    #expect(whole.output.contains("a row a true class") && whole.outputLines.count > 160)
    let json = try await workspace.skipline("evaluate", "runs/tiny", "--split", "train", "--json")
    #expect(json.output.contains("\"precision\":null"), "a class that no image is given")
    let report = try json.decoded(EvaluationReport.self)
    #expect(
      report.misclassified.count == report.mistakes && report.confusion.rows.joined().reduce(0, +) == report.images)
  }

  /// As the running variances grow, the training loss stays a number.
  @Test func `a validation without numbers ends the run, and is never its best`() async throws {
    let workspace = try Workspace()
    let result = try await workspace.train("loud", epochs: 6, "--lr", "1e6")
    #expect(result.status == 1 && result.errors.contains("diverged"), "\(result.errors)")
    #expect(!result.output.contains("completed"))
    if workspace.exists("runs/loud/results.csv") {
      let rows = try workspace.text("runs/loud/results.csv")
      #expect(!rows.contains("nan") && !rows.contains("inf"))
    }
  }
}
