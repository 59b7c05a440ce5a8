// When two names are the same class. A name may be spelled in several ways that look the same: an accented letter as
// one scalar (NFC, as most systems write it) or as a letter and an accent (NFD, as a Mac's archives do). File systems
// keep them apart, people do not. So a class has one name everywhere, in NFC (Unicode Standard Annex 15); paths keep
// their exact bytes. Names that are no UTF-8 have no canonical form and stay as they are.

// The standard library composes names for its own comparisons, and shows it to Foundation alone, under this name.
@_spi(_Unicode) import Swift
import Support

/// A class's name in its canonical form: equal names are one class, and equal names have the same bytes.
public struct ClassName: Hashable, Sendable, CustomStringConvertible {
  /// The canonical form.
  public let text: String

  public init(_ name: String) { text = Self.canonical(name) }

  public var description: String { text }

  /// A name in the form in which it is compared, stored and shown.
  public static func canonical(_ name: String) -> String {
    if name.utf8.allSatisfy({ $0 < 0x80 }) || name.hasEscapedPathBytes { return name }
    var composed = String.UnicodeScalarView()
    composed.append(contentsOf: name._nfc)
    return String(composed)
  }

  public static func == (first: ClassName, second: ClassName) -> Bool {
    // By bytes: `==` would compare parts of names that are no UTF-8 by their canonical form.
    first.text.utf8.elementsEqual(second.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}

/// The labels of classes by their names.
public struct ClassLabels: Sendable {
  private var labels: [ClassName: Int] = [:]
  /// Names that more than one label has, in two spellings or in one.
  public private(set) var ambiguous: Set<ClassName> = []

  /// - Parameter classes: names in the order of the labels.
  public init(_ classes: [String]) {
    for (label, name) in classes.enumerated() {
      let name = ClassName(name)
      if labels[name] == nil { labels[name] = label } else { ambiguous.insert(name) }
    }
  }

  /// The label of a class, the first where several have its name; nil for an unknown one.
  public subscript(name: String) -> Int? { labels[ClassName(name)] }
}
