// Augmentations, mixing and letterboxing by command: what an epoch's line says, what a checkpoint keeps, and what goes
// from weights to the run that starts from them.

import Foundation
import Messages
import Testing

@Suite(.serialized) struct AugmentationCommandTests {
  @Test func `an epoch's line says that its figures are those of mixed images`() async throws {
    let workspace = try Workspace()
    let mixed = try await workspace.train(
      "mixed", epochs: 1, "--mixup", "0.2", "--cutmix", "1", "--erase", "0.25", "--rotate", "10", "--vflip",
      "--auto-augment", "trivial", "--alternate-flip", "--crop", "resized", "--crop-scale", "0.6")
    #expect(mixed.status == 0, "\(mixed.errors)")
    #expect((mixed.output + mixed.errors).contains("% (on mixed images); validation loss"))
    #expect(try workspace.lines("runs/mixed/metrics.jsonl").contains { $0.contains("\"mixed\":true") })
    let plain = try await workspace.train("plain", epochs: 1)
    #expect(!(plain.output + plain.errors).contains("mixed"))
  }

  @Test func `a checkpoint keeps how its images were padded, and so does what starts from it`() async throws {
    let workspace = try Workspace()
    try await workspace.train("first", epochs: 1, "--resize", "pad", "--pad-color", "edge")
    let evaluated = try await workspace.skipline("evaluate", "runs/first", "--json")
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let words = ["train", "data", "--weights", "runs/first", "--epochs", "1", "--threads", "1"]
    let taken = try await workspace.skipline(words + ["--name", "second"])
    #expect(taken.status == 0 && taken.errors.contains("resize pad, pad color edge"), "\(taken.errors)")
    #expect(try workspace.text("runs/second/run.json").contains("\"padColor\" : \"edge\""))
    let cropped = try await workspace.skipline(words + ["--name", "third", "--resize", "crop"])
    #expect(cropped.status == 0, "\(cropped.errors)")
    #expect(try !workspace.text("runs/third/run.json").contains("padColor"))
    let list = try await workspace.skipline("cache", "--list")
    #expect(list.output.contains("16 pad edge"), "\(list.output)")
  }

  @Test(arguments: [
    ["--pad-color", "white"], ["--crop-scale", "0.6"], ["--erase-fill", "mean"], ["--no-flip", "--alternate-flip"],
    ["--mixup", "0.2", "--batch", "1"], ["--rotate", "200"], ["--erase", "2"], ["--cutmix", "-1"],
    ["--auto-augment", "some"], ["--pad-color", "pink", "--resize", "pad"],
  ]) func `what means nothing or is out of range is refused`(words: [String]) async throws {
    let workspace = try Workspace()
    let run = try await workspace.skipline(["train", "data", "--epochs", "1"] + words)
    #expect(run.status == 64 && run.errors.contains(words.first { $0 != "--no-flip" } ?? "--"), "\(run.errors)")
    #expect(!workspace.exists("runs"))
  }
}
