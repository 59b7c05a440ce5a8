// The options of a training run; shared by `train` and the workbench, so that both start the same runs. Each is one
// line here, and all that is known of it is its row in the table of settings. None has a default of its own, so that it
// is known which were given: a run that is resumed keeps what it was started with.

import ArgumentParser
import Messages
import Networks
import Training

struct TrainingOptions: ParsableArguments {
  @Option(text: Settings.recipe) var recipe: String?
  @Option(Settings.budget) var budget: Double?
  @Option(
    Settings.network, saying: "The network: \(Architecture.overview). (default: \(AutomaticSettings.word))")
  var net: String?
  @OptionGroup var network: NetworkOptions
  @Option(Settings.convInit) var convInit: ConvolutionInitialization?
  @Option(Settings.weights) var weights: String?
  @OptionGroup(title: "For --weights that do not say which classes they tell apart") var labels: LabelOptions

  @Option(Settings.freeze) var freeze: FreezeSettings?
  @Option(Settings.backboneRate) var backboneLr: Double?
  @Option(Settings.normStatistics) var normStats: NormStatistics?
  @Option(Settings.featureViews) var views: Int?

  @Option(Settings.imageSize) var imgsz: Int?
  @Option(Settings.resize) var resize: PreprocessingSettings.Resize?
  @Option(Settings.padColor) var padColor: PadColor?
  @Option(Settings.background) var background: Background?
  @Option(Settings.mean) var mean: Channels?
  @Option(Settings.std) var std: Channels?
  @Option(Settings.crop) var crop: AugmentationSettings.Crop?
  @Option(Settings.cropScale) var cropScale: Double?
  @Flag(Settings.flip) var flip: Bool?
  @Flag(Settings.alternateFlip) var alternateFlip: Bool?
  @Flag(Settings.verticalFlip) var vflip: Bool?
  @Option(Settings.autoAugment) var autoAugment: AugmentationSettings.AutoAugment?
  @Option(Settings.rotate) var rotate: Double?
  @Option(Settings.jitter) var jitter: Double?
  @Option(Settings.erase) var erase: Double?
  @Option(Settings.eraseFill) var eraseFill: AugmentationSettings.ErasingFill?
  @Option(Settings.mixup) var mixup: Double?
  @Option(Settings.cutMix) var cutmix: Double?
  @Option(text: Settings.split) var split: String?
  @Option(Settings.groupBy) var groupBy: String?
  @OptionGroup var folders: SplitFolderOptions

  @Option(Settings.batchSize) var batch: Int?
  @Option(Settings.accumulate) var accumulate: Int?
  @Option(Settings.replicas) var replicas: Int?
  @Flag(Settings.syncNorm) var syncNorm = false
  @Option(Settings.precision) var precision: TrainingPrecision?
  @Option(Settings.epochs) var epochs: Int?
  @Option(Settings.progressive) var progressive: Double?
  @Option(Settings.time) var time: Double?
  @Option(Settings.best) var best: BestMetric?
  @Option(Settings.patience) var patience: Int?
  @Option(Settings.optimizer) var optimizer: OptimizerMethod?
  @Option(Settings.learningRate) var lr: Double?
  @Option(Settings.schedule) var schedule: Schedule?
  @Option(Settings.momentum) var momentum: Double?
  @Flag(Settings.nesterov) var nesterov: Bool?
  @Option(Settings.betas) var betas: AdamBetas?
  @Option(Settings.epsilon) var epsilon: Double?
  @Option(Settings.weightDecay) var weightDecay: Double?
  @Flag(Settings.decayNorms) var decayNorms: Bool?
  @Option(Settings.normBiasRate) var normBiasLr: Double?
  @Option(Settings.clip) var clip: Double?
  @Option(Settings.lookahead) var lookahead: LookaheadSettings?
  @Option(Settings.ema) var ema: Double?
  @Option(Settings.labelSmoothing) var labelSmoothing: Double?
  @Option(Settings.balance) var balance: ClassBalance?
  @Option(Settings.seed) var seed: UInt64?

