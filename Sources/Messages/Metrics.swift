// The figures of a training run: what a step and an epoch measured. These are also the lines of metrics.jsonl.

/// What one training step measured.
public struct StepMetrics: Codable, Sendable, Equatable {
  /// Optimiser steps since the start of the run, from 1.
  public var step: Int
  /// The epoch it belongs to, from 1.
  public var epoch: Int
  /// Mean loss over the batch (cross-entropy, nats).
  public var loss: Double
  /// Share of the batch whose most probable class is the true one, 0...1.
  public var accuracy: Double
  public var learningRate: Double
  /// Euclidean norm of the whole gradient, before clipping.
  public var gradientNorm: Double
  /// Training images a second of wall time, over the last few steps.
  public var imagesPerSecond: Double
  /// Seconds until the run ends, validation included; nil until it can be told.
  public var secondsLeft: Double?

  public init(
    step: Int, epoch: Int, loss: Double, accuracy: Double, learningRate: Double, gradientNorm: Double,
    imagesPerSecond: Double, secondsLeft: Double?
  ) {
    self.step = step
    self.epoch = epoch
    self.loss = loss
    self.accuracy = accuracy
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }
}

/// What one epoch measured.
public struct EpochMetrics: Codable, Sendable, Equatable {
  /// From 1.
  public var epoch: Int
  /// The last step of the epoch.
  public var step: Int
  /// Means over the epoch's training images, as they were seen (augmented, while the weights changed).
  public var trainLoss: Double
  public var trainAccuracy: Double
  /// On the validation images; nil where there are none.
  public var validation: ValidationMetrics?
  public var learningRate: Double
  /// Seconds of wall time the epoch took, validation included.
  public var seconds: Double
  /// Training images that were skipped because they do not decode.
  public var skippedImages: Int
  /// The share of the training steps' time that was spent waiting for images, 0...1; nil where it was not measured.
  public var dataWait: Double?

  public init(
    epoch: Int, step: Int, trainLoss: Double, trainAccuracy: Double, validation: ValidationMetrics?,
    learningRate: Double, seconds: Double, skippedImages: Int, dataWait: Double? = nil
  ) {
    self.epoch = epoch
    self.step = step
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.validation = validation
    self.learningRate = learningRate
    self.seconds = seconds
    self.skippedImages = skippedImages
    self.dataWait = dataWait
  }
}

/// Loss and accuracies on images the network was not trained on.
public struct ValidationMetrics: Codable, Sendable, Equatable {
  /// nil, in JSON null, where the outputs for some image are no numbers.
  public var loss: Double?
  public var top1: Double
  /// Share with the true class among the five most probable; 1 where there are five classes or fewer.
  public var top5: Double
  /// Images for which the network's outputs are no finite numbers: they are no hits.
  public var nonFinite: Int

  private enum CodingKeys: CodingKey { case loss, top1, top5, nonFinite }

  public init(loss: Double?, top1: Double, top5: Double, nonFinite: Int = 0) {
    self.loss = loss
    self.top1 = top1
    self.top5 = top5
    self.nonFinite = nonFinite
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    // Version 0.1 wrote a loss that was no number as one.
    let loss = try values.decodeIfPresent(Double.self, forKey: .loss)
    self.init(
      loss: loss.flatMap { $0.isFinite ? $0 : nil }, top1: try values.decode(Double.self, forKey: .top1),
      top5: try values.decode(Double.self, forKey: .top5),
      nonFinite: try values.decodeIfPresent(Int.self, forKey: .nonFinite) ?? 0)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(loss, forKey: .loss)
    try values.encode(top1, forKey: .top1)
    try values.encode(top5, forKey: .top5)
    if nonFinite > 0 { try values.encode(nonFinite, forKey: .nonFinite) }
  }

  /// Whether every output was a number: only then the figures say how good the network is.
  public var isFinite: Bool { loss != nil && nonFinite == 0 }
}
