// Evaluation figures against toy outputs whose answer is visible beside the data.

import Foundation
import Messages
import Testing

@testable import Training

@Suite struct ClassificationMetricsTests {
  private func report(_ tally: ClassificationMetrics) throws -> EvaluationReport {
    try #require(
      tally.report(
        checkpoint: "runs/a/checkpoints/best.safetensors", data: "d", split: .test,
        leftOut: .init(skipped: ["bad.png"], unknownClasses: ["bird"], unknownImages: 3), seconds: 2))
  }

  @Test func `six images of three classes`() throws {
    var tally = ClassificationMetrics(classes: ["cat", "dog", "eel"])
    let two = Float(log(2.0))
    let five = Float(log(5.0))
    // Probabilities:      cat    dog    eel     truth  predicted
    let rows: [Float] = [
      two, 0, 0,  //       1/2    1/4    1/4     cat    cat
      0, two, 0,  //       1/4    1/2    1/4     cat    dog
      0, two, 0,  //       1/4    1/2    1/4     dog    dog
      0, five, 0,  //      1/7    5/7    1/7     dog    dog
      five, 0, 0,  //      5/7    1/7    1/7     dog    cat
      0, 0, 0,  //         1/3    1/3    1/3     cat    cat: of equal ones the first
    ]
    tally.add(logits: Array(rows[..<9]), truths: [0, 0, 1], paths: ["1", "2", "3"])
    tally.add(logits: Array(rows[9...]), truths: [1, 1, 0], paths: ["4", "5", "6"])
    let report = try report(tally)

    #expect(report.images == 6)
    #expect(report.confusion == [[2, 1, 0], [1, 2, 0], [0, 0, 0]])
    #expect(report.top1 == 4.0 / 6)
    #expect(report.top5 == 1)
    // -log of the true class's probability, row by row.
    let losses: [Double] = [2, 4, 2, 1.4, 7, 3].map { log($0) }
    #expect(abs((report.loss ?? .nan) - losses.reduce(0, +) / 6) < 1e-7)

    // cat: 2 of 3 predicted, 2 of 3 images; dog: the same; eel: never predicted and not there.
    #expect(
      report.classes == [
        ClassMetrics(name: "cat", support: 3, precision: 2.0 / 3, recall: 2.0 / 3, f1: 2.0 / 3),
        ClassMetrics(name: "dog", support: 3, precision: 2.0 / 3, recall: 2.0 / 3, f1: 2.0 / 3),
        ClassMetrics(name: "eel", support: 0, precision: nil, recall: nil, f1: nil),
      ])

    #expect(report.misclassified.map(\.path) == ["2", "5"])
    let first = report.misclassified[0]
    #expect(first.truth == 0)
    #expect(first.top.map(\.label) == [1, 0, 2])
    #expect(zip(first.top.map(\.probability), [0.5, 0.25, 0.25]).allSatisfy { abs($0 - $1) < 1e-7 })
    #expect(abs(first.truthProbability - 0.25) < 1e-7)
    #expect(abs(report.misclassified[1].truthProbability - 1.0 / 7) < 1e-7)

    #expect(report.skipped == ["bad.png"])
    #expect(report.unknownClasses == ["bird"] && report.unknownImages == 3 && report.found == 10)
    #expect(report.imagesPerSecond == 3)
    #expect(
      tally.metrics
        == ValidationMetrics(
          loss: report.loss, top1: report.top1, top5: report.top5, balancedAccuracy: report.balancedAccuracy,
          macroF1: report.macroF1))
  }

  /// Truth and prediction as one-hot outputs; the figures are those that scikit-learn's
  /// `precision_recall_fscore_support` gives for the same labels.
  @Test func `precision, recall and F1 of unequal classes`() throws {
    let truths = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
    let predictions = [0, 0, 0, 1, 2, 1, 1, 0, 2, 1]
    var tally = ClassificationMetrics(classes: ["a", "b", "c", "d"])
    for (truth, prediction) in zip(truths, predictions) {
      tally.add(logits: (0..<4).map { $0 == prediction ? 5 : 0 }, truths: [truth], paths: ["p"])
    }
    let classes = try report(tally).classes
    #expect(classes.map(\.support) == [5, 3, 2, 0])
    #expect(classes.map(\.precision) == [0.75, 0.5, 0.5, nil])
    #expect(classes.map(\.recall) == [0.6, 2.0 / 3, 0.5, nil])
    let f1: [Double?] = [2.0 / 3, 4.0 / 7, 0.5, nil]
    #expect(classes.map(\.f1) == f1)
  }

  @Test func `a class that is there but never predicted has no precision, and F1 zero`() throws {
    var tally = ClassificationMetrics(classes: ["a", "b"])
    tally.add(logits: [1, 0], truths: [1], paths: ["p"])
    let classes = try report(tally).classes
    #expect(classes[1] == ClassMetrics(name: "b", support: 1, precision: nil, recall: 0, f1: 0))
    #expect(classes[0] == ClassMetrics(name: "a", support: 0, precision: 0, recall: nil, f1: 0))
  }

  @Test(arguments: [
    // Six classes, the truth is label 5: a hit among five where fewer than five rank before it.
    ([6, 5, 4, 3, 2, 1] as [Float], false), ([6, 5, 4, 3, 1, 2], true), ([9, 9, 9, 9, 0, 9], true),
    ([9, 9, 9, 9, 9, 9], false), ([0, 0, 0, 0, 0, 1], true),
  ])
  func `ties for the fifth place go to the smaller label`(logits: [Float], hit: Bool) throws {
    var tally = ClassificationMetrics(classes: (0..<6).map(String.init))
    tally.add(logits: logits, truths: [5], paths: ["p"])
    #expect(tally.metrics?.top5 == (hit ? 1 : 0))
  }

  @Test func `the five most probable are listed, best first`() throws {
    var tally = ClassificationMetrics(classes: (0..<8).map(String.init))
    tally.add(logits: [1, 7, 3, 3, 8, 0, 2, 9], truths: [0], paths: ["p"])
    #expect(try report(tally).misclassified[0].top.map(\.label) == [7, 4, 1, 2, 3])
  }

  @Test func `large logits do not overflow`() throws {
    var tally = ClassificationMetrics(classes: ["a", "b"])
    tally.add(logits: [3e38, 0, 1000, 1001, -3e38, -3e38], truths: [0, 0, 1], paths: ["1", "2", "3"])
    let loss = try #require(try report(tally).loss)
    let expected = (0 + log1p(exp(1.0)) + log(2.0)) / 3
    #expect(abs(loss - expected) < 1e-12)
  }

  @Test func `log-probabilities give the same as logits`() throws {
    var logits = ClassificationMetrics(classes: ["a", "b", "c"])
    var probabilities = logits
    logits.add(logits: [1, 2, 3], truths: [0], paths: ["p"])
    let sum = exp(1.0) + exp(2) + exp(3)
    probabilities.add(logits: [1.0, 2, 3].map { Float($0 - log(sum)) }, truths: [0], paths: ["p"])
    let loss = try #require(logits.metrics?.loss)
    let other = try #require(probabilities.metrics?.loss)
    #expect(abs(loss - other) < 1e-6)
    #expect(abs(loss - (log(sum) - 1)) < 1e-12)
  }

  @Test(arguments: [[.nan, .nan], [.nan, 1], [1, .nan], [.infinity, 0], [0, -.infinity]] as [[Float]])
  func `outputs that are not finite are no hit for any class, and are named`(outputs: [Float]) throws {
    for truth in 0...1 {
      var tally = ClassificationMetrics(classes: ["a", "b"])
      tally.add(logits: outputs + [0, 1], truths: [truth, 1], paths: ["bad", "good"])
      let report = try report(tally)
      #expect(report.images == 2 && report.loss == nil)
      #expect(report.top1 == 0.5 && report.top5 == 0.5)
      #expect(report.confusion == [[0, 0], [0, 1]])
      #expect(report.nonFinite == ["bad"] && report.nonFiniteImages == 1 && report.mistakes == 0)
      // It is one of its class's images, and no image was given its class.
      #expect(report.classes[truth].support == (truth == 1 ? 2 : 1))
      #expect(report.classes[1].precision == 1 && report.classes[1].recall == (truth == 1 ? 0.5 : 1))
      #expect(tally.metrics?.isFinite == false && tally.metrics?.nonFinite == 1)
      #expect(tally.onlyPrediction == nil)
    }
  }

  @Test func `ten thousand classes take room and time by their images`() throws {
    let names = (0..<10_000).map { "class \($0)" }
    var tally = ClassificationMetrics(classes: names)
    var logits = [Float](repeating: 0, count: names.count)
    logits[7] = 5
    for truth in stride(from: 7, to: 10_000, by: 1_000) {
      tally.add(logits: logits, truths: [truth], paths: ["\(truth)"])
    }
    let report = try report(tally)
    #expect(report.confusion.cells.count == 10 && report.confusion.classes == 10_000)
    #expect(report.top1 == 0.1 && report.mistakes == 9)
    #expect(report.classes[7].precision == 0.1 && report.classes[1007].recall == 0)
    #expect(!report.hasDenseConfusion)
  }

  @Test func `without any image there is no report`() {
    let tally = ClassificationMetrics(classes: ["a"])
    #expect(tally.metrics == nil)
    #expect(
      tally.report(checkpoint: "c", data: "d", split: .test, leftOut: .init(), seconds: 1) == nil)
  }
}
