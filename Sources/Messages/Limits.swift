// The numbers that can be set and are no settings of a run (those are in Settings.swift), and those that a run counts
// and measures: each with the range outside which it is refused, wherever it comes from. The ranges, here and there,
// are wide enough for whatever makes sense, and narrow enough that no product of two of them overflows. What depends on
// more than one number (an image too small for its network, memory) is checked elsewhere.

/// Where numbers may lie.
public enum Limits {
  public static let classes = NumericSetting("classes", "Classes", .from(1, to: 1_000_000))
  /// A percentage of `--split`.
  public static let percent = NumericSetting("split", "Percent of the images", .from(0, to: 100))

  // MARK: Schedules

  public static let scheduleEpoch = NumericSetting("schedule", "An epoch of a step schedule", Settings.epochs.range)
  public static let schedulePatience = NumericSetting(
    "schedule", "Epochs that a plateau waits", Settings.epochs.range)
  public static let scheduleFactor = NumericSetting(
    "schedule", "What the rate is multiplied by", .above(0.0, below: 1))
  public static let warmUp = NumericSetting("schedule", "The warm-up's share of all steps", .from(0.0, below: 1))
  public static let cycleDivisor = NumericSetting(
    "schedule", "What the peak is divided by at the beginning of a cycle", .from(1.0, to: 1e6))
  public static let restartEpochs = NumericSetting(
    "schedule", "Epochs until the first restart", Settings.epochs.range)
  public static let restartFactor = NumericSetting(
    "schedule", "How many times as long each period is as the one before", .from(1, to: 1000))

  /// Of `--freeze backbone:5`.
  public static let frozenEpochs = NumericSetting("freeze", "Epochs with frozen layers", Settings.epochs.range)

  // MARK: The machine

  /// What `SKIPLINE_MAX_PIXELS` may say: an image of the most would take a terabyte or three.
  public static let maxPixels = NumericSetting(
    "SKIPLINE_MAX_PIXELS", "Pixels that an image may have", .from(1, to: 1_000_000_000_000))

  // MARK: Other commands

  public static let top = NumericSetting("top", "How many classes an image", .from(1, to: 1_000_000))
  public static let similar = NumericSetting("count", "How many images", .from(1, to: 1_000_000))
  public static let rejectBelow = NumericSetting(
    "reject-below", "The least probability of an answer", .from(0.0, to: 1))
  public static let imagesOfCall = NumericSetting("batch", "With --onnx: images of a call", .from(1, to: 65_536))
  public static let calibrationImages = NumericSetting(
    "images", "Training images whose maps are measured", .from(1, to: 1_000_000))
  public static let shards = NumericSetting("shards", "How many shards for each split", .from(1, to: 99_999))
  public static let shardSize = NumericSetting("shard-size", "Bytes of a shard", .from(1, to: 1 << 50))
  public static let folds = NumericSetting("folds", "Parts that are held out one after another", .from(2, to: 100))
  public static let steps = NumericSetting("steps", "Steps to train", .from(2, to: 1_000_000_000))
  public static let interruptions = NumericSetting("interruptions", "How often to kill", .from(1, to: 1000))
  public static let ranks = NumericSetting("ranks", "Machines that train together", .from(1, to: 65_536))
  /// Of `plan --network`.
  public static let bandwidth = NumericSetting("network", "Bits a second of a link", .from(1e3, to: 1e15))
  /// Of `plan --latency`.
  public static let latency = NumericSetting("latency", "Seconds that a message takes", .from(0.0, to: 10))
  public static let untilStep = NumericSetting("until-step", "End, saved, after this step", count.range)

  // MARK: What a run has counted and measured

  /// Steps, batches, images: below what a Double counts exactly.
  public static let count = NumericSetting("count", "A number counted", .from(0, to: 1_000_000_000_000_000))
  /// Images predicted rightly; of a mixed image a share counts.
  public static let correct = NumericSetting("correct", "Images predicted rightly", .from(0.0, to: 1e15))
  /// Epochs done.
  public static let epoch = NumericSetting("epoch", "Epochs done", .from(0, to: Settings.epochs.range.upper))
  /// An accuracy.
  public static let share = NumericSetting("share", "A share", .from(0.0, to: 1))
  public static let seconds = NumericSetting("seconds", "Seconds spent", .from(0.0, to: 1e12))
  /// A rate that a run has come to: lowered by divergences, or set by hand.
  public static let currentRate = NumericSetting("rate", "Learning rate", .above(0.0, to: .greatestFiniteMagnitude))
  /// A sum or mean of losses.
  public static let loss = NumericSetting(
    "loss", "A loss", .from(-.greatestFiniteMagnitude, to: Double.greatestFiniteMagnitude))
}
