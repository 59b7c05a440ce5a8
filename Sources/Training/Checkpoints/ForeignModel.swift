// A file of weights as its user describes it: which network, which input, and which class each output stands for.

import Datasets
import Files
import Messages
import Networks

/// What is said about a file that does not describe itself.
public struct ForeignModel {
  public var network: NetworkSettings
  /// nil for torchvision's: 224 pixels.
  public var imageSize: Int?
  public var resize: PreprocessingSettings.Resize?
  /// nil for black, where images are padded.
  public var padColor: PadColor?
  /// nil for white.
  public var background: Background?
  public var naming: LabelNaming?

  /// Of torchvision's networks: the side of their images, and the channels' means and deviations on ImageNet.
  public static let imageSize = 224
  public static let normalization = PreprocessingSettings.Normalization.given(
    mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

  public init(
    network: NetworkSettings, imageSize: Int? = nil, resize: PreprocessingSettings.Resize? = nil,
    padColor: PadColor? = nil, background: Background? = nil, naming: LabelNaming? = nil
  ) {
    self.network = network
    self.imageSize = imageSize
    self.resize = resize
    self.padColor = padColor
    self.background = background
    self.naming = naming
  }

  /// The description of a file. Normalization is torchvision's, as its weights expect.
  ///
  /// A file that describes itself is believed, and what is said besides must be the same.
  /// - Parameters:
  ///   - path: of the file.
  ///   - data: the dataset whose classes its outputs stand for, unless they are named.
  ///   - folders: of the dataset, where they were named.
  /// - Throws: `SettingsError` where the order of the classes is not known, or what is said is not so; `DatasetError`,
  ///   `CheckpointError`, `SafetensorsError`, `NetworkError`.
  public func description(
    of path: String, data: String?, folders: SplitFolders? = nil
  ) throws -> ModelDescription {
    if let own = try Checkpoint.model(path: path) {
      try compare(own, path: path, data: data, folders: folders)
      return own
    }
    let size = imageSize ?? Self.imageSize
    let preprocessing = try Preprocessing(
      resolving: PreprocessingSettings(
        imageSize: size, resize: resize ?? .automatic, padColor: padColor, background: background ?? .white,
        normalization: Self.normalization),
      items: [], root: "")
    return ModelDescription(
      network: network, classes: try classes(path: path, data: data, folders: folders), preprocessing: preprocessing
    )
  }

  private func classes(path: String, data: String?, folders: SplitFolders?) throws -> [String] {
    if case .names(let names)? = naming { return names }
    guard let data else {
      throw SettingsError(
        "\(path) does not say which classes it knows: name them with --classes, or their dataset with --data")
    }
    let index = try DatasetIndex.open(root: data, split: SplitSettings(folders: folders))
    // A class that may not be read would be missing among the outputs.
    if let closed = index.unread.first(where: { $0.kind == .unreadableFolder }) {
      throw SettingsError(
        "\(data) does not tell all of its classes: \(closed.message); \(closed.advice), or name them with --classes"
      )
    }
    let names = index.classes
    if case .order(let order)? = naming { return try index.ordered(order) }
    let other = try index.ordered(.alphabetical)
    guard let place = names.indices.first(where: { names[$0] != other[$0] }) else { return names }
    func listed(_ names: [String]) -> String {
      let start = max(0, min(place - 1, names.count - 4))
      return (start > 0 ? "... " : "") + names[start...].prefix(4).joined(separator: ", ")
        + (start + 4 < names.count ? " ..." : "")
    }
    throw SettingsError(
      "\(path) does not say in which order it was taught the classes of \(data): as numbers (\(listed(names))) or as "
        + "text (\(listed(other))), as torchvision's ImageFolder sorts them; say --class-order alphabetical for a file "
        + "of PyTorch's, --class-order natural, or name them with --classes")
  }

  /// - Throws: `SettingsError`.
  private func compare(
    _ own: ModelDescription, path: String, data: String?, folders: SplitFolders?
  ) throws {
    func refuse(_ what: String, _ said: String) -> SettingsError {
      SettingsError("\(path) says itself that \(what), and not \(said): leave out --net and what goes with it")
    }
    let plan = try own.plan()
    let asked = try NetworkPlan(network, imageSize: own.preprocessing.imageSize, classes: own.classes.count)
      .settings
    guard asked.isSameNetwork(as: plan.settings) else {
      throw refuse(
        "it is \(plan.settings.name)\(plan.settings.optionText)", "\(asked.name)\(asked.optionText)")
    }
    if let imageSize, imageSize != own.preprocessing.imageSize {
      throw refuse("its images have \(own.preprocessing.imageSize) pixels a side", "\(imageSize)")
    }
    if let resize, resize != .automatic, resize.rawValue != own.preprocessing.resize.rawValue {
      throw refuse("its images are resized by \(own.preprocessing.resize.rawValue)", resize.rawValue)
    }
    if let padColor, padColor != own.preprocessing.padColor {
      throw refuse(
        own.preprocessing.padColor.map { "its images are padded with \($0)" } ?? "its images are not padded",
        "with \(padColor)")
    }
    if let background, background != own.preprocessing.background {
      throw refuse("what is transparent is laid on \(own.preprocessing.background)", "\(background)")
    }
    guard naming != nil else { return }
    let said = try classes(path: path, data: data, folders: folders)
    guard said == own.classes else {
      throw refuse(
        "its classes are \(own.classes.joined(separator: ", "))", said.joined(separator: ", "))
    }
  }
}
