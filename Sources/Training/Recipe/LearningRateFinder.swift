// A range test of the learning rate: a few steps at rates that grow from far too small to far too large, on weights that
// are thrown away.

import Glibc
import Messages
import Networks
import Tensors

/// Smith 2015, "Cyclical learning rates for training neural networks" (arXiv:1506.01186), section 3.3, with the rate
/// growing by a constant factor instead of a constant amount.
public struct LearningRateFinder {
  /// Steps of a test that does not end before.
  public static let steps = 100
  public static let range = (lowest: 1e-5, highest: 10.0)
  /// The test ends where the smoothed loss is so many times the lowest.
  static let hopeless = 4.0
  /// Weight of the past in the smoothed loss.
  static let smoothing = 0.9
  /// The loss is lowest shortly before it diverges; a peak rate keeps away from there by this factor.
  static let safety = 4.0

  private let setup: RunSetup
  private let pool: ThreadPool

  /// - Parameter setup: what would be trained; its rate and schedule are not used.
  /// - Throws: `ResourceShortage`.
  public init(_ setup: RunSetup) throws {
    self.setup = setup
    pool = try ThreadPool(reserving: setup.settings.threads)
  }

  /// - Parameters:
  ///   - progress: called after each step.
  ///   - isCancelled: asked before each step; true ends the test with what is known then.
  /// - Throws: what reading the initial weights throws; `TrainingError.nothingDecodes`; `SettingsError` for a classifier
  ///   that is trained on features, whose rates are others.
  public func curve(
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }, isCancelled: () -> Bool = { false }
  ) throws -> LearningRateCurve {
    let settings = setup.settings
    if settings.freeze.freezes, settings.featureViews > 0, setup.plan(epochsDone: 0).trainsClassifierAlone {
      throw SettingsError(
        "--freeze \(settings.freeze) with --views \(settings.featureViews) trains the classifier on standardized "
          + "features, for which --lr \(OptimizerMethod.sgd.usualRate) is right as it stands: lr-find tries rates with "
          + "--views 0")
    }
    let network = Network(
      setup.plan(epochsDone: 0), seed: settings.seed,
      convolutions: settings.precision.convolutions,
      initialization: settings.convolutionInitialization)
    network.prepareForTransfer(setup, epochsDone: 0)
    setup.whiten(network)
    if let path = settings.initialWeights {
      _ = try InitialWeights(path).load(
        into: network, classes: setup.index.classes, naming: settings.initialClasses)
    }
    var optimizer = settings.optimizer.optimizer(for: network.trainedParameters)
    var points: [LearningRateCurve.Point] = []
    var (average, lowest) = (0.0, Double.infinity)
    var epoch = 0
    var stream = setup.training.epoch(0, fromBatch: 0)
    while points.count < Self.steps, !isCancelled() {
      guard let batch = stream.next() else {
        guard !points.isEmpty else {
          throw TrainingError.nothingDecodes(data: settings.data, skipped: stream.skipped.count)
        }
        epoch += 1
        stream = setup.training.epoch(epoch, fromBatch: 0)
        continue
      }
      let rate = Self.rate(step: points.count)
      let pass = Pass(.training, pool, seed: settings.seed &+ UInt64(points.count))
      let (logits, heads) = network.forwardWithHeads(
        Tensor([batch.labels.count, batch.side, batch.side, 3], batch.images), pass)
      let loss = TrainingLoss(
        logits, heads: heads, labels: batch.mixedLabels, smoothing: settings.labelSmoothing,
        weights: setup.classWeights, pass.ops)
      guard loss.loss.isFinite else { break }
      average = Self.smoothing * average + (1 - Self.smoothing) * loss.loss
      let smoothed = average / (1 - pow(Self.smoothing, Double(points.count + 1)))
      points.append(.init(rate: rate, loss: loss.loss, smoothed: smoothed))
      progress(points.count, Self.steps)
      lowest = min(lowest, smoothed)
      guard smoothed < Self.hopeless * lowest else { break }
      network.backward(loss.gradient, heads: loss.heads, pass)
      let norm = network.gradientNorm(pool)
      guard norm.isFinite else { break }
      let numbers = StepNumbers(
        rate: rate, gradientScale: settings.optimizer.clippingScale(gradientNorm: norm), done: points.count - 1)
      optimizer.step(network.trainedParameters, numbers, pool)
    }
    return Self.judged(points, diverged: points.count < Self.steps && !isCancelled())
  }

  /// The rate of a step: equal distances on a logarithmic scale.
  static func rate(step: Int) -> Double {
    range.lowest * pow(range.highest / range.lowest, Double(step) / Double(steps - 1))
  }

  /// Puts points into a curve, and says which rate follows.
  static func judged(_ points: [LearningRateCurve.Point], diverged: Bool) -> LearningRateCurve {
    // The first steps are too small to say anything, and their average is of few.
    let judged = points.dropFirst(min(10, points.count / 4))
    guard let first = judged.first, let best = judged.min(by: { $0.smoothed < $1.smoothed }),
      best.smoothed < 0.98 * first.smoothed
    else { return LearningRateCurve(points: points, suggestion: nil, lowest: nil, diverged: diverged) }
    return LearningRateCurve(
      points: points, suggestion: rounded(best.rate / safety), lowest: best.rate, diverged: diverged)
  }

  /// To two digits.
  private static func rounded(_ rate: Double) -> Double {
    let unit = pow(10, floor(log10(rate)) - 1)
    return (rate / unit).rounded() * unit
  }
}
