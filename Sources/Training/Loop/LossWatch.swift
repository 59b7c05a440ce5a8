// Whether a run learns, judged by its loss alone: a pure value that is fed the loss of each step. It advises; what is
// done is for others.

import Glibc
import Messages
import Support

/// Follows the smoothed training loss.
struct LossWatch: Equatable {
  enum Warning: Equatable {
    /// The smoothed loss is far above its best, and above what guessing gets.
    case diverging(loss: Double, best: Double)
    /// No better loss for so many steps, and what there is is poor.
    case stalled(steps: Int, loss: Double)
  }

  /// Each step's share in the smoothed loss: about the last twenty steps count.
  static let share = 0.05
  /// How many times its best the loss has to be, and how many times that of guessing.
  static let farAboveBest = 3.0
  static let aboveUniform = 1.5
  /// A single loss counts for so many times that of guessing at most: a spike is no divergence.
  static let cap = 10.0
  /// Before so many steps no notice is given: a first step or two may go wrong by themselves.
  static let quietSteps = 20
  /// A loss counts as better if it is so much lower.
  static let betterBy = 0.005

  /// The loss of guessing each class alike: ln(classes).
  private let uniformLoss: Double
  /// The least that a loss can be.
  private let floor: Double
  private let stallSteps: Int
  private var steps = 0
  private var smoothed = 0.0
  private var best = Double.infinity
  private var stepsSinceBest = 0
  private var toldDiverging = false
  private var toldStalled = false
  /// What was told and still holds.
  private var standing: Warning?

  /// - Parameters:
  ///   - stepsPerEpoch: a stall is three epochs without a better loss, 500 steps at least.
  ///   - floor: the loss of a perfect network, more than 0 where labels are smoothed or mixed.
  init(classes: Int, stepsPerEpoch: Int, floor: Double = 0) {
    self.floor = floor
    uniformLoss = log(Double(max(2, classes)))
    stallSteps = max(500, 3 * stepsPerEpoch)
  }

  /// Whether the loss is far above its best now.
  var isDiverging: Bool {
    steps > 1 && smoothed > Self.farAboveBest * best && smoothed > Self.aboveUniform * uniformLoss
  }

  /// - Parameter loss: of one step, a number.
  /// - Returns: something to tell, each kind once.
  mutating func add(_ loss: Double) -> Warning? {
    steps += 1
    let loss = min(loss, Self.cap * uniformLoss)
    // The plain mean at first, so that the first step does not count for ever.
    smoothed += (loss - smoothed) * max(Self.share, 1 / Double(steps))
    if smoothed < best * (1 - Self.betterBy) {
      best = smoothed
      stepsSinceBest = 0
    } else {
      stepsSinceBest += 1
    }
    if isDiverging, steps >= Self.quietSteps, !toldDiverging {
      toldDiverging = true
      standing = .diverging(loss: smoothed, best: best)
      return standing
    }
    if stepsSinceBest >= stallSteps, smoothed - floor > (uniformLoss - floor) / 2, !toldStalled, !toldDiverging {
      toldStalled = true
      standing = .stalled(steps: stepsSinceBest, loss: smoothed)
      return standing
    }
    return nil
  }

  /// What was told and holds no longer, once.
  mutating func eased() -> Warning? {
    switch standing {
    case .diverging where isDiverging, .stalled where stepsSinceBest > 0, nil: return nil
    default:
      defer { standing = nil }
      return standing
    }
  }

  /// The run went back and goes on with a lower rate: the loss is judged anew, what was told stays told.
  mutating func restart() {
    (steps, smoothed, best, stepsSinceBest) = (0, 0, .infinity, 0)
  }
}

extension LossWatch.Warning {
  /// What to tell, with advice.
  var text: String {
    func figure(_ value: Double) -> String { printed("%.3g", value) }
    switch self {
    case .diverging(let loss, let best):
      return
        "the loss is \(figure(loss)), far above its best of \(figure(best)): lower the learning rate, clip the "
        + "gradient (--clip), or go back to an earlier checkpoint"
    case .stalled(let steps, let loss):
      return "the loss has not improved for \(steps) steps and is \(figure(loss)): try another learning rate, or "
        + "check the labels"
    }
  }
}

/// Whether a validation gave one class to every image.
struct OneClassWatch: Equatable {
  private var told = false
  /// What was told and still holds.
  private var standing: String?

  /// What was told and holds no longer, once.
  /// - Parameter only: as `notice` takes it.
  mutating func eased(only: String?) -> String? {
    guard only == nil else { return nil }
    defer { standing = nil }
    return standing
  }

  /// - Parameters:
  ///   - only: the class that every image was given; nil where there were several, or nothing to tell apart.
  ///   - epoch: the epoch that was validated, from 1. After the first one it is no news: the running statistics of
  ///     the batch norms still lag behind.
  mutating func notice(only: String?, epoch: Int, of epochs: Int) -> String? {
    guard let only, epoch > 1 || epochs == 1, !told else { return nil }
    told = true
    standing =
      "the network gives the class '\(only)' to every validation image: lower the learning rate, and check that "
      + "the classes are about as frequent as each other and the labels right"
    return standing
  }
}
