// What the user decided about images of a dataset, as a value. The images stay as they are. The text form is in
// Decisions+Text.swift, where it is kept in DecisionStore.swift.

import Messages

/// Decisions about the images of one dataset, by their paths below its folder.
public struct Decisions: Sendable, Equatable {
  public static let none = Decisions()

  /// What is decided about one image: it can be both excluded and of another class.
  public struct Entry: Sendable, Equatable {
    public var path: String
    public var isExcluded = false
    /// The class it shall have; nil for its folder's.
    public var className: String?

    public static func == (first: Entry, second: Entry) -> Bool {
      ByteKey(first.path) == ByteKey(second.path) && first.isExcluded == second.isExcluded
        && first.className.map(ClassName.init) == second.className.map(ClassName.init)
    }
  }

  private var entries: [ByteKey: Entry] = [:]

  public var isEmpty: Bool { entries.isEmpty }

  /// All of them, in natural order of the path.
  public var list: [Entry] { entries.values.sorted { NaturalOrder.precedes($0.path, $1.path) } }

  public subscript(path: String) -> Entry? { entries[ByteKey(path)] }

  mutating func exclude(_ path: String) {
    entries[ByteKey(path), default: Entry(path: path)].isExcluded = true
  }

  mutating func relabel(_ path: String, to className: String) {
    entries[ByteKey(path), default: Entry(path: path)].className = ClassName.canonical(className)
  }

  mutating func remove(path: String) -> Entry? { entries.removeValue(forKey: ByteKey(path)) }

  /// Makes changes, all or, where one cannot be made, none.
  ///
  /// Including an image that is gone drops everything that was decided about it.
  /// - Parameter reading: says which images and classes there are.
  /// - Returns: for each change, whether it changed anything.
  /// - Throws: `DatasetError.unknownImage` for a path that is no image and about which nothing is decided,
  ///   `.unknownClass`.
  @discardableResult
  public mutating func apply(
    _ changes: [DecisionChange], to reading: ScannedDataset
  ) throws(DatasetError) -> [Bool] {
    let labels = Dictionary(
      reading.items.map { (ByteKey($0.path), $0.label) }, uniquingKeysWith: { first, _ in first })
    let classes = Set(reading.classes.map(ClassName.init))
    var next = self
    var changed: [Bool] = []
    for change in changes {
      let path = change.path
      let label = labels[ByteKey(path)]
      let before = next[path]
      switch change {
      case .exclude:
        guard label != nil else { throw .unknownImage(path: path, root: reading.root) }
        next.exclude(path)
      case .include:
        guard label != nil || before != nil else { throw .unknownImage(path: path, root: reading.root) }
        if label == nil { _ = next.remove(path: path) }
        next.change(path) { $0.isExcluded = false }
      case .relabel(_, let name):
        guard let label else { throw .unknownImage(path: path, root: reading.root) }
        guard classes.contains(ClassName(name)) else { throw .unknownClass(name: name, known: reading.classes) }
        let isOwn = ClassName(name) == ClassName(reading.classes[label])
        if isOwn { next.change(path) { $0.className = nil } } else { next.relabel(path, to: name) }
      }
      changed.append(next[path] != before)
    }
    self = next
    return changed
  }

  /// Changes what is decided about an image, if anything is, and forgets it when nothing is left.
  private mutating func change(_ path: String, _ body: (inout Entry) -> Void) {
    guard var entry = entries[ByteKey(path)] else { return }
    body(&entry)
    entries[ByteKey(path)] = entry.isExcluded || entry.className != nil ? entry : nil
  }
}

extension DecisionChange {
  /// The image it is about.
  public var path: String {
    switch self {
    case .exclude(let path), .include(let path), .relabel(let path, _): path
    }
  }
}
