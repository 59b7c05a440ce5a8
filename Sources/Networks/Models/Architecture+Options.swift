// Which options mean something for which network. What means nothing is refused where a person asks for it, instead of
// being dropped in silence.

import Messages

extension Architecture {
  /// What of it depends on the image's size is only the stem.
  private var blocks: BlockDefaults? { network.blockDefaults(imageSize: network.usual.imageSize) }

  /// Whether it is made of blocks.
  public var hasBlocks: Bool { blocks != nil }

  /// Whether inputs are added to the outputs of blocks.
  public var hasShortcuts: Bool { blocks?.shortcut != nil }

  /// Whether blocks can be left out in training.
  public var hasResidualBlocks: Bool { network.hasResidualBlocks }

  /// Whether it has a form with a whitened first layer.
  public var canBeWhitened: Bool { network.canBeWhitened }

  /// Whether the same weights fit images of another size.
  public var takesAnySize: Bool { network.takesAnySize }

  /// The settings with the family's defaults filled in, and without options that mean nothing for it: two settings of
  /// one network are equal then.
  public func resolved(_ settings: NetworkSettings, imageSize: Int) -> NetworkSettings {
    var resolved = settings
    let blocks = network.blockDefaults(imageSize: imageSize)
    resolved.shortcut = blocks?.shortcut.map { settings.shortcut ?? $0 }
    resolved.version = blocks.map { settings.version ?? $0.version }
    resolved.stem = blocks.map { settings.stem ?? $0.stem }
    if !canBeWhitened { resolved.isWhitened = false }
    if !hasResidualBlocks { resolved.dropPath = 0 }
    if resolved.shortcut != .zeroPadding { resolved.zeroPlacement = .split }
    if resolved.version == .v1_5, blocks?.hasBottlenecks != true { resolved.version = .v1 }
    return resolved
  }

  /// - Throws: `NetworkError.unsupported` for an option that is given and means nothing, or `NetworkError.unknownName`.
  public static func check(_ settings: NetworkSettings) throws {
    let architecture = try Architecture(name: settings.name)
    func refuse(_ option: String, _ reason: String) -> NetworkError {
      .unsupported("\(option) means nothing for \(settings.name), \(reason): leave it out")
    }
    if let version = settings.version {
      guard architecture.hasBlocks else { throw refuse("--block \(version.rawValue)", "which has no blocks") }
      guard version != .v1_5 || architecture.blocks?.hasBottlenecks == true else {
        throw refuse(
          "--block v1.5", "whose blocks have no 1x1 convolution to take the stride from (v1 is the same)")
      }
    }
    if let stem = settings.stem, !architecture.hasBlocks {
      throw refuse("--stem \(stem.rawValue)", "whose first layers are always the same")
    }
    if let shortcut = settings.shortcut, !architecture.hasShortcuts {
      throw refuse("--shortcut \(shortcut.rawValue)", "which has no shortcuts")
    }
    if settings.isWhitened, !architecture.canBeWhitened {
      throw refuse("--whiten", "whose first layer learns")
    }
    if settings.dropPath > 0, !architecture.hasResidualBlocks {
      throw refuse("--drop-path \(settings.dropPath)", "which has no shortcuts")
    }
    guard settings.zeroPlacement != .split else { return }
    try checkPlacement(settings)
  }

  /// - Throws: `NetworkError.unsupported` where no zero channels are placed.
  public static func checkPlacement(_ settings: NetworkSettings) throws {
    let architecture = try Architecture(name: settings.name)
    let option = "--zeros \(settings.zeroPlacement.rawValue)"
    guard architecture.hasShortcuts else {
      throw NetworkError.unsupported(
        "\(option) means nothing for \(settings.name), which has no shortcuts: leave it out")
    }
    // No default of a shortcut depends on the size.
    let shortcut = architecture.resolved(settings, imageSize: 32).shortcut
    guard shortcut == .zeroPadding else {
      throw NetworkError.unsupported(
        "\(option) means nothing for \(settings.name) with shortcut \(shortcut?.rawValue ?? "B"), which puts no zeros: "
          + "leave it out, or add --shortcut A")
    }
  }
}
