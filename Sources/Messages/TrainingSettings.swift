// Everything a training run depends on, as one value: it is what the screen's form edits, what the command line
// fills in, and what run.json records. Reading it back starts the same run again.

/// The settings of one training run.
public struct TrainingSettings: Codable, Sendable, Equatable {
  /// The dataset's folder.
  public var data: String
  /// What the recipe chooses before the run starts; none in a run that has begun.
  public var automatic: AutomaticSettings
  /// Seconds that the whole run is to take, preparation and evaluation included: the recipe chooses so that it does,
  /// and a run that is faster or slower than expected is made to fit. Nil for what is enough for a try.
  public var budget: Double?
  public var split: SplitSettings
  public var network: NetworkSettings
  /// How convolutions begin where no weights are given.
  public var convolutionInitialization: ConvolutionInitialization
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
  /// The most by which the average of the weights keeps what it was at a step, 0 ..< 1; nil for no average.
  public var ema: Double?
  /// Batches whose gradients are added up for a step.
  public var accumulate: Int
  /// Equal parts of each batch, each of which is normalized by itself as on a machine of its own; what is learned depends
  /// on how many they are, and not on where they are computed. Nil for one, or one for each rank.
  public var replicas: Int?
  /// Whether the batch norms of all replicas normalize by the whole batch; nil as false, as runs have it from before.
  public var syncNorm: Bool?
  /// The peak learning rate; the schedule scales it.
  public var learningRate: Double
  public var schedule: Schedule
  /// Mass moved from the true class to all classes evenly, 0 ..< 1 (Szegedy et al. 2015, section 7).
  public var labelSmoothing: Double
  public var balance: ClassBalance
  public var batchSize: Int
  public var precision: TrainingPrecision
  public var epochs: Int
  /// The side of the images of the first epochs as a share of the image size; later ones are larger. Nil for the image
  /// size throughout.
  public var progressiveStart: Double?
  /// Seconds after which training ends, whatever the epoch; nil for none.
  public var timeBudget: Double?
  /// By which figure of the validation an epoch is the best.
  public var best: BestMetric
  /// Epochs without a better one after which training ends; nil for none.
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
  /// Steps between two looks at the layers; 0 for none. What is learned does not depend on it.
  public var layerStats: Int
  /// Whether the run also writes what TensorBoard shows.
  public var tensorBoard: Bool
  /// The folder that holds runs.
  public var project: String
  /// The run's name in it; nil for a new one made of network and number.
  public var name: String?

  public init(
    data: String, automatic: AutomaticSettings = .none, budget: Double? = nil,
    split: SplitSettings = SplitSettings(), network: NetworkSettings,
    convolutionInitialization: ConvolutionInitialization = .he, initialWeights: String? = nil,
    initialClasses: LabelNaming? = nil, freeze: FreezeSettings = .none, backboneRate: Double = 1,
    normStatistics: NormStatistics = .batch, featureViews: Int = 4,
    preprocessing: PreprocessingSettings = PreprocessingSettings(),
    augmentation: AugmentationSettings = AugmentationSettings(),
    optimizer: OptimizerSettings = OptimizerSettings(), ema: Double? = nil, accumulate: Int = 1,
    replicas: Int? = nil, syncNorm: Bool? = nil,
    learningRate: Double = OptimizerMethod.sgd.usualRate, schedule: Schedule = .cosine(warmUp: 0.05),
    labelSmoothing: Double = 0, balance: ClassBalance = .none, batchSize: Int = 64,
    precision: TrainingPrecision = .fp32, epochs: Int = 10, progressiveStart: Double? = nil,
    timeBudget: Double? = nil, best: BestMetric = .top1, earlyStoppingPatience: Int? = nil, seed: UInt64 = 0,
    threads: Int? = nil,
    workers: Int = 1, cache: CacheSettings = CacheSettings(),
    keep: KeepPolicy = KeepPolicy(), safety: SafetySettings = SafetySettings(), logEvery: Int = 10,
    layerStats: Int = 100, tensorBoard: Bool = false, project: String = "runs", name: String? = nil
  ) {
    self.data = data
    self.automatic = automatic
    self.budget = budget
    self.split = split
    self.network = network
    self.convolutionInitialization = convolutionInitialization
    self.initialWeights = initialWeights
    self.initialClasses = initialClasses
    self.freeze = freeze
    self.backboneRate = backboneRate
    self.normStatistics = normStatistics
    self.featureViews = featureViews
    self.preprocessing = preprocessing
    self.augmentation = augmentation
    self.optimizer = optimizer
    self.ema = ema
    self.accumulate = accumulate
    self.replicas = replicas
    self.syncNorm = syncNorm
    self.learningRate = learningRate
    self.schedule = schedule
    self.labelSmoothing = labelSmoothing
    self.balance = balance
    self.batchSize = batchSize
    self.precision = precision
    self.epochs = epochs
    self.progressiveStart = progressiveStart
    self.timeBudget = timeBudget
    self.best = best
    self.earlyStoppingPatience = earlyStoppingPatience
    self.seed = seed
    self.threads = threads
    self.workers = workers
    self.cache = cache
    self.keep = keep
    self.safety = safety
    self.logEvery = logEvery
    self.layerStats = layerStats
    self.tensorBoard = tensorBoard
    self.project = project
    self.name = name
  }
}

