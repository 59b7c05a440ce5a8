// Which options mean something for which network. What means nothing is refused where a person asks for it, instead of
// being dropped in silence.

import Messages

extension Architecture {
  /// What of it depends on the image's size is only the stem.
  private var blocks: BlockDefaults? { network.blockDefaults(imageSize: network.usual.imageSize) }

  /// Whether it is made of blocks.
  public var hasBlocks: Bool { blocks != nil }

  /// Whether blocks are of three convolutions, the first and last 1x1.
  public var hasBottlenecks: Bool { blocks?.hasBottlenecks == true }

  /// Whether inputs are added to the outputs of blocks.
  public var hasShortcuts: Bool { blocks?.shortcut != nil }

  /// Whether blocks can be left out in training.
  public var hasResidualBlocks: Bool { network.hasResidualBlocks }

  /// Whether it has a form with a whitened first layer.
  public var canBeWhitened: Bool { network.canBeWhitened }

  /// Whether it has a form with auxiliary heads.
  public var canHaveHeads: Bool { !network.auxiliaryHeads.isEmpty }

  /// Whether the same weights fit images of another size.
  public var takesAnySize: Bool { network.takesAnySize }

  /// The settings with the family's defaults filled in, and without options that mean nothing for it: two settings of
  /// one network are equal then.
  public func resolved(_ settings: NetworkSettings, imageSize: Int) -> NetworkSettings {
    var resolved = settings
    let blocks = network.blockDefaults(imageSize: imageSize)
    if let variant = settings.variant.flatMap(network.options(of:)) {
      (resolved.shortcut, resolved.zeroPlacement) = (variant.shortcut, variant.zeroPlacement)
      (resolved.version, resolved.head) = (variant.version, variant.head)
    } else {
      resolved.variant = nil
    }
    resolved.shortcut = blocks?.shortcut.map { resolved.shortcut ?? $0 }
    resolved.version = blocks.map { resolved.version ?? $0.version }
    resolved.stem = blocks.map { settings.stem ?? $0.stem }
    resolved.dropout = network.dropout.map { settings.dropout ?? $0 }
    resolved.stemWidth = blocks.flatMap { blocks in
      settings.stemWidth.flatMap { $0 == settings.width(blocks.stemChannels) ? nil : $0 }
    }
    // None is said by silence.
    resolved.auxiliaryHeads = canHaveHeads && settings.auxiliaryHeads == true ? true : nil
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
    if let variant = settings.variant {
      guard let fixed = architecture.network.options(of: variant) else {
        throw refuse("--variant \(variant.rawValue)", "which has no such variant")
      }
      try check(settings, variant, fixed)
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
    if let width = settings.stemWidth, !architecture.hasBlocks {
      throw refuse("--stem-width \(width)", "whose first layers are always the same")
    }
    if let shortcut = settings.shortcut, !architecture.hasShortcuts {
      throw refuse("--shortcut \(shortcut.rawValue)", "which has no shortcuts")
    }
    if let dropout = settings.dropout {
      guard let usual = architecture.network.dropout else {
        throw refuse("--dropout \(dropout)", "which has none of its own")
      }
      // Of residual networks, only blocks in pre-activation order have a place for it.
      guard usual > 0 || dropout == 0 || (settings.version ?? .v2) == .v2 else {
        throw refuse("--dropout \(dropout)", "whose blocks have it in v2 alone")
      }
    }
    if settings.isWhitened, !architecture.canBeWhitened {
      throw refuse("--whiten", "whose first layer learns")
    }
    if settings.auxiliaryHeads == true, !architecture.canHaveHeads {
      throw refuse("--aux-heads", "which has none")
    }
    if settings.dropPath > 0, !architecture.hasResidualBlocks {
      throw refuse("--drop-path \(settings.dropPath)", "which has no shortcuts")
    }
    guard settings.zeroPlacement != .split else { return }
    try checkPlacement(settings)
  }

  /// - Throws: `NetworkError.unsupported` for an option that says otherwise than the variant.
  private static func check(
    _ settings: NetworkSettings, _ variant: NetworkVariant, _ fixed: VariantOptions
  ) throws {
    func refuse(_ option: String, _ has: String) -> NetworkError {
      .unsupported("\(option) contradicts --variant \(variant.rawValue), which has \(has): leave one of them out")
    }
    if let shortcut = settings.shortcut, shortcut != fixed.shortcut {
      throw refuse("--shortcut \(shortcut.rawValue)", "shortcut \(fixed.shortcut.rawValue)")
    }
    if let version = settings.version, version != fixed.version {
      throw refuse("--block \(version.rawValue)", "block \(fixed.version.rawValue)")
    }
    if settings.zeroPlacement != .split, settings.zeroPlacement != fixed.zeroPlacement {
      throw refuse("--zeros \(settings.zeroPlacement.rawValue)", "zeros \(fixed.zeroPlacement.rawValue)")
    }
  }

  /// For a head that was asked for, also the usual one.
  /// - Throws: `NetworkError.unsupported` where the variant has another.
  public static func checkHead(_ settings: NetworkSettings) throws {
    let network = try Architecture(name: settings.name).network
    guard let variant = settings.variant, let fixed = network.options(of: variant), settings.head != fixed.head
    else { return }
    throw NetworkError.unsupported(
      "--head \(settings.head.rawValue) contradicts --variant \(variant.rawValue), which has the "
        + "\(fixed.head.rawValue) head: leave one of them out")
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
