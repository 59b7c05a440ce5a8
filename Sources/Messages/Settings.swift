// The one table of a run's settings: a row for each, with its option, its meaning, its range or choices, its place in
// the settings and in a record, how it stands in the form, and whether a resumed run may have another. Numbers that are
// no settings of a run are in Limits.swift.

/// What can be set for a run.
public enum Settings {
  /// All of them, in the order in which a command line names them. An option of `train` without a row here, or a row
  /// without an option, is found by a test.
  public static let all: [any SettingRow] =
    [recipe, budget, network] + networkOptions + [
      convInit, weights, classes, classOrder, freeze, backboneRate, normStatistics, featureViews, imageSize, resize,
      padColor, background, mean, std,
    ] + augmentation + [
      split, groupBy,
    ] + splitFolders + [
      batchSize, accumulate, replicas, syncNorm, epochs, progressive, time, best, patience, optimizer, learningRate,
      schedule,
      momentum,
      nesterov, betas, epsilon, weightDecay, decayNorms, normBiasRate, clip, lookahead, ema, labelSmoothing,
      balance,
      precision, cache, cacheLimit, seed, threads, workers, saveEvery, keep, saveMinutes, onDivergence,
      ignoreMemory,
      acceptErrors, logEvery, layerStats, tensorBoard, name, project,
    ]

  /// Those that say which network it is, besides its name.
  public static let networkOptions: [any SettingRow] = [
    variant, shortcut, zeros, block, stem, width, stemWidth, head, whiten, auxHeads, dropPath, dropout,
  ]
  /// Those that say how training images are changed, in the order in which they act.
  public static let augmentation: [any SettingRow] = [
    crop, cropScale, flip, alternateFlip, verticalFlip, autoAugment, rotate, jitter, erase, eraseFill, mixup,
    cutMix,
  ]
  /// Those that name the folders of splits.
  public static let splitFolders: [any SettingRow] = [trainFolder, validationFolder, testFolder]

  /// What holds where nothing is said: the recipe chooses what it can.
  public static let usual = TrainingSettings(
    data: "", automatic: .all, network: NetworkSettings(name: "cifar20"))

  // MARK: What is left to the program

  public static let recipe = Setting(
    "recipe",
    "auto: what is not given is chosen from the data, each with its reason; none: it is as help says; or a recipe that was saved, by its name or its file (see skipline recipe).",
    Choice<RecipeUse>(), key: "automatic", get: { $0.automatic.isEmpty ? RecipeUse.none : .auto },
    set: { $1.automatic = $0 == .auto ? .all : .none }
  ).value("auto|none|name|file").inForm(
    .run, "recipe", "auto: what is not chosen comes from the data; none: nothing does; ctrl-o loads a saved one")

  public static let budget = Setting(
    "budget", "Time that the whole run is to take, preparation and evaluation included, as 90s, 10m or 1h30m.",
    TimeText.notation, \.budget, key: "budget"
  ).usually("enough for a try, by the number of images").value("time")
    .inForm(
      .training, "time budget", "the whole run's, as 90s, 10m or 1h30m; empty: enough for a try", unset: "a try")

  // MARK: The network

  /// Its help names the networks, of which this module does not know.
  public static let network = Setting("net", "The network", FreeText(), \.network.name, key: "network.name")
    .automatic()
    .alwaysWritten()
    .inForm(.network, "network", "type to search, left and right to go through them")
  public static let variant = Setting(
    "variant",
    "Another published form: article (resnet50, 101, 152: pre-activation, strides at the end of stages).",
    Choice<NetworkVariant>(), \.network.variant, key: "network.variant"
  ).inForm(
    .network, "variant", "article: resnet50, 101 and 152 with strides at the end of stages", unset: "none")
  public static let shortcut = Setting(
    "shortcut", "Shortcuts: A (zero padding), B (projection where the shape changes), C (projection everywhere).",
    Choice<Shortcut>(), \.network.shortcut, key: "network.shortcut"
  ).inForm(
    .network, "shortcut", "A zero padding, B projection where shapes change, C always", unset: "usual")
  public static let zeros = Setting(
    "zeros", "Where shortcut A puts the zero channels: split (half on each side) or end.", Choice<ZeroPlacement>(),
    \.network.zeroPlacement, key: "network.zeroPlacement"
  ).inForm(
    .details, "zero channels", "where shortcut A puts them: half on each side, or at the end")