extension TrainingSettings {
  /// What training with them remembers of each weight.
  public var remembered: RememberedNumbers {
    RememberedNumbers(optimizer: optimizer, ema: ema, accumulate: accumulate, replicas: replicaCount)
  }

  /// Parts of a batch, at least 1.
  public var replicaCount: Int { max(1, replicas ?? 1) }

  /// Whether batch norms normalize by all parts of a batch together.
  public var syncsNorms: Bool {
    get { syncNorm == true }
    set { syncNorm = newValue ? true : nil }
  }

  /// Images that go through the network at one time: a replica's part of a batch.
  public var partSize: Int { max(1, batchSize / replicaCount) }
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
  /// Images of one group are never divided: `folder`, or a pattern (see `GroupRule`); nil where each image stands alone.
  public var groups: String?

  /// Whether images in none of the lists are divided by the shares, or left out: lists alone say which images there
  /// are, shares beside them that there are more. Lists without training images only take others out of them.
  public var takesUnlisted: Bool {
    dividesUnlisted == true || (train, validation, test) != (80, 10, 10)
  }

  public init(
    train: Int = 80, validation: Int = 10, test: Int = 10, lists: String? = nil, folders: SplitFolders? = nil,
    groups: String? = nil
  ) {
    self.train = train
    self.validation = validation
    self.test = test
    self.lists = lists
    self.folders = folders
    self.groups = groups
  }
}

/// Mean and variance that a batch norm normalizes by while it is trained.
public enum NormStatistics: String, Codable, Sendable, CaseIterable {
  /// The batch's own, which the running ones follow.
  case batch
  /// The running ones, which stay as they came with the weights.
  case running
}

/// What training steps compute with, and the validations between them. Weights, statistics and sums are float32 in any
/// case.
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
  /// What is beside an image that `pad` fits into the square; nil for black, and where nothing is padded.
  public var padColor: PadColor?
  /// What transparent pixels are laid on.
  public var background: Background
  public var normalization: Normalization

  public init(
    imageSize: Int = 32, resize: Resize = .automatic, padColor: PadColor? = nil, background: Background = .white,
    normalization: Normalization = .trainingSet
  ) {
    self.imageSize = imageSize
    self.resize = resize
    self.padColor = padColor
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
    /// The longer side to the image size, and the rest of the square filled (letterboxing): proportions stay, and
    /// nothing is cut off.
    case pad
  }

  /// Where the channel means and standard deviations come from, on values in 0...1.
  public enum Normalization: Codable, Sendable, Equatable {
    /// Measured on the training images.
    case trainingSet
    case given(mean: [Float], std: [Float])
  }
}

