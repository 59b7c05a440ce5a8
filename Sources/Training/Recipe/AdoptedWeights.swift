// Weights that were named in the form, which reads no file: their network and input are taken from the file once a plan
// is made, as a command line takes them before.

import Datasets
import Messages
import Networks

extension TrainingSettings {
  /// The same settings with the network and the input that the weights say, where these are left open.
  /// - Throws: as `InitialWeights`; `CheckpointError.doesNotFit` for arrays of no known network.
  func adoptingWeights() throws -> TrainingSettings {
    guard let initialWeights, automatic.contains(Settings.network) else { return self }
    let source = try InitialWeights(initialWeights)
    var own = self
    let isSizeOpen = automatic.contains(Settings.imageSize)
    let isInputOpen = automatic.contains(Settings.mean)
    if let model = source.description {
      own.network = try model.plan().settings
      let input = model.preprocessing
      if isSizeOpen { own.preprocessing.imageSize = input.imageSize }
      if preprocessing.resize == .automatic {
        (own.preprocessing.resize, own.preprocessing.padColor) = (input.resize.setting, input.padColor)
        own.automatic.remove(Settings.resize.option)
      }
      if preprocessing.background == PreprocessingSettings().background {
        own.preprocessing.background = input.background
      }
      if isInputOpen {
        own.preprocessing.normalization = .given(mean: input.mean, std: input.std)
        own.automatic.remove(Settings.mean.option)
      }
    } else {
      own.network = try source.network().settings
      let size = ForeignModel.imageSize(for: own.network)
      if isSizeOpen { own.preprocessing.imageSize = size }
      if isInputOpen, size == ForeignModel.imageSize {
        own.preprocessing.normalization = ForeignModel.normalization
      } else if isInputOpen {
        own.automatic.remove(Settings.mean.option)
      }
    }
    own.automatic.remove(Settings.network.option)
    // Where there is a time to keep to, images may be smaller.
    if isSizeOpen, budget == nil { own.automatic.remove(Settings.imageSize.option) }
    return own
  }
}
