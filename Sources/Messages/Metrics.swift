// The metrics of a training run: what a step and an epoch measured. These are also the lines of metrics.jsonl. Each is
// a place in the run and a value for each row of the table in Metric.swift; the usual ones have names of their own.

/// What one training step measured.
public struct StepMetrics: Sendable, Equatable {
  /// Optimizer steps since the start of the run, from 1.
  public var step: Int
  /// The epoch it belongs to, from 1.
  public var epoch: Int
  private var values = MetricValues(.step)

  /// Without any value.
  public init(step: Int, epoch: Int) {
    self.step = step
    self.epoch = epoch
  }

  public init(
    step: Int, epoch: Int, loss: Double, accuracy: Double, learningRate: Double, gradientNorm: Double,
    imagesPerSecond: Double, secondsLeft: Double?
  ) {
    self.init(step: step, epoch: epoch)
    self.loss = loss
    self.accuracy = accuracy
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }

  public subscript(metric: Metric) -> Double? {
    get { values[metric] }
    set { values[metric] = newValue }
  }

  /// Mean loss over the batch (cross-entropy, nats).
  public var loss: Double {
    get { self[.loss] ?? .nan }
    set { self[.loss] = newValue }
  }
  /// Share of the batch whose most probable class is the true one, 0...1.
  public var accuracy: Double {
    get { self[.accuracy] ?? .nan }
    set { self[.accuracy] = newValue }
  }
  public var learningRate: Double {
    get { self[.learningRate] ?? .nan }
    set { self[.learningRate] = newValue }
  }
  /// Euclidean norm of the whole gradient, before clipping.
  public var gradientNorm: Double {
    get { self[.gradientNorm] ?? .nan }
    set { self[.gradientNorm] = newValue }
  }
  /// Training images/s of wall time, over the last few steps.
  public var imagesPerSecond: Double {
    get { self[.imagesPerSecond] ?? .nan }
    set { self[.imagesPerSecond] = newValue }
  }
  /// Seconds until the run ends, validation included; nil until it can be told.
  public var secondsLeft: Double? {
    get { self[.secondsLeft] }
    set { self[.secondsLeft] = newValue }
  }
}

extension StepMetrics: Codable {
  public init(from decoder: any Decoder) throws {
    let line = try decoder.container(keyedBy: MetricKey.self)
    step = try line.decode(Int.self, forKey: .step)
    epoch = try line.decode(Int.self, forKey: .epoch)
    values = try line.values(of: .step)
  }

  public func encode(to encoder: any Encoder) throws {
    var line = encoder.container(keyedBy: MetricKey.self)
    try line.encode(step, forKey: .step)
    try line.encode(epoch, forKey: .epoch)
    try line.encode(values)
  }
}

/// What one epoch measured.
public struct EpochMetrics: Sendable, Equatable {
  /// From 1.
  public var epoch: Int
  /// The last step of the epoch.
  public var step: Int
  private var values = MetricValues(.epoch)
  /// On the validation images; nil where there are none.
  public var validation: ValidationMetrics?
  /// Training images that were skipped because they do not decode.
  public var skippedImages: Int
  /// Whether training loss and accuracy are those of images that were mixed, whose labels are shares of two classes:
  /// they cannot be compared with those of whole images.
  public var isMixed: Bool

  public init(
    epoch: Int, step: Int, trainLoss: Double, trainAccuracy: Double, validation: ValidationMetrics?,
    learningRate: Double, seconds: Double, skippedImages: Int, dataWait: Double? = nil, isMixed: Bool = false
  ) {
    self.isMixed = isMixed
    self.epoch = epoch
    self.step = step
    self.validation = validation
    self.skippedImages = skippedImages
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.learningRate = learningRate
    self.seconds = seconds
    self.dataWait = dataWait
  }

  /// The value of a metric of epochs or of validations.
  public subscript(metric: Metric) -> Double? { metric.scope == .validation ? validation?[metric] : values[metric] }