  public static let block = Setting(
    "block", "Order inside a block: v1, v1.5 or v2 (pre-activation).", Choice<BlockVersion>(), \.network.version,
    key: "network.version"
  ).inForm(
    .network, "block version", "v1 as in the paper, v1.5 stride in the 3x3, v2 pre-activation", unset: "usual")
  public static let stem = Setting(
    "stem", "First layers: large (7x7/2 and pool) or small (3x3); by image size if not given.", Choice<Stem>(),
    \.network.stem, key: "network.stem"
  ).inForm(
    .network, "stem", "large: 7x7 and pool; small: 3x3, for images of fewer than 64 pixels", unset: "usual")
  public static let width = Setting(
    "width", "Multiplies every channel count", NumericRange.above(0.0, to: 16), \.network.widthMultiplier,
    key: "network.widthMultiplier"
  ).inForm(.network, "width multiplier", "multiplies every channel count")
  public static let stemWidth = Setting(
    "stem-width", "Channels of the first convolution", NumericRange.from(1, to: 4096), \.network.stemWidth,
    key: "network.stemWidth"
  ).usually("as many as the first stage's blocks have inside").inForm(
    .details, "stem width", "channels of the first convolution", unset: "usual")

  public static let head = Setting(
    "head", "Classifier: standard, or regularized (dropout 0.5, L2, truncated normal).", Choice<Head>(),
    \.network.head, key: "network.head"
  ).inForm(.network, "head", "regularized: dropout and an L2 penalty on the last layer")

  public static let whiten = Setting(
    "whiten", "Fix the first layer to filters that whiten patches of the training images (resnet9).",
    Switch(hasInverse: true), \.network.isWhitened, key: "network.isWhitened"
  ).automatic().inForm(
    .details, "whiten", "resnet9: a first layer that is measured instead of learned")

  public static let auxHeads = Setting(
    "aux-heads", "Train with the classifiers in the middle of the network too, each loss times 0.3 (googlenet).",
    Switch(hasInverse: true), \.network.auxiliaryHeads, key: "network.auxiliaryHeads"
  ).usually("--no-aux-heads").inForm(
    .details, "auxiliary heads", "googlenet: classifiers in its middle that help in training", unset: "none")

  public static let dropPath = Setting(
    "drop-path", "Stochastic depth: how often the last residual block is skipped, earlier ones less often",
    NumericRange.from(0.0, below: 1), \.network.dropPath, key: "network.dropPath"
  ).inForm(
    .details, "drop path", "how often the last residual block is skipped in training, earlier ones less often")

  public static let dropout = Setting(
    "dropout", "How much the network's own dropout leaves out, for those that have one",
    NumericRange.from(0.0, below: 1), \.network.dropout, key: "network.dropout"
  ).usually("the network's").inForm(
    .details, "dropout", "the network's own, for those that have one", unset: "usual")

  // MARK: What it starts from

  public static let convInit = Setting(
    "conv-init", "How convolutions begin: he (normal), or dirac (they hand their input on).",
    Choice<ConvolutionInitialization>(), \.convolutionInitialization, key: "convolutionInitialization"
  ).automatic().inForm(
    .weights, "convolutions", "how they begin: he (normal), or dirac (they hand their input on)")

  public static let weights = Setting(
    "weights",
    "Start from these weights: a run, a checkpoint, or another program's file (safetensors, PyTorch, ONNX). Network, image size and normalization of a run are kept unless options say otherwise.",
    FreeText(), \.initialWeights, key: "initialWeights"
  ).inForm(
    .weights, "weights", "a run, a checkpoint, or another program's file to start from; empty for random ones",
    unset: "random")

  /// As a list with commas; the option also takes a file of them, which is for whoever may read files.
  public static let classes = Setting(
    "classes",
    "The classes in the order of its outputs: names with commas, a name with a comma in double quotes; or a file with a line a class.",
    Notation<[String]>(read: ClassNameList.fields(of:), write: ClassNameList.text(of:)),
    key: "initialClasses.names",
    get: { if case .names(let names)? = $0.initialClasses { names } else { nil } },
    set: { $1.initialClasses = .names($0) }, clear: { $0.initialClasses = nil }
  ).value("names|file").inForm(
    .weights, "their classes", "in the order of the file's outputs, with commas, where it does not say them",
    unset: "as the file says")

  public static let classOrder = Setting(
    "class-order",
    "The order in which it was taught the data's classes: natural (1, 2, 10) or alphabetical (1, 10, 2; torchvision's ImageFolder).",
    Choice<ClassOrder>(), key: "initialClasses.order",
    get: { if case .order(let order)? = $0.initialClasses { order } else { nil } },
    set: { $1.initialClasses = .order($0) }, clear: { $0.initialClasses = nil }
  ).inForm(
    .weights, "their order", "in which the file was taught the data's classes: 1, 2, 10 or 1, 10, 2",
    unset: "as the file says")

