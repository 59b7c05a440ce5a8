// The options of a training run; shared by `train` and the workbench, so that both start the same runs. None has a
// default of its own, so that it is known which were given: a run that is resumed keeps what it was started with.

import ArgumentParser
import Messages
import Networks
import Training

struct TrainingOptions: ParsableArguments {
  /// What holds where an option is not given.
  private static let usual = TrainingSettings(data: "", network: NetworkSettings(name: "cifar20"))

  @Option(
    help: """
      The network: \(Architecture.overview). \
      (default: \(usual.network.name))
      """)
  var net: String?
  @OptionGroup var network: NetworkOptions
  @Option(
    help:
      "Start from these weights: a run, a checkpoint, or a safetensors file of PyTorch's. Network, image size and normalization of a run are kept unless options say otherwise."
  )
  var weights: String?
  @OptionGroup(title: "For --weights that do not say which classes they tell apart") var labels: LabelOptions

  @Option(Limits.imageSize, usual: usual.preprocessing.imageSize) var imgsz: Int?
  @Option(help: "How images become square: stretch, crop, or auto (crop from 128 pixels on). (default: auto)")
  var resize: PreprocessingSettings.Resize?
  @Option(help: ArgumentHelp("\(backgroundHelp.abstract) (default: white)")) var background: Background?
  @Option(
    channels: Limits.mean, mayBeMeasured: true, note: "measured on the training images if not given, or 'measured'."
  )
  var mean: Channels?
  @Option(channels: Limits.deviation, note: "with --mean.") var deviation: Channels?
  @Option(help: "Random crops: none, pad, resized, or auto. (default: auto)")
  var crop: AugmentationSettings.Crop?
  @Flag(inversion: .prefixedNo, help: "Mirror half of the training images. (default: --flip)") var flip: Bool?
  @Option(Limits.jitter, usual: usual.augmentation.colourJitter) var jitter: Double?
  @Option(help: ArgumentHelp("\(splitHelp.abstract) (default: \(usual.split))")) var split: String?
  @OptionGroup var folders: SplitFolderOptions

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
  @Option(
    help: "The folder that holds runs. (default: runs; outside DATA, beside it, where that would lie in DATA)")
  var project: String?
  @Option(help: "The run's name; network and number if not given.") var name: String?

  /// The settings, with what the checkpoint that `--weights` names says about itself in the place of defaults.
  /// - Parameter tell: told what was taken from it.
  /// - Throws: what reading its header throws; `SettingsError` for another network than its own.
  func settings(data: String, tell: (String) -> Void) throws -> TrainingSettings {
    guard let weights else { return try settings(data: data) }
    _ = try labels.naming()
    let source = try InitialWeights(weights)
    guard let model = source.description else { return try settings(data: data) }
    let own = try model.plan().settings
    if let net, net.lowercased() != own.name.lowercased() {
      throw SettingsError(
        "\(source.path) holds the weights of \(own.name), not of \(net): leave --net out, or start from other weights"
      )
    }
    var described = model
    described.network = own
    var settings = try settings(data: data, model: described)
    settings.initialWeights = source.path
    let taken = [
      net == nil ? "network \((([own.name] + settings.network.optionWords)).joined(separator: " "))" : nil,
      imgsz == nil ? "image size \(model.preprocessing.imageSize)" : nil,
      resize == nil ? "resize \(model.preprocessing.resize.rawValue)" : nil,
      background == nil ? "background \(model.preprocessing.background)" : nil,
      mean == nil ? "mean \(Self.channels(model.preprocessing.mean))" : nil,
      mean == nil ? "deviation \(Self.channels(model.preprocessing.deviation))" : nil,
    ].compactMap { $0 }
    if !taken.isEmpty { tell("from \(source.path): \(taken.joined(separator: ", "))") }
    return settings
  }

  private static func channels(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }

  /// The settings without a look at any file.
  /// - Parameter model: what is taken where an option is not given; nil for the defaults.
  func settings(data: String, model: ModelDescription? = nil) throws -> TrainingSettings {
    let name = net ?? model?.network.name ?? Self.usual.network.name
    let naming = try labels.naming()
    if naming != nil, weights == nil { throw ValidationError("--classes and --class-order go with --weights") }
    var settings = TrainingSettings(data: data, network: try network.settings(name: name, base: model?.network))
    settings.split = try parseSplit(split, folders, in: data)
    settings.initialWeights = weights
    settings.initialClasses = naming
    settings.preprocessing = PreprocessingSettings(
      imageSize: imgsz ?? model?.preprocessing.imageSize ?? settings.preprocessing.imageSize,
      resize: resize ?? model.map { $0.preprocessing.resize == .crop ? .crop : .stretch }
        ?? settings.preprocessing.resize,
      background: background ?? model?.preprocessing.background ?? settings.preprocessing.background,
      normalisation: try normalisation(
        usual: model.map { .given(mean: $0.preprocessing.mean, deviation: $0.preprocessing.deviation) }
          ?? .trainingSet))
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
    settings.project = project ?? ProjectFolder.standard(data: data)
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
      ("--net", net != nil), ("--weights", weights != nil), ("--classes", labels.classes != nil),
      ("--class-order", labels.classOrder != nil), ("--imgsz", imgsz != nil), ("--resize", resize != nil),
      ("--background", background != nil),
      ("--mean", mean != nil), ("--deviation", deviation != nil), ("--crop", crop != nil), ("--flip", flip == true),
      ("--no-flip", flip == false), ("--jitter", jitter != nil), ("--split", split != nil),
      ("--train", folders.trainFolder != nil), ("--val", folders.validationFolder != nil),
      ("--test", folders.testFolder != nil),
      ("--batch", batch != nil), ("--precision", precision != nil), ("--schedule", schedule != nil),
      ("--momentum", momentum != nil), ("--nesterov", nesterov), ("--weight-decay", weightDecay != nil),
      ("--decay-norms", decayNorms == true), ("--no-decay-norms", decayNorms == false), ("--clip", clip != nil),
      ("--label-smoothing", labelSmoothing != nil), ("--seed", seed != nil), ("--save-every", saveEvery != nil),
      ("--keep", keep != nil), ("--log-every", logEvery != nil), ("--project", project != nil),
      ("--name", name != nil),
    ]
    return (all + network.given + cache.given).filter(\.1).map(\.0)
  }

  private func normalisation(
    usual: PreprocessingSettings.Normalisation
  ) throws -> PreprocessingSettings.Normalisation {
    if mean == nil, deviation == nil { return usual }
    if let mean, mean.values == nil, deviation == nil { return .trainingSet }
    guard let mean = mean?.values, let deviation = deviation?.values else {
      throw ValidationError("--mean and --deviation go together")
    }
    return .given(mean: mean, deviation: deviation)
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

/// `80/10/10`, or the folder of lists that `skipline split --export` wrote; and the folders of splits.
/// - Parameter text: nil for the usual shares.
func parseSplit(_ text: String?, _ folders: SplitFolderOptions, in data: String) throws -> SplitSettings {
  do throws(SplitTextError) {
    var settings = SplitSettings()
    if let text { settings = try SplitSettings(argument: text) }
    settings.folders = folders.folders(in: data)
    return settings
  } catch {
    throw ValidationError("\(error)")
  }
}

let splitHelp: ArgumentHelp =
  "Percent of train/val/test where folders do not say, or a folder of lists (see skipline split)."
