// Everything a training run depends on, as one value: it is what the screen's form edits, what the command line
// fills in, and what run.json records. Reading it back starts the same run again.

/// The settings of one training run.
public struct TrainingSettings: Codable, Sendable, Equatable {
  /// The dataset's folder.
  public var data: String
  public var split: SplitSettings
  public var network: NetworkSettings
  /// A safetensors file of the same network to start from, ours or PyTorch's; nil for random weights.
  public var initialWeights: String?
  /// Which classes the classifier in that file tells apart, where it does not say so itself; nil to begin it anew then.
  public var initialClasses: LabelNaming?
  /// Which of those weights stay as they are.
  public var freeze: FreezeSettings
  /// The learning rate of everything but the classifier, as a share of the classifier's: above 0, at most 1.
  public var backboneRate: Double
  /// What the batch norms that are trained normalize by in training.
  public var normStatistics: NormStatistics
  /// Of how many views of each image the features are computed once, while the classifier alone is trained; 0 for none:
  /// every step then runs the frozen layers.
  public var featureViews: Int
  public var preprocessing: PreprocessingSettings
  public var augmentation: AugmentationSettings
  public var optimizer: OptimizerSettings
  /// The peak learning rate; the schedule scales it.
  public var learningRate: Double
  public var schedule: Schedule
  /// Mass moved from the true class to all classes evenly, 0 ..< 1 (Szegedy et al. 2015, section 7).
  public var labelSmoothing: Double
  public var batchSize: Int
  public var precision: TrainingPrecision
  public var epochs: Int
  /// Seconds after which training ends, whatever the epoch; nil for none.
  public var timeBudget: Double?
  /// Epochs without a better validation accuracy after which training ends; nil for none.
  public var earlyStoppingPatience: Int?
  public var seed: UInt64
  /// Threads that compute; nil for one a processor. The result does not depend on it.
  public var threads: Int?
  /// Threads that decode and augment ahead of the network.
  public var workers: Int
  public var cache: CacheSettings
  public var keep: KeepPolicy
  public var safety: SafetySettings
  /// Steps between two logged lines of metrics.jsonl.
  public var logEvery: Int
  /// The folder that holds runs.
  public var project: String
  /// The run's name in it; nil for a new one made of network and number.
  public var name: String?

  public init(
    data: String, split: SplitSettings = SplitSettings(), network: NetworkSettings,
    initialWeights: String? = nil, initialClasses: LabelNaming? = nil, freeze: FreezeSettings = .none,
    backboneRate: Double = 1, normStatistics: NormStatistics = .batch, featureViews: Int = 4,
    preprocessing: PreprocessingSettings = PreprocessingSettings(),
    augmentation: AugmentationSettings = AugmentationSettings(),
    optimizer: OptimizerSettings = OptimizerSettings(), learningRate: Double = 0.1,
    schedule: Schedule = .cosine(warmUp: 0.05), labelSmoothing: Double = 0, batchSize: Int = 64,
    precision: TrainingPrecision = .fp32, epochs: Int = 10,
    timeBudget: Double? = nil, earlyStoppingPatience: Int? = nil, seed: UInt64 = 0, threads: Int? = nil,
    workers: Int = 1, cache: CacheSettings = CacheSettings(),
    keep: KeepPolicy = KeepPolicy(), safety: SafetySettings = SafetySettings(), logEvery: Int = 10,
    project: String = "runs", name: String? = nil
  ) {
    self.data = data
    self.split = split
    self.network = network
    self.initialWeights = initialWeights
    self.initialClasses = initialClasses
    self.freeze = freeze
    self.backboneRate = backboneRate
    self.normStatistics = normStatistics
    self.featureViews = featureViews
    self.preprocessing = preprocessing
    self.augmentation = augmentation
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.schedule = schedule
    self.labelSmoothing = labelSmoothing
    self.batchSize = batchSize
    self.precision = precision
    self.epochs = epochs
    self.timeBudget = timeBudget
    self.earlyStoppingPatience = earlyStoppingPatience
    self.seed = seed
    self.threads = threads
    self.workers = workers
    self.cache = cache
    self.keep = keep
    self.safety = safety
    self.logEvery = logEvery
    self.project = project
    self.name = name
  }
}

/// How a dataset is divided: by the folders that are named here, or have names such as `train`, `val` and `test`; by
/// lists of paths; else in shares of 100 by a hash of each relative path.
public struct SplitSettings: Codable, Sendable, Equatable {
  /// Percent of the images, 0...100; the three add up to 100.
  public var train: Int
  public var validation: Int
  public var test: Int
  /// A folder with the lists `train.txt`, `val.txt` and `test.txt`, as `skipline split --export` writes them; nil for
  /// none.
  public var lists: String?
  /// The folders of splits whose names do not say it; nil for none.
  public var folders: SplitFolders?
  /// True where the usual shares were given beside the lists; see `takesUnlisted`.
  public var dividesUnlisted: Bool?

  /// Whether images in none of the lists are divided by the shares, or left out: lists alone say which images there
  /// are, shares beside them that there are more. Lists without training images only take others out of them.
  public var takesUnlisted: Bool {
    dividesUnlisted == true || (train, validation, test) != (80, 10, 10)
  }