  public static let freeze = Setting(
    "freeze",
    "Layers that keep those weights: none, backbone (all but the classifier), or the last of them, as stem or layer2; backbone:5 for the first 5 epochs.",
    Notation<FreezeSettings>(
      read: { text throws(SettingRefusal) in try FreezeSettings(argument: text) }, write: { $0.description },
      numbers: { freeze, _, place throws(OutOfRange) in try freeze.checkNumbers(at: place) }), \.freeze,
    key: "freeze"
  ).automatic().inForm(
    .weights, "freeze", "none, backbone, or the last frozen layer, as layer2; backbone:5 for the first 5 epochs")

  public static let backboneRate = Setting(
    "backbone-lr", "Learning rate of all but the classifier, as a share of its own",
    NumericRange.above(0.0, to: 1), \.backboneRate, key: "backboneRate"
  ).automatic().inForm(
    .weights, "backbone rate", "learning rate of all but the classifier, as a share of its own")

  public static let normStatistics = Setting(
    "norm-stats",
    "What batch norms normalize by in training: batch, or running (the statistics of those weights, which then stay).",
    Choice<NormStatistics>(), \.normStatistics, key: "normStatistics"
  ).automatic().inForm(
    .weights, "norm statistics", "batch norms normalize by the batch's, or by those that came with the weights")

  public static let featureViews = Setting(
    "views",
    "While only the classifier is trained: views of each image (itself, its mirror image, random crops) whose features are computed once; 0 to run the frozen layers in every step",
    NumericRange.from(0, to: 1000), \.featureViews, key: "featureViews"
  ).automatic().inForm(
    .weights, "views", "of each image, whose features are computed once for a frozen backbone; 0: in every step")

  // MARK: Images

  public static let imageSize = Setting(
    "imgsz", "Side of the square images, pixels", NumericRange.from(1, to: 4096), \.preprocessing.imageSize,
    key: "preprocessing.imageSize"
  ).automatic().takenFromWeights().inForm(
    .training, "image size", "pixels a side of the square that the network sees")
  public static let resize = Setting(
    "resize", "How images become square: stretch, crop, pad, or auto (crop from 128 pixels on).",
    Choice<PreprocessingSettings.Resize>(), \.preprocessing.resize, key: "preprocessing.resize"
  ).automatic().takenFromWeights().inForm(
    .images, "resize", "how images become square: stretch, crop or pad")

  public static let padColor = Setting(
    "pad-color",
    "With --resize pad, what is beside an image: white, black, #rrggbb, or edge (its outermost pixels).",
    Notation<PadColor>(
      read: { text throws(SettingRefusal) in
        guard let color = PadColor(argument: text) else {
          throw SettingRefusal("it must be white, black, #rrggbb or edge")
        }
        return color
      }, write: { $0.description }), \.preprocessing.padColor, key: "preprocessing.padColor"
  ).usually("black").takenFromWeights().inForm(
    .images, "pad color", "beside images that are padded: white, black, #rrggbb or edge", unset: "usual")

  public static let background = Setting(
    "background",
    "What transparent pixels are laid on: white, black, #rrggbb, noise, or none (what a file hides there shows).",
    Notation<Background>(
      read: { text throws(SettingRefusal) in
        guard let background = Background(argument: text) else {
          throw SettingRefusal("it must be white, black, #rrggbb, noise or none")
        }
        return background
      }, write: { $0.description }), \.preprocessing.background, key: "preprocessing.background"
  ).takenFromWeights().inForm(
    .images, "background", "of transparent pixels: white, black, #rrggbb, noise or none")

  /// Of a channel, on values in 0...1.
  public static let meanRange = NumericRange<Float>.from(0, to: 1)
  public static let stdRange = NumericRange<Float>.from(0.0001, to: 100)
  public static let mean = Setting(
    "mean", "Channel means on 0...1, as 0.485,0.456,0.406, each \(meanRange.text);",
    Channels.notation(meanRange, mayBeMeasured: true), key: "preprocessing.normalization.given.mean",
    get: { settings in
      guard case .given(let mean, _) = settings.preprocessing.normalization else { return Channels(values: nil) }
      return Channels(values: mean)
    },
    set: { mean, settings in
      guard let mean = mean.values else {
        settings.preprocessing.normalization = .trainingSet
        return
      }
      // Standard deviations stand in a setting of their own, which comes after this one.
      let std = std(in: settings) ?? [0.25, 0.25, 0.25]
      settings.preprocessing.normalization = .given(mean: mean, std: std)
    }
  ).note(
    "measured on the training images if not given, or 'measured'; of weights that do not say it, found by a trial."
  ).usually(nil).automatic().takenFromWeights().inForm(
    .images, "mean", "of the channels on 0 to 1: measured on the training images, or three numbers, then std")

