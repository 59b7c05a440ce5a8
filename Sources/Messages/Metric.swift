// The table of metrics: what a run measures of each step, each epoch and each validation, by the keys of metrics.jsonl.
// A new metric is a row here and a number from the training loop; the file, the socket, the thinned series and the
// charts go by the row.

/// A quantity that a run measures again and again.
public struct Metric: Sendable, Hashable {
  /// What it is measured of: which object of a line in metrics.jsonl holds it.
  public enum Scope: Sendable, Hashable {
    case step, epoch
    /// The images that an epoch is validated on: an object of its own in the epoch's line.
    case validation
  }

  public enum Unit: Sendable, Hashable {
    /// Cross-entropy.
    case nats
    /// 0...1.
    case share
    case imagesPerSecond, seconds
    /// A number without a unit, of any size.
    case number
  }

  /// How a line says that there is no value.
  public enum Absence: Sendable, Hashable {
    /// There always is one, though it may not be finite.
    case never
    /// The key is left out.
    case omitted
    /// By `null`; a value that is not finite is none.
    case null
  }

  /// As in metrics.jsonl.
  public let key: String
  /// In words.
  public let name: String
  public let unit: Unit
  public let scope: Scope
  public let absence: Absence
  /// Its place among those of its scope.
  let place: Int

  private init(
    _ scope: Scope, _ place: Int, _ key: String, _ name: String, _ unit: Unit, absence: Absence = .never
  ) {
    self.scope = scope
    self.place = place
    self.key = key
    self.name = name
    self.unit = unit
    self.absence = absence
  }

  /// Those of a scope in the order of their places.
  public static func all(of scope: Scope) -> [Metric] {
    switch scope {
    case .step: ofSteps
    case .epoch: ofEpochs
    case .validation: ofValidations
    }
  }

  // MARK: Steps

  /// Mean loss over the batch.
  public static let loss = Metric(.step, 0, "loss", "loss", .nats)
  /// Share of the batch whose most probable class is the true one.
  public static let accuracy = Metric(.step, 1, "accuracy", "accuracy", .share)
  public static let learningRate = Metric(.step, 2, "learningRate", "learning rate", .number)
  /// Euclidean norm of the whole gradient, before clipping.
  public static let gradientNorm = Metric(.step, 3, "gradientNorm", "grad norm", .number)
  /// Training images/s of wall time, over the last few steps.
  public static let imagesPerSecond = Metric(.step, 4, "imagesPerSecond", "speed", .imagesPerSecond)
  /// Until the run ends, validation included; absent until it can be told.
  public static let secondsLeft = Metric(.step, 5, "secondsLeft", "time left", .seconds, absence: .omitted)

  /// A new one comes last: steps cross the socket as rows of these.
  public static let ofSteps = [loss, accuracy, learningRate, gradientNorm, imagesPerSecond, secondsLeft]

  // MARK: Epochs

  /// Means over the epoch's training images, as they were seen (augmented, while the weights changed).
  public static let trainLoss = Metric(.epoch, 0, "trainLoss", "training loss", .nats)
  public static let trainAccuracy = Metric(.epoch, 1, "trainAccuracy", "training accuracy", .share)
  public static let epochLearningRate = Metric(.epoch, 2, "learningRate", "learning rate", .number)
  /// Wall time that the epoch took, validation included.
  public static let seconds = Metric(.epoch, 3, "seconds", "time", .seconds)
  /// The share of the training steps' time that was spent waiting for images; absent where it was not measured.
  public static let dataWait = Metric(.epoch, 4, "dataWait", "data wait", .share, absence: .omitted)

  public static let ofEpochs = [trainLoss, trainAccuracy, epochLearningRate, seconds, dataWait]

  // MARK: Validation

  /// Absent where the outputs for some image are not finite.
  public static let validationLoss = Metric(.validation, 0, "loss", "validation loss", .nats, absence: .null)
  public static let top1 = Metric(.validation, 1, "top1", "validation accuracy", .share)
  /// Share with the true class among the five most probable; 1 where there are five classes or fewer.
  public static let top5 = Metric(.validation, 2, "top5", "validation top-5", .share)

  /// The mean of the classes' recalls, which weighs a class of few images as one of many.
  public static let balancedAccuracy = Metric(
    .validation, 3, "balancedAccuracy", "balanced accuracy", .share, absence: .omitted)
  /// The mean of the classes' F1.
  public static let macroF1 = Metric(.validation, 4, "macroF1", "macro F1", .share, absence: .omitted)

  public static let ofValidations = [validationLoss, top1, top5, balancedAccuracy, macroF1]
}

/// A value for each metric of a scope, or none.
public struct MetricValues: Sendable, Equatable {
  public let scope: Metric.Scope
  private var values: [Double?]

  public init(_ scope: Metric.Scope) {
    self.scope = scope
    values = Array(repeating: nil, count: Metric.all(of: scope).count)
  }

  public subscript(metric: Metric) -> Double? {
    get {
      precondition(metric.scope == scope, "\(metric.key) is not measured of this")
      return values[metric.place]
    }
    set {
      precondition(metric.scope == scope, "\(metric.key) is not measured of this")
      values[metric.place] = newValue
    }
  }
}

/// The keys of a line.
struct MetricKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(_ metric: Metric) { stringValue = metric.key }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }

  static let step = MetricKey("step")
  static let epoch = MetricKey("epoch")
  static let validation = MetricKey("validation")
  static let skippedImages = MetricKey("skippedImages")
  static let mixed = MetricKey("mixed")
  static let nonFinite = MetricKey("nonFinite")
}

extension KeyedDecodingContainer<MetricKey> {
  /// - Throws: `DecodingError` for a value that is missing and may not be.
  func values(of scope: Metric.Scope) throws -> MetricValues {
    var values = MetricValues(scope)
    for metric in Metric.all(of: scope) {
      values[metric] =
        switch metric.absence {
        case .never: try decode(Double.self, forKey: MetricKey(metric))
        case .omitted: try decodeIfPresent(Double.self, forKey: MetricKey(metric))
        case .null:
          try decodeIfPresent(Double.self, forKey: MetricKey(metric)).flatMap { $0.isFinite ? $0 : nil }
        }
    }
    return values
  }
}

extension KeyedEncodingContainer<MetricKey> {
  mutating func encode(_ values: MetricValues) throws {
    for metric in Metric.all(of: values.scope) {
      switch metric.absence {
      case .never: try encode(values[metric] ?? .nan, forKey: MetricKey(metric))
      case .omitted: try encodeIfPresent(values[metric], forKey: MetricKey(metric))
      case .null: try encode(values[metric], forKey: MetricKey(metric))
      }
    }
  }
}