  public init(
    train: Int = 80, validation: Int = 10, test: Int = 10, lists: String? = nil, folders: SplitFolders? = nil
  ) {
    self.train = train
    self.validation = validation
    self.test = test
    self.lists = lists
    self.folders = folders
  }
}

/// Mean and variance that a batch norm normalizes by while it is trained.
public enum NormStatistics: String, Codable, Sendable, CaseIterable {
  /// The batch's own, which the running ones follow.
  case batch
  /// The running ones, which stay as they came with the weights.
  case running
}

/// What training steps compute with. Weights, statistics and sums are float32 in any case, and so is all inference.
public enum TrainingPrecision: String, Codable, Sendable, CaseIterable {
  case fp32
  /// Mixed precision: the factors of most convolutions are rounded to bfloat16.
  case bf16
}

/// Whether decoded and resized images are kept in a file of the user's cache folder, the image cache.
public struct CacheSettings: Codable, Sendable, Equatable {
  public var isEnabled: Bool
  /// Bytes that an image cache may have; larger sets are read from their files each time. Nil: half of what is free on
  /// the disk, and half of the machine's memory.
  public var limit: Int?

  public init(isEnabled: Bool = true, limit: Int? = nil) {
    self.isEnabled = isEnabled
    self.limit = limit
  }
}

/// How any image becomes the network's input; recorded in every checkpoint.
public struct PreprocessingSettings: Codable, Sendable, Equatable {
  /// The side of the square input, pixels.
  public var imageSize: Int
  public var resize: Resize
  /// What transparent pixels are laid on.
  public var background: Background
  public var normalization: Normalization

  public init(
    imageSize: Int = 32, resize: Resize = .automatic, background: Background = .white,
    normalization: Normalization = .trainingSet
  ) {
    self.imageSize = imageSize
    self.resize = resize
    self.background = background
    self.normalization = normalization
  }

  /// How the square is obtained.
  public enum Resize: String, Codable, Sendable, CaseIterable {
    /// `crop` for sets of photographs (image size 128 or more), `stretch` for smaller ones.
    case automatic = "auto"
    /// Both sides to the image size, whatever the aspect: nothing of a small image is cut off.
    case stretch
    /// The shorter side to 256/224 of the image size, then the center: proportions stay.
    case crop
  }

  /// Where the channel means and standard deviations come from, on values in 0...1.
  public enum Normalization: Codable, Sendable, Equatable {
    /// Measured on the training images.
    case trainingSet
    case given(mean: [Float], std: [Float])
  }
}

/// Random changes of training images; a function of (seed, epoch, image).
public struct AugmentationSettings: Codable, Sendable, Equatable {
  public var crop: Crop
  /// Mirrors half of the images; off for digits, letters and signs.
  public var horizontalFlip: Bool
  /// Largest relative change of brightness, contrast and saturation, 0 for none.
  public var colorJitter: Double

  public init(crop: Crop = .automatic, horizontalFlip: Bool = true, colorJitter: Double = 0) {
    self.crop = crop
    self.horizontalFlip = horizontalFlip
    self.colorJitter = colorJitter
  }

  public enum Crop: String, Codable, Sendable, CaseIterable {
    /// `randomResized` where the preprocessing crops, `padAndCrop` where it stretches.
    case automatic = "auto"
    case none
    /// Zero padding of an eighth of the side all round, then a random square (He et al. 2015, section 4.2).
    case padAndCrop = "pad"
    /// A random area of 35 to 100 % and aspect of 3/4 to 4/3, resized (Szegedy et al. 2014, section 6).
    case randomResized = "resized"
  }
}

/// Stochastic gradient descent with momentum.
public struct OptimizerSettings: Codable, Sendable, Equatable {
  public var momentum: Double
  public var nesterov: Bool
  public var weightDecay: Double
  /// Whether weight decay also acts on batch norm's scale and shift and on biases.
  public var decayNormsAndBiases: Bool
  /// Largest norm of the whole gradient; nil for no clipping.
  public var gradientClip: Double?

  public init(
    momentum: Double = 0.9, nesterov: Bool = false, weightDecay: Double = 5e-4, decayNormsAndBiases: Bool = true,
    gradientClip: Double? = nil
  ) {
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.decayNormsAndBiases = decayNormsAndBiases
    self.gradientClip = gradientClip
  }
}

/// The learning rate as a function of the step.
public enum Schedule: Codable, Sendable, Equatable {
  case constant
  /// Multiplied by `factor` at each of the epochs named (counted from 1).
  case step(epochs: [Int], factor: Double)
  /// Linear rise over the share `warmUp` of all steps, then half a cosine to zero (Loshchilov and Hutter 2016).
  case cosine(warmUp: Double)
  /// Multiplied by `factor` after `patience` epochs without a better validation loss.
  case plateau(factor: Double, patience: Int)
}

/// Which checkpoints stay besides `last` and `best`.
public struct KeepPolicy: Codable, Sendable, Equatable {
  /// A numbered checkpoint every so many epochs; 0 for none.
  public var everyEpochs: Int
  /// How many of the numbered ones stay, the newest; nil for all.
  public var newest: Int?

  public init(everyEpochs: Int = 1, newest: Int? = 3) {
    self.everyEpochs = everyEpochs
    self.newest = newest
  }
}