  /// Without means there is none; with both, means come first.
  public static let std = Setting(
    "std", "Standard deviations of the channels on 0...1, as 0.485,0.456,0.406, each \(stdRange.text);",
    Channels.notation(stdRange, mayBeMeasured: false), key: "preprocessing.normalization.given.std",
    get: { std(in: $0).map { Channels(values: $0) } },
    set: { std, settings in
      guard case .given(let mean, _) = settings.preprocessing.normalization else { return }
      settings.preprocessing.normalization = .given(mean: mean, std: std.values ?? [])
    }
  ).note("with --mean.").inForm(
    .images, "std", "of the channels on 0 to 1, as 0.25,0.25,0.25, where the mean is given", unset: "measured")

  private static func std(in settings: TrainingSettings) -> [Float]? {
    if case .given(_, let std) = settings.preprocessing.normalization { std } else { nil }
  }

  public static let crop = Setting(
    "crop", "Random crops: none, pad, resized, or auto.", Choice<AugmentationSettings.Crop>(), \.augmentation.crop,
    key: "augmentation.crop"
  ).inForm(.generalization, "random crop", "pad: shift by an eighth; resized: random area and aspect")
  public static let cropScale = Setting(
    "crop-scale", "The smallest share of the area that a random resized crop takes", NumericRange.from(0.01, to: 1),
    \.augmentation.cropScale, key: "augmentation.cropScale"
  ).usually("0.35").inForm(
    .augmentation, "crop scale", "the smallest share of the area that a random resized crop takes", unset: "usual")

  public static let flip = Setting(
    "flip", "Mirror half of the training images.", Switch(hasInverse: true), \.augmentation.horizontalFlip,
    key: "augmentation.horizontalFlip"
  ).automatic().inForm(.generalization, "mirror images", "off for digits, letters and signs")
  public static let alternateFlip = Setting(
    "alternate-flip", "Mirror each training image every other epoch instead of at random.",
    Switch(hasInverse: true), \.augmentation.alternatesFlip, key: "augmentation.alternatesFlip"
  ).automatic().inForm(
    .augmentation, "alternate flip", "on: mirrored every other epoch instead of at random")

  public static let verticalFlip = Setting(
    "vflip", "Turn half of the training images upside down.", Switch(hasInverse: true),
    \.augmentation.verticalFlip, key: "augmentation.verticalFlip"
  ).inForm(
    .augmentation, "upside down", "on: half of the training images are turned upside down")

  public static let autoAugment = Setting(
    "auto-augment", "One random operation for each training image: none, or trivial (TrivialAugment Wide).",
    Choice<AugmentationSettings.AutoAugment>(), \.augmentation.automatic, key: "augmentation.automatic"
  ).automatic().inForm(
    .augmentation, "auto augment", "trivial: one random operation for each image")

  public static let rotate = Setting(
    "rotate", "Random rotation either way, degrees", NumericRange.from(0.0, to: 180), \.augmentation.rotation,
    key: "augmentation.rotation"
  ).inForm(
    .augmentation, "rotate", "up to so many degrees either way")

  public static let jitter = Setting(
    "jitter", "Random change of brightness, contrast and saturation", NumericRange.from(0.0, to: 1),
    \.augmentation.colorJitter, key: "augmentation.colorJitter"
  ).automatic().inForm(
    .augmentation, "jitter", "largest change of brightness, contrast and saturation")

  public static let erase = Setting(
    "erase", "Share of the training images of which a random rectangle is erased", NumericRange.from(0.0, to: 1),
    \.augmentation.erasing, key: "augmentation.erasing"
  ).automatic().inForm(
    .augmentation, "erase", "share of the images of which a random rectangle is erased")

  public static let eraseFill = Setting(
    "erase-fill", "What an erased rectangle is filled with: noise or mean.",
    Choice<AugmentationSettings.ErasingFill>(), \.augmentation.erasingFill, key: "augmentation.erasingFill"
  ).usually("noise").inForm(
    .augmentation, "erase with", "what fills that rectangle", unset: "usual")

  public static let mixup = Setting(
    "mixup", "Blend pairs of training images and their labels, by Beta(N, N)", NumericRange.from(0.0, to: 100),
    \.augmentation.mixup, key: "augmentation.mixup"
  ).automatic().inForm(
    .augmentation, "mixup", "pairs of images and labels are blended, by Beta(N, N); 0 for none")

