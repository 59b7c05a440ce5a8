// Settings for tests that every one of them is carried along.

import Messages

extension TrainingSettings {
  /// Some do not go together: no run could be started with all of them. None is as usual, but the split's lists and folders and the order of classes, which exclude others or each other.
  package static let unusual = TrainingSettings(
    data: "my images", budget: 5400,
    split: SplitSettings(train: 60, validation: 20, test: 20, groups: "clip_(\\d+)"),
    network: NetworkSettings(
      name: "resnet50", shortcut: .zeroPadding, zeroPlacement: .end, version: .v2, stem: .small,
      widthMultiplier: 0.5, stemWidth: 24, head: .regularized, isWhitened: true, dropPath: 0.25, variant: .article,
      dropout: 0.75, auxiliaryHeads: true),
    convolutionInitialization: .dirac, initialWeights: "start.safetensors",
    freeze: FreezeSettings(layers: "layer2", epochs: 5), backboneRate: 0.125, normStatistics: .running,
    featureViews: 3,
    preprocessing: PreprocessingSettings(
      imageSize: 96, resize: .pad, padColor: .edge, background: .black,
      normalization: .given(mean: [0.5, 0.25, 0.125], std: [0.5, 0.5, 0.25])),
    augmentation: AugmentationSettings(
      crop: .randomResized, cropScale: 0.625, horizontalFlip: false, alternatesFlip: true, verticalFlip: true,
      rotation: 12.5, automatic: .trivial, colorJitter: 0.5, erasing: 0.25, erasingFill: .mean, mixup: 0.75,
      cutMix: 1.5),
    optimizer: OptimizerSettings(
      method: .adamw, momentum: 0.75, nesterov: true, betas: AdamBetas(0.75, 0.5), epsilon: 0.25,
      weightDecay: 0.125, decayNormsAndBiases: false, gradientClip: 2, normBiasRate: 64,
      lookahead: LookaheadSettings(steps: 3, share: 0.25)), ema: 0.875, accumulate: 3, replicas: 5, syncNorm: true,
    learningRate: 0.0625, schedule: .plateau(factor: 0.5, patience: 2), labelSmoothing: 0.125, balance: .loss,
    batchSize: 17, precision: .bf16, epochs: 23, progressiveStart: 0.5, timeBudget: 90, best: .macroF1,
    earlyStoppingPatience: 4, seed: 99, threads: 3, workers: 2,
    cache: CacheSettings(isEnabled: false, limit: 20 << 30), keep: KeepPolicy(everyEpochs: 5, newest: nil),
    safety: SafetySettings(saveMinutes: 0.5, divergence: .rollback, ignoresMemory: true, acceptsErrors: true),
    logEvery: 7, layerStats: 9, tensorBoard: true, project: "elsewhere", name: "first")
}
