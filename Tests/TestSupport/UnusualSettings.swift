// Settings for tests that every one of them is carried along.

import Messages

extension TrainingSettings {
  /// None is as usual, but the split's lists and folders and the order of classes, which exclude others or each other.
  package static let unusual = TrainingSettings(
    data: "my images", split: SplitSettings(train: 60, validation: 20, test: 20),
    network: NetworkSettings(
      name: "resnet50", shortcut: .zeroPadding, zeroPlacement: .end, version: .v2, stem: .small,
      widthMultiplier: 0.5, head: .regularized),
    initialWeights: "start.safetensors", freeze: FreezeSettings(layers: "layer2", epochs: 5), backboneRate: 0.125,
    normStatistics: .running, featureViews: 3,
    preprocessing: PreprocessingSettings(
      imageSize: 96, resize: .crop, background: .black,
      normalization: .given(mean: [0.5, 0.25, 0.125], std: [0.5, 0.5, 0.25])),
    augmentation: AugmentationSettings(crop: .randomResized, horizontalFlip: false, colorJitter: 0.5),
    optimizer: OptimizerSettings(
      momentum: 0.75, nesterov: true, weightDecay: 0.125, decayNormsAndBiases: false, gradientClip: 2),
    learningRate: 0.0625, schedule: .plateau(factor: 0.5, patience: 2), labelSmoothing: 0.125, batchSize: 17,
    precision: .bf16, epochs: 23, timeBudget: 90, earlyStoppingPatience: 4, seed: 99, threads: 3, workers: 2,
    cache: CacheSettings(isEnabled: false, limit: 20 << 30), keep: KeepPolicy(everyEpochs: 5, newest: nil),
    safety: SafetySettings(saveMinutes: 0.5, divergence: .rollback, ignoresMemory: true, acceptsErrors: true),
    logEvery: 7, project: "elsewhere", name: "first")
}
