// The chooser of a class for an image: what was typed, and which classes it leaves.

import Messages

/// A list of classes narrowed by typing.
struct ClassChooser: SearchableList, Sendable, Equatable {
  /// The image, below the dataset's folder.
  let path: String
  /// The class that it counts for now; it is not offered.
  let current: String
  /// The class of its folder where that is another: choosing it takes the relabeling back.
  let original: String?
  let names: [String]
  /// More images for the same class, with the classes that they have now.
  var others: [Image] = []
  /// The class of the first one, where they have different ones and all are offered.
  var firstCurrent: String?

  struct Image: Sendable, Equatable {
    var path: String
    var current: String
  }

  /// All that are to be given the class.
  var images: [Image] { [Image(path: path, current: firstCurrent ?? current)] + others }

  private(set) var text = ""
  var list: BrowsableList

  /// - Parameter likely: the class to begin on.
  init(path: String, current: String, original: String?, classes: [String], likely: String?) {
    self.path = path
    self.current = current
    self.original = original
    names = classes.filter { ClassName($0) != ClassName(current) }
    list = BrowsableList(total: names.count)
    if let likely, let index = names.firstIndex(where: { ClassName($0) == ClassName(likely) }) {
      list.select(item: index)
    }
  }

  var selected: String? { list.selectedItem.map { names[$0] } }

  mutating func narrow(to text: String) {
    self.text = text
    list.narrow(to: text) { names[$0] }
  }
}
