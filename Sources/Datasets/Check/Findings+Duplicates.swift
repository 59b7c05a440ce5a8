// Findings about files with the same bytes: one for each group, of the most severe kind that it is.

import Messages

extension DatasetIndex {
  /// - Parameter groups: indices in `items` of identical files.
  func duplicateFindings(_ groups: [[Int]]) -> [DatasetFinding] {
    groups.map { group in
      let images = ImageGroup(items: group.map { items[$0] }, classes: classes)
      let first = images.items[0].path
      if images.labels.count > 1 {
        return DatasetFinding(
          kind: .labelConflict, severity: .error, subject: first, paths: images.paths,
          message: "\(images.names) the same image in the classes \(images.classesText)"
            + (images.splits.count > 1 ? ", in \(images.splitsText)" : ""),
          advice: "it can be right in one class only: leave it out of the others, for instance "
            + "\(excluding(images.counterpart.path)), or give it one label: "
            + relabeling(images.counterpart.path, to: classes[images.items[0].label]))
      }
      let copy = images.dispensable.path
      guard images.splits.count > 1 else {
        return DatasetFinding(
          kind: .duplicate, severity: .note, subject: first, paths: images.paths,
          message: "\(images.names) the same image, in \(images.splitsText) of the class \(images.classesText)",
          advice: "it counts \(images.items.count) times; one is enough: \(excluding(copy))")
      }
      let isTrainedOn = images.splits.contains(.train)
      return DatasetFinding(
        kind: .duplicateAcrossSplits, severity: isTrainedOn ? .error : .warning, subject: first,
        paths: images.paths,
        message: "\(images.names) the same image, in \(images.splitsText)",
        advice: (isTrainedOn
          ? "metrics measured on images that were trained on are too good"
          : "the checkpoint is chosen by an image that tests it")
          + "; leave out all but one, for instance \(excluding(copy))")
    }
  }
}

/// Images that are or look the same.
struct ImageGroup {
  let items: [DatasetItem]
  let classes: [String]

  /// - Parameter items: two or more.
  init(items: [DatasetItem], classes: [String]) {
    precondition(items.count > 1, "one image is no group")
    self.items = items
    self.classes = classes
  }

  var paths: [String] { items.map(\.path) }
  /// In order of the label.
  var labels: [Int] { Set(items.map(\.label)).sorted() }
  /// In the usual order.
  var splits: [Split] {
    let present = Set(items.map(\.split))
    return Split.allCases.filter(present.contains)
  }

  /// With the first it shows what is the matter: one of another class, or else of another split, or else the second.
  var counterpart: DatasetItem {
    items.first { labels.count > 1 ? $0.label != items[0].label : $0.split != items[0].split } ?? items[1]
  }

  /// The subject of a sentence: two names and how many there are besides.
  var names: String {
    switch items.count - 2 {
    case 0: "\(items[0].path) and \(items[1].path) are"
    case 1: "\(items[0].path), \(counterpart.path) and another are"
    case let others: "\(items[0].path), \(counterpart.path) and \(others) others are"
    }
  }

  var classesText: String { Self.enumerated(labels.map { "\"\(classes[$0])\"" }) }
  var splitsText: String { Self.enumerated(splits.map(\.rawValue)) }

  /// The one to leave out first: a training image where there are others, for a test set is not to change.
  var dispensable: DatasetItem {
    splits.count > 1 ? items.first { $0.split == .train } ?? items[1] : items[1]
  }

  /// `a`, `a and b`, `a, b and c`.
  private static func enumerated(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }
}
