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
extension Background: ExpressibleByArgument {}

let backgroundHelp: ArgumentHelp =
  "What transparent pixels are laid on: white, black, #rrggbb, or none (what a file hides there shows)."

struct NetworkOptions: ParsableArguments {
  @Option(help: "Shortcuts: A (zero padding), B (projection where the shape changes), C (projection everywhere).")
  var shortcut: Shortcut?
  @Option(help: "Where shortcut A puts the zero channels: split (half on each side) or end. (default: split)")
  var zeros: ZeroPlacement?
  @Option(name: .customLong("block"), help: "Order inside a block: v1, v1.5 or v2 (pre-activation).")
  var blockVersion: BlockVersion?
  @Option(help: "First layers: large (7x7/2 and pool) or small (3x3); by image size if not given.")
  var stem: Stem?
  @Option(Limits.width, usual: 1) var width: Double?
  @Option(help: "Classifier: standard, or regularised (dropout 0.5, L2, truncated normal). (default: standard)")
  var head: Head?

  func settings(name: String) -> NetworkSettings {
    NetworkSettings(
      name: name, shortcut: shortcut, zeroPlacement: zeros ?? .split, version: blockVersion, stem: stem,
      widthMultiplier: width ?? 1, head: head ?? .standard)
  }

  /// Which of them were given.
  var given: [(String, Bool)] {
    [
      ("--shortcut", shortcut != nil), ("--zeros", zeros != nil), ("--block", blockVersion != nil),
      ("--stem", stem != nil), ("--width", width != nil), ("--head", head != nil),
    ]
  }
}