  @Option(Settings.threads) var threads: Int?
  @Option(Settings.workers) var workers: Int?
  @OptionGroup var cache: CacheOptions
  @Option(Settings.saveEvery) var saveEvery: Int?
  @Option(Settings.keep) var keep: Kept?
  @Option(Settings.saveMinutes) var saveMinutes: Double?
  @Option(Settings.onDivergence) var onDivergence: DivergencePolicy?
  @Flag(Settings.ignoreMemory) var ignoreMemory = false
  @Flag(Settings.acceptErrors) var acceptErrors = false
  @Option(Settings.logEvery) var logEvery: Int?
  @Option(Settings.layerStats) var layerStats: Int?
  @Flag(Settings.tensorBoard) var tensorboard = false
  @Option(Settings.project) var project: String?
  @Option(Settings.name) var name: String?

  /// The settings, with what the checkpoint that `--weights` names says about itself in the place of defaults.
  /// - Parameter tell: told what was taken from it.
  /// - Throws: what reading its header throws; `SettingsError` for another network than its own.
  func settings(data: String, tell: (String) -> Void) throws -> TrainingSettings {
    let saved = try savedRecipe()
    guard let weights = weights ?? saved?.text(of: Settings.weights) else { return try settings(data: data) }
    _ = try labels.naming()
    let source = try InitialWeights(weights)
    let said = Set(GivenOptions(self).values.keys).union(saved?.entries.map(\.option) ?? [])
    func isOpen(_ row: any SettingRow) -> Bool { !said.contains(row.option) }
    for note in source.notes { tell("\(source.path): \(note)") }
    guard let model = source.description else {
      return try settings(data: data, foreign: source, saved, isOpen: isOpen, tell: tell)
    }
    let own = try model.plan().settings
    if let net = net ?? saved?.text(of: Settings.network), net != AutomaticSettings.word,
      net.lowercased() != own.name.lowercased()
    {
      throw SettingsError(
        "\(source.path) holds the weights of \(own.name), not of \(net): leave --net out, or start from other weights"
      )
    }
    var described = model
    described.network = own
    var settings = try settings(data: data, model: described)
    settings.initialWeights = source.path
    func channels(_ values: [Float]) -> String { Settings.mean.kind.text(of: Channels(values: values)) }
    let taken = [
      isOpen(Settings.network)
        ? "network \((([own.name] + settings.network.optionWords)).joined(separator: " "))" : nil,
      isOpen(Settings.imageSize) ? "image size \(model.preprocessing.imageSize)" : nil,
      isOpen(Settings.resize) ? "resize \(model.preprocessing.resize.rawValue)" : nil,
      isOpen(Settings.resize) && isOpen(Settings.padColor)
        ? model.preprocessing.padColor.map { "pad color \($0)" } : nil,
      isOpen(Settings.background) ? "background \(model.preprocessing.background)" : nil,
      isOpen(Settings.mean) ? "mean \(channels(model.preprocessing.mean))" : nil,
      isOpen(Settings.mean) ? "std \(channels(model.preprocessing.std))" : nil,
    ].compactMap { $0 }
    if !taken.isEmpty { tell("from \(source.path): \(taken.joined(separator: ", "))") }
    return settings
  }

