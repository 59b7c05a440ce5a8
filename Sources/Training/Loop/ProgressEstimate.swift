// How fast training goes and how long it will take. Pure arithmetic: durations are passed in, measured by whoever has
// a monotonic clock, and pauses are left out by not passing them.

/// Images/s over the last steps, and the seconds left until the run ends, validation included.
public struct ProgressEstimate: Sendable, Equatable {
  /// Steps that the averages look back on.
  public static let window = 20

  private let validationImages: Int
  private var stepsLeft: Int
  private var validationsLeft: Int
  /// The last steps' images and seconds; a ring once it is full.
  private var recent: [(images: Int, seconds: Double)] = []
  private var oldest = 0
  /// Validation images counted and the seconds they took; halved when they exceed a whole validation, so that old
  /// ones fade.
  private var validated = 0.0
  private var validationSeconds = 0.0
  /// That saving after a validation takes, the last ones most.
  private var savingSeconds = 0.0
  /// Images of the validation under way that are done.
  private var validationDone = 0

  /// - Parameters:
  ///   - steps: steps left in the run.
  ///   - validations: validations left in the run, usually one an epoch.
  ///   - validationImages: images of one validation; 0 where there is none.
  public init(steps: Int, validations: Int, validationImages: Int) {
    stepsLeft = steps
    validationsLeft = validations
    self.validationImages = validationImages
  }

  /// Counts a training step.
  /// - Parameter seconds: wall time since the step before ended, waiting for data included.
  public mutating func stepEnded(images: Int, seconds: Double) {
    stepsLeft = max(0, stepsLeft - 1)
    if recent.count < Self.window {
      recent.append((images, seconds))
    } else {
      recent[oldest] = (images, seconds)
      oldest = (oldest + 1) % Self.window
    }
  }

  /// Counts a part of a validation, or a whole one.
  public mutating func validated(images: Int, seconds: Double) {
    validated += Double(images)
    validationSeconds += seconds
    validationDone += images
    if validated > Double(validationImages) {
      validated /= 2
      validationSeconds /= 2
    }
  }

  /// Ends a validation: one fewer is left.
  public mutating func validationEnded() {
    validationDone = 0
    validationsLeft = max(0, validationsLeft - 1)
  }

  /// Counts what is saved after a validation.
  public mutating func saved(seconds: Double) {
    savingSeconds = savingSeconds == 0 ? seconds : (savingSeconds + seconds) / 2
  }

  /// Takes in that another number of steps and validations is left.
  mutating func plan(steps: Int, validations: Int) {
    stepsLeft = max(0, steps)
    validationsLeft = max(0, validations)
  }

  /// Training images/s of wall time over the last steps; nil before the first.
  public var imagesPerSecond: Double? {
    let seconds = recent.reduce(0) { $0 + $1.seconds }
    guard seconds > 0 else { return nil }
    return Double(recent.reduce(0) { $0 + $1.images }) / seconds
  }

  /// Seconds until the last step, the last validation and what is saved after it are over; nil before the first step.
  ///
  /// Before the first validation an image of it is taken for a third of a training image: the forward pass is about
  /// a third of forward and backward.
  public var secondsLeft: Double? {
    guard let imagesPerSecond, !recent.isEmpty else { return nil }
    let stepSeconds = recent.reduce(0) { $0 + $1.seconds } / Double(recent.count)
    let imageSeconds = validated > 0 ? validationSeconds / validated : 1 / (3 * imagesPerSecond)
    let images = max(0, validationsLeft * validationImages - validationDone)
    return Double(stepsLeft) * stepSeconds + Double(images) * imageSeconds
      + Double(validationsLeft) * savingSeconds
  }

  public static func == (left: ProgressEstimate, right: ProgressEstimate) -> Bool {
    left.imagesPerSecond == right.imagesPerSecond && left.secondsLeft == right.secondsLeft
  }
}
