// A folder for runs on a toy dataset, and settings with which they take a moment.

import Messages

/// A folder with a toy dataset in `data` and runs in `runs`.
package struct ToyProject {
  package let folder: TemporaryFolder
  package let data: ToyDataset

  package init(folder: TemporaryFolder, data: ToyDataset) {
    self.folder = folder
    self.data = data
  }

  package init(counts: SplitCounts = SplitCounts(train: 6, validation: 2), side: Int = 8) throws {
    folder = try TemporaryFolder()
    data = try ToyDataset(folder.file("data"), counts: counts, side: side)
  }

  /// A cifar8 with 4, 8 and 16 channels; four images a batch, one thread, everything logged, no image cache.
  package func settings(epochs: Int = 2, change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    var settings = TrainingSettings(
      data: data.root, split: SplitSettings(train: 100, validation: 0, test: 0),
      network: NetworkSettings(name: "cifar8", widthMultiplier: 0.25),
      preprocessing: PreprocessingSettings(imageSize: 8), learningRate: 0.05, schedule: .constant, batchSize: 4,
      epochs: epochs, seed: 1, threads: 1, cache: CacheSettings(isEnabled: false), keep: KeepPolicy(everyEpochs: 0),
      logEvery: 1,
      project: folder.file("runs"))
    change(&settings)
    return settings
  }

  /// The settings of a run that does not end by itself.
  package func endless(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    settings(epochs: 100_000) {
      $0.logEvery = 1000
      change(&$0)
    }
  }

  /// The folder of the first run that is given no name.
  package var firstRun: String { folder.file("runs/cifar8-1") }
}
