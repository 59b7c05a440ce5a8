// The fields of the settings form: how each setting reads as text, which choices there are, and what text it takes.

import Canvas
import Messages

/// One line of the settings form.
enum SettingsField: Sendable, Equatable, CaseIterable {
  case network, shortcut, version, stem, width, head
  case imageSize, batchSize, epochs, learningRate, schedule, momentum, weightDecay
  case crop, flip, labelSmoothing, precision, splitLists, trainFolder, validationFolder, testFolder, acceptErrors,
    cache
  case seed, name

  /// Why a text was refused, and what would be right.
  struct Refusal: Error, Equatable {
    var reason: String
  }

  var label: String {
    switch self {
    case .network: "network"
    case .shortcut: "shortcut"
    case .version: "block version"
    case .stem: "stem"
    case .width: "width multiplier"
    case .head: "head"
    case .imageSize: "image size"
    case .batchSize: "batch size"
    case .epochs: "epochs"
    case .learningRate: "learning rate"
    case .schedule: "schedule"
    case .momentum: "momentum"
    case .weightDecay: "weight decay"
    case .crop: "random crop"
    case .flip: "mirror images"
    case .labelSmoothing: "label smoothing"
    case .precision: "precision"
    case .splitLists: "split lists"
    case .acceptErrors: "accept errors"
    case .trainFolder: "train folder"
    case .validationFolder: "val folder"
    case .testFolder: "test folder"
    case .cache: "cache"
    case .seed: "seed"
    case .name: "run name"
    }
  }

  /// What the field means, for the line below the form.
  var explanation: String {
    switch self {
    case .network: "type to search, left and right to go through them"
    case .shortcut: "A zero padding, B projection where shapes change, C always"
    case .version: "v1 as in the paper, v1.5 stride in the 3x3, v2 pre-activation"
    case .stem: "large: 7x7 and pool; small: 3x3, for images of 64 pixels or fewer"
    case .width: "multiplies every channel count"
    case .head: "regularised: dropout and an L2 penalty on the last layer"
    case .imageSize: "pixels a side of the square that the network sees"
    case .batchSize: "images a step"
    case .epochs: "passes over the training images"
    case .learningRate: "the schedule's peak"
    case .schedule: "constant, cosine:warmup, step:30,60:factor, plateau:factor:epochs"
    case .momentum: "of gradient descent, 0 or more and below 1"
    case .weightDecay: "L2 penalty on the weights"
    case .crop: "pad: shift by an eighth; resized: random area and aspect"
    case .flip: "off for digits, letters and signs"
    case .labelSmoothing: "share moved from the true class to all, 0 or more and below 1"
    case .precision: "bf16: rounded factors, faster where the processor has AVX512-BF16"
    case .splitLists: "folder with train.txt, val.txt and test.txt; empty for none"
    case .acceptErrors: "on: train although the dataset's findings include errors"
    case .trainFolder: "training images, as a folder in the dataset; empty where its name says it"
    case .validationFolder: "validation images, as a folder in the dataset; empty where its name says it"
    case .testFolder: "test images, as a folder in the dataset; empty where its name says it"
    case .cache: "keeps decoded and resized images on disk, so that no run decodes them again"
    case .seed: "the same seed gives the same run"
    case .name: "folder of the run; empty for one made of network and number"
    }
  }

  /// What stands for an empty text.
  var emptyText: String { self == .splitLists ? "none" : "automatic" }

  /// What can be chosen; nil where any fitting text is taken.
  func choices(networks: [String]) -> [String]? {
    switch self {
    case .network: networks
    case .shortcut: [Self.usual] + Shortcut.allCases.map(\.rawValue)
    case .version: [Self.usual] + BlockVersion.allCases.map(\.rawValue)
    case .stem: [Self.usual] + Stem.allCases.map(\.rawValue)
    case .head: Head.allCases.map(\.rawValue)
    case .crop: AugmentationSettings.Crop.allCases.map(\.rawValue)
    case .precision: TrainingPrecision.allCases.map(\.rawValue)
    case .flip, .acceptErrors, .cache: ["on", "off"]
    case .width, .imageSize, .batchSize, .epochs, .learningRate, .schedule, .momentum, .weightDecay,
      .labelSmoothing, .splitLists, .trainFolder, .validationFolder, .testFolder, .seed, .name:
      nil
    }
  }

  /// Leaves the choice to the network's family.
  static let usual = "default"

