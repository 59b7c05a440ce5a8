// Suspected labels and neighbors: small sets whose wrong labels are visible, and who may judge what.

import Messages
import Support
import Tensors
import Testing

@testable import Inspection

@Suite struct LabelErrorTests {
  private let pool = ThreadPool(threads: 1)

  /// Probabilities of three classes, and the labels. Row 2 is labeled 0 and looks like 1, row 5 is labeled 2 and is
  /// undecided.
  private static let probabilities: [Float] = [
    0.9, 0.05, 0.05, 0.8, 0.1, 0.1, 0.1, 0.85, 0.05, 0.1, 0.8, 0.1, 0.05, 0.05, 0.9, 0.3, 0.3, 0.4,
  ]
  private static let labels = [0, 0, 0, 1, 2, 2]

  private var images: [JudgedImage] {
    Self.labels.enumerated().map { JudgedImage(path: "\($0)", split: .validation, label: $1, isInSample: false) }
  }

  @Test func `confident learning counts what is confidently of another class`() throws {
    let thresholds = LabelErrorFinder.thresholds(images, probabilities: Self.probabilities, classes: 3)
    #expect(zip(thresholds, [0.6, 0.8, 0.65]).allSatisfy { abs(($0 ?? 0) - $1) < 1e-6 })
    let confident = Self.labels.indices.map {
      LabelErrorFinder.confidentClass(Self.probabilities[$0 * 3..<$0 * 3 + 3], thresholds)
    }
    #expect(confident == [0, 0, 1, 1, 2, nil])
    // One of three of class 0.
    #expect(LabelErrorFinder.estimatedErrors(images, probabilities: Self.probabilities, classes: 3) == 1)
    let ranking = LabelErrorFinder.ranking(images, probabilities: Self.probabilities, classes: 3, votes: [])
    #expect(ranking.map(\.path).prefix(2) == ["2", "5"])
    #expect(ranking[0].suggested == 1 && ranking[0].isConfident && abs(ranking[0].score - 0.9) < 1e-6)
    #expect(LabelErrorFinder.isLikely(ranking[0]) && !LabelErrorFinder.isLikely(ranking[1]))
    #expect(!ranking[1].isConfident && abs(ranking[1].score - 0.6) < 1e-6)
  }

  @Test func `neighbors have a say beside the network`() {
    var votes = [LabelErrorFinder.Votes](repeating: .init(count: 4, labels: [2: 4]), count: 6)
    votes[5] = .init(count: 4, labels: [0: 4])
    let ranking = LabelErrorFinder.ranking(images, probabilities: Self.probabilities, classes: 3, votes: votes)
    let undecided = ranking.first { $0.path == "5" }
    #expect(undecided?.suggested == 0 && undecided?.labelNeighbors == 0 && undecided?.suggestedNeighbors == 4)
    // 0.3 and five votes, 0.3 and 0.4 with one each.
    let (other, sum) = (0.3 * 5.0.squareRoot(), 0.3 * 5.0.squareRoot() + 0.3 + 0.4)
    #expect(abs((undecided?.score ?? 0) - (1 - 0.4 / sum)) < 1e-6 && other > 0.4)
  }

  @Test func `the most alike are those of a naive search`() throws {
    var generator = RandomGenerator(seed: 7)
    let (rows, width) = (300, 9)
    let values = (0..<rows * width).map { _ in generator.normal() }
    let features = UnitFeatures(values, width: width)
    let found = try #require(
      features.nearest(to: features, count: 5, excluding: { $0 }, pool: ThreadPool(threads: 2)))
    func cosine(_ a: Int, _ b: Int) -> Double {
      let (x, y) = (values[a * width..<(a + 1) * width], values[b * width..<(b + 1) * width])
      func dot(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
        zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      return dot(x, y) / (dot(x, x) * dot(y, y)).squareRoot()
    }
    for row in stride(from: 0, to: rows, by: 29) {
      let naive = (0..<rows).filter { $0 != row }.sorted { cosine(row, $0) > cosine(row, $1) }.prefix(5)
      #expect(found[row].map(\.row) == Array(naive), "row \(row)")
      #expect(zip(found[row], naive).allSatisfy { abs(Double($0.cosine) - cosine(row, $1)) < 1e-5 })
    }
    let zeros = UnitFeatures([0, 0, 1, 0], width: 2)
    let alike = zeros.nearest(to: zeros, count: 3, excluding: { _ in nil }, pool: pool)
    #expect(alike?[0].map(\.cosine) == [0, 0])
  }

