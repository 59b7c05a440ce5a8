// Weights that come in by commands: from runs with all that belongs to them, from files that do not say what their
// outputs are, and options that mean nothing for a network.

import Foundation
import Messages
import Testing
import Training
import WeightFiles

@Suite(.serialized) struct WeightsCommandTests {
  /// Settings in a run's run.json.
  private func settings(_ run: String, in workspace: Workspace) throws -> TrainingSettings {
    struct Record: Decodable { var settings: TrainingSettings }
    return try JSONDecoder().decode(Record.self, from: Data(workspace.text("\(run)/run.json").utf8)).settings
  }

  /// Takes away what a checkpoint says about itself, as if PyTorch had written it.
  private func makeForeign(_ checkpoint: String, _ name: String, in workspace: Workspace) throws {
    let file = try Safetensors.read(path: "\(workspace.folder)/\(checkpoint)")
    let arrays = try file.names.map { try file.array($0) }
    try Safetensors.write(arrays, metadata: [:], to: "\(workspace.folder)/\(name)")
  }

  @Test func `weights of a run bring its network, image size and normalization, unless options say otherwise`()
    async throws
  {
    let workspace = try Workspace()
    try await workspace.train(
      "first", epochs: 1, "--imgsz", "24", "--resize", "crop", "--mean", "0.5,0.25,0.125", "--std",
      "0.5,0.5,0.25")
    let words = ["train", "data", "--weights", "runs/first", "--epochs", "1", "--threads", "1"]
    let taken = try await workspace.skipline(words + ["--name", "second"])
    #expect(taken.status == 0)
    #expect(
      taken.errors.contains("from runs/first/checkpoints/best.safetensors: network cifar8")
        && taken.errors.contains(
          "image size 24, resize crop, background white, mean 0.5,0.25,0.125, std 0.5,0.5,0.25"),
      "\(taken.errors)")
    let (first, second) = (try settings("runs/first", in: workspace), try settings("runs/second", in: workspace))
    #expect(second.preprocessing == first.preprocessing)
    #expect(second.network.name == "cifar8" && second.network.widthMultiplier == 0.25)
    #expect(second.initialWeights?.hasSuffix("runs/first/checkpoints/best.safetensors") == true)

    let other = try await workspace.skipline(words + ["--name", "third", "--imgsz", "16", "--mean", "measured"])
    #expect(other.status == 0)
    let third = try settings("runs/third", in: workspace)
    #expect(third.preprocessing.imageSize == 16 && third.preprocessing.normalization == .trainingSet)
    #expect(third.preprocessing.resize == .crop)

