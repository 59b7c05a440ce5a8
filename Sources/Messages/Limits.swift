// The one table of the numbers that can be set, by an option, in the form, in a run's record or in a checkpoint: each
// with the range outside which it is refused, wherever it comes from. The ranges are wide enough for whatever makes
// sense, and narrow enough that no product of two of them overflows. What depends on more than one number (an image too
// small for its network, memory) is checked elsewhere.

/// Where numbers may lie.
public enum Limits {
  // MARK: Networks and images

  public static let imageSize = NumericSetting("imgsz", "Side of the square images, pixels", .from(1, to: 4096))
  public static let width = NumericSetting("width", "Multiplies every channel count", .above(0.0, to: 16))
  public static let classes = NumericSetting("classes", "Classes", .from(1, to: 1_000_000))
  /// Of one channel, on values in 0...1.
  public static let mean = NumericSetting<Float>("mean", "Channel means on 0...1", .from(0, to: 1))
  public static let deviation = NumericSetting<Float>(
    "deviation", "Channel deviations on 0...1", .from(0.0001, to: 100))
  /// A percentage of `--split`.
  public static let percent = NumericSetting("split", "Percent of the images", .from(0, to: 100))

  // MARK: Training

  public static let batchSize = NumericSetting("batch", "Images a step", .from(1, to: 65_536))
  public static let epochs = NumericSetting("epochs", "Epochs to train, in all", .from(1, to: 1_000_000))
  public static let learningRate = NumericSetting("lr", "Peak learning rate", .above(0.0, to: 1e30))
  public static let momentum = NumericSetting("momentum", "Momentum of SGD", .from(0.0, below: 1))
  public static let weightDecay = NumericSetting("weight-decay", "L2 penalty on weights", .from(0.0, to: 1))
  public static let clip = NumericSetting("clip", "Largest gradient norm", .above(0.0, to: 1e30))
  public static let jitter = NumericSetting(
    "jitter", "Random change of brightness, contrast and saturation", .from(0.0, to: 1))
  public static let labelSmoothing = NumericSetting(
    "label-smoothing", "Share of each label spread over all classes", .from(0.0, below: 1))
  public static let seed = NumericSetting<UInt64>(
    "seed", "Where every random choice comes from", .from(0, to: .max))
  public static let time = NumericSetting(
    "time", "End after so many seconds of training, those of earlier sessions of the run included",
    .above(0.0, to: 1e9))
  public static let patience = NumericSetting(
    "patience", "End after so many epochs without a better validation accuracy, 0 for never",
    .from(0, to: 1_000_000))

  // MARK: Schedules

  public static let scheduleEpoch = NumericSetting("schedule", "An epoch of a step schedule", epochs.range)
  public static let schedulePatience = NumericSetting("schedule", "Epochs that a plateau waits", epochs.range)
  public static let scheduleFactor = NumericSetting(
    "schedule", "What the rate is multiplied by", .above(0.0, below: 1))
  public static let warmUp = NumericSetting("schedule", "The warm-up's share of all steps", .from(0.0, below: 1))

  // MARK: The machine

  public static let threads = NumericSetting("threads", "Threads that compute", .from(1, to: 1024))
  public static let workers = NumericSetting("workers", "Threads that decode images ahead", .from(1, to: 256))
  public static let cacheLimit = NumericSetting("cache-limit", "Bytes of the pack", .from(0, to: 1 << 50))

  /// What `SKIPLINE_MAX_PIXELS` may say: an image of the most would take a terabyte or three.
  public static let maxPixels = NumericSetting(
    "SKIPLINE_MAX_PIXELS", "Pixels that an image may have", .from(1, to: 1_000_000_000_000))

  // MARK: What stays

  public static let saveEvery = NumericSetting(
    "save-every", "Keep a checkpoint every so many epochs, 0 for none", .from(0, to: 1_000_000))
  public static let keep = NumericSetting("keep", "How many of those stay", .from(0, to: 1_000_000))
  public static let saveMinutes = NumericSetting(
    "save-minutes", "Save 'last' at most so many minutes apart", .above(0.0, to: 1_000_000))
  public static let logEvery = NumericSetting(
    "log-every", "Steps between two lines of metrics.jsonl", .from(1, to: 1_000_000_000))

  // MARK: Other commands

  public static let top = NumericSetting("top", "How many classes an image", .from(1, to: 1_000_000))
  public static let shards = NumericSetting("shards", "How many shards for each split", .from(1, to: 99_999))
  public static let shardSize = NumericSetting("shard-size", "Bytes of a shard", .from(1, to: 1 << 50))
  public static let steps = NumericSetting("steps", "Steps to train", .from(2, to: 1_000_000_000))
  public static let interruptions = NumericSetting("interruptions", "How often to kill", .from(1, to: 1000))
  public static let untilStep = NumericSetting("until-step", "End, saved, after this step", count.range)

  // MARK: What a run has counted and measured

  /// Steps, batches, images: below what a Double counts exactly.
  public static let count = NumericSetting("count", "A number counted", .from(0, to: 1_000_000_000_000_000))
  /// Epochs done.
  public static let epoch = NumericSetting("epoch", "Epochs done", .from(0, to: epochs.range.upper))
  /// An accuracy.
  public static let share = NumericSetting("share", "A share", .from(0.0, to: 1))
  public static let seconds = NumericSetting("seconds", "Seconds spent", .from(0.0, to: 1e12))
  /// A rate that a run has come to: lowered by divergences, or set by hand.
  public static let currentRate = NumericSetting("rate", "Learning rate", .above(0.0, to: .greatestFiniteMagnitude))
  /// A sum or mean of losses.
  public static let loss = NumericSetting(
    "loss", "A loss", .from(-.greatestFiniteMagnitude, to: Double.greatestFiniteMagnitude))
}