  public static let cutMix = Setting(
    "cutmix", "Paste a rectangle of one training image into another, by Beta(N, N)",
    NumericRange.from(0.0, to: 100),
    \.augmentation.cutMix, key: "augmentation.cutMix"
  ).automatic().inForm(
    .augmentation, "cutmix", "a rectangle of one image in another, by Beta(N, N); 0 for none")

  // MARK: Data

  public static let split = Setting(
    "split", "Percent of train/val/test where folders do not say, or a folder of lists (see skipline split).",
    Notation<SplitSettings>(
      read: { text throws(SettingRefusal) in
        do throws(SplitTextError) { return try SplitSettings(argument: text) } catch {
          throw SettingRefusal(error.reason)
        }
      }, write: { $0.description },
      numbers: { split, _, place throws(OutOfRange) in try split.checkNumbers(at: place) }), key: "split",
    get: { settings in
      var split = settings.split
      (split.folders, split.groups) = (nil, nil)
      return split
    },
    set: { split, settings in
      let (folders, groups) = (settings.split.folders, settings.split.groups)
      settings.split = split
      (settings.split.folders, settings.split.groups) = (folders, groups)
    }
  ).inForm(.data, "split", "percent of train/val/test where folders do not say, or a folder of lists")
  public static let groupBy = Setting(
    "group-by",
    "Keep groups of images in one split: 'folder' (the folder below the class folder), or a pattern in the path whose part in parentheses names the group, as 'clip_(\\d+)'.",
    FreeText(takesAnyWord: true, rule: GroupRule.refusal), \.split.groups, key: "split.groups"
  ).value("folder|pattern").inForm(
    .data, "group by", "folder, or a pattern such as clip_(\\d+): a group's images stay in one split", unset: "none"
  )
  public static let trainFolder = folder(
    of: .train, "The folder of training images, below DATA; '.' for the class folders in DATA itself.",
    "training images")
  public static let validationFolder = folder(
    of: .validation, "The folder of validation images, below DATA.", "validation images")
  public static let testFolder = folder(of: .test, "The folder of test images, below DATA.", "test images")

  private static func folder(of split: Split, _ meaning: String, _ images: String) -> Setting<FreeText> {
    @Sendable func put(_ folder: String?, _ settings: inout TrainingSettings) {
      var folders = settings.split.folders ?? SplitFolders()
      folders[split] = folder
      settings.split.folders = folders.orNone
    }
    return Setting(
      split.rawValue, meaning, FreeText(), key: "split.folders.\(split)", get: { $0.split.folders?[split] },
      set: { put($0, &$1) }, clear: { put(nil, &$0) }
    ).value("dir").inForm(
      .data, "\(split.rawValue) folder", "\(images), as a folder in the dataset; empty where its name says it")
  }

  // MARK: Training

  public static let batchSize = Setting(
    "batch", "Images a step", NumericRange.from(1, to: 65_536), \.batchSize, key: "batchSize"
  ).automatic().inForm(.training, "batch size", "images a step")
  public static let accumulate = Setting(
    "accumulate", "Batches whose gradients are added up for a step", NumericRange.from(1, to: 65_536), \.accumulate,
    key: "accumulate"
  ).inForm(
    .optimizer, "accumulate", "batches whose gradients are added up for a step")
  public static let replicas = Setting(
    "replicas",
    "Equal parts of each batch, each normalized by itself; the same results wherever they are computed, one after the other or on so many machines",
    NumericRange.from(1, to: 4096), \.replicas, key: "replicas"
  ).usually("1, or the number of ranks").inForm(
    .optimizer, "replicas", "equal parts of each batch, each normalized by itself", unset: "1")
  public static let syncNorm = Setting(
    "sync-norm",
    "With --replicas: batch norms normalize by the whole batch; the replicas of a rank then go through the network together, each in memory of its own.",
    Switch(hasInverse: false), \.syncsNorms, key: "syncNorm"
  ).inForm(.optimizer, "sync norm", "on: with replicas, batch norms normalize by the whole batch")

  public static let epochs = Setting(
    "epochs", "Epochs to train, in all", NumericRange.from(1, to: 1_000_000), \.epochs, key: "epochs"
  ).automatic().inForm(.training, "epochs", "passes over the training images").changeable(\.epochs)
  public static let progressive = Setting(
    "progressive", "Train on smaller images first: their side as a share of --imgsz, which the last epochs have",
    NumericRange.from(0.25, below: 1), \.progressiveStart, key: "progressiveStart"
  ).usually("all epochs at --imgsz").inForm(
    .images, "progressive", "the first epochs' side as a share of the image size, which the last ones have",
    unset: "off")

