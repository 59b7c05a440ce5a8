// How the images of a dataset come to their splits. Lists win over folders named for splits, these over what a run
// recorded, and that over the rule. Finding the images is not done here.

import Messages
import Support

/// What decides about an image that is in no list.
enum SplitOrigin: Equatable {
  /// The name of a folder or a shard.
  case named(Split)
  /// The rule, on all images.
  case rule
  /// The rule, on images in a place of training images, of which some are for validation.
  case ruleWithinTraining
}

/// The splits of images as they were when a run was started, by their paths: where the rule decides, an image keeps its
/// split for all of the run, whatever is added to its class.
public struct RecordedSplits: Sendable {
  let splits: [(path: String, split: Split)]

  public init(_ splits: [(path: String, split: Split)]) { self.splits = splits }
}

/// An image before it has a split.
struct UndividedImage {
  var path: String
  var label: Int
  var origin: SplitOrigin
  /// The folder of its class, below the dataset's folder; nil where there are no folders, as in shards.
  var classFolder: String?

  /// The path below that folder.
  var inner: Substring {
    guard let classFolder else { return "" }
    return path[path.utf8.index(path.startIndex, offsetBy: classFolder.utf8.count + 1)...]
  }
}

/// The images of a dataset with their splits.
struct DividedImages {
  var items: [DatasetItem]
  /// Paths of those that are left out for being in none of the lists.
  var unlisted: [String] = []
  var findings: [DatasetFinding]
}

/// Divides the images of a dataset.
struct ImageDivision {
  let root: String
  let settings: SplitSettings
  let lists: SplitLists?
  let recorded: RecordedSplits?

  /// - Throws: what `SplitLists` throws, `DatasetError.invalidGroups` or `.noGroups`.
  /// - Returns: the images in the same order, those that the lists leave out, and what there is to say about the lists.
  func divided(
    _ images: [UndividedImage], classes: [String]
  ) throws(DatasetError) -> DividedImages {
    let groups = try settings.groups.map { rule throws(DatasetError) in
      try ImageGroups(rule, images, root: root, mayBeNone: recorded != nil)
    }
    var divided = try divided(images, classes: classes, groups)
    guard let groups else { return divided }
    groups.mark(&divided.items, images)
    divided.findings += groups.findings(divided.items)
    return divided
  }

  private func divided(
    _ images: [UndividedImage], classes: [String], _ groups: ImageGroups?
  ) throws(DatasetError) -> DividedImages {
    var splits = [Split?](repeating: nil, count: images.count)
    var findings: [DatasetFinding] = []
    if let lists {
      (splits, findings) = try lists.resolved(
        for: images.map { ($0.path, classes[$0.label]) }, root: root)
    }
    let listed = splits
    if let lists, lists.holdsTraining, !settings.takesUnlisted {
      // A run's own images stay in it, whatever became of its lists.
      if let recorded { restore(recorded, images, &splits) }
      return try leavingOut(images, splits, lists, findings)
    }
    for (index, image) in images.enumerated() where splits[index] == nil {
      if case .named(let split) = image.origin { splits[index] = split }
    }
    if let recorded { restore(recorded, images, &splits) }
    if let groups {
      GroupShares(settings, images, groups.names).divide(&splits)
    } else {
      divideByRule(images, &splits)
    }
    let items = zip(images, splits).map { image, split in
      // Every image is named, listed or divided by the rule.
      DatasetItem(path: image.path, label: image.label, split: split ?? .train)
    }
    if let lists {
      let others = zip(items, listed).filter { $1 == nil }.map(\.0)
      findings += unlistedFindings(others, of: images.count, lists)
    }
    return DividedImages(items: items, findings: findings)
  }

  private func leavingOut(
    _ images: [UndividedImage], _ splits: [Split?], _ lists: SplitLists, _ findings: [DatasetFinding]
  ) throws(DatasetError) -> DividedImages {
    var divided = DividedImages(items: [], findings: findings)
    for (image, split) in zip(images, splits) {
      if let split {
        divided.items.append(DatasetItem(path: image.path, label: image.label, split: split))
      } else {
        divided.unlisted.append(image.path)
      }
    }
    if let first = divided.unlisted.first {
      let count = divided.unlisted.count
      var shares = settings
      shares.dividesUnlisted = true
      divided.findings.append(
        DatasetFinding(
          kind: .splitList, severity: .warning, paths: divided.unlisted,
          message: "\(count) of the \(images.count) images \(count == 1 ? "is" : "are") in none of the lists in "
            + "\(lists.folder), and left out: \(first)\(count > 1 ? ", ..." : "")",
          advice: "to have them divided by the rule, give shares too: \(shellOption("--split", shares.description))"
        ))
    }
    return divided
  }

  private func unlistedFindings(
    _ items: [DatasetItem], of count: Int, _ lists: SplitLists
  ) -> [DatasetFinding] {
    guard let first = items.first else { return [] }
    let parts = Split.allCases.compactMap { split in
      let count = items.count { $0.split == split }
      return count > 0 ? "\(count) for \(split.title)" : nil
    }
    return [
      DatasetFinding(
        kind: .splitList, severity: .warning, paths: items.map(\.path),
        message: "\(items.count) of the \(count) images \(items.count == 1 ? "is" : "are") in none of the lists in "
          + "\(lists.folder), and go where folders or the rule say, \(parts.joined(separator: ", ")): \(first.path)"
          + (items.count > 1 ? ", ..." : ""),
        advice: "if that is not meant, list them, or give the folder of the lists without shares")
    ]
  }

  private func restore(_ recorded: RecordedSplits, _ images: [UndividedImage], _ splits: inout [Split?]) {
    guard splits.contains(where: { $0 == nil }) else { return }
    var table = PathTable(images.map(\.path))
    for (path, split) in recorded.splits {
      if let place = table.place(of: path), splits[place] == nil { splits[place] = split }
    }
  }

  private func divideByRule(_ images: [UndividedImage], _ splits: inout [Split?]) {
    struct Group: Hashable {
      var label: Int
      var isWithinTraining: Bool
    }
    var groups: [Group: [Int]] = [:]
    var hasTraining: Set<Int> = []
    for (index, image) in images.enumerated() {
      if let split = splits[index] {
        if split == .train { hasTraining.insert(image.label) }
      } else {
        groups[Group(label: image.label, isWithinTraining: image.origin == .ruleWithinTraining), default: []]
          .append(index)
      }
    }
    for (group, members) in groups {
      let shares = SplitShares(settings, withinTraining: group.isWithinTraining)
      let found = shares.splits(
        of: members.map { images[$0].path }, needsTraining: !hasTraining.contains(group.label))
      for (index, split) in zip(members, found) { splits[index] = split }
    }
  }
}
