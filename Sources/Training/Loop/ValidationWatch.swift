// Compares each validation of a run with the one before: which images are hardest, which of them are new among those or
// were wrong before, and how the recall of each class moved. It sees only what the validation measured anyway.

import Messages

/// What a validation measured, image by image.
struct MeasuredValidation {
  private(set) var tally: ClassificationMetrics
  /// Which of the validation images each answer of the tally is of.
  private(set) var items: [Int] = []

  init(classes: [String]) { tally = ClassificationMetrics(classes: classes, keepsAnswers: true) }

  /// - Parameters: see `ClassificationMetrics.add`; `items` are the places of the images among those to validate.
  mutating func add(logits: [Float], truths: [Int], items: [Int], paths: [String]) {
    tally.add(logits: logits, truths: truths, paths: paths)
    self.items += items
  }
}

/// Follows the validations of a run.
struct ValidationWatch {
  /// So many images are told of.
  static let hardestImages = 48
  /// Seconds between two that are told, where epochs are shorter.
  private static let interval = Duration.milliseconds(250)

  /// The validation that was told last.
  private struct Before {
    var wrong: Set<Int>
    var hardest: Set<Int>
    var recalls: [Double?]
  }

  /// One that was not told.
  struct Postponed {
    var measured: MeasuredValidation
    var epoch: Int
    var step: Int
  }

  private var before: Before?
  private(set) var postponed: Postponed?
  private var told: ContinuousClock.Instant?

  /// Whether it is long enough since one was told.
  var isDue: Bool { told.map { ContinuousClock.now - $0 >= Self.interval } ?? true }

  mutating func postpone(_ measured: MeasuredValidation, epoch: Int, step: Int) {
    postponed = Postponed(measured: measured, epoch: epoch, step: step)
  }

  /// What there is to tell of a validation, compared with the one that was told before.
  mutating func details(of measured: MeasuredValidation, epoch: Int, step: Int) -> ValidationDetails {
    let (tally, items) = (measured.tally, measured.items)
    let answers = tally.answers
    let wrong = Set(answers.indices.filter { answers[$0].predicted != answers[$0].truth }.map { items[$0] })
    let order = Self.worstFirst(answers).prefix(Self.hardestImages)
    let recalls = tally.recalls
    defer {
      before = Before(wrong: wrong, hardest: Set(order.map { items[$0] }), recalls: recalls)
      (postponed, told) = (nil, .now)
    }
    // Some may not have decoded this time, or the time before.
    let seen = Set(items)
    return ValidationDetails(
      epoch: epoch, step: step, images: answers.count, wrong: wrong.count,
      fixed: before.map { $0.wrong.intersection(seen).subtracting(wrong).count },
      broken: before.map { wrong.subtracting($0.wrong).count }, recalls: recalls,
      losses: tally.losses, recallsBefore: before?.recalls ?? [], confused: tally.confusionMatrix.mostConfused,
      hardest: order.map { place in
        let answer = answers[place]
        return HardImage(
          path: answer.path, truth: answer.truth, predicted: answer.predicted, probability: answer.probability,
          loss: answer.loss, change: change(of: items[place], isRight: answer.predicted == answer.truth))
      })
  }

  private func change(of item: Int, isRight: Bool) -> HardImage.Change? {
    guard let before else { return nil }
    if isRight, before.wrong.contains(item) { return .fixed }
    return before.hardest.contains(item) ? nil : .new
  }

  /// Places by loss, those without one first; of equal ones, the one that came first.
  private static func worstFirst(_ answers: [ClassificationMetrics.Answer]) -> [Int] {
    let losses = answers.map { $0.loss ?? .infinity }
    return answers.indices.sorted { (-losses[$0], $0) < (-losses[$1], $1) }
  }
}

extension ConfusionMatrix {
  /// The pair of classes of which the most images were given the other one; of equal ones the first. nil where none was.
  fileprivate var mostConfused: ConfusedClasses? {
    var counts: [[Int]: Int] = [:]
    for cell in cells where cell.truth != cell.predicted {
      counts[[min(cell.truth, cell.predicted), max(cell.truth, cell.predicted)], default: 0] += cell.count
    }
    let most = counts.max { ($0.value, $1.key[0], $1.key[1]) < ($1.value, $0.key[0], $0.key[1]) }
    return most.map { ConfusedClasses(first: $0.key[0], second: $0.key[1], count: $0.value) }
  }
}
