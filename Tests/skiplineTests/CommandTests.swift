// The commands without a screen: what they print, what they leave behind, how they end.

import Foundation
import Messages
import Testing

@testable import skipline

@Suite(.serialized) struct CommandTests {
  @Test func `summary counts as the paper does, as text and as JSON`() async throws {
    let workspace = try Workspace(withData: false)
    let text = try await workspace.skipline("summary", "cifar20")
    #expect(text.status == 0)
    #expect(text.output.contains("269,722"))
    #expect(!text.output.contains("\u{1B}"))
    let json = try await workspace.skipline("summary", "cifar20", "--json").decoded(NetworkSummary.self)
    #expect(json.parameters == 269_722)
    #expect(json.layers.map(\.parameters).reduce(0, +) == 269_722)
  }

  @Test func `summary compares several networks, each in its row`() async throws {
    let workspace = try Workspace(withData: false)
    let text = try await workspace.skipline("summary", "resnet50", "vgg19", "plain34", "lenet5", "--no-trial")
    #expect(text.status == 0 && text.errors.isEmpty)
    let rows = text.outputLines.map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0] == ["network", "input", "layers", "parameters", "multiply-adds", "memory", "top-1", "top-5"])
    func row(_ name: String) -> [String] { rows.first { $0.first == name } ?? [] }
    #expect(Array(row("resnet50").prefix(5)) == ["resnet50", "224x224", "50", "25,557,032", "4.09G"])
    #expect(Array(row("resnet50").suffix(3)) == ["22.85", "6.71", "[1]"])
    #expect(Array(row("vgg19").suffix(3)) == ["25.50", "8.00", "[2]"])
    // The same table of the same paper.
    #expect(Array(row("plain34").suffix(3)) == ["28.54", "10.02", "[1]"])
    #expect(Array(row("lenet5").prefix(4)) == ["lenet5", "32x32", "5", "61,706"])
    #expect(row("lenet5").last == "-")
    #expect(text.output.contains("[1] ImageNet: He et al. 2015, table 3, 10 crops"))
  }

  @Test func `summary measures each network that it compares, as JSON too`() async throws {
    struct Compared: Decodable {
      struct Network: Decodable {
        struct Speed: Decodable { var training: Double, inference: Double, images: Int }
        struct Settings: Decodable { var name: String }
        var network: Settings
        var layers: Int
        var trainingMemory: Int
        var speed: Speed?
      }
      var networks: [Network]
      var threads: Int?
    }
    let workspace = try Workspace(withData: false)
    let measured = try await workspace.skipline(
      "summary", "lenet5", "cifar8", "--width", "0.5", "--batch", "16", "--json")
    let all = try measured.decoded(Compared.self)
    #expect(all.networks.map(\.network.name) == ["lenet5", "cifar8"] && all.networks.map(\.layers) == [5, 8])
    #expect((all.threads ?? 0) > 0)
    for network in all.networks {
      let speed = try #require(network.speed)
      #expect(speed.training > 0 && speed.inference > speed.training && speed.images == 16)
      #expect(network.trainingMemory > 1 << 20)
    }
    #expect(measured.errors.contains("trying lenet5"))
    let rest = try await workspace.skipline("summary", "lenet5", "cifar8", "--no-trial", "--json")
    #expect(try rest.decoded(Compared.self).networks.allSatisfy { $0.speed == nil })
  }

  @Test func `train leaves a whole run, tells its progress on standard error and its result on standard output`()
    async throws
  {
    let workspace = try Workspace()
    let result = try await workspace.train("mine", epochs: 2)
    #expect(result.status == 0)
    #expect(result.errors.contains("epoch 2/2"))
    #expect(result.outputLines.count == 2)
    #expect(result.outputLines.first?.hasPrefix("completed after 2 epochs and 10 steps") == true)
    #expect(result.outputLines.last == "run: runs/mine")
    #expect(!(result.output + result.errors).contains("\u{1B}"))
    let files = ["run.json", "log.txt", "metrics.jsonl", "results.csv"]
    let checkpoints = ["last", "best", "epoch-0001", "epoch-0002"].map { "checkpoints/\($0).safetensors" }
    for file in files + checkpoints { #expect(workspace.exists("runs/mine/\(file)"), "\(file)") }
    #expect(try workspace.lines("runs/mine/results.csv").count == 3)
  }

  @Test func `train skips a file that does not decode, and says which`() async throws {
    let workspace = try Workspace()
    try workspace.truncate("data/train/star/star-0003.png")
    let result = try await workspace.train(epochs: 1, "--seed", "3")
    #expect(result.status == 0)
    #expect(result.errors.contains("skipped: cannot decode train/star/star-0003.png"))
    #expect(result.errors.contains("1 image skipped"))
  }

  @Test func `train prints a line of JSON an epoch, and the outcome last`() async throws {
    struct Line: Decodable {
      var kind: String
      var epoch: EpochMetrics?
      var outcome: RunOutcome?
    }
    let workspace = try Workspace()
    let result = try await workspace.train(epochs: 3, "--json")
    let lines = try result.outputLines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.map(\.kind) == ["epoch", "epoch", "epoch", "outcome"])
    #expect(lines.compactMap(\.epoch?.epoch) == [1, 2, 3])
    #expect(lines.last?.outcome?.reason == .completed)
    #expect(lines.last?.outcome?.epochs == 3)
  }

  @Test func `a reader that leaves early does not end a run`() async throws {
    let workspace = try Workspace()
    let words = (["skipline", "train", "data"] + Workspace.tinyNetwork).joined(separator: " ")
    let command = "\(words) --epochs 4 --name piped --json | head -n 1"
    let result = try await RunningProgram(["sh", "-c", command], in: workspace).finish()
    #expect(result.outputLines.count == 1)
    #expect(try workspace.lines("runs/piped/results.csv").count == 5)
  }

  @Test func `evaluate measures a run, as text and as JSON, and keeps the report`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    let text = try await workspace.skipline("evaluate", "runs/tiny")
    #expect(text.status == 0)
    for part in ["16 images", "top-1", "precision", "confusion", "misclassified images", "crescent"] {
      #expect(text.output.contains(part), "\(part)")
    }
    #expect(!text.output.contains("\u{1B}"))
    let json = try await workspace.skipline("evaluate", "runs/tiny", "--json").decoded(EvaluationReport.self)
    #expect(json.images == Workspace.testCount)
    #expect(json.confusion.rows.joined().reduce(0, +) == Workspace.testCount)
    #expect(json.misclassified.count == Workspace.testCount - Int((json.top1 * 16).rounded()))
    #expect(try workspace.evaluation("runs/tiny").confusion == json.confusion)
    let training = try await workspace.skipline(
      "evaluate", "runs/tiny/checkpoints/last.safetensors", "--split", "train")
    #expect(training.output.contains("on the 40 train images"))
  }

  @Test func `predict takes files and folders, and goes on after a bad file`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    let file = "data/test/disc/disc-0007.png"
    let one = try await workspace.skipline("predict", "runs/tiny", file, "--top", "2")
    #expect(one.status == 0)
    #expect(one.outputLines.count == 1)
    #expect(one.output.hasPrefix(file) && one.output.contains("%"))

    let folder = try await workspace.skipline("predict", "runs/tiny", "data/test/disc", "--json")
    let predictions = try folder.outputLines.map { try JSONDecoder().decode(Prediction.self, from: Data($0.utf8)) }
    #expect(predictions.map(\.path) == [file, "data/test/disc/disc-0008.png"])
    #expect(predictions.allSatisfy { $0.error == nil && $0.top.count == 3 })

    try workspace.truncate(file)
    let bad = try await workspace.skipline("predict", "runs/tiny", "data/test/disc")
    #expect(bad.errors.contains(file))
    #expect(bad.outputLines.count == 1)
    #expect(bad.status == 65)
  }

  @Test func `runs lists every checkpoint, and says where there are none`() async throws {
    let workspace = try Workspace()
    let none = try await workspace.skipline("runs")
    #expect(none.status == 0 && none.output.contains("no runs in runs"))
    try await workspace.train("one", epochs: 1)
    try await workspace.train("two", epochs: 1)
    let text = try await workspace.skipline("runs")
    #expect(text.output.contains("runs/one/checkpoints/best.safetensors"))
    #expect(text.output.contains("runs/two/checkpoints/last.safetensors"))
    let runs = try await workspace.skipline("runs", "--json").decoded([RunListing].self)
    #expect(runs.map(\.folder) == ["runs/one", "runs/two"])
    #expect(runs.allSatisfy { $0.state == .finished && $0.process == nil && $0.epoch == 1 && $0.epochs == 1 })
    let checkpoints = runs.flatMap(\.checkpoints)
    #expect(checkpoints.count == 6)
    #expect(checkpoints.allSatisfy { $0.epoch == 1 && $0.step == 5 })
  }

  @Test func `a run is begun like another, and runs are put beside each other`() async throws {
    let workspace = try Workspace()
    try await workspace.train("one", epochs: 2)
    let like = try await workspace.skipline("train", "--like", "runs/one", "--epochs", "1", "--name", "two")
    #expect(like.status == 0, "\(like.errors)")
    let refused = try await workspace.skipline("train", "--like", "runs/one", "--budget", "1m")
    #expect(refused.status == 64 && refused.errors.contains("--like takes them from runs/one"))
    let both = try await workspace.skipline("compare", "runs/one", "runs/two")
    #expect(both.status == 0 && both.output.contains("that both were measured on"))
    // All but the epochs was taken over.
    let different = both.outputLines.filter { $0.hasPrefix("--") }
    #expect(different.count == 1 && different[0].hasPrefix("--epochs "), "\(different)")
    try await workspace.train("three", epochs: 1)
    let three = try await workspace.skipline("compare", "runs/one", "runs/two", "runs/three", "--json")
    #expect(try three.decoded(RunTable.self).runs.map(\.name) == ["one", "two", "three"])
    // A record that is damaged keeps nobody from comparing what the checkpoints answer.
    try workspace.write(Array("{}".utf8), to: "runs/two/run.json")
    let damaged = try await workspace.skipline("compare", "runs/one", "runs/two", "--data", "data")
    #expect(damaged.status == 0 && damaged.output.contains("that both were measured on"), "\(damaged.errors)")
    #expect(damaged.errors.contains("settings and results are not compared: runs/two/run.json"))
    #expect(try await workspace.skipline("compare", "runs/one", "runs/two", "runs/three").status != 0)
  }

  @Test func `names from outside cannot steer the terminal`() async throws {
    let workspace = try Workspace()
    let hostile = "a\u{1B}]0;owned\u{7}\u{1B}[31mb\nc"
    let picture = try Workspace.pictures.picture(of: Workspace.pictures.items[0]).encodedAsPNG()
    for number in 1...4 { try workspace.write(picture, to: "data/train/\(hostile)/\(hostile)\(number).png") }
    try workspace.write([1, 2, 3], to: "data/train/\(hostile)/\(hostile)5.png")
    let shown = "a␛]0;owned␇␛[31mb␊c"

    let check = try await workspace.skipline("check", "data")
    #expect(check.status == 65)
    #expect(check.output.contains(shown))
    let train = try await workspace.train(hostile, epochs: 1)
    #expect(train.status == 0)
    #expect((train.output + train.errors).contains("run: runs/\(shown)"))
    let predict = try await workspace.skipline("predict", "runs/\(hostile)", "data/train/\(hostile)")
    #expect(predict.outputLines.count == 4)
    #expect(predict.errors.contains("\(shown)5.png"))
    let missing = try await workspace.skipline("check", hostile)
    #expect(missing.errors.contains(shown))
    for result in [check, train, predict, missing] {
      #expect(!(result.output + result.errors).contains { $0 == "\u{1B}" || $0 == "\u{7}" })
    }
  }
}