  /// Means over the epoch's training images, as they were seen (augmented, while the weights changed).
  public var trainLoss: Double {
    get { values[.trainLoss] ?? .nan }
    set { values[.trainLoss] = newValue }
  }
  public var trainAccuracy: Double {
    get { values[.trainAccuracy] ?? .nan }
    set { values[.trainAccuracy] = newValue }
  }
  public var learningRate: Double {
    get { values[.epochLearningRate] ?? .nan }
    set { values[.epochLearningRate] = newValue }
  }
  /// Seconds of wall time the epoch took, validation included.
  public var seconds: Double {
    get { values[.seconds] ?? .nan }
    set { values[.seconds] = newValue }
  }
  /// The share of the training steps' time that was spent waiting for images, 0...1; nil where it was not measured.
  public var dataWait: Double? {
    get { values[.dataWait] }
    set { values[.dataWait] = newValue }
  }
}

extension EpochMetrics: Codable {
  public init(from decoder: any Decoder) throws {
    let line = try decoder.container(keyedBy: MetricKey.self)
    epoch = try line.decode(Int.self, forKey: .epoch)
    step = try line.decode(Int.self, forKey: .step)
    values = try line.values(of: .epoch)
    validation = try line.decodeIfPresent(ValidationMetrics.self, forKey: .validation)
    skippedImages = try line.decode(Int.self, forKey: .skippedImages)
    isMixed = try line.decodeIfPresent(Bool.self, forKey: .mixed) ?? false
  }

  public func encode(to encoder: any Encoder) throws {
    var line = encoder.container(keyedBy: MetricKey.self)
    try line.encode(epoch, forKey: .epoch)
    try line.encode(step, forKey: .step)
    try line.encode(values)
    try line.encodeIfPresent(validation, forKey: .validation)
    try line.encode(skippedImages, forKey: .skippedImages)
    if isMixed { try line.encode(true, forKey: .mixed) }
  }
}

/// Loss and accuracies on images the network was not trained on.
public struct ValidationMetrics: Sendable, Equatable {
  private var values = MetricValues(.validation)
  /// Images for which the network's outputs are not finite: they are no hits.
  public var nonFinite: Int

  public init(
    loss: Double?, top1: Double, top5: Double, balancedAccuracy: Double? = nil, macroF1: Double? = nil,
    nonFinite: Int = 0
  ) {
    self.nonFinite = nonFinite
    self.loss = loss
    self.top1 = top1
    self.top5 = top5
    self.balancedAccuracy = balancedAccuracy
    self.macroF1 = macroF1
  }

  public subscript(metric: Metric) -> Double? {
    get { values[metric] }
    set { values[metric] = newValue }
  }

  /// nil, in JSON null, where the outputs for some image are not finite.
  public var loss: Double? {
    get { self[.validationLoss] }
    set { self[.validationLoss] = newValue }
  }
  public var top1: Double {
    get { self[.top1] ?? .nan }
    set { self[.top1] = newValue }
  }
  /// Share with the true class among the five most probable; 1 where there are five classes or fewer.
  public var top5: Double {
    get { self[.top5] ?? .nan }
    set { self[.top5] = newValue }
  }
  /// The mean of the classes' recalls, 0...1.
  public var balancedAccuracy: Double? {
    get { self[.balancedAccuracy] }
    set { self[.balancedAccuracy] = newValue }
  }
  /// The mean of the classes' F1, 0...1.
  public var macroF1: Double? {
    get { self[.macroF1] }
    set { self[.macroF1] = newValue }
  }

  /// Whether every output was finite: only then do the metrics say how good the network is.
  public var isFinite: Bool { loss != nil && nonFinite == 0 }
}

extension ValidationMetrics: Codable {
  public init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: MetricKey.self)
    values = try object.values(of: .validation)
    nonFinite = try object.decodeIfPresent(Int.self, forKey: .nonFinite) ?? 0
  }

  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: MetricKey.self)
    try object.encode(values)
    if nonFinite > 0 { try object.encode(nonFinite, forKey: .nonFinite) }
  }
}
