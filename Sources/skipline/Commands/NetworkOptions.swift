// The options that name a network; shared by `summary`, `train`, `evaluate` and the workbench.

import ArgumentParser
import Inspection
import Messages
import Networks
import Training

extension Shortcut: ExpressibleByArgument {}
extension ClassBalance: ExpressibleByArgument {}
extension BestMetric: ExpressibleByArgument {}
extension TestTimeAugmentationChoice: ExpressibleByArgument {}
extension ZeroPlacement: ExpressibleByArgument {}
extension BlockVersion: ExpressibleByArgument {}
extension NetworkVariant: ExpressibleByArgument {}
extension Stem: ExpressibleByArgument {}
extension Head: ExpressibleByArgument {}
extension ConvolutionInitialization: ExpressibleByArgument {}
extension EvaluationSplit: ExpressibleByArgument {}
extension EvaluationSort: ExpressibleByArgument {}
extension RecordedParts: ExpressibleByArgument {}
extension PreprocessingSettings.Resize: ExpressibleByArgument {}
extension AugmentationSettings.Crop: ExpressibleByArgument {}
extension AugmentationSettings.AutoAugment: ExpressibleByArgument {}
extension AugmentationSettings.ErasingFill: ExpressibleByArgument {}
extension ClassOrder: ExpressibleByArgument {}
extension DivergencePolicy: ExpressibleByArgument {}
extension TrainingPrecision: ExpressibleByArgument {}
extension InferencePrecision: ExpressibleByArgument {}
extension Background: ExpressibleByArgument {}
extension NormStatistics: ExpressibleByArgument {}

struct NetworkOptions: ParsableArguments {
  @Option(Settings.variant) var variant: NetworkVariant?
  @Option(Settings.shortcut) var shortcut: Shortcut?
  @Option(Settings.zeros) var zeros: ZeroPlacement?
  @Option(Settings.block) var block: BlockVersion?
  @Option(Settings.stem) var stem: Stem?
  @Option(Settings.width) var width: Double?
  @Option(Settings.stemWidth) var stemWidth: Int?
  @Option(Settings.head) var head: Head?
  @Flag(Settings.whiten) var whiten: Bool?
  @Flag(Settings.auxHeads) var auxHeads: Bool?
  @Option(Settings.dropPath) var dropPath: Double?
  @Option(Settings.dropout) var dropout: Double?

  /// The network with these options.
  /// - Throws: `NetworkError` for an option that means nothing for this network.
  func settings(name: String) throws -> NetworkSettings {
    var settings = TrainingSettings(data: "", network: NetworkSettings(name: name))
    GivenOptions(self).put(into: &settings)
    try check(settings.network)
    return settings.network
  }

  /// - Throws: `NetworkError` for an option that means nothing for this network, also where it is given as usual.
  func check(_ settings: NetworkSettings) throws {
    try Architecture.check(settings)
    if zeros != nil { try Architecture.checkPlacement(settings) }
    if head != nil { try Architecture.checkHead(settings) }
  }

  /// What is said of the network of a file.
  /// - Parameter name: nil where it is to be found.
  func request(name: String?) -> NetworkRequest {
    let given = GivenOptions(self)
    return NetworkRequest(name: name) { network in
      var settings = TrainingSettings(data: "", network: network)
      given.put(into: &settings)
      network = settings.network
    }
  }

  /// Whether any is given.
  var isGiven: Bool { !GivenOptions(self).values.isEmpty }
}

/// What a classifier's outputs stand for, in a file that does not say so.
struct LabelOptions: ParsableArguments {
  @Option(text: Settings.classes) var classes: String?
  @Option(Settings.classOrder) var classOrder: ClassOrder?

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
