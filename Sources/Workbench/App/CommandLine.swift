// The commands that do without a screen what the workbench does: shown in the panes, the palette and the form. Only
// what differs from the defaults is written.

import Messages
import Support

extension TrainingSettings {
  /// The command that starts this run from a shell: `skipline train DATA --net cifar20 --epochs 30`.
  public var commandLine: String {
    let usual = TrainingSettings(data: data, network: NetworkSettings(name: network.name))
    var words = ["skipline", "train", shellQuoted(data)]
    func add(_ option: String, _ value: String, if differs: Bool) {
      if differs { words += [option, shellQuoted(value)] }
    }
    func flag(_ option: String, if set: Bool) {
      if set { words.append(option) }
    }

    words += ["--net", shellQuoted(network.name)]
    words += network.optionWords
    // What is not said with weights is taken from them.
    let isSaid = initialWeights != nil
    if let initialWeights { add("--weights", initialWeights, if: true) }
    if let words = initialClasses?.optionWords { add(words[0], words[1], if: true) }
    add(
      "--imgsz", "\(preprocessing.imageSize)",
      if: isSaid || preprocessing.imageSize != usual.preprocessing.imageSize)
    add("--resize", preprocessing.resize.rawValue, if: isSaid || preprocessing.resize != usual.preprocessing.resize)
    let background = preprocessing.background
    add("--background", "\(background)", if: isSaid || background != usual.preprocessing.background)
    if preprocessing.normalisation == .trainingSet { add("--mean", "measured", if: isSaid) }
    if case .given(let mean, let deviation) = preprocessing.normalisation {
      add("--mean", channels(mean), if: true)
      add("--deviation", channels(deviation), if: true)
    }
    add("--crop", augmentation.crop.rawValue, if: augmentation.crop != usual.augmentation.crop)
    flag("--no-flip", if: !augmentation.horizontalFlip)
    add("--jitter", plainNumber(augmentation.colourJitter), if: augmentation.colourJitter != 0)
    add("--split", split.description, if: split.description != usual.split.description)
    words += split.folders?.optionWords ?? []
    add("--batch", "\(batchSize)", if: batchSize != usual.batchSize)
    add("--epochs", "\(epochs)", if: epochs != usual.epochs)
    if let timeBudget { add("--time", plainNumber(timeBudget), if: true) }
    if let earlyStoppingPatience { add("--patience", "\(earlyStoppingPatience)", if: true) }
    add("--lr", plainNumber(learningRate), if: learningRate != usual.learningRate)
    add("--schedule", schedule.description, if: schedule != usual.schedule)
    add("--momentum", plainNumber(optimiser.momentum), if: optimiser.momentum != usual.optimiser.momentum)
    flag("--nesterov", if: optimiser.nesterov)
    add(
      "--weight-decay", plainNumber(optimiser.weightDecay),
      if: optimiser.weightDecay != usual.optimiser.weightDecay)
    flag("--no-decay-norms", if: !optimiser.decayNormsAndBiases)
    if let clip = optimiser.gradientClip { add("--clip", plainNumber(clip), if: true) }
    add("--precision", precision.rawValue, if: precision != .fp32)
    add("--label-smoothing", plainNumber(labelSmoothing), if: labelSmoothing != 0)
    add("--seed", "\(seed)", if: seed != 0)
    if let threads { add("--threads", "\(threads)", if: true) }
    add("--workers", "\(workers)", if: workers != usual.workers)
    flag("--no-cache", if: !cache.isEnabled)
    if let limit = cache.limit { add("--cache-limit", "\(limit)", if: true) }
    add("--save-every", "\(keep.everyEpochs)", if: keep.everyEpochs != usual.keep.everyEpochs)
    if keep.newest != usual.keep.newest { add("--keep", keep.newest.map { "\($0)" } ?? "all", if: true) }
    let safe = safety
    add("--save-minutes", plainNumber(safe.saveMinutes), if: safe.saveMinutes != usual.safety.saveMinutes)
    add("--on-divergence", safe.divergence.rawValue, if: safe.divergence != usual.safety.divergence)
    flag("--ignore-memory", if: safe.ignoresMemory)
    flag("--accept-errors", if: safe.acceptsErrors)
    add("--log-every", "\(logEvery)", if: logEvery != usual.logEvery)
    if let name { add("--name", name, if: true) }
    add("--project", project, if: project != usual.project)
    return words.joined(separator: " ")
  }
}

/// Three numbers with commas.
private func channels(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }

/// The other commands, as text.
enum Headless {
  static func check(_ data: String, _ split: SplitSettings = SplitSettings()) -> String {
    "skipline check " + shellQuoted(data) + split.folderOptions
  }

  static func summary(_ network: NetworkSettings, imageSize: Int, classes: Int) -> String {
    (["skipline", "summary", shellQuoted(network.name)] + network.optionWords
      + ["--imgsz", "\(imageSize)", "--classes", "\(classes)"]).joined(separator: " ")
  }

  static func evaluate(
    _ checkpoint: String, data: String, split: EvaluationSplit?, folders: SplitFolders? = nil
  ) -> String {
    let words = ["skipline evaluate", shellQuoted(checkpoint), "--data", shellQuoted(data)]
    return (words + (split.map { ["--split", $0.rawValue] } ?? []) + (folders?.optionWords ?? []))
      .joined(separator: " ")
  }

  static func decide(_ change: DecisionChange, data: String, _ split: SplitSettings = SplitSettings()) -> String {
    let (verb, path, options): (String, String, [String]) =
      switch change {
      case .exclude(let path): ("exclude", path, [])
      case .include(let path): ("include", path, [])
      case .relabel(let path, let name): ("relabel", path, [shellOption("--to", name)])
      }
    // A name that begins with a dash is no option.
    let end = path.hasPrefix("-") ? ["--"] : []
    return
      (["skipline", verb, shellQuoted(data)] + (split.folders?.optionWords ?? []) + options + end + [
        shellQuoted(path)
      ]).joined(separator: " ")
  }

  /// A new run with the weights of one whose images are of other classes now.
  static func begin(from report: DataChangeReport) -> String {
    "skipline train \(shellQuoted(report.data)) --weights "
      + shellQuoted(joined(report.run, "checkpoints/last.safetensors"))
  }

  static func resume(_ folder: String) -> String { "skipline train --resume " + shellQuoted(folder) }
}
