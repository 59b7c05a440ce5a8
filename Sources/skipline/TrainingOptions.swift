// The options of a training run; shared by `train` and the workbench, so that both start the same runs. None has a
// default of its own, so that it is known which were given: a run that is resumed keeps what it was started with.

import ArgumentParser
import Messages
import Training

struct TrainingOptions: ParsableArguments {
  /// What holds where an option is not given.
  private static let usual = TrainingSettings(data: "", network: NetworkSettings(name: "cifar20"))

  @Option(
    help: """
      The network: resnet18/34/50/101/152, cifar20/32/44/56/110, plain.., vgg19, vgg19_bn. \
      (default: \(usual.network.name))
      """)
  var net: String?
  @OptionGroup var network: NetworkOptions
  @Option(help: "Start from the weights in this safetensors file, ours or PyTorch's.")
  var weights: String?

  @Option(Limits.imageSize, usual: usual.preprocessing.imageSize) var imgsz: Int?
  @Option(help: "How images become square: stretch, crop, or auto (crop from 128 pixels on). (default: auto)")
  var resize: PreprocessingSettings.Resize?
  @Option(help: ArgumentHelp("\(backgroundHelp.abstract) (default: white)")) var background: Background?
  @Option(channels: Limits.mean, note: "measured on the training images if not given.") var mean: Channels?
  @Option(channels: Limits.deviation, note: "with --mean.") var deviation: Channels?
  @Option(help: "Random crops: none, pad, resized, or auto. (default: auto)")
  var crop: AugmentationSettings.Crop?
  @Flag(inversion: .prefixedNo, help: "Mirror half of the training images. (default: --flip)") var flip: Bool?
  @Option(Limits.jitter, usual: usual.augmentation.colourJitter) var jitter: Double?
  @Option(help: ArgumentHelp("\(splitHelp.abstract) (default: \(usual.split))")) var split: String?

  @Option(Limits.batchSize, usual: usual.batchSize) var batch: Int?
  @Option(help: "fp32, or bf16: mixed precision, faster where the processor has AVX512-BF16. (default: fp32)")
  var precision: TrainingPrecision?
  @Option(Limits.epochs, usual: usual.epochs) var epochs: Int?
  @Option(Limits.time) var time: Double?
  @Option(Limits.patience) var patience: Int?
  @Option(Limits.learningRate, usual: usual.learningRate) var lr: Double?
  @Option(
    help: "constant, cosine:WARMUP, step:EPOCHS:FACTOR or plateau:FACTOR:PATIENCE. (default: \(usual.schedule))",
    transform: { text in
      do throws(ScheduleTextError) {
        return try Schedule(argument: text)
      } catch {
        throw Unfitting("write \(error.expected)")
      }
    })
  var schedule: Schedule?
  @Option(Limits.momentum, usual: usual.optimiser.momentum) var momentum: Double?
  @Flag(help: "Nesterov's momentum.") var nesterov = false
  @Option(Limits.weightDecay, usual: usual.optimiser.weightDecay) var weightDecay: Double?
  @Flag(
    inversion: .prefixedNo, help: "Weight decay on batch norms and biases too. (default: --decay-norms)")
  var decayNorms: Bool?
  @Option(Limits.clip, instead: "default: none") var clip: Double?
  @Option(Limits.labelSmoothing, usual: usual.labelSmoothing) var labelSmoothing: Double?
  @Option(Limits.seed, usual: usual.seed) var seed: UInt64?

  @Option(
    Limits.threads, instead: "default: one a processor", note: "The result does not depend on it.")
  var threads: Int?
  @Option(Limits.workers, usual: usual.workers) var workers: Int?
  @OptionGroup var cache: CacheOptions
  @Option(Limits.saveEvery, usual: usual.keep.everyEpochs) var saveEvery: Int?
  @Option(
    help: "How many of those stay, \(Limits.keep.range.text); 'all' for all. (default: 3)",
    transform: { try Kept($0) })
  var keep: Kept?
  @Option(Limits.saveMinutes, usual: usual.safety.saveMinutes) var saveMinutes: Double?
  @Option(
    help: "When the loss becomes NaN and nobody is attached: stop, lower (the rate), or rollback. (default: stop)")
  var onDivergence: DivergencePolicy?
  @Flag(help: "Start although memory seems too little.") var ignoreMemory = false
  @Flag(help: "Start although the data have errors, as 'skipline check' names them.") var acceptErrors = false
  @Option(Limits.logEvery, usual: usual.logEvery) var logEvery: Int?
  @Option(help: "The folder that holds runs. (default: \(usual.project))") var project: String?
  @Option(help: "The run's name; network and number if not given.") var name: String?

