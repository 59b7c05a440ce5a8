// The search for label errors over evaluations: who may judge which image. A run may judge the images that it was not
// trained on; the runs of a cross-validation may judge each image but for its own, and a network judges by the neighbors
// of its own features, which those of another one cannot be compared with.

import Messages
import Tensors

/// A search for label errors.
public struct LabelErrorSearch {
  private let records: [EvaluationRecord]
  private let judgesInSample: Bool
  private let pool: ThreadPool

  /// - Parameters:
  ///   - records: evaluations of all images of the data: by one checkpoint, or by one of each fold.
  ///   - judgesInSample: whether images are judged that every network was trained on.
  /// - Throws: `LabelErrorRefusal` where the evaluations do not go together.
  public init(_ records: [EvaluationRecord], judgesInSample: Bool = false, pool: ThreadPool) throws {
    guard let first = records.first else {
      throw LabelErrorRefusal("name a run or a checkpoint that judges, with --model")
    }
    let classes = first.table.classes.map(ClassName.init)
    for record in records where record.table.classes.map(ClassName.init) != classes {
      throw LabelErrorRefusal(
        "\(first.table.source.checkpoint) and \(record.table.source.checkpoint) know other classes, and cannot judge "
          + "together: name one of them")
    }
    self.records = records
    self.judgesInSample = judgesInSample
    self.pool = pool
  }

  /// What was found, with every image that was judged, the most suspicious first.
  public struct Result: Sendable {
    public var report: LabelErrorReport
    public var ranking: [SuspectedLabel]
  }

  /// One image over all evaluations.
  private struct Case {
    var image: JudgedImage
    /// The evaluations that judge it, and its row in each.
    var judges: [(record: Int, row: Int)]
  }

  /// - Parameter progress: told how many images are done, of how many; false ends it.
  /// - Returns: nil where it was ended.
  /// - Throws: `FileOperationError`, `EvaluationRecordError`; `LabelErrorRefusal` where there is nothing to judge.
  public func run(progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }) throws -> Result? {
    let classes = records[0].table.classes
    let (cases, notJudged) = cases()
    guard !cases.isEmpty else {
      throw LabelErrorRefusal(
        "\(records.map(\.table.source.checkpoint).joined(separator: ", ")) was trained on every image: judge with the "
          + "runs of 'skipline cross-validate', each of which left some out, or take --in-sample, which misses what "
          + "was learned by heart")
    }
    let probabilities = try probabilities(of: cases, classes: classes.count)
    guard let votes = try votes(on: cases, progress) else { return nil }
    let images = cases.map(\.image)
    let ranking = LabelErrorFinder.ranking(
      images, probabilities: probabilities, classes: classes.count, votes: votes)
    let inSample = images.count { $0.isInSample }
    let report = LabelErrorReport(
      data: records[0].table.root, checkpoints: records.map(\.table.source.checkpoint), classes: classes,
      heldOut: images.count - inSample, inSample: inSample, notJudged: notJudged,
      estimatedErrors: LabelErrorFinder.estimatedErrors(
        images, probabilities: probabilities, classes: classes.count),
      suspects: ranking.filter(LabelErrorFinder.isLikely), notes: notes)
    return Result(report: report, ranking: ranking)
  }

  private var notes: [String] {
    records.filter { $0.features == nil }.map {
      "\($0.table.source.checkpoint): no features are kept of its evaluation, so the most similar images have no say"
    }
      + records.filter { $0.table.provenance?.isRunsOwn != true }.map {
        "\($0.table.source.checkpoint): \($0.table.root) is not known to be what it was trained on, so all images count "
          + "as held out"
      }
  }

  /// The images to judge, in order of their paths, and how many are not judged.
  private func cases() -> (cases: [Case], notJudged: Int) {
    var places: [[UInt8]: Int] = [:]
    var found: [Case] = []
    var trainers: [[(record: Int, row: Int)]] = []
    for (number, record) in records.enumerated() {
      let table = record.table
      let isOwn = table.provenance?.isRunsOwn == true
      for row in 0..<table.count where table.predictions[row] >= 0 {
        let key = Array(table.paths[row].utf8)
        let place = places[key] ?? found.count
        if place == found.count {
          places[key] = place
          found.append(
            Case(
              image: JudgedImage(
                path: table.paths[row], split: table.splits[row], label: Int(table.truths[row]), isInSample: false),
              judges: []))
          trainers.append([])
        }
        // In folds an image is validated once and trained on elsewhere; the split of the run that held it out is told.
        if isOwn, table.splits[row] == .train {
          trainers[place].append((number, row))
        } else {
          if found[place].judges.isEmpty { found[place].image.split = table.splits[row] }
          found[place].judges.append((number, row))
        }
      }
    }
    var (kept, notJudged): ([Case], Int) = ([], 0)
    for (place, item) in found.enumerated() {
      if !item.judges.isEmpty {
        kept.append(item)
      } else if judgesInSample {
        var item = item
        item.image.isInSample = true
        item.judges = trainers[place]
        kept.append(item)
      } else {
        notJudged += 1
      }
    }
    return (kept, notJudged)
  }

  /// The mean over the judges of each image, [cases, classes].
  private func probabilities(of cases: [Case], classes: Int) throws -> [Float] {
    var sums = [Float](repeating: 0, count: cases.count * classes)
    for (number, record) in records.enumerated() {
      let judged = Self.judged(by: number, cases)
      for begin in stride(from: 0, to: judged.count, by: Self.block) {
        let part = judged[begin..<min(begin + Self.block, judged.count)]
        let rows = part.map(\.row)
        guard let least = rows.min(), let greatest = rows.max() else { continue }
        // Cases and rows are both in order of the path, so that a block of the one is one of the other.
        let values = try record.probabilities.values(least..<greatest + 1)
        for (place, row) in part {
          let share = 1 / Float(cases[place].judges.count)
          for label in 0..<classes {
            sums[place * classes + label] += share * values[(row - least) * classes + label]
          }
        }
      }
    }
    return sums
  }

  private static let block = 4096

  /// The cases that an evaluation judges, and their rows in it.
  private static func judged(by number: Int, _ cases: [Case]) -> [(place: Int, row: Int)] {
    cases.indices.flatMap { place in
      cases[place].judges.filter { $0.record == number }.map { (place, $0.row) }
    }
  }

  private func votes(
    on cases: [Case], _ progress: (_ done: Int, _ total: Int) -> Bool
  ) throws -> [LabelErrorFinder.Votes]? {
    var votes = [LabelErrorFinder.Votes](repeating: .init(), count: cases.count)
    var done = 0
    let total = cases.reduce(0) { $0 + $1.judges.count }
    for (number, record) in records.enumerated() {
      guard let features = record.features else { continue }
      let judged = Self.judged(by: number, cases)
      let found = try LabelErrorFinder.votes(
        features, labels: record.table.truths.map(Int.init), queries: judged.map(\.row), pool: pool,
        progress: { progress(done + $0, total) })
      guard let found else { return nil }
      done += judged.count
      for (item, own) in zip(judged, found) {
        votes[item.place].count += own.count
        votes[item.place].labels.merge(own.labels, uniquingKeysWith: +)
      }
    }
    return votes
  }
}

/// A search for label errors that cannot be made.
public struct LabelErrorRefusal: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
