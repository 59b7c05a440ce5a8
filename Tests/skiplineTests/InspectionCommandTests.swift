// `compare`, `explain`, `features`, `similar`, `check --model`, and what `evaluate` and `predict` know of probabilities, as
// programs. What they compute is tested in InspectionTests.

import Foundation
import Messages
import Testing

@testable import skipline

@Suite struct InspectionCommandTests {
  @Test func `two runs are compared, and what was evaluated is not evaluated again`() async throws {
    let workspace = try Workspace()
    try await workspace.train("one", epochs: 1)
    try FileManager.default.copyItem(
      atPath: "\(workspace.folder)/runs/one", toPath: "\(workspace.folder)/runs/two")
    let result = try await workspace.skipline("compare", "runs/one", "runs/two")
    #expect(
      result.status == 0 && result.output.contains("16 test images that both were measured on"), "\(result.errors)")
    #expect(result.output.contains("nothing fixed, nothing broken (p = 1") && result.output.contains("still wrong"))
    #expect(result.errors.contains("evaluating runs/one on test images"))
    // A decision about a test image makes both evaluations of something else.
    _ = try await workspace.skipline("exclude", "data", "test/disc/disc-0007.png")
    let after = try await workspace.skipline("compare", "runs/one", "runs/two", "--json")
    #expect(after.errors.contains("were excluded") && after.output.contains("\"images\" : 15"), "\(after.errors)")
    let again = try await workspace.skipline("compare", "runs/one", "runs/two")
    #expect(again.errors.isEmpty && again.output.contains("15 test images"), "\(again.errors)")
    let evaluate = try await workspace.skipline("evaluate", "runs/one")
    #expect(evaluate.output.contains("! test images were edited: 1 left out"))
  }

  @Test func `suspected labels are findings, and who judged is said`() async throws {
    let workspace = try Workspace()
    try await workspace.train(epochs: 1)
    let result = try await workspace.skipline("check", "data", "--model", "runs/tiny", "--csv-labels", "labels.csv")
    #expect(result.errors.contains("evaluating runs/tiny on all images"), "\(result.errors)")
    let judged = "labels: 24 images judged by models that were not trained on them; 40 not judged"
    #expect(result.output.contains(judged), "\(result.output)")
    #expect(try workspace.lines("labels.csv").count == 25)
    let all = try await workspace.skipline("check", "data", "--model", "runs/tiny", "--in-sample", "--json")
    let report = try all.decoded(DatasetReport.self)
    if let suspect = report.labelErrors?.suspects.first {
      _ = try await workspace.skipline("confirm", "data", suspect.path)
      let without = try await workspace.skipline(
        "check", "data", "--model", "runs/tiny", "--in-sample", "--json", "--no-decode", "--suspects", "s.csv")
      let errors = try without.decoded(DatasetReport.self).labelErrors
      #expect(errors?.confirmed == 1 && errors?.suspects.contains { $0.path == suspect.path } == false)
      #expect(try workspace.lines("s.csv").count == report.labelErrors?.suspects.count)
    }
    #expect(report.labelErrors?.inSample == 40 && report.labelErrors?.heldOut == 24)
    #expect(
      report.findings.count { $0.kind == .suspectedLabel } == (report.labelErrors?.suspects.count ?? 0) + 1)
  }

  @Test func `an image is explained, compared with others, and its probabilities are put right`() async throws {
    let workspace = try Workspace()
    try await workspace.train(epochs: 1)
    let image = "data/test/disc/disc-0007.png"
    let json = try await workspace.skipline(
      "explain", "runs/tiny", image, "--json", "--out", "heat.png", "--class", "disc", "--class", "ring")
    let explanation = try json.decoded(Explanation.self)
    #expect(explanation.heats.count >= 2 && explanation.heats[0].map.height == 4 && explanation.seen.width == 16)
    let picture = try Data(contentsOf: URL(fileURLWithPath: "\(workspace.folder)/heat.png"))
    #expect(Array(picture.prefix(4)) == [0x89, 0x50, 0x4e, 0x47])
    let cow = try await workspace.skipline("explain", "runs/tiny", image, "--class", "cow")
    #expect(cow.status == 64 && cow.errors.contains("knows no class 'cow'"))

    let layers = try await workspace.skipline("layers", "runs/tiny", "--json").decoded(LayerReport.self)
    #expect(layers.images == 8 && layers.split == .validation && layers.layers[0].name == "conv1")
    #expect(
      layers.layers.count { $0.balance != nil } == 3 && layers.layers.contains { $0.activations?.dead != nil })
    let printed = try await workspace.skipline("layers", "runs/tiny", "--split", "test", "--batch", "5")
    #expect(printed.output.contains("5 images of ") && printed.output.contains("data, test"))
    #expect(printed.output.contains("layer1.0.add ") && printed.output.contains("no NaN"), "\(printed.output)")

    let features = try await workspace.skipline(
      "features", "runs/tiny", "data/test", "--out", "f.csv", "--layer", "layer2")
    #expect(features.status == 0 && features.output.contains("16 images"), "\(features.errors)")
    // 8 channels of the second stage, and the path.
    #expect(
      try workspace.lines("f.csv").count == 17 && workspace.lines("f.csv")[0].split(separator: ",").count == 9)
    let similar = try await workspace.skipline("similar", "runs/tiny", "f.csv", "data", "--json")
    #expect(similar.status == 65, "a table is no image")
    try FileManager.default.copyItem(
      atPath: "\(workspace.folder)/\(image)", toPath: "\(workspace.folder)/query.png")
    let alike = try await workspace.skipline("similar", "runs/tiny", "query.png", "data", "--json", "--count", "3")
    let found = try alike.decoded([SimilarImage].self)
    #expect(found.count == 3 && found[0].path == image && found[0].similarity > 0.999)

    let sorted = try await workspace.skipline(
      "evaluate", "runs/tiny", "--split", "all", "--sort", "loss", "--csv", "images.csv", "--calibrate", "--images",
      "wrong.json", "--filter", "wrong test", "--confusion", "matrix.svg", "--reliability", "trust.csv", "--pairs",
      "pairs.csv", "--metrics", "classes.json")
    #expect(sorted.status == 0 && sorted.output.contains("ECE ") && sorted.errors.contains("kept of each image"))
    #expect(sorted.errors.contains("best.calibration.json"), "\(sorted.errors)")
    let wrong =
      try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: "\(workspace.folder)/wrong.json"))) as? [String: Any]
    #expect((wrong?["rows"] as? [[String: Any]])?.allSatisfy { $0["split"] as? String == "test" } == true)
    #expect(try workspace.lines("trust.csv").count == 16 && workspace.lines("matrix.svg").count > 3)
    let again = try await workspace.skipline("evaluate", "runs/tiny", "--reliability", "trust.csv")
    #expect(again.status == 64 && again.errors.contains("trust.csv is there already"))
    let rows = try workspace.lines("images.csv").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let losses = rows.dropFirst().compactMap { Double($0[4]) }
    #expect(losses.count == 64 && losses == losses.sorted(by: >) && rows[0].count == 13)
    let plain = try await workspace.skipline("predict", "runs/tiny", image, "--json").decoded(Prediction.self)
    let calibrated = try await workspace.skipline(
      "predict", "runs/tiny", image, "--json", "--calibrated", "--reject-below", "1", "--csv", "p.csv")
    let prediction = try calibrated.decoded(Prediction.self)
    #expect(
      plain.top[0].name == prediction.top[0].name && plain.top[0].probability != prediction.top[0].probability)
    #expect(plain.rejected == nil && prediction.rejected == true)
    #expect(calibrated.errors.contains("1 of 1 image rejected"), "\(calibrated.errors)")
    let table = try workspace.lines("p.csv")
    #expect(table[0].hasPrefix("path,error,rejected,predicted") && table[1].contains(",true,"))
  }

  @Test(arguments: [
    "explain runs/r a.png --out heat.jpg", "explain runs/r a.png --out .png", "evaluate runs/r --sort loss",
    "evaluate runs/r --calibrate --split train", "check data --in-sample", "check data --csv-labels l.csv",
    "evaluate runs/r --filter wrong", "check data --suspects s.csv", "evaluate runs/r --images a.csv --csv a.csv",
    "predict runs/r a.png --reject-below 2", "similar runs/r a.png b --count 0", "features runs/r a.png",
  ])
  func `what makes no sense is refused before anything is done`(line: String) {
    #expect(throws: (any Error).self) {
      try SkiplineCommand.parseAsRoot(line.split(separator: " ").map(String.init))
    }
  }
}