  func settings(data: String) throws -> TrainingSettings {
    let name = net ?? Self.usual.network.name
    var settings = TrainingSettings(data: data, network: network.settings(name: name))
    settings.split = try split.map(parseSplit) ?? settings.split
    settings.initialWeights = weights
    settings.preprocessing = PreprocessingSettings(
      imageSize: imgsz ?? settings.preprocessing.imageSize, resize: resize ?? settings.preprocessing.resize,
      background: background ?? settings.preprocessing.background, normalisation: try normalisation())
    settings.augmentation = AugmentationSettings(
      crop: crop ?? settings.augmentation.crop, horizontalFlip: flip ?? settings.augmentation.horizontalFlip,
      colourJitter: jitter ?? settings.augmentation.colourJitter)
    settings.optimiser = OptimiserSettings(
      momentum: momentum ?? settings.optimiser.momentum, nesterov: nesterov,
      weightDecay: weightDecay ?? settings.optimiser.weightDecay,
      decayNormsAndBiases: decayNorms ?? settings.optimiser.decayNormsAndBiases, gradientClip: clip)
    settings.learningRate = lr ?? settings.learningRate
    settings.schedule = schedule ?? settings.schedule
    settings.labelSmoothing = labelSmoothing ?? settings.labelSmoothing
    settings.batchSize = batch ?? settings.batchSize
    settings.precision = precision ?? settings.precision
    settings.epochs = epochs ?? settings.epochs
    settings.timeBudget = time
    settings.earlyStoppingPatience = patience == 0 ? nil : patience
    settings.seed = seed ?? settings.seed
    settings.threads = threads
    settings.workers = workers ?? settings.workers
    settings.cache = cache.settings
    settings.keep = KeepPolicy(
      everyEpochs: saveEvery ?? settings.keep.everyEpochs,
      newest: keep.map(\.newest) ?? settings.keep.newest)
    settings.safety = SafetySettings(
      saveMinutes: saveMinutes ?? settings.safety.saveMinutes,
      divergence: onDivergence ?? settings.safety.divergence, ignoresMemory: ignoreMemory,
      acceptsErrors: acceptErrors)
    settings.logEvery = logEvery ?? settings.logEvery
    settings.project = project ?? settings.project
    settings.name = self.name
    return settings
  }

  /// What these options change in a run that is resumed.
  /// - Throws: `ValidationError` for those that a run cannot change, also where they say what it has anyway.
  func resumeChanges(acceptingData: Bool) throws -> ResumeChanges {
    guard fixed.isEmpty else {
      throw ValidationError(
        "\(fixed.joined(separator: ", ")): a run is resumed with the settings it was started with; only --epochs, "
          + "--time, --patience, --lr, --threads, --workers, --save-minutes, --on-divergence, --ignore-memory, "
          + "--accept-errors, --data and --accept-changes go with --resume")
    }
    return ResumeChanges(
      epochs: epochs, timeBudget: time, patience: patience, learningRate: lr, threads: threads, workers: workers,
      saveMinutes: saveMinutes, divergence: onDivergence, ignoresMemory: ignoreMemory,
      acceptsErrors: acceptErrors, acceptsData: acceptingData)
  }

  /// The options given that say what a run is from its first step on.
  private var fixed: [String] {
    let all: [(String, Bool)] = [
      ("--net", net != nil), ("--weights", weights != nil), ("--imgsz", imgsz != nil), ("--resize", resize != nil), ("--background", background != nil),
      ("--mean", mean != nil), ("--deviation", deviation != nil), ("--crop", crop != nil), ("--flip", flip == true),
      ("--no-flip", flip == false), ("--jitter", jitter != nil), ("--split", split != nil),
      ("--batch", batch != nil), ("--precision", precision != nil), ("--schedule", schedule != nil),
      ("--momentum", momentum != nil), ("--nesterov", nesterov), ("--weight-decay", weightDecay != nil),
      ("--decay-norms", decayNorms == true), ("--no-decay-norms", decayNorms == false), ("--clip", clip != nil),
      ("--label-smoothing", labelSmoothing != nil), ("--seed", seed != nil), ("--save-every", saveEvery != nil),
      ("--keep", keep != nil), ("--log-every", logEvery != nil), ("--project", project != nil),
      ("--name", name != nil),
    ]
    return (all + network.given + cache.given).filter(\.1).map(\.0)
  }

  private func normalisation() throws -> PreprocessingSettings.Normalisation {
    guard let mean, let deviation else {
      if mean != nil || deviation != nil { throw ValidationError("--mean and --deviation go together") }
      return .trainingSet
    }
    return .given(mean: mean.values, deviation: deviation.values)
  }
}

/// How many numbered checkpoints stay.
struct Kept: Equatable {
  /// nil for all.
  var newest: Int?

  init(_ text: String) throws(Unfitting) {
    if text == "all" { return }
    do { newest = try Limits.keep.parse(text) } catch {
      throw Unfitting("it must be \(error.requirement), or 'all'")
    }
  }
}

/// `80/10/10`, or the folder of lists that `skipline split --export` wrote.
func parseSplit(_ text: String) throws -> SplitSettings {
  do throws(SplitTextError) {
    return try SplitSettings(argument: text)
  } catch {
    throw ValidationError("\(error)")
  }
}

let splitHelp: ArgumentHelp =
  "Percent of train/val/test where folders do not say, or a folder of lists (see skipline split)."
