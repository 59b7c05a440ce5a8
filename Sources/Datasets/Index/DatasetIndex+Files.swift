// The image files of any folder, classes or not: what `predict` takes.

extension DatasetIndex {
  /// Every image file anywhere below a folder, in natural order, with the folder's path in front. Hidden and special
  /// files are left out, as in a dataset.
  public static func imageFiles(below folder: String) -> [String] {
    var walker = FolderWalker(root: folder)
    do {
      try walker.walk(
        [ClassFolder(name: "", path: ".", part: nil, isLink: false)], progress: { _ in }, isCancelled: { false })
    } catch {
      preconditionFailure("walking ends early only when it is cancelled")
    }
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    return walker.files.map { prefix + $0.path.dropFirst("./".count) }.sorted { NaturalOrder.precedes($0, $1) }
  }
}
