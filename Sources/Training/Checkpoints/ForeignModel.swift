// A file of weights as its user describes it: which network, which input, and which class each output stands for.

import Datasets
import Files
import Messages
import Networks
import WeightFiles

/// What is said about a file that does not describe itself.
public struct ForeignModel {
  public var network: NetworkRequest
  /// nil for what is usual for the network.
  public var imageSize: Int?
  public var resize: PreprocessingSettings.Resize?
  /// nil for black, where images are padded.
  public var padColor: PadColor?
  /// nil for white.
  public var background: Background?
  /// Means and standard deviations of the channels, 0...1; nil for ImageNet's.
  public var normalization: PreprocessingSettings.Normalization?
  public var naming: LabelNaming?

  /// Of torchvision's networks: the side of their images, and the channels' means and deviations on ImageNet.
  public static let imageSize = 224
  /// Of networks for small images.
  private static let smallImageSize = 32
  public static let normalization = PreprocessingSettings.Normalization.given(
    mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

  public init(
    network: NetworkRequest = NetworkRequest(), imageSize: Int? = nil,
    resize: PreprocessingSettings.Resize? = nil, padColor: PadColor? = nil, background: Background? = nil,
    normalization: PreprocessingSettings.Normalization? = nil, naming: LabelNaming? = nil
  ) {
    self.network = network
    self.imageSize = imageSize
    self.resize = resize
    self.padColor = padColor
    self.background = background
    self.normalization = normalization
    self.naming = naming
  }

  /// The side of the images that a network usually has: a small stem is for small ones.
  public static func imageSize(for network: NetworkSettings) -> Int {
    guard let usual = try? Architecture(name: network.name).usual.imageSize else { return imageSize }
    return network.stem == .small ? min(usual, smallImageSize) : usual
  }

  /// The description of a file: its network is what its arrays are of, and what is not said of its input is usual for
  /// that network.
  ///
  /// A file that describes itself is believed, and what is said besides must be the same.
  /// - Parameters:
  ///   - path: of the file.
  ///   - data: the dataset whose classes its outputs stand for, unless they are named.
  ///   - folders: of the dataset, where they were named.
  ///   - tell: told what the file is taken for.
  /// - Throws: `SettingsError` where the order of the classes is not known, or what is said is not so; `DatasetError`,
  ///   `CheckpointError`, `SafetensorsError`, `NetworkError`.
  public func description(
    of path: String, data: String?, folders: SplitFolders? = nil, tell: (String) -> Void = { _ in }
  ) throws -> ModelDescription {
    let outline = try WeightsFile.outline(of: path)
    if let own = try Checkpoint.model(outline) {
      try compare(own, path: path, data: data, folders: folders)
      return own
    }
    let found = try outline.network(network)
    let size = imageSize ?? Self.imageSize(for: found.settings)
    let preprocessing = try Preprocessing(
      resolving: PreprocessingSettings(
        imageSize: size, resize: resize ?? .automatic, padColor: padColor, background: background ?? .white,
        normalization: normalization ?? Self.normalization),
      items: [], root: "")
    guard let outputs = found.classes else {
      throw CheckpointError.doesNotFit(
        path: path, reason: "it has no classifier: start a run from it with train --weights")
    }
    let named = naming == nil ? NamedOutputs(outline.metadata, outputs: outputs) : nil
    let classes = try named?.names ?? classes(path: path, data: data, folders: folders)
    guard outputs == classes.count else {
      throw CheckpointError.doesNotFit(
        path: path,
        reason: "it tells \(outputs) classes apart, and \(classes.count) are named: name as many, with --classes")
    }
    tell("\(path) looks like \(found.text)")
    if let text = found.readingText { tell("\(path): \(text)") }
    if let named { tell("\(path) names its classes itself, as '\(named.key)'") }
    let unsaid = [
      imageSize == nil ? "images of \(size) pixels" : nil,
      normalization == nil
        ? "mean \(Self.text(preprocessing.mean)), std \(Self.text(preprocessing.std))" : nil,
    ].compactMap { $0 }
    if !unsaid.isEmpty {
      tell(
        "\(path) does not say what input it expects: \(unsaid.joined(separator: ", ")), as usual for "
          + "\(found.settings.name); --imgsz, --mean and --std say otherwise")
    }
    if normalization == nil, let note = try Architecture(name: found.settings.name).inputNote {
      tell("\(path): \(note)")
    }
    return ModelDescription(network: found.settings, classes: classes, preprocessing: preprocessing)
  }

  private static func text(_ values: [Float]) -> String {
    Settings.mean.kind.text(of: Channels(values: values))
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
      SettingsError("\(path) says itself that \(what), and not \(said): leave out what says otherwise")
    }
    let plan = try own.plan()
    let request = try network.applied(
      to: network.name.map { try Architecture(name: $0) == Architecture(name: plan.settings.name) } ?? true
        ? plan.settings : NetworkSettings(name: network.name ?? plan.settings.name))
    let asked = try NetworkPlan(request, imageSize: own.preprocessing.imageSize, classes: own.classes.count)
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
    if case .given(let mean, let std)? = normalization,
      mean != own.preprocessing.mean || std != own.preprocessing.std
    {
      throw refuse(
        "its channels have mean \(Self.text(own.preprocessing.mean)) and std \(Self.text(own.preprocessing.std))",
        "\(Self.text(mean)) and \(Self.text(std))")
    }
    guard naming != nil else { return }
    let said = try classes(path: path, data: data, folders: folders)
    guard said == own.classes else {
      throw refuse(
        "its classes are \(own.classes.joined(separator: ", "))", said.joined(separator: ", "))
    }
  }
}