  /// Twelve images in two clusters, each of a class; one in the second cluster is labeled as of the first.
  private func clusters(_ isTraining: (Int) -> Bool) -> [(
    path: String, truth: Int, logits: [Float], features: [Float]
  )] {
    (0..<24).map { number in
      let side = number % 2
      let isWrong = number == 3
      return (
        path: "\(number).png", truth: isWrong ? 1 - side : side, logits: side == 0 ? [2, 0] : [0, 2],
        features: side == 0 ? [1, Float(number) / 100] : [Float(number) / 100, 1]
      )
    }
  }

  @Test func `a run judges what it was not trained on, and says what it does not judge`() throws {
    let all = clusters { _ in false }
    let held = try record(Array(all[..<12]), split: .test)
    let result = try #require(try LabelErrorSearch([held], pool: pool).run())
    #expect(result.report.suspects.map(\.path) == ["3.png"] && result.report.heldOut == 12)
    let suspect = result.report.suspects[0]
    #expect(
      suspect.suggested == 1 && suspect.neighbors == 10 && suspect.suggestedNeighbors == 5 && suspect.score > 0.5)
    // Trained on everything: nothing to judge, unless that is asked for, and then it is said of each.
    let trained = try record(all, split: .train)
    #expect(throws: LabelErrorRefusal.self) { try LabelErrorSearch([trained], pool: pool).run() }
    let inSample = try #require(try LabelErrorSearch([trained], judgesInSample: true, pool: pool).run()?.report)
    #expect(inSample.inSample == 24 && inSample.heldOut == 0 && inSample.suspects.allSatisfy(\.isInSample))
    // Other data than the run's were trained on by nobody.
    let other = try record(all, split: .train, isOwn: false)
    #expect(try LabelErrorSearch([other], pool: pool).run()?.report.heldOut == 24)
  }

  @Test func `folds judge each image by the network that did not see it`() throws {
    // Of the fold that was trained on an image it would be right by heart.
    let all = clusters { _ in false }
    func fold(_ held: Range<Int>, _ name: String) throws -> EvaluationRecord {
      var record = try record(
        all.enumerated().map { number, image in
          var image = image
          if !held.contains(number) { image.logits = image.truth == 0 ? [9, 0] : [0, 9] }
          return image
        }, checkpoint: name)
      let numbers = record.table.paths.map { Int($0.split(separator: ".")[0]) ?? 0 }
      record.table.splits = numbers.map { held.contains($0) ? .validation : .train }
      return record
    }
    let folds = [try fold(0..<12, "f1"), try fold(12..<24, "f2")]
    let report = try #require(try LabelErrorSearch(folds, pool: pool).run()?.report)
    #expect(report.heldOut == 24 && report.notJudged == 0 && report.checkpoints == ["f1", "f2"])
    #expect(report.suspects.map(\.path) == ["3.png"])
    let one = try #require(try LabelErrorSearch([folds[1]], pool: pool).run()?.report)
    #expect(one.heldOut == 12 && one.notJudged == 12 && one.suspects.isEmpty)
    var strange = folds[1]
    strange.table.classes = ["x", "y"]
    #expect(throws: LabelErrorRefusal.self) { try LabelErrorSearch([folds[0], strange], pool: pool) }
  }
}
