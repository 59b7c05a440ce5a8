// Which image of a dataset a person means who names a file.

import Files
import Messages

/// Finds images by names: paths below the dataset's folder, or any path that leads into it.
public struct ImagePaths {
  private let root: String
  private let classes: [String]
  private let labels: [Int]
  private let splits: [Split]
  private var table: PathTable

  /// - Parameter decisions: what is decided about files that are gone can be named too.
  public init(_ reading: ScannedDataset, _ decisions: Decisions) {
    root = reading.root
    classes = reading.classes
    labels = reading.items.map(\.label)
    splits = reading.items.map(\.split)
    let here = Set(reading.items.map { ByteKey($0.path) })
    let gone = decisions.list.map(\.path).filter { !here.contains(ByteKey($0)) }
    table = PathTable(reading.items.map(\.path) + gone)
  }

  /// The path below the dataset's folder: the name itself where that is one, or another Unicode spelling of one, else
  /// what is left of a path that leads into the folder; the name as it is where nothing of the kind is known.
  public mutating func path(of name: String) -> String {
    if let place = table.place(of: name) { return table.paths[place] }
    guard let path = FilePath.relative(name, below: root), let place = table.place(of: path) else { return name }
    return table.paths[place]
  }

  /// The split of an image; nil for a file that is gone.
  public func split(of path: String) -> Split? {
    table.place(exactly: path).flatMap { $0 < splits.count ? splits[$0] : nil }
  }

  /// The class of an image's folder; nil for a file that is gone.
  public func ownClass(of path: String) -> String? {
    table.place(exactly: path).flatMap { $0 < labels.count ? classes[labels[$0]] : nil }
  }
}
