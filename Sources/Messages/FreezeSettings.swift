// Which layers of a run keep the weights that they begin with, and for how long, with the notation of `--freeze`. What
// the names of layers mean to a network is in Networks.

/// Layers that are not trained: their weights stay, their batch norms use the running statistics and leave them alone.
public struct FreezeSettings: Codable, Sendable, Equatable {
  /// `none`; `backbone`, everything but the last dense layer; or the last part that is frozen, with all before it: `stem`,
  /// `layer2`, `layer3.1`, `features.10`.
  public var layers: String
  /// Epochs after which everything is trained; nil for never.
  public var epochs: Int?

  public init(layers: String, epochs: Int? = nil) {
    self.layers = layers
    self.epochs = epochs
  }

  public static let none = FreezeSettings(layers: "none")
  public static let backbone = "backbone"

  public var freezes: Bool { layers != Self.none.layers }

  /// Whether layers are frozen in an epoch.
  /// - Parameter epoch: epochs done before it.
  public func isFrozen(epoch: Int) -> Bool { freezes && epoch < epochs ?? .max }
}

extension FreezeSettings: CustomStringConvertible {
  /// Reads `none`, `backbone`, `layer2` or, with the epochs, `backbone:5`.
  /// - Throws: `SettingRefusal`.
  public init(argument: String) throws(SettingRefusal) {
    let expected = "write none, backbone or the last layers to freeze, as stem or layer2; with epochs, backbone:5"
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count), !parts[0].isEmpty else { throw SettingRefusal(expected) }
    layers = parts[0]
    guard parts.count > 1 else { return }
    guard freezes else { throw SettingRefusal("nothing is frozen, so no epochs go with it: write none") }
    do { epochs = try Limits.frozenEpochs.parse(parts[1]) } catch {
      throw SettingRefusal("the epochs after the colon must be \(Limits.frozenEpochs.range.requirement)")
    }
  }

  /// The text that `init(argument:)` reads.
  public var description: String { layers + (epochs.map { ":\($0)" } ?? "") }

  /// - Throws: `OutOfRange`.
  func checkNumbers(at place: String?) throws(OutOfRange) {
    try Limits.frozenEpochs.check(epochs, at: place.map { "\($0).epochs" })
  }
}
