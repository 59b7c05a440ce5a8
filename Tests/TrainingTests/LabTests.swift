// The degradation lab: the same settings for all its networks, what is kept, what goes on, and the article's figures.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct LabTests {
  private static let depths = try? LabDepths(argument: "8,14")

  private func request(_ toy: ToyProject, _ change: (inout TrainingSettings) -> Void = { _ in }) throws
    -> LabRequest
  {
    LabRequest(
      depths: try #require(Self.depths),
      settings: toy.settings(epochs: 1) {
        $0.automatic = .all
        for row in [Settings.epochs, Settings.batchSize] as [Setting<NumericRange<Int>>] {
          $0.automatic.remove(row.option)
        }
        $0.data = toy.data.root
        change(&$0)
      })
  }

  private func train(_ run: SeriesRun, stopAt step: Int? = nil) throws {
    let session = Session { event in step.map { event.isStep($0) } == true ? [.stop] : [] }
    _ = try run.job(commandLine: [], caches: nil).train(hooks: session.hooks)
  }

  @Test func `a lab's networks share all settings but their names, go on after a stop, and end in a table`() throws
  {
    let toy = try ToyProject()
    let asked = try request(toy)
    #expect(try DegradationLab.find(asked) == nil)
    let lab = try DegradationLab.planned(asked)
    try lab.begin()
    let plan = lab.plan
    #expect(plan.name == "lab-1" && plan.trainingImages == 18 && plan.validationImages == 6)
    // As in section 4.2, for batches of four.
    #expect(plan.settings.learningRate == 0.1 * 4 / 128 && plan.settings.optimizer.weightDecay == 0.0001)
    let settings = plan.depths.networks.map { network in
      var settings = plan.settings(of: network)
      (settings.name, settings.network) = (nil, NetworkSettings(name: ""))
      return settings
    }
    #expect(Set(settings.map(\.commandLine)).count == 1 && settings[0].automatic.isEmpty)
    try train(lab.run(plan.depths.networks[0]))
    try train(lab.run(plan.depths.networks[1]), stopAt: 2)
    // The same asked again is the same lab, whose finished runs stay.
    let again = try #require(try DegradationLab.find(asked))
    #expect(again.plan == plan)
    try again.requireSame()
    #expect(try again.report().rows.map(\.state) == [.finished, .unfinished, .missing, .missing])
    #expect(try again.report().next?.network.name == "plain14")
    for network in plan.depths.networks.dropFirst() { try train(again.run(network)) }
    let report = try DegradationLab(named: "lab-1", project: plan.settings.project).report()
    #expect(report.isFinished && report.answerText { "\($0)" } != nil)
    #expect(report.rows.allSatisfy { $0.trainingError != nil && $0.validationError != nil && $0.epoch == 1 })
    // A shortcut of zeros has no parameters.
    #expect(report.rows[0].parameters == report.rows[2].parameters)
    // Other settings are another lab; under its name they are refused, as are other images.
    #expect(try DegradationLab.find(try request(toy) { $0.seed = 7 }) == nil)
    #expect(try DegradationLab.planned(try request(toy) { $0.seed = 7 }).plan.name == "lab-2")
    let refusal = #expect(throws: SettingsError.self) {
      _ = try DegradationLab.find(try request(toy) { ($0.seed, $0.name) = (7, "lab-1") })
    }
    #expect(refusal?.description.contains("--seed") == true)
    try toy.data.add("train/red/77.png", color: "red")
    #expect(throws: SettingsError.self) { try again.requireSame() }
  }

  @Test func `what no lab can have is refused before anything is written`() throws {
    let toy = try ToyProject()
    for change: (inout TrainingSettings) -> Void in [
      { $0.budget = 60 }, { $0.network.dropPath = 0.5 }, { $0.network.isWhitened = true }, { $0.name = "a/b" },
      { $0.project = toy.data.root + "/runs" },
    ] {
      #expect(throws: (any Error).self) { try DegradationLab.planned(try request(toy, change)) }
    }
    #expect(throws: SettingsError.self) { try DegradationLab(named: "lab-9", project: toy.folder.file("runs")) }
    #expect(!FileManager.default.fileExists(atPath: toy.folder.file("runs")))
  }

  @Test func `a hand-edited lab says what is wrong in which file`() throws {
    let toy = try ToyProject()
    let lab = try DegradationLab.planned(try request(toy))
    try lab.begin()
    let path = toy.folder.file("runs/lab-1/lab.json")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (old, new, word) in [
      ("\"batchSize\" : 4", "\"batchSize\" : 0", "batchSize"), ("\"format\" : 1", "\"format\" : 2", "format 2"),
      ("\"epochs\" : 1,", "\"epochs\" : \"x\",", "epochs"),
    ] {
      try text.replacingOccurrences(of: old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
      let error = #expect(throws: RunFolderError.self) {
        try DegradationLab(named: "lab-1", project: toy.folder.file("runs"))
      }
      #expect(error.map { "\($0)" }?.contains(word) == true && error.map { "\($0)" }?.contains("lab.json") == true)
    }
  }

  @Test func `the rate falls after a half and three quarters, as far as there are epochs for it`() {
    let texts = [1, 2, 3, 4, 8, 160].map { "\(DegradationLab.schedule(epochs: $0))" }
    #expect(
      texts == [
        "constant", "step:2:0.1", "step:2,3:0.1", "step:3,4:0.1", "step:5,7:0.1", "step:81,121:0.1",
      ])
  }

  /// He et al. 2015, tables 2 and 6.
  @Test(
    arguments: [
      (20, false, nil, nil), (56, false, nil, nil), (20, true, 8.75, "table 6"), (56, true, 6.97, "table 6"),
      (18, false, 27.94, "table 2"), (34, false, 28.54, "table 3"), (18, true, 27.88, "table 2"),
      (34, true, 25.03, "table 3"),
    ] as [(Int, Bool, Double?, String?)])
  func `the article's errors stand beside ours`(depth: Int, isResidual: Bool, error: Double?, table: String?) throws
  {
    let published = try DegradationLab.published(
      LabNetwork(depth: depth, isResidual: isResidual, isLarge: [18, 34].contains(depth)))
    #expect(published?.top1 == error)
    #expect(table.map { published?.source.contains($0) == true } ?? (published == nil))
  }
}