  public static let time = Setting(
    "time", "End after so many seconds of training, those of earlier sessions of the run included",
    NumericRange.above(0.0, to: 1e9), \.timeBudget, key: "timeBudget"
  ).changeable(\.timeBudget).inForm(
    .training, "time limit", "seconds of training after which the run ends; empty for none", unset: "none")

  public static let best = Setting(
    "best",
    "What makes an epoch the best: top1, balanced (mean recall of the classes), macro-f1 or loss, on the validation images; or last, that it is the last.",
    Choice<BestMetric>(), \.best, key: "best"
  ).automatic().inForm(
    .training, "best by",
    "which validation figure chooses 'best', and patience waits for; last: none, the last epoch")
  public static let patience = Setting(
    "patience", "End after so many epochs that are no better than the best (see --best), 0 for never",
    NumericRange.from(0, to: 1_000_000), key: "earlyStoppingPatience", get: { $0.earlyStoppingPatience },
    set: { $1.earlyStoppingPatience = $0 == 0 ? nil : $0 }, clear: { $0.earlyStoppingPatience = nil }
  ).changeable(\.patience).inForm(
    .training, "patience", "ends after so many epochs that are no better than the best; empty for never",
    unset: "never")

  public static let optimizer = Setting(
    "optimizer", "How weights are changed: sgd, adamw, or muon (orthogonalized momentum for convolutions).",
    Choice<OptimizerMethod>(), \.optimizer.method, key: "optimizer.method"
  ).inForm(.training, "optimizer", "sgd; adamw; muon: orthogonalized momentum for convolutions, sgd for the rest")
  /// The peak rate of a run that has begun is where the run stands, not in its settings.
  public static let learningRate = Setting(
    "lr", "Peak learning rate", NumericRange.above(0.0, to: 1e30), \.learningRate, key: "learningRate"
  ).automatic().usually(perOptimizer { $0.usualRate.written }).inForm(
    .training, "learning rate", "the schedule's peak"
  ).changeable(\.learningRate, entersSettings: false)
  public static let schedule = Setting(
    "schedule",
    "constant, cosine:WARMUP, linear:WARMUP, one-cycle:WARMUP:DIV, restarts:EPOCHS:FACTOR, step:EPOCHS:FACTOR or plateau:FACTOR:PATIENCE.",
    Notation<Schedule>(
      read: { text throws(SettingRefusal) in
        do throws(ScheduleTextError) { return try Schedule(argument: text) } catch {
          throw SettingRefusal("write \(error.expected)")
        }
      }, write: { $0.description },
      numbers: { schedule, _, place throws(OutOfRange) in try schedule.checkNumbers(at: place) }), \.schedule,
    key: "schedule"
  ).automatic().inForm(
    .training, "schedule", "constant, cosine:warmup, linear:, one-cycle:, restarts:10:2, step:30,60:, plateau:")
  public static let momentum = Setting(
    "momentum", "Momentum of sgd and muon", NumericRange.from(0.0, below: 1), \.optimizer.momentum,
    key: "optimizer.momentum"
  ).usually(perOptimizer { $0.usual.momentum?.written }).inForm(
    .training, "momentum", "of gradient descent", sayingRange: true, unset: "none")
  public static let nesterov = Setting(
    "nesterov", "Nesterov's momentum, with sgd.", Switch(hasInverse: true), \.optimizer.nesterov,
    key: "optimizer.nesterov"
  ).automatic().inForm(
    .optimizer, "nesterov", "Nesterov's form of sgd's momentum")

  public static let betas = Setting(
    "betas", "How much of its averages of the gradient and its square adamw keeps at a step.", AdamBetas.notation,
    \.optimizer.betas, key: "optimizer.betas"
  ).usually(AdamBetas.notation.text(of: AdamBetas())).inForm(
    .optimizer, "betas", "of adamw: what it keeps of its averages at a step, as 0.9,0.999", unset: "of adamw only")

  public static let epsilon = Setting(
    "epsilon", "Added to adamw's divisor", NumericRange.above(0.0, to: 1), \.optimizer.epsilon,
    key: "optimizer.epsilon"
  ).usually(OptimizerMethod.adamw.usual.epsilon?.written).inForm(
    .optimizer, "epsilon", "of adamw: added to its divisor", unset: "of adamw only")

