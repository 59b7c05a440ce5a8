// Network settings as the options of a command, and numbers as they are typed there.

extension NetworkSettings {
  /// The options that differ from the network's defaults.
  public var optionWords: [String] {
    var words: [String] = []
    if let shortcut { words += ["--shortcut", shortcut.rawValue] }
    if zeroPlacement != .split { words += ["--zeros", zeroPlacement.rawValue] }
    if let version { words += ["--block", version.rawValue] }
    if let stem { words += ["--stem", stem.rawValue] }
    if widthMultiplier != 1 { words += ["--width", plainNumber(widthMultiplier)] }
    if head != .standard { words += ["--head", head.rawValue] }
    return words
  }
}

/// The shortest text that reads back to the same number; whole numbers without a point.
public func plainNumber(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