    let wrong = try await workspace.skipline(words + ["--net", "resnet18"])
    #expect(wrong.status == 64 && wrong.errors.contains("cifar8, not of resnet18"))
    let resumed = try await workspace.skipline("train", "--resume", "runs/second", "--epochs", "2")
    #expect(resumed.status == 0)
  }

  @Test func `numbered classes and a file that does not know their order are asked about`() async throws {
    let workspace = try Workspace()
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(workspace.folder)/data/train") {
      try #require(name != "10")
    }
    // Eight classes, of which one number has two digits.
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(workspace.folder)/data/train").sorted()
    for (number, name) in names.enumerated() {
      for part in ["train", "val", "test"] {
        try FileManager.default.moveItem(
          atPath: "\(workspace.folder)/data/\(part)/\(name)",
          toPath: "\(workspace.folder)/data/\(part)/\(number + 3)")
      }
    }
    try await workspace.train("own", epochs: 2)
    try makeForeign("runs/own/checkpoints/best.safetensors", "w.safetensors", in: workspace)
    let described = ["--net", "cifar8", "--width", "0.25", "--imgsz", "16"]

    for command in [
      ["evaluate", "w.safetensors", "--data", "data"],
      ["predict", "w.safetensors", "data/test/3", "--data", "data"],
    ] {
      let asked = try await workspace.skipline(command + described)
      #expect(asked.status == 64)
      #expect(asked.errors.contains("--class-order") && asked.output.isEmpty)
      let said = try await workspace.skipline(command + described + ["--class-order", "natural"])
      #expect(said.status == 0)
      let named = try await workspace.skipline(command + described + ["--classes", "3, 4, 5, 6, 7, 8, 9, 10"])
      #expect(named.status == 0)
      // Figures of speed differ.
      #expect(command[0] == "evaluate" || named.output == said.output)
    }
    let own = try await workspace.skipline("evaluate", "runs/own", "--json").decoded(EvaluationReport.self)
    let natural = try await workspace.skipline(
      ["evaluate", "w.safetensors", "--data", "data", "--class-order", "natural", "--json"] + described)
    #expect(try natural.decoded(EvaluationReport.self).classes.map(\.name) == own.classes.map(\.name))
    let alphabetical = try await workspace.skipline(
      ["evaluate", "w.safetensors", "--data", "data", "--class-order", "alphabetical", "--json"] + described)
    #expect(try alphabetical.decoded(EvaluationReport.self).classes.first?.name == "10")

    let unsaid = try await workspace.train("unsaid", epochs: 1, "--weights", "w.safetensors")
    #expect(unsaid.status == 0 && unsaid.errors.contains("begins with random weights"))
    let kept = try await workspace.train(
      "kept", epochs: 1, "--weights", "w.safetensors", "--class-order", "natural")
    #expect(kept.status == 0 && !kept.errors.contains("random weights"))
  }

  @Test func `figures of few images, because most are of unknown classes, are said to be and end with 65`()
    async throws
  {
    let workspace = try Workspace()
    try await workspace.train("own", epochs: 1)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(workspace.folder)/data/train").sorted()
    for name in names.prefix(6) {
      for part in ["train", "val", "test"] {
        let place = "\(workspace.folder)/data/\(part)/"
        try FileManager.default.moveItem(atPath: place + name, toPath: place + "new " + name)
      }
    }
    let result = try await workspace.skipline("evaluate", "runs/own", "--data", "data")
    #expect(result.status == 65)
    #expect(result.errors.contains("most images are of classes that the checkpoint does not know"))
    #expect(result.outputLines.prefix(4).contains { $0.hasPrefix("!") && $0.contains("unknown to the checkpoint") })
  }

  static let mistakes: [(arguments: String, status: Int32, complaint: String)] = [
    ("summary cifar20 --variant article", 64, "--variant article means nothing for cifar20"),
    ("summary resnet50 --variant article --shortcut B", 64, "--shortcut B contradicts --variant article"),
    ("summary resnet50 --variant article --head standard", 64, "--head standard contradicts --variant article"),
    ("summary vgg19 --block v2", 64, "--block v2 means nothing for vgg19"),
    ("train data --net vgg19 --stem small", 64, "--stem small"),
    ("summary cifar20 --whiten", 64, "--whiten means nothing for cifar20"),
    ("train data --net plain20 --drop-path 0.1", 64, "--drop-path 0.1 means nothing for plain20"),
    ("summary resnet9 --stem small", 64, "--stem small"),
    ("summary cifar20 --dropout 0.1", 64, "--dropout 0.1 means nothing for cifar20"),
    ("summary cifar20 vgg16 --block v2", 64, "--block v2 means nothing for vgg16"),
    ("summary cifar20 resnet9 --freeze backbone", 64, "--freeze backbone is for one network"),
    ("summary cifar20 resnet99", 64, "no network is called 'resnet99'"),
    ("summary", 64, "net"),
    ("train data --net plain20 --shortcut B", 64, "--shortcut B"),
    ("train data --net resnet18 --zeros split", 64, "--zeros split"),
    ("data --net vgg19_bn --shortcut A", 64, "--shortcut A"),
    ("evaluate w.pth --data data --net vgg19 --block v1", 64, "--block v1"),
    ("predict w.pth data --net resnet18 --block v1.5 --classes a,b", 64, "--block v1.5"),
    ("train data --classes a,b", 64, "go with --weights"),
    ("train data --verbose", 64, "goes with --weights"),
    ("train data --weights w.pth --classes a,b --class-order natural", 64, "leave --class-order out"),
    ("train data --weights w.pth", 65, "PyTorch"), ("evaluate w.pth --data data", 65, "cut off"),
    ("predict w.pth data", 65, "w.pth: not a whole file"),
    ("evaluate w.pth --data data --mean 0,0,0", 64, "--mean and --std go together"),
    ("predict w.pth data --mean measured --std 1,1,1", 64, "is for training"),
    ("predict w.pth data --net cifar8 --classes a,,b", 64, "empty"),
    ("evaluate w.pth --data data --net cifar8 --classes a,b,a", 64, "twice"),
    ("evaluate w.pth --data data --net cifar8 --classes @none.txt", 66, "none.txt"),
  ]

  @Test(arguments: mistakes)
  func `a request that cannot be met is refused by its option, before there is a run`(
    arguments: String, status: Int32, complaint: String
  ) async throws {
    let workspace = try Workspace()
    try workspace.write(Array("PK\u{3}\u{4}..........w/data.pkl...".utf8), to: "w.pth")
    let result = try await workspace.skipline(arguments.split(separator: " ").map(String.init))
    #expect(result.status == status)
    #expect(result.errors.contains(complaint), "\(result.errors)")
    #expect(!workspace.exists("runs"))
  }
}