  public static let weightDecay = Setting(
    "weight-decay", "L2 penalty on weights; with adamw and muon, decoupled from the gradient",
    NumericRange.from(0.0, to: 1), \.optimizer.weightDecay, key: "optimizer.weightDecay"
  ).automatic().usually(perOptimizer { $0.usual.weightDecay.written }).inForm(
    .training, "weight decay", "L2 penalty on the weights")
  public static let decayNorms = Setting(
    "decay-norms", "Weight decay on batch norms and biases too.", Switch(hasInverse: true),
    \.optimizer.decayNormsAndBiases, key: "optimizer.decayNormsAndBiases"
  ).automatic().inForm(
    .optimizer, "decay norms", "weight decay on batch norms and biases too")

  public static let normBiasRate = Setting(
    "norm-bias-lr", "Multiplies the learning rate of batch norms' shifts, and divides their weight decay",
    NumericRange.above(0.0, to: 10_000), \.optimizer.normBiasRate, key: "optimizer.normBiasRate"
  ).inForm(
    .optimizer, "norm bias rate", "multiplies the learning rate of batch norms' shifts")

  public static let clip = Setting(
    "clip", "Largest gradient norm", NumericRange.above(0.0, to: 1e30), \.optimizer.gradientClip,
    key: "optimizer.gradientClip"
  ).usually("none").inForm(
    .optimizer, "clip", "the largest norm that a gradient may have; empty for any", unset: "none")

  public static let lookahead = Setting(
    "lookahead",
    "Slow weights, K:SHARE: after every K steps they move a share of the way, and the optimizer goes on from there.",
    LookaheadSettings.notation, \.optimizer.lookahead, key: "optimizer.lookahead"
  ).usually("none").inForm(
    .optimizer, "lookahead", "slow weights, steps:share, as 5:0.5; empty for none", unset: "none")

  public static let ema = Setting(
    "ema", "Validate and save an average of the weights that keeps so much of itself at a step",
    NumericRange.above(0.0, below: 1), \.ema, key: "ema"
  ).usually("none").inForm(
    .optimizer, "ema", "an average of the weights that keeps so much of itself at a step; empty for none",
    unset: "none")

  /// `0.1; adamw 0.001; muon 0.02`: what is usual for each optimizer that has the number.
  private static func perOptimizer(_ text: (OptimizerMethod) -> String?) -> String {
    OptimizerMethod.allCases.compactMap { method in
      text(method).map { method == .sgd ? $0 : "\(method.rawValue) \($0)" }
    }.joined(separator: "; ")
  }

  public static let labelSmoothing = Setting(
    "label-smoothing", "Share of each label spread over all classes", NumericRange.from(0.0, below: 1),
    \.labelSmoothing, key: "labelSmoothing"
  ).automatic().inForm(
    .generalization, "label smoothing", "share moved from the true class to all", sayingRange: true)
  public static let balance = Setting(
    "balance",
    "Classes of few images: loss (weigh more in the loss), sampling (each class is drawn equally often), or none.",
    Choice<ClassBalance>(), \.balance, key: "balance"
  ).automatic().inForm(.generalization, "balance", "loss: rare classes weigh more; sampling: are drawn more often")
  public static let precision = Setting(
    "precision", "fp32, or bf16: mixed precision, faster where the processor has AVX512-BF16.",
    Choice<TrainingPrecision>(), \.precision, key: "precision"
  ).automatic().inForm(
    .generalization, "precision", "bf16: rounded factors, faster where the processor has AVX512-BF16")

  // MARK: The machine

  public static let cache = Setting(
    "cache", "Keep decoded and resized images in a file of the user's cache folder.", Switch(hasInverse: true),
    \.cache.isEnabled, key: "cache.isEnabled"
  ).inForm(.run, "cache", "keeps decoded and resized images on disk, so that no run decodes them again")
  /// Its option also takes units: `20G`.
  public static let cacheLimit = Setting(
    "cache-limit", "Bytes of the image cache", NumericRange.from(0, to: 1 << 50), \.cache.limit, key: "cache.limit"
  ).inForm(
    .machine, "cache limit", "bytes of the image cache; empty for half of the free disk and memory",
    unset: "half of what is free")

  public static let seed = Setting(
    "seed", "Where every random choice comes from", NumericRange<UInt64>.from(0, to: .max), \.seed, key: "seed"
  ).inForm(.run, "seed", "the same seed gives the same run")
  public static let threads = Setting(
    "threads", "Threads that compute", NumericRange.from(1, to: 1024), \.threads, key: "threads"
  ).note("The result does not depend on it.").usually("one a processor").changeable(\.threads).inForm(
    .machine, "threads", "that compute; the result does not depend on it", unset: "one a processor")

