// The options of a training run; shared by `train` and the workbench, so that both start the same runs.

import ArgumentParser
import Messages
import Training

struct TrainingOptions: ParsableArguments {
  @Option(help: "The network: resnet18/34/50/101/152, cifar20/32/44/56/110, plain.., vgg19, vgg19_bn.")
  var net = "cifar20"
  @OptionGroup var network: NetworkOptions
  @Option(help: "Start from the weights in this safetensors file, ours or PyTorch's.")
  var weights: String?

  @Option(help: "Side of the square images, pixels.") var imgsz = 32
  @Option(help: "How images become square: stretch, crop, or auto (crop from 128 pixels on).")
  var resize: PreprocessingSettings.Resize = .automatic
  @Option(help: "Channel means on 0...1, as 0.485,0.456,0.406; measured on the training images if not given.")
  var mean: String?
  @Option(help: "Channel deviations on 0...1, with --mean.") var deviation: String?
  @Option(help: "Random crops: none, pad, resized, or auto.") var crop: AugmentationSettings.Crop = .automatic
  @Flag(inversion: .prefixedNo, help: "Mirror half of the training images.") var flip = true
  @Option(help: "Random change of brightness, contrast and saturation, 0 to 1.") var jitter = 0.0
  @Option(help: splitHelp) var split = "80/10/10"

  @Option(help: "Images a step.") var batch = 64
  @Option(help: "fp32, or bf16: mixed precision, faster where the processor has AVX512-BF16.")
  var precision: TrainingPrecision = .fp32
  @Option(help: "Epochs to train, in all. (default: 10)") var epochs: Int?
  @Option(help: "End after so many seconds, whatever the epoch.") var time: Double?
  @Option(help: "End after so many epochs without a better validation accuracy.") var patience: Int?
  @Option(help: "Peak learning rate. (default: 0.1)") var lr: Double?
  @Option(help: "constant, cosine:WARMUP, step:EPOCHS:FACTOR or plateau:FACTOR:PATIENCE.")
  var schedule = "cosine:0.05"
  @Option(help: "Momentum of SGD.") var momentum = 0.9
  @Flag(help: "Nesterov's momentum.") var nesterov = false
  @Option(help: "L2 penalty on weights.") var weightDecay = 5e-4
  @Flag(inversion: .prefixedNo, help: "Weight decay on batch norms and biases too.") var decayNorms = true
  @Option(help: "Largest gradient norm.") var clip: Double?
  @Option(help: "Label smoothing, 0 to below 1.") var labelSmoothing = 0.0
  @Option(help: "Where every random choice comes from.") var seed: UInt64 = 0

  @Option(help: "Threads that compute; one a processor if not given. The result does not depend on it.")
  var threads: Int?
  @Option(help: "Threads that decode images ahead. (default: 1)") var workers: Int?
  @OptionGroup var cache: CacheOptions
  @Option(help: "Keep a checkpoint every so many epochs, 0 for none.") var saveEvery = 1
  @Option(help: "How many of those stay; 'all' for all.") var keep = "3"
  @Option(help: "Save 'last' at most so many minutes apart. (default: 5)") var saveMinutes: Double?
  @Option(
    help: "When the loss is no number and nobody is attached: stop, lower (the rate), or rollback. (default: stop)")
  var onDivergence: DivergencePolicy?
  @Flag(help: "Start although memory seems too little.") var ignoreMemory = false
  @Flag(help: "Start although the data have errors, as 'skipline check' names them.") var acceptErrors = false
  @Option(help: "Steps between two lines of metrics.jsonl.") var logEvery = 10
  @Option(help: "The folder that holds runs.") var project = "runs"
  @Option(help: "The run's name; network and number if not given.") var name: String?

  func settings(data: String) throws -> TrainingSettings {
    let usual = TrainingSettings(data: data, network: NetworkSettings(name: net))
    return TrainingSettings(
      data: data, split: try parseSplit(split), network: network.settings(name: net), initialWeights: weights,
      preprocessing: PreprocessingSettings(
        imageSize: imgsz, resize: resize, normalisation: try parseNormalisation()),
      augmentation: AugmentationSettings(crop: crop, horizontalFlip: flip, colourJitter: jitter),
      optimiser: OptimiserSettings(
        momentum: momentum, nesterov: nesterov, weightDecay: weightDecay, decayNormsAndBiases: decayNorms,
        gradientClip: clip),
      learningRate: lr ?? usual.learningRate, schedule: try Schedule(argument: schedule),
      labelSmoothing: labelSmoothing,
      batchSize: batch, precision: precision,
      epochs: epochs ?? usual.epochs, timeBudget: time, earlyStoppingPatience: patience, seed: seed,
      threads: threads, workers: workers ?? usual.workers, cache: cache.settings,
      keep: KeepPolicy(everyEpochs: saveEvery, newest: try parseKeep()),
      safety: SafetySettings(
        saveMinutes: saveMinutes ?? usual.safety.saveMinutes, divergence: onDivergence ?? usual.safety.divergence,
        ignoresMemory: ignoreMemory, acceptsErrors: acceptErrors), logEvery: logEvery,
      project: project, name: name)
  }

  /// What these options change in a run that is resumed.
  /// - Throws: `ValidationError` for one that a run cannot change.
  func resumeChanges(acceptingData: Bool) throws -> ResumeChanges {
    var rest = self
    (rest.epochs, rest.time, rest.patience, rest.lr, rest.threads, rest.workers) = (nil, nil, nil, nil, nil, nil)
    (rest.saveMinutes, rest.onDivergence, rest.ignoreMemory, rest.acceptErrors) = (nil, nil, false, false)
    guard try rest.settings(data: "") == TrainingOptions.parse([]).settings(data: "") else {
      throw ValidationError(
        "a run is resumed with the settings it was started with; only --epochs, --time, --patience, --lr, --threads, "
          + "--workers, --save-minutes, --on-divergence, --ignore-memory, --accept-errors and --accept-changes go with "
          + "--resume")
    }
    return ResumeChanges(
      epochs: epochs, timeBudget: time, patience: patience, learningRate: lr, threads: threads, workers: workers,
      saveMinutes: saveMinutes, divergence: onDivergence, ignoresMemory: ignoreMemory,
      acceptsErrors: acceptErrors, acceptsData: acceptingData)
  }

  private func parseKeep() throws -> Int? {
    if keep == "all" { return nil }
    guard let count = Int(keep) else { throw ValidationError("--keep \(keep): a number, or 'all'") }
    return count
  }

  private func parseNormalisation() throws -> PreprocessingSettings.Normalisation {
    guard let mean, let deviation else {
      if mean != nil || deviation != nil { throw ValidationError("--mean and --deviation go together") }
      return .trainingSet
    }
    return .given(mean: try parseChannels(mean), deviation: try parseChannels(deviation))
  }

  private func parseChannels(_ text: String) throws -> [Float] {
    let numbers = text.split(separator: ",").compactMap { Float($0) }
    guard numbers.count == 3 else {
      throw ValidationError("'\(text)' is not three numbers such as 0.485,0.456,0.406")
    }
    return numbers
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
