// The validation images that are hardest for the network of the run under way, as they are looked at. Each validation
// brings other ones; while one image is open it stays, and so do its figures.

import Messages

/// The hardest images of the newest validation.
struct HardestState: Sendable, Equatable {
  /// nil before the first validation, and without a run.
  private(set) var details: ValidationDetails?
  /// One that came while an image was open.
  private var newer: ValidationDetails?
  var list = BrowsableList()
  /// Whether one image fills the view.
  private(set) var isSingle = false
  /// The first line of pictures in view.
  var top = 0
  /// Whether the person chose another view: the next validation does not bring them here.
  var isLeft = false

  var selected: HardImage? {
    list.selectedItem.flatMap { place in
      details.flatMap { $0.hardest.indices.contains(place) ? $0.hardest[place] : nil }
    }
  }

  /// Takes in a validation. Who has moved stays on the image, where it is still among the hardest.
  mutating func take(_ new: ValidationDetails) {
    guard !isSingle else {
      newer = new
      return
    }
    let path = list.selected > 0 ? selected?.path : nil
    details = new
    newer = nil
    top = 0
    list.reset(total: new.hardest.count)
    if let path, let place = new.hardest.firstIndex(where: { $0.path.hasSameBytes(as: path) }) {
      list.select(place, page: 1)
    }
  }

  mutating func open() { isSingle = selected != nil }

  /// Back to the sheet, and to the newest validation.
  mutating func close() {
    isSingle = false
    if let newer { take(newer) }
  }
}
