// Which settings of a run nobody has chosen, so that the recipe does. What it chooses, and why, is in Training/Recipe.

/// Whether what is not given is chosen from the data.
public enum RecipeUse: String, Codable, Sendable, CaseIterable {
  case auto
  case none
}

/// The settings that are left to the recipe, by their options.
public struct AutomaticSettings: Codable, Sendable, Hashable {
  /// What stands for "left to the recipe", in the form and on the command line.
  public static let word = "auto"

  public static let none = AutomaticSettings([])
  /// Every setting that the recipe can choose.
  public static let all = AutomaticSettings(Settings.all.filter(\.mayBeAutomatic).map(\.option))

  private var options: Set<String>

  init(_ options: some Sequence<String>) { self.options = Set(options) }

  public var isEmpty: Bool { options.isEmpty }

  /// - Parameter option: without dashes.
  public func contains(_ option: String) -> Bool { options.contains(option) }

  public func contains<Kind>(_ row: Setting<Kind>) -> Bool { contains(row.option) }

  public mutating func insert(_ option: String) { options.insert(option) }
  public mutating func remove(_ option: String) { options.remove(option) }

  /// In an order of its own, so that a record is always the same.
  public func encode(to encoder: any Encoder) throws { try options.sorted().encode(to: encoder) }

  public init(from decoder: any Decoder) throws { self.init(try [String](from: decoder)) }
}
