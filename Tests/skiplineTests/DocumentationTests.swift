// What the documents and the screen say to type must be what the program takes.

import ArgumentParser
import Foundation
import Messages
import Testing
import Workbench

@testable import skipline

@Suite struct `Commands as written down` {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The names of the pages below docs/.
  private static let pages: [String] = {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("docs").path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted()
  }()

  /// README.md and every page below docs/, one after the other.
  private static let documents = (["README.md"] + pages.map { "docs/" + $0 })
    .map { (try? String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)) ?? "" }
    .joined(separator: "\n")

  /// Their indented lines that begin with `skipline`, without what a shell takes for a comment.
  static let examples = documents.split(separator: "\n").filter { $0.hasPrefix("    skipline ") }
    .map { $0.split(separator: " ").dropFirst().prefix { !$0.hasPrefix("#") }.map(String.init) }

  @Test func `the documents have examples`() {
    #expect(Self.pages.count >= 9)
    #expect(Self.examples.count >= 10)
  }

  @Test(arguments: examples)
  func `every example in the documents is understood`(words: [String]) throws {
    _ = try SkiplineCommand.parseAsRoot(words)
  }

  @Test func `every subcommand is documented`() {
    let commands = SkiplineCommand.configuration.subcommands.filter { $0.configuration.shouldDisplay }
    for command in commands where command != WorkbenchCommand.self {
      let name = command.configuration.commandName ?? ""
      #expect(
        Self.documents.contains("| `skipline \(name)") || Self.documents.contains("`, `\(name) RUN"), "\(name)")
    }
  }

  @Test func `every option that the documents name exists`() throws {
    let help = SkiplineCommand.configuration.subcommands.map { $0.helpMessage() }.joined()
    let named = Self.documents.matches(of: /--[a-z][a-z-]+/).map { String($0.output) }
    for option in Set(named) {
      let positive = option.replacing("--no-", with: "--")
      #expect(help.contains(option) || help.contains(positive), "\(option)")
    }
  }

  @Test func `the command line that the screen shows starts the same run`() throws {
    var settings = TrainingSettings(
      data: "my images", split: SplitSettings(train: 60, validation: 20, test: 20),
      network: NetworkSettings(
        name: "resnet50", shortcut: .zeroPadding, zeroPlacement: .end, version: .v2, stem: .small,
        widthMultiplier: 0.5, head: .regularised),
      initialWeights: "start.safetensors", initialClasses: .order(.alphabetical),
      preprocessing: PreprocessingSettings(
        imageSize: 96, resize: .crop, background: .black,
        normalisation: .given(mean: [0.5, 0.25, 0.125], deviation: [0.5, 0.5, 0.25])),
      augmentation: AugmentationSettings(crop: .randomResized, horizontalFlip: false, colourJitter: 0.5),
      optimiser: OptimiserSettings(
        momentum: 0.75, nesterov: true, weightDecay: 0.125, decayNormsAndBiases: false, gradientClip: 2),
      learningRate: 0.0625, schedule: .plateau(factor: 0.5, patience: 2), labelSmoothing: 0.125, batchSize: 17,
      precision: .bf16, epochs: 23, timeBudget: 90, earlyStoppingPatience: 4, seed: 99, threads: 3, workers: 2,
      cache: CacheSettings(isEnabled: false, limit: 20 << 30), keep: KeepPolicy(everyEpochs: 5, newest: nil),
      safety: SafetySettings(saveMinutes: 0.5, divergence: .rollback, ignoresMemory: true), logEvery: 7,
      project: "elsewhere", name: "first")
    #expect(try parsed(settings.commandLine) == settings)
    // Whatever a line leaves out is the same default on both sides.
    settings = TrainingSettings(data: "images", network: NetworkSettings(name: "cifar20"))
    #expect(settings.commandLine == "skipline train images --net cifar20")
    #expect(try parsed(settings.commandLine) == settings)
  }

  /// The settings that a shell and our parser make of a command line.
  private func parsed(_ line: String) throws -> TrainingSettings {
    let words = line.replacing("'my images'", with: "my\u{1}images").split(separator: " ").dropFirst(2)
      .map { String($0.replacing("\u{1}", with: " ")) }
    let command = try TrainCommand.parse(words)
    return try command.options.settings(data: try #require(command.data))
  }
}
