// The options that name a network; shared by `summary`, `train`, `evaluate` and the workbench.

import ArgumentParser
import Messages

extension Shortcut: ExpressibleByArgument {}
extension ZeroPlacement: ExpressibleByArgument {}
extension BlockVersion: ExpressibleByArgument {}
extension Stem: ExpressibleByArgument {}
extension Head: ExpressibleByArgument {}
extension EvaluationSplit: ExpressibleByArgument {}
extension PreprocessingSettings.Resize: ExpressibleByArgument {}
extension AugmentationSettings.Crop: ExpressibleByArgument {}
extension DivergencePolicy: ExpressibleByArgument {}
extension TrainingPrecision: ExpressibleByArgument {}

struct NetworkOptions: ParsableArguments {
  @Option(help: "Shortcuts: A (zero padding), B (projection where the shape changes), C (projection everywhere).")
  var shortcut: Shortcut?
  @Option(help: "Where shortcut A puts the zero channels: split (half on each side) or end.")
  var zeros: ZeroPlacement = .split
  @Option(name: .customLong("block"), help: "Order inside a block: v1, v1.5 or v2 (pre-activation).")
  var blockVersion: BlockVersion?
  @Option(help: "First layers: large (7x7/2 and pool) or small (3x3); by image size if not given.")
  var stem: Stem?
  @Option(help: "Multiplies every channel count.")
  var width = 1.0
  @Option(help: "Classifier: standard, or regularised (dropout 0.5, L2, truncated normal).")
  var head: Head = .standard

  func settings(name: String) -> NetworkSettings {
    NetworkSettings(
      name: name, shortcut: shortcut, zeroPlacement: zeros, version: blockVersion, stem: stem,
      widthMultiplier: width, head: head)
  }
}
