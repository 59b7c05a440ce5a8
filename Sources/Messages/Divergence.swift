// A run whose loss or gradient became something other than a number: what is told of it, what can be done about it,
// and what was done.

/// Where and on what a run diverged. The step was not taken: weights, momentum and statistics are those before it.
/// Where the validation shows it, the epoch is over, and counts as no improvement.
public struct DivergenceReport: Codable, Sendable, Equatable {
  public enum Cause: String, Codable, Sendable {
    case loss
    case gradient
    /// The step before left weights that are not finite: going on from them is impossible, going back is not.
    case weights
    /// The outputs for validation images are not finite, while the training loss still is: the running statistics
    /// of the batch norms have run away, or the weights are so large that outputs overflow.
    case validation
  }

  public var cause: Cause
  /// The step that could not be taken, from 1; after a validation, the last one that was.
  public var step: Int
  /// From 1.
  public var epoch: Int
  public var loss: Double
  public var gradientNorm: Double
  public var learningRate: Double
  /// The batch's number in its epoch, from 1.
  public var batch: Int
  /// The images of the batch, by their paths below the dataset's folder; after a validation, the first of those whose
  /// outputs are not finite.
  public var files: [String]
  /// How many images that are, those that are not among `files` too.
  public var images: Int
  /// Whether the run can go on behind the batch: not where the weights are not finite, nor where the epoch would be
  /// left without a single image, nor after the validation of the last epoch.
  public var canLeaveOut: Bool
  /// The step to go back to: of `last`, or after a validation, which `last` is as bad as, of the newest checkpoint
  /// before it. nil where nothing was saved yet, so that the run can only begin again.
  public var savedStep: Int?
  /// The `best` checkpoint where it is whole and older than `last`; else nil.
  public var best: CheckpointInfo?

  public init(
    cause: Cause, step: Int, epoch: Int, loss: Double, gradientNorm: Double, learningRate: Double, batch: Int,
    files: [String], images: Int? = nil, canLeaveOut: Bool, savedStep: Int?, best: CheckpointInfo? = nil
  ) {
    self.images = images ?? files.count
    self.batch = batch
    self.canLeaveOut = canLeaveOut
    self.cause = cause
    self.step = step
    self.epoch = epoch
    self.loss = loss
    self.gradientNorm = gradientNorm
    self.learningRate = learningRate
    self.files = files
    self.savedStep = savedStep
    self.best = best
  }
}

/// What to do about a divergence.
public enum Recovery: String, Codable, Sendable, CaseIterable {
  /// Go on behind the batch, with a tenth of the rate and without momentum. The batch itself is left out: the same
  /// weights have the same loss on it, whatever the rate. Where the weights are not finite, `rollBack`.
  case lowerRate
  /// Go back to `last` and on from there with a tenth of the rate; to the first step where nothing was saved yet.
  case rollBack
  /// The same from `best`, without momentum, which it does not hold: where `last` itself is on the way to diverging. To
  /// `last` where there is no older `best`.
  case rollBackToBest
  /// The same from the first step.
  case beginAgain
  case stop

  /// Whether it takes the run back to an earlier step.
  public var goesBack: Bool { self != .lowerRate && self != .stop }

  /// The share of the peak rate that is left after any recovery.
  public static let loweredTo = 0.1
}

/// What was done about a divergence.
public struct RecoveryReport: Codable, Sendable, Equatable {
  public var recovery: Recovery
  /// Steps done from which training goes on; what was reported of later ones is void.
  public var step: Int
  /// The peak rate from now on.
  public var learningRate: Double

  public init(recovery: Recovery, step: Int, learningRate: Double) {
    self.recovery = recovery
    self.step = step
    self.learningRate = learningRate
  }
}

/// A checkpoint that could not be written. The one that was there before stays, and training goes on.
public struct SaveFailure: Codable, Sendable, Equatable {
  /// The file that should have been written.
  public var path: String
  /// What happened and what to do.
  public var reason: String
  /// Seconds until the next attempt; 0 where there is none.
  public var retrySeconds: Double

  public init(path: String, reason: String, retrySeconds: Double) {
    self.path = path
    self.reason = reason
    self.retrySeconds = retrySeconds
  }
}