/// Random changes of training images, each a function of (seed, epoch, image); of whole batches, of (seed, epoch,
/// batch).
public struct AugmentationSettings: Codable, Sendable, Equatable {
  public var crop: Crop
  /// The smallest share of an image's area that a random resized crop takes; nil for 0.35, and where no crop is one.
  public var cropScale: Double?
  /// Mirrors half of the images; off for digits, letters and signs.
  public var horizontalFlip: Bool
  /// Mirrors each image every other epoch, instead of at random (Jordan 2024, arXiv:2404.00498, section 3.6).
  public var alternatesFlip: Bool
  /// Turns half of the images upside down.
  public var verticalFlip: Bool
  /// Rotates by up to so many degrees either way, 0 for none.
  public var rotation: Double
  public var automatic: AutoAugment
  /// Largest relative change of brightness, contrast and saturation, 0 for none.
  public var colorJitter: Double
  /// Share of the images of which a random rectangle is erased (Zhong et al. 2017, arXiv:1708.04896), 0 for none.
  public var erasing: Double
  /// What stands in that rectangle; nil for noise, and where nothing is erased.
  public var erasingFill: ErasingFill?
  /// Alpha of mixup's Beta(alpha, alpha) (Zhang et al. 2017, arXiv:1710.09412), 0 for none.
  public var mixup: Double
  /// Alpha of CutMix's Beta(alpha, alpha) (Yun et al. 2019, arXiv:1905.04899), 0 for none. With mixup too, each batch
  /// is mixed by one of the two.
  public var cutMix: Double

  public init(
    crop: Crop = .automatic, cropScale: Double? = nil, horizontalFlip: Bool = true, alternatesFlip: Bool = false,
    verticalFlip: Bool = false, rotation: Double = 0, automatic: AutoAugment = .none, colorJitter: Double = 0,
    erasing: Double = 0, erasingFill: ErasingFill? = nil, mixup: Double = 0, cutMix: Double = 0
  ) {
    self.crop = crop
    self.cropScale = cropScale
    self.horizontalFlip = horizontalFlip
    self.alternatesFlip = alternatesFlip
    self.verticalFlip = verticalFlip
    self.rotation = rotation
    self.automatic = automatic
    self.colorJitter = colorJitter
    self.erasing = erasing
    self.erasingFill = erasingFill
    self.mixup = mixup
    self.cutMix = cutMix
  }

  /// Whether images of a batch are mixed, and so their labels.
  public var mixesImages: Bool { mixup > 0 || cutMix > 0 }

  /// A policy that chooses operations by itself.
  public enum AutoAugment: String, Codable, Sendable, CaseIterable {
    case none
    /// TrivialAugment Wide: one of fourteen operations, of random strength (Müller and Hutter 2021, arXiv:2103.10158).
    case trivial
  }

  /// What an erased rectangle is filled with.
  public enum ErasingFill: String, Codable, Sendable, CaseIterable {
    /// Each value of each pixel at random: the paper's best.
    case noise
    /// The mean of the training images.
    case mean
  }

  public enum Crop: String, Codable, Sendable, CaseIterable {
    /// `randomResized` where the preprocessing crops, `padAndCrop` where it stretches.
    case automatic = "auto"
    case none
    /// Zero padding of an eighth of the side all round, then a random square (He et al. 2015, section 4.2).
    case padAndCrop = "pad"
    /// A random area, `cropScale` at least, and aspect of 3/4 to 4/3, resized (Szegedy et al. 2014, section 6).
    case randomResized = "resized"
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
  /// Linear rise over the share `warmUp` of all steps, then a line down to zero.
  case linear(warmUp: Double)
  /// Half a cosine up from a `divisor`th of the peak over the share `warmUp` of all steps, then half a cosine down to
  /// nearly nothing, with the momentum going the other way (Smith and Topin 2017).
  case oneCycle(warmUp: Double, divisor: Double)
  /// Half a cosine down to zero in `epochs`, then again from the peak in `factor` times as many (Loshchilov and Hutter
  /// 2016).
  case restarts(epochs: Int, factor: Int)
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