  /// The settings with what is known of weights of another program: the network that their arrays are of, and the input
  /// that torchvision's expect.
  private func settings(
    data: String, foreign source: InitialWeights, _ saved: SavedRecipe?, isOpen: (any SettingRow) -> Bool,
    tell: (String) -> Void
  ) throws -> TrainingSettings {
    let name = net ?? saved?.text(of: Settings.network)
    let found = try source.network(network.request(name: name == AutomaticSettings.word ? nil : name))
    let size = ForeignModel.imageSize(for: found.settings)
    var preprocessing = PreprocessingSettings(imageSize: size)
    let isTorchvision = size == ForeignModel.imageSize
    if isTorchvision { preprocessing.normalization = ForeignModel.normalization }
    var settings = try settings(data: data, network: found.settings, preprocessing: preprocessing)
    settings.network = found.settings
    if !isTorchvision { settings.automatic.remove(Settings.mean.option) }
    tell("\(source.path) looks like \(found.text)")
    if let text = found.readingText { tell("\(source.path): \(text)") }
    if isOpen(Settings.mean), let note = try Architecture(name: found.settings.name).inputNote {
      tell("\(source.path): \(note)")
    }
    func channels(_ row: Setting<Notation<Channels>>) -> String { row.text(in: settings) ?? "" }
    let taken = [
      isOpen(Settings.imageSize) ? "image size \(size)" : nil,
      isOpen(Settings.mean) && isTorchvision && !settings.automatic.contains(Settings.mean)
        ? "mean \(channels(Settings.mean)), std \(channels(Settings.std))" : nil,
    ].compactMap { $0 }
    if !taken.isEmpty {
      tell(
        "\(source.path) does not say what input it expects: \(taken.joined(separator: ", ")), as usual for "
          + "\(found.settings.name); --imgsz, --mean and --std say otherwise")
    }
    return settings
  }

  /// The settings without a look at any file but a list of classes.
  /// - Parameter model: what is taken where an option is not given; nil for the defaults.
  func settings(data: String, model: ModelDescription? = nil) throws -> TrainingSettings {
    var settings = try settings(data: data, network: model?.network, preprocessing: model?.settings)
    if model != nil {
      for row in [Settings.mean.option, Settings.resize.option] { settings.automatic.remove(row) }
    }
    return settings
  }

  private func settings(
    data: String, network base: NetworkSettings?, preprocessing: PreprocessingSettings?
  ) throws -> TrainingSettings {
    let naming = try labels.naming()
    if naming != nil, weights == nil, try savedRecipe()?.text(of: Settings.weights) == nil {
      throw ValidationError("--classes and --class-order go with --weights")
    }
    // Means that are measured come with no standard deviations, others with them.
    if (mean?.values == nil) != (std == nil) { throw ValidationError("--mean and --std go together") }
    var settings = Settings.usual
    settings.data = data
    settings.project = ProjectFolder.standard(data: data)
    if let base { settings.network = base }
    if let preprocessing { settings.preprocessing = preprocessing }
    try put(into: &settings, data: data)
    // What the weights need is not for the recipe to choose; after the options, since --recipe leaves everything to it.
    if base != nil { settings.automatic.remove(Settings.network.option) }
    // Where there is a time to keep to, the recipe may make images smaller.
    if preprocessing != nil, settings.budget == nil { settings.automatic.remove(Settings.imageSize.option) }
    // The color of weights whose images were padded, where these are not.
    if padColor == nil, settings.preprocessing.resize != .pad { settings.preprocessing.padColor = nil }
    try network.check(settings.network)
    return settings
  }

  /// Puts in what was given.
  private func put(into settings: inout TrainingSettings, data: String) throws {
    var values = GivenOptions(self)
    values.replace(Settings.split, with: try split.map { try splitSettings($0) })
    values.replace(Settings.classes, with: labels.classes == nil ? nil : try labels.naming()?.names)
    for (split, row) in zip(Split.allCases, [Settings.trainFolder, Settings.validationFolder, Settings.testFolder])
    {
      values.replace(row, with: folders.folders(in: data)?[split])
    }
    let saved = try savedRecipe()
    values.replace(Settings.recipe, with: recipe.flatMap { RecipeUse(rawValue: $0) })
    // First: what is usual for the rest depends on it.
    if let optimizer = optimizer ?? saved?.text(of: Settings.optimizer).flatMap({ OptimizerMethod(rawValue: $0) }) {
      let before = settings.optimizer.method
      settings.optimizer.method = optimizer
      settings.optimizerChanged(from: before)
    }
    try saved?.put(into: &settings, except: Set(values.values.keys))
    values.put(into: &settings)
  }

