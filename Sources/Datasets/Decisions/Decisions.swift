// What the user decided about images of a dataset, as a value. The images stay as they are. The text form is in
// Decisions+Text.swift, where it is kept in DecisionStore.swift.

import Messages
import Support

/// Decisions about the images of one dataset, by their paths below its folder. To confirm a label changes no image's
/// part in anything: it only keeps a model's doubts away.
public struct Decisions: Sendable, Equatable {
  public static let none = Decisions()

  /// What is decided about one image: it can be both excluded and of another class, and that one confirmed.
  public struct Entry: Sendable, Equatable {
    public var path: String
    public var isExcluded = false
    /// The class it shall have; nil for its folder's.
    public var className: String?
    /// The class that somebody who looked at it finds right, whatever a model thinks of it.
    public var confirmedClass: String?

    public static func == (first: Entry, second: Entry) -> Bool {
      ByteKey(first.path) == ByteKey(second.path) && first.isExcluded == second.isExcluded
        && first.className.map(ClassName.init) == second.className.map(ClassName.init)
        && first.confirmedClass.map(ClassName.init) == second.confirmedClass.map(ClassName.init)
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

  mutating func confirm(_ path: String, as className: String) {
    entries[ByteKey(path), default: Entry(path: path)].confirmedClass = ClassName.canonical(className)
  }

  /// Decides about an image what an entry of another set says.
  mutating func decide(_ path: String, as entry: Entry) {
    if entry.isExcluded { exclude(path) }
    if let name = entry.className { relabel(path, to: name) }
    if let name = entry.confirmedClass { confirm(path, as: name) }
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
      case .confirm(_, let name):
        guard label != nil else { throw .unknownImage(path: path, root: reading.root) }
        guard classes.contains(ClassName(name)) else { throw .unknownClass(name: name, known: reading.classes) }
        next.confirm(path, as: name)
      case .doubt:
        guard label != nil || before != nil else { throw .unknownImage(path: path, root: reading.root) }
        next.change(path) { $0.confirmedClass = nil }
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
    let isDecided = entry.isExcluded || entry.className != nil || entry.confirmedClass != nil
    entries[ByteKey(path)] = isDecided ? entry : nil
  }
}

extension DecisionChange {
  /// The image it is about.
  public var path: String {
    switch self {
    case .exclude(let path), .include(let path), .relabel(let path, _), .confirm(let path, _), .doubt(let path):
      path
    }
  }
}
