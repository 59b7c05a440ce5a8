// Splits as people type them: `--split 80/10/10`, or the folder of lists that `skipline split --export` wrote.

/// The textual form:
///
///     80/10/10             percent for training, validation and test
///     FOLDER               lists in a folder; images in none of them are left out
///     70/20/10:FOLDER      the same, but those are divided 70/20/10
///
/// A folder whose name looks like percentages is written `./80/10/10`; `80/10/10:80/10/10` means the same.
extension SplitSettings: CustomStringConvertible {
  /// - Throws: `SplitTextError` where the text is none of these. Whether the percentages add up and the folder is
  ///   there is not looked at.
  public init(argument: String) throws(SplitTextError) {
    if let shares = Self.shares(argument[...]) {
      self = shares
      return
    }
    if let colon = argument.firstIndex(of: ":"), var settings = Self.shares(argument[..<colon]) {
      settings.lists = String(argument[argument.index(after: colon)...])
      guard let lists = settings.lists, !lists.isEmpty else { throw SplitTextError(argument: argument) }
      // The usual shares say that more images are meant, or else only that a folder's name is none of percentages.
      let isUsual = settings == SplitSettings(lists: lists)
      if isUsual, (try? SplitSettings(argument: lists)) == settings { settings.dividesUnlisted = true }
      self = settings
      return
    }
    guard !Self.looksLikeShares(argument) else { throw SplitTextError(argument: argument) }
    self.init(lists: argument)
  }

  /// Not what was meant for a folder: "80/10", "80-10-10", "0.8/0.1/0.1", "80%:10%:10%", "nan/0/0". Whoever has a
  /// folder of such a name writes ./ in front.
  private static func looksLikeShares(_ text: String) -> Bool {
    let parts = text.split(whereSeparator: { "/,;:+ -".contains($0) })
    func isNumber(_ part: Substring) -> Bool {
      var part = part.lowercased()
      if part.hasSuffix("%") { part.removeLast() }
      return ["nan", "inf", "infinity"].contains(part)
        || part.allSatisfy { "0123456789.e".contains($0) }
          && part.contains(where: \.isNumber)
    }
    return parts.allSatisfy(isNumber) && !text.hasPrefix("./") && !text.hasPrefix("../") && !text.hasPrefix("/")
  }

  /// The textual form, from which `init(argument:)` makes the same settings but for the folders, which have options
  /// of their own.
  public var description: String {
    let shares = "\(train)/\(validation)/\(test)"
    guard let lists else { return shares }
    let usual = SplitSettings(lists: lists)
    let isPlain = (try? SplitSettings(argument: lists)) == usual
    var own = self
    (own.folders, own.groups) = (nil, nil)
    return own == usual && isPlain ? lists : "\(shares):\(lists)"
  }

  /// `80/10/10`; nil for anything else.
  private static func shares(_ text: Substring) -> SplitSettings? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard parts.count == 3, numbers.count == 3 else { return nil }
    return SplitSettings(train: numbers[0], validation: numbers[1], test: numbers[2])
  }
}

/// A text that is no split.
public struct SplitTextError: Error, Equatable, Sendable, CustomStringConvertible {
  public var argument: String

  public init(argument: String) { self.argument = argument }

  /// In words that follow the text itself.
  public var reason: String {
    "these are not percentages; write three whole numbers that add up to 100 with / between them, such as 80/10/10, "
      + "or the folder of lists that 'skipline split --export' wrote (one whose name looks like numbers as ./NAME)"
  }

  public var description: String { "--split \(argument): \(reason)" }
}
