// Runs that start from given weights: what is frozen keeps its bits, what is trained goes at its rate, and a run that is
// resumed in any phase goes on to the same bits.

import Files
import Foundation
import Messages
import Testing
import TestSupport

@testable import Training

@Suite struct TransferTests {
  private let project: ToyProject
  private let source: ToyRun

  init() throws {
    project = try ToyProject()
    source = try project.train(project.settings(epochs: 1) { $0.name = "source" })
  }

  private func settings(
    _ freeze: FreezeSettings, epochs: Int = 2, change: (inout TrainingSettings) -> Void = { _ in }
  ) -> TrainingSettings {
    project.settings(epochs: epochs) {
      $0.initialWeights = source.run.path(of: .best)
      $0.freeze = freeze
      change(&$0)
    }
  }

  @Test(arguments: ["stem", "layer1", "layer2", "backbone"])
  func `frozen arrays keep their bits over a run, all others change`(part: String) throws {
    let run = try project.train(settings(FreezeSettings(layers: part)))
    let (before, after) = (try source.arrays(.best), try run.arrays())
    let frozen = ["stem", "layer1", "layer2", "layer3"].prefix { $0 != part } + [part]
    func isFrozen(_ name: String) -> Bool {
      guard part != "backbone" else { return !name.hasPrefix("fc.") }
      return frozen.contains(
        name.hasPrefix("layer") ? String(name.prefix(6)) : name.hasPrefix("fc.") ? "fc" : "stem")
    }
    for (name, array) in before { #expect((after[name] == array) == isFrozen(name), "\(name)") }
    let remembered = Set(after.keys.filter { $0.hasPrefix("skipline.momentum.") }.map { String($0.dropFirst(18)) })
    let learned = Set(
      try source.arrays().keys.filter { $0.hasPrefix("skipline.") }.map { String($0.dropFirst(18)) })
    #expect(
      remembered == learned.filter { !isFrozen($0) }, "the optimizer remembers what it trains, and nothing else")
    #expect(run.outcome.best?.value != nil)
  }

  @Test(arguments: [
    (FreezeSettings(layers: "layer2"), 4), (FreezeSettings(layers: "layer1", epochs: 1), 3),
    (FreezeSettings(layers: "layer1", epochs: 1), 5), (FreezeSettings(layers: "layer2", epochs: 1), 8),
  ])
  func `a run that is stopped in any phase goes on to the same bits`(freeze: FreezeSettings, step: Int) throws {
    let settings = settings(freeze) { $0.schedule = .cosine(warmUp: 0.2) }
    let reference = try project.train(settings)
    #expect(reference.steps.count == 10)
    let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run, ResumeChanges(threads: 2))
    let comparison = try RunComparison(reference.run, resumed.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  @Test(arguments: ["ema", "lookahead", "accumulate", "muon", "one-cycle"], [4, 5, 8])
  func `with other methods too, a run goes through both phases to the same bits`(method: String, step: Int) throws {
    let settings = settings(FreezeSettings(layers: "layer1", epochs: 1)) {
      $0.learningRate = 0.01
      switch method {
      case "ema": $0.ema = 0.75
      case "lookahead": $0.optimizer.lookahead = LookaheadSettings(steps: 3, share: 0.5)
      case "accumulate": ($0.accumulate, $0.batchSize) = (2, 2)
      case "muon": $0.optimizer = OptimizerMethod.muon.usual
      default: $0.schedule = .oneCycle(warmUp: 0.25, divisor: 10)
      }
      $0.keep = KeepPolicy(everyEpochs: 1, newest: nil)
    }
    let reference = try project.train(settings)
    let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run, ResumeChanges(threads: 2))
    let comparison = try RunComparison(reference.run, resumed.run)
    #expect(comparison.isSame, "\(comparison.differences)")
    // The first phase's end is saved as it was validated, although the next phase has begun.
    for (index, epoch) in reference.epochs.enumerated() {
      let saved = try EvaluationJob(
        checkpoint: reference.run.path(of: .epoch(index + 1)), data: nil, split: .validation
      ).run(threads: 1)
      #expect(saved?.top1 == epoch.validation?.top1)
      #expect(abs((saved?.loss ?? 0) - (epoch.validation?.loss ?? 1)) < 1e-5)
    }
  }

