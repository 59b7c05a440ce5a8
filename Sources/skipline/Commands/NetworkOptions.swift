// The options that name a network; shared by `summary`, `train`, `evaluate` and the workbench.

import ArgumentParser
import Messages
import Networks
import Training

extension Shortcut: ExpressibleByArgument {}
extension ZeroPlacement: ExpressibleByArgument {}
extension BlockVersion: ExpressibleByArgument {}
extension Stem: ExpressibleByArgument {}
extension Head: ExpressibleByArgument {}
extension EvaluationSplit: ExpressibleByArgument {}
extension PreprocessingSettings.Resize: ExpressibleByArgument {}
extension AugmentationSettings.Crop: ExpressibleByArgument {}
extension ClassOrder: ExpressibleByArgument {}
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

  /// The network with these options.
  /// - Parameter base: what is taken where an option is not given; nil for the defaults.
  /// - Throws: `NetworkError` for an option that means nothing for this network.
  func settings(name: String, base: NetworkSettings? = nil) throws -> NetworkSettings {
    let usual = base ?? NetworkSettings(name: name)
    let settings = NetworkSettings(
      name: name, shortcut: shortcut ?? usual.shortcut, zeroPlacement: zeros ?? usual.zeroPlacement,
      version: blockVersion ?? usual.version, stem: stem ?? usual.stem,
      widthMultiplier: width ?? usual.widthMultiplier, head: head ?? usual.head)
    try Architecture.check(settings)
    if zeros != nil { try Architecture.checkPlacement(settings) }
    return settings
  }

  /// Which of them were given.
  var given: [(String, Bool)] {
    [
      ("--shortcut", shortcut != nil), ("--zeros", zeros != nil), ("--block", blockVersion != nil),
      ("--stem", stem != nil), ("--width", width != nil), ("--head", head != nil),
    ]
  }

  /// Whether any is given.
  var isGiven: Bool { given.contains(where: \.1) }
}

/// What a classifier's outputs stand for, in a file that does not say so.
struct LabelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The classes in the order of its outputs: names with commas, a name with a comma in double quotes; or a file with a line a class.",
      valueName: "names|file"))
  var classes: String?
  @Option(
    help:
      "The order in which it was taught the data's classes: natural (1, 2, 10) or alphabetical (1, 10, 2; torchvision's ImageFolder)."
  )
  var classOrder: ClassOrder?

  /// nil where nothing is said.
  /// - Throws: what reading a list of classes throws.
  func naming() throws -> LabelNaming? {
    if classes != nil, classOrder != nil {
      throw ValidationError("--classes says the order of the classes: leave --class-order out")
    }
    if let classes { return .names(try ClassList.names(argument: classes)) }
    return classOrder.map { .order($0) }
  }
}