  /// The recipe that `--recipe` names, by its name or its file; nil where it names none.
  /// - Throws: as `RecipeShelf.recipe`.
  private func savedRecipe() throws -> SavedRecipe? {
    guard let recipe, RecipeUse(rawValue: recipe) == nil else { return nil }
    return try RecipeShelf.standard.recipe(recipe)
  }

  /// The words of the command for a run's record, in which a saved recipe's settings stand in the place of its name: the
  /// file may be another one some day.
  func recorded(_ words: [String] = ProgramArguments.all) throws -> [String] {
    guard let recipe, let saved = try savedRecipe() else { return words }
    let own = saved.words(except: Set(GivenOptions(self).values.keys))
    let option = "--\(Settings.recipe.option)"
    for (place, word) in words.enumerated() {
      if word == "--" { break }
      if word == "\(option)=\(recipe)" { return Array(words[..<place] + own + words[(place + 1)...]) }
      if word == option, place + 1 < words.count, words[place + 1] == recipe {
        return Array(words[..<place] + own + words[(place + 2)...])
      }
    }
    return words
  }

  /// The settings of an earlier run for a new one, with what these options say.
  /// - Parameter data: the dataset's folder; nil for the run's.
  func settings(like record: RunRecord, data: String?) throws -> TrainingSettings {
    var settings = record.settings
    settings.data = data ?? record.settings.data
    (settings.name, settings.automatic) = (nil, .none)
    settings.project = ProjectFolder.standard(data: settings.data)
    try put(into: &settings, data: settings.data)
    try network.check(settings.network)
    return settings
  }

  /// Why a run cannot be started like another with these options; nil where it can.
  func refusedBeside(like: String, resume: String?) -> String? {
    if resume != nil { return "--like starts a new run, --resume goes on with an earlier one: name one of them" }
    let others = [(recipe != nil, "--recipe"), (budget != nil, "--budget"), (weights != nil, "--weights")]
    guard let other = others.first(where: \.0)?.1 else { return nil }
    return "\(other) chooses settings, and --like takes them from \(like): give one of them"
  }

  /// What these options change in a run that is resumed.
  /// - Throws: `ValidationError` for those that a run cannot change, also where they say what it has anyway.
  /// - Parameter others: given options that are no settings, and go with a new run alone.
  func resumeChanges(acceptingData: Bool, besides others: [String] = []) throws -> ResumeChanges {
    let values = GivenOptions(self)
    let refused = values.fixed + others
    guard refused.isEmpty else {
      let changeable = Settings.all.filter(\.isChangeable).map { "--\($0.option)" }.joined(separator: ", ")
      throw ValidationError(
        "\(refused.joined(separator: ", ")): a run is resumed with the settings it was started with; only "
          + "\(changeable), --data and --accept-changes go with --resume")
    }
    var changes = ResumeChanges(acceptsData: acceptingData)
    values.put(into: &changes)
    return changes
  }
}

extension LabelNaming {
  fileprivate var names: [String]? { if case .names(let names) = self { names } else { nil } }
}

extension ModelDescription {
  /// Its preprocessing as settings that give the same again.
  fileprivate var settings: PreprocessingSettings {
    PreprocessingSettings(
      imageSize: preprocessing.imageSize, resize: preprocessing.resize.setting, padColor: preprocessing.padColor,
      background: preprocessing.background,
      normalization: .given(mean: preprocessing.mean, std: preprocessing.std))
  }
}

/// `80/10/10`, or the folder of lists that `skipline split --export` wrote.
func splitSettings(_ text: String) throws(ValidationError) -> SplitSettings {
  do throws(SplitTextError) { return try SplitSettings(argument: text) } catch { throw ValidationError("\(error)") }
}

/// The same, the folders of splits, and what keeps images together.
func splitSettings(
  _ text: String, _ folders: SplitFolderOptions, groupBy: String?, in data: String
) throws -> SplitSettings {
  var settings = try splitSettings(text)
  settings.folders = folders.folders(in: data)
  settings.groups = groupBy
  return settings
}