  public static let workers = Setting(
    "workers", "Threads that decode images ahead", NumericRange.from(1, to: 256), \.workers, key: "workers"
  ).changeable(\.workers).inForm(
    .machine, "workers", "threads that decode images ahead")

  // MARK: What stays

  public static let saveEvery = Setting(
    "save-every", "Keep a checkpoint every so many epochs, 0 for none", NumericRange.from(0, to: 1_000_000),
    \.keep.everyEpochs, key: "keep.everyEpochs"
  ).automatic().inForm(
    .machine, "save every", "so many epochs a checkpoint is kept; 0 for none")

  public static let keepRange = NumericRange.from(0, to: 1_000_000)
  public static let keep = Setting(
    "keep", "How many of those stay, \(keepRange.text); 'all' for all.", Kept.notation(keepRange),
    key: "keep.newest", get: { $0.keep.newest.map { .newest($0) } ?? .all },
    set: { kept, settings in
      settings.keep.newest = if case .newest(let count) = kept { count } else { nil }
    }
  ).inForm(
    .machine, "keep", "how many of those stay, or all")

  public static let saveMinutes = Setting(
    "save-minutes", "Save 'last' at most so many minutes apart", NumericRange.above(0.0, to: 1_000_000),
    \.safety.saveMinutes, key: "safety.saveMinutes"
  ).changeable(\.saveMinutes).inForm(
    .machine, "save minutes", "the most minutes between two saves of 'last'")

  public static let onDivergence = Setting(
    "on-divergence", "When the loss becomes NaN and nobody is attached: stop, lower (the rate), or rollback.",
    Choice<DivergencePolicy>(), \.safety.divergence, key: "safety.divergence"
  ).changeable(\.divergence).inForm(
    .machine, "on divergence",
    "when the loss becomes NaN and nobody is attached: stop, lower the rate, or roll back")

  public static let ignoreMemory = Setting(
    "ignore-memory", "Start although memory seems too little.", Switch(hasInverse: false), \.safety.ignoresMemory,
    key: "safety.ignoresMemory"
  ).changeable(\.ignoresMemory).inForm(
    .machine, "ignore memory", "on: start although memory seems too little")

  public static let acceptErrors = Setting(
    "accept-errors", "Start although the data have errors, as 'skipline check' names them.",
    Switch(hasInverse: false), \.safety.acceptsErrors, key: "safety.acceptsErrors"
  ).changeable(\.acceptsErrors)
    .inForm(.data, "accept errors", "on: train although the dataset's findings include errors")
  public static let logEvery = Setting(
    "log-every", "Steps between two lines of metrics.jsonl", NumericRange.from(1, to: 1_000_000_000), \.logEvery,
    key: "logEvery"
  ).inForm(
    .machine, "log every", "steps between two lines of metrics.jsonl")
  public static let layerStats = Setting(
    "layer-stats",
    "Steps between two looks at the layers (norms, updates, activations, dead ReLUs); 0 for none",
    NumericRange.from(0, to: 1_000_000_000), \.layerStats, key: "layerStats"
  ).inForm(.machine, "layers every", "steps between two looks at the layers; 0 for none")

  public static let tensorBoard = Setting(
    "tensorboard", "Also write TensorBoard's event files: metrics, histograms of the weights, confusion, mistakes.",
    Switch(hasInverse: false), \.tensorBoard, key: "tensorBoard"
  ).inForm(.run, "tensorboard", "on: event files for TensorBoard too, beside metrics.jsonl")
  public static let name = Setting(
    "name", "The run's name; network and number if not given.", FreeText(rule: RunName.refusal), \.name, key: "name"
  ).inForm(
    .run, "run name", "folder of the run; empty for one made of network and number", unset: "network and number")
  public static let project = Setting(
    "project", "The folder that holds runs.", FreeText(), \.project, key: "project"
  ).usually("runs; outside DATA, beside it, where that would lie in DATA").inForm(
    .machine, "project", "the folder that holds runs")
}

/// The rule for a run's name.
public enum RunName {
  public static let rule = "a name is not empty, has no \"/\" and begins with neither \".\" nor \"-\""

  /// Why a run cannot be called so: it would lead out of the project's folder, hide the run or look like an option.
  /// - Returns: nil where it can.
  public static let refusal: @Sendable (String) -> SettingRefusal? = { name in
    let isFileName =
      !name.isEmpty && !name.contains("/") && !name.contains("\0") && !name.hasPrefix(".") && !name.hasPrefix("-")
    return isFileName ? nil : SettingRefusal("it cannot name a run: \(rule)")
  }
}