  func text(in settings: TrainingSettings) -> String {
    switch self {
    case .network: settings.network.name
    case .shortcut: settings.network.shortcut?.rawValue ?? Self.usual
    case .version: settings.network.version?.rawValue ?? Self.usual
    case .stem: settings.network.stem?.rawValue ?? Self.usual
    case .width: plainNumber(settings.network.widthMultiplier)
    case .head: settings.network.head.rawValue
    case .imageSize: "\(settings.preprocessing.imageSize)"
    case .batchSize: "\(settings.batchSize)"
    case .epochs: "\(settings.epochs)"
    case .learningRate: plainNumber(settings.learningRate)
    case .schedule: settings.schedule.description
    case .momentum: plainNumber(settings.optimiser.momentum)
    case .weightDecay: plainNumber(settings.optimiser.weightDecay)
    case .crop: settings.augmentation.crop.rawValue
    case .flip: settings.augmentation.horizontalFlip ? "on" : "off"
    case .labelSmoothing: plainNumber(settings.labelSmoothing)
    case .precision: settings.precision.rawValue
    case .splitLists: settings.split.lists ?? ""
    case .acceptErrors: settings.safety.acceptsErrors ? "on" : "off"
    case .trainFolder, .validationFolder, .testFolder: splitOfFolder.flatMap { settings.split.folders?[$0] } ?? ""
    case .cache: settings.cache.isEnabled ? "on" : "off"
    case .seed: "\(settings.seed)"
    case .name: settings.name ?? ""
    }
  }

  /// Puts a text into the settings.
  /// - Throws: `Refusal`; the settings are then as they were.
  func apply(_ text: String, to settings: inout TrainingSettings, networks: [String]) throws(Refusal) {
    switch self {
    case .network:
      guard networks.contains(text) else { throw Refusal(reason: "there is no network called \(text)") }
      settings.network.name = text
    case .shortcut: settings.network.shortcut = try Self.optional(text)
    case .version: settings.network.version = try Self.optional(text)
    case .stem: settings.network.stem = try Self.optional(text)
    case .width:
      settings.network.widthMultiplier = try Self.number(text, Limits.width)
    case .head: settings.network.head = try Self.choice(text)
    case .imageSize: settings.preprocessing.imageSize = try Self.number(text, Limits.imageSize)
    case .batchSize: settings.batchSize = try Self.number(text, Limits.batchSize)
    case .epochs: settings.epochs = try Self.number(text, Limits.epochs)
    case .learningRate: settings.learningRate = try Self.learningRate(text)
    case .schedule:
      do { settings.schedule = try Schedule(argument: text) } catch { throw Refusal(reason: error.description) }
    case .momentum:
      settings.optimiser.momentum = try Self.number(text, Limits.momentum)
    case .weightDecay:
      settings.optimiser.weightDecay = try Self.number(text, Limits.weightDecay)
    case .crop: settings.augmentation.crop = try Self.choice(text)
    case .flip: settings.augmentation.horizontalFlip = try Self.onOrOff(text)
    case .precision: settings.precision = try Self.choice(text)
    case .splitLists: settings.split.lists = text.isEmpty ? nil : text
    case .acceptErrors: settings.safety.acceptsErrors = try Self.onOrOff(text)
    case .trainFolder, .validationFolder, .testFolder:
      var folders = settings.split.folders ?? SplitFolders()
      if let split = splitOfFolder { folders[split] = text.isEmpty ? nil : text }
      settings.split.folders = folders.orNone
    case .cache: settings.cache.isEnabled = try Self.onOrOff(text)
    case .labelSmoothing:
      settings.labelSmoothing = try Self.number(text, Limits.labelSmoothing)
    case .seed: settings.seed = try Self.number(text, Limits.seed)
    case .name:
      guard !text.contains("/"), !text.hasPrefix(".") else {
        throw Refusal(reason: "a run's name has no slash and does not begin with a dot")
      }
      settings.name = text.isEmpty ? nil : text
    }
  }

  /// Whose folder the field names.
  private var splitOfFolder: Split? {
    switch self {
    case .trainFolder: .train
    case .validationFolder: .validation
    case .testFolder: .test
    default: nil
    }
  }

  private static func onOrOff(_ text: String) throws(Refusal) -> Bool {
    guard text == "on" || text == "off" else { throw Refusal(reason: "choose on or off") }
    return text == "on"
  }

  /// A learning rate as the form and the prompt take it.
  static func learningRate(_ text: String) throws(Refusal) -> Double {
    try number(text, Limits.learningRate)
  }

  private static func number<Number>(
    _ text: String, _ setting: NumericSetting<Number>
  ) throws(Refusal) -> Number {
    do { return try setting.parse(text) } catch { throw Refusal(reason: "it must be \(error.requirement)") }
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ text: String
  ) throws(Refusal) -> Choice {
    guard let value = Choice(rawValue: text) else {
      throw Refusal(reason: "choose " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }

  private static func optional<Choice: RawRepresentable<String> & CaseIterable>(
    _ text: String
  ) throws(Refusal) -> Choice? {
    text == usual ? nil : try choice(text)
  }
}