  @Test func `layers are frozen for so many epochs, and then trained with an optimizer that begins anew`() throws {
    let run = try project.train(
      settings(FreezeSettings(layers: "layer2", epochs: 1)) { $0.keep = KeepPolicy(everyEpochs: 1, newest: nil) })
    let before = try source.arrays(.best)
    let (first, second) = (try run.arrays(.epoch(1)), try run.arrays(.epoch(2)))
    for (name, array) in before where name.hasPrefix("conv1") || name.hasPrefix("layer2") {
      #expect(first[name] == array && (second[name] != array), "\(name)")
    }
    guard case .started(let description)? = run.events.first else {
      Issue.record("the run did not start")
      return
    }
    #expect(description.frozenParameters > 0 && description.frozenParameters < description.parameters)
    // The end of the first epoch is the beginning of the second phase.
    let stopped = try project.train(settings(FreezeSettings(layers: "layer2", epochs: 1))) {
      if case .epoch = $0 { [.stop] } else { [] }
    }
    let momentum = try stopped.arrays().filter { $0.key.hasPrefix("skipline.momentum.") }
    #expect(momentum.keys.contains("skipline.momentum.conv1.weight"))
  }

  /// Without momentum and decay, a first step moves a weight by its rate times its gradient.
  @Test func `the backbone moves by its share of the rate, the classifier by the whole`() throws {
    func moved(_ share: Double) throws -> [String: [Float]] {
      let run = try project.train(
        settings(.none, epochs: 1) {
          $0.backboneRate = share
          $0.optimizer = OptimizerSettings(momentum: 0, weightDecay: 0)
        }
      ) { $0.isStep(1) ? [.stop] : [] }
      let (before, after) = (try source.arrays(.best), try run.arrays())
      return before.mapValues { array in
        guard case .float32(let values) = array.values, case .float32(let new)? = after[array.name]?.values else {
          return []
        }
        return zip(new, values).map { $0 - $1 }
      }
    }
    let (whole, half) = (try moved(1), try moved(0.5))
    for name in ["conv1.weight", "layer3.0.bn2.bias", "fc.weight", "fc.bias"] {
      let (a, b) = (try #require(whole[name]), try #require(half[name]))
      let ratio = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / a.reduce(0) { $0 + $1 * $1 }
      #expect(abs(ratio - (name.hasPrefix("fc.") ? 1 : 0.5)) < 0.01, "\(name): \(ratio)")
    }
  }

  @Test func `what cannot be frozen, or would freeze random weights, is refused before there is a run`() throws {
    let part = #expect(throws: (any Error).self) { try project.train(settings(FreezeSettings(layers: "layer9"))) }
    #expect("\(part.map { "\($0)" } ?? "")".contains("layer1, layer2, layer3"))
    for change in [
      { $0.initialWeights = nil }, { $0.backboneRate = 0.5 },
      { ($0.backboneRate, $0.freeze.epochs) = (0.5, 2) },
    ] as [(inout TrainingSettings) -> Void] {
      #expect(throws: SettingsError.self) {
        try project.train(settings(FreezeSettings(layers: "backbone"), change: change))
      }
    }
    #expect(try Folder.names(in: project.folder.file("runs")) == ["source"])
    _ = try project.train(settings(FreezeSettings(layers: "backbone", epochs: 1)) { $0.backboneRate = 0.5 })
  }

  @Test func `texts of what is frozen`() throws {
    for text in ["none", "backbone", "layer2", "layer3.1:7", "backbone:5"] {
      #expect(try FreezeSettings(argument: text).description == text)
    }
    for text in [
      "", ":", "backbone:", "backbone:0", "backbone:x", "backbone:1:2", "none:3", ":5", "backbone:1000001",
    ] {
      #expect(throws: SettingRefusal.self, "\(text)") { try FreezeSettings(argument: text) }
    }
  }
}
