// Which class each output of a network stands for, where the file with its weights does not say so.

/// The order in which a program gave numbers to a dataset's classes.
public enum ClassOrder: String, Codable, Sendable, CaseIterable {
  /// Numbers in names by their value: 1, 2, 10. The order of Skipline.
  case natural
  /// Names by their characters' code points: 1, 10, 2. The order of Python's `sorted`, and so of torchvision's
  /// `ImageFolder`, of timm and Keras.
  case alphabetical

  /// The names in this order.
  /// - Parameters:
  ///   - names: in natural order.
  ///   - spelled: the names as the other program saw them, those of the folders: it sorts their code points, and an
  ///     accented letter may have been one or two of these.
  public func ordered(_ names: [String], spelled: [String]? = nil) -> [String] {
    switch self {
    case .natural: return names
    case .alphabetical:
      let spelled = spelled ?? names
      // UTF-8 keeps the order of code points.
      return names.indices.sorted { first, second in
        spelled[first].utf8.elementsEqual(spelled[second].utf8)
          ? first < second : spelled[first].utf8.lexicographicallyPrecedes(spelled[second].utf8)
      }.map { names[$0] }
    }
  }
}

/// What a person says about the outputs of a network.
public enum LabelNaming: Codable, Sendable, Equatable {
  /// They are the dataset's classes, in this order.
  case order(ClassOrder)
  /// Their names, one after the other.
  case names([String])
}
