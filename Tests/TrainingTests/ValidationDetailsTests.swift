// What a validation says of classes and images, compared with the one before, against outputs whose answer is visible
// beside the data; and where it is told and written.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct ValidationDetailsTests {
  private static let names = ["cat", "dog", "eel", "fox"]

  /// A validation of images 0, 1 ..., each given as its truth, its prediction and how far that is ahead.
  private func measured(
    _ images: [(truth: Int, predicted: Int, lead: Float)], items: [Int]? = nil
  ) -> MeasuredValidation {
    let items = items ?? Array(images.indices)
    var measured = MeasuredValidation(classes: Self.names)
    measured.add(
      logits: items.flatMap { place in
        Self.names.indices.map { $0 == images[place].predicted ? images[place].lead : 0 }
      }, truths: items.map { images[$0].truth }, items: items, paths: items.map { "\($0).png" })
    return measured
  }

  @Test func `the worst come first, and the next validation says what is new, fixed and broken`() {
    var watch = ValidationWatch()
    let first = watch.details(
      of: measured([(0, 1, 3), (0, 0, 2), (1, 1, 5), (1, 0, 6), (3, 3, .infinity)]), epoch: 1, step: 10)
    #expect(first.images == 5 && first.wrong == 3 && first.fixed == nil && first.broken == nil)
    #expect(first.hardest.map(\.path) == ["4.png", "3.png", "0.png", "1.png", "2.png"])
    #expect(first.hardest[0].predicted == nil && first.hardest[0].loss == nil && !first.hardest[0].isRight)
    #expect(first.hardest[1].predicted == 0 && abs((first.hardest[1].loss ?? 0) - log(exp(6.0) + 3)) < 1e-6)
    #expect(first.hardest.allSatisfy { $0.change == nil })
    #expect(first.recalls == [0.5, 0.5, nil, 0] && first.recallsBefore.isEmpty)
    #expect(first.confused == ConfusedClasses(first: 0, second: 1, count: 2))
    // Of the fox's image nothing can be said.
    #expect(first.losses[2] == nil && first.losses[3] == nil)
    for (label, leads) in [(0, (3.0, 2.0)), (1, (6.0, 5.0))] {
      let (wrong, right) = (log(exp(leads.0) + 3), log(exp(leads.1) + 3) - leads.1)
      #expect(abs((first.losses[label] ?? 9) - (wrong + right) / 2) < 1e-6)
    }

    let second = watch.details(
      of: measured([(0, 0, 1), (0, 1, 2), (1, 1, 5), (1, 0, 6), (3, 3, 4)]), epoch: 2, step: 20)
    #expect(second.wrong == 2 && second.fixed == 2 && second.broken == 1)
    let changes = Dictionary(uniqueKeysWithValues: second.hardest.map { ($0.path, $0.change) })
    #expect(changes == ["0.png": .fixed, "1.png": nil, "2.png": nil, "3.png": nil, "4.png": .fixed])
    #expect(second.recalls == [0.5, 0.5, nil, 1] && second.recallsBefore == first.recalls)
    #expect((0..<5).map { second.change(ofRecall: $0) } == [0, 0, nil, 1, nil])
  }

  @Test func `of many images the hardest are told, and those that were not among them are new`() {
    let count = ValidationWatch.hardestImages + 2
    var images = (0..<count).map { (truth: 0, predicted: 0, lead: Float($0 + 1)) }
    var watch = ValidationWatch()
    let first = watch.details(of: measured(images), epoch: 1, step: 1)
    #expect(first.hardest.count == ValidationWatch.hardestImages && first.wrong == 0 && first.confused == nil)
    images[count - 1] = (0, 3, 2)
    let second = watch.details(of: measured(images), epoch: 2, step: 2)
    #expect(second.hardest[0].path == "\(count - 1).png" && second.hardest[0].change == .new)
    #expect(second.hardest.filter { $0.change == .new }.count == 1 && second.broken == 1)
    // One that does not decode any more is not fixed.
    let third = watch.details(of: measured(images, items: Array(0..<count - 1)), epoch: 3, step: 3)
    #expect(third.fixed == 0 && third.images == count - 1)
  }

  @Test func `of pairs confused as often the first is told`() {
    var watch = ValidationWatch()
    let pairs = [(3, 2), (2, 3), (1, 0), (0, 1), (0, 2)].map { (truth: $0.0, predicted: $0.1, lead: Float(1)) }
    #expect(
      watch.details(of: measured(pairs), epoch: 1, step: 1).confused
        == ConfusedClasses(first: 0, second: 1, count: 2))
  }

  @Test func `each epoch tells it, writes its recalls, and a resumed run has none twice`() throws {
    let project = try ToyProject()
    let settings = project.settings(epochs: 3) { $0.tensorBoard = true }
    let run = try project.train(settings)
    let told = run.events.compactMap { if case .validated(let details) = $0 { details } else { nil } }
    #expect(told.map(\.epoch) == [1, 2, 3] && told.map(\.step) == run.epochs.map(\.step))
    for (details, epoch) in zip(told, run.epochs) {
      #expect(details.images == 6 && abs(1 - Double(details.wrong) / 6 - (epoch.validation?.top1 ?? 9)) < 1e-9)
      let recalls = details.recalls.compactMap { $0 }
      #expect(abs(recalls.reduce(0, +) / 3 - (epoch.validation?.balancedAccuracy ?? 9)) < 1e-9)
      let losses = details.hardest.compactMap(\.loss)
      #expect(losses == losses.sorted(by: >) && losses.count == 6)
      #expect(abs(losses.reduce(0, +) / 6 - (epoch.validation?.loss ?? 9)) < 1e-6)
    }
    let lines = try MetricsLog.read(path: run.run.metricsPath)
    #expect(lines.recalls.map(\.epoch) == [1, 2, 3] && lines.unreadableLines == 0)
    let named = zip(project.data.classes, told[2].recalls.map { $0 ?? 9 })
    #expect(lines.recalls.last?.recall == Dictionary(uniqueKeysWithValues: named))
    let losses = zip(project.data.classes, told[2].losses.map { $0 ?? 9 })
    #expect(lines.recalls.last?.loss == Dictionary(uniqueKeysWithValues: losses))
    // Two validation images a class.
    let mean = told[2].losses.compactMap { $0 }.reduce(0, +) / 3
    #expect(abs(mean - (run.epochs[2].validation?.loss ?? 9)) < 1e-9)
    let history = try run.run.history().run
    #expect(history.history.count == 3 && history.classFigures == told.map(ClassFigures.init))
    let scalars = try ReadEvent.all(in: run.run.path).filter { $0.scalars["recall/red"] != nil }
    #expect(scalars.count == 3 && scalars[2].scalars["recall/red"] == told[2].recalls[2].map { Float($0) })
    #expect(scalars[2].scalars["class_loss/red"] == told[2].losses[2].map { Float($0) })

    let stopped = try project.train(settings) {
      if case .step(let step) = $0, step.epoch == 2 { [.stop] } else { [] }
    }
    let resumed = try project.resume(stopped.run)
    let comparison = try RunComparison(run.run, resumed.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  @Test func `on features the last validation is told, whatever was passed over, and the run's time is its own`()
    throws
  {
    let project = try ToyProject()
    let source = try project.train(project.settings(epochs: 1) { $0.name = "source" })
    let run = try project.train(
      project.settings(epochs: 30) {
        $0.initialWeights = source.run.path(of: .best)
        $0.freeze = FreezeSettings(layers: "backbone")
      })
    let told = run.events.compactMap { if case .validated(let details) = $0 { details } else { nil } }
    #expect(told.first?.epoch == 1 && told.last?.epoch == 30 && told.count <= 30)
    // Computing the features belongs to no epoch, and is part of the run.
    let seconds = try #require(try run.run.history().outcome?.seconds)
    #expect(seconds > run.epochs.reduce(0) { $0 + $1.seconds } && seconds <= run.outcome.seconds)
  }
}
