// Which class each output of a network stands for, where the file with its weights does not say so.

/// The order in which a program gave numbers to a dataset's classes.
public enum ClassOrder: String, Codable, Sendable, CaseIterable {
  /// Numbers in names by their value: 1, 2, 10. The order of Skipline.
  case natural
  /// Names by their characters' code points: 1, 10, 2. The order of Python's `sorted`, and so of torchvision's
  /// `ImageFolder`, of timm and Keras.
  case alphabetical

  /// The names in this order.
  /// - Parameter names: in natural order.
  public func ordered(_ names: [String]) -> [String] {
    switch self {
    case .natural: names
    // UTF-8 keeps the order of code points.
    case .alphabetical: names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
  }
}

/// What a person says about the outputs of a network.
public enum LabelNaming: Codable, Sendable, Equatable {
  /// They are the dataset's classes, in this order.
  case order(ClassOrder)
  /// Their names, one after the other.
  case names([String])

  /// The option that says it.
  public var optionWords: [String] {
    switch self {
    case .order(let order): ["--class-order", order.rawValue]
    case .names(let names):
      ["--classes", names.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",")]
    }
  }
}
