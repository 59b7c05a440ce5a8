// Which image of a dataset a person means who names a file.

import Files
import Messages

/// Finds images by names: paths below the dataset's folder, or any path that leads into it.
public struct ImagePaths {
  private let root: String
  private let classes: [String]
  private var labels: [ByteKey: Int] = [:]
  private var known: Set<ByteKey>

  /// - Parameter decisions: what is decided about files that are gone can be named too.
  public init(_ reading: DatasetReading, _ decisions: Decisions) {
    root = reading.root
    classes = reading.classes
    for item in reading.items { labels[ByteKey(item.path)] = item.label }
    known = Set(labels.keys)
    for entry in decisions.list { known.insert(ByteKey(entry.path)) }
  }

  /// The path below the dataset's folder: the name itself where that is one, else what is left of a path that leads
  /// into the folder; the name as it is where nothing of the kind is known.
  public func path(of name: String) -> String {
    if known.contains(ByteKey(name)) { return name }
    guard let path = FilePath.relative(name, below: root), known.contains(ByteKey(path)) else { return name }
    return path
  }

  /// The class of an image's folder; nil for a file that is gone.
  public func ownClass(of path: String) -> String? { labels[ByteKey(path)].map { classes[$0] } }
}
