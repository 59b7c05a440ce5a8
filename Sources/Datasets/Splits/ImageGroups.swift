// Which images belong together, as `--group-by` says it: frames of one clip, pictures of one patient. Where they were
// divided all the same, by folders or by lists, it is told.

import Messages
import Support

/// The groups of a dataset's images.
struct ImageGroups {
  private let rule: String
  /// The group of each image; nil for one that stands alone.
  let names: [String?]

  /// - Parameters:
  ///   - rule: as `GroupRule` reads it.
  ///   - mayBeNone: whether it is no error that no image is in a group: those of a run were divided before.
  /// - Throws: `DatasetError.invalidGroups` or `.noGroups`.
  init(_ rule: String, _ images: [UndividedImage], root: String, mayBeNone: Bool) throws(DatasetError) {
    let groups: GroupRule
    do throws(SettingRefusal) { groups = try GroupRule(rule) } catch {
      throw .invalidGroups(rule: rule, reason: error.reason)
    }
    self.rule = rule
    names = images.map { groups.group(of: $0.path, inner: $0.inner) }
    guard mayBeNone || names.contains(where: { $0 != nil }) else {
      throw .noGroups(rule: rule, root: root, first: images.first?.path)
    }
  }

  /// Says of each item which group it is of.
  /// - Parameters:
  ///   - items: of these images, in their order; some may be left out.
  func mark(_ items: inout [DatasetItem], _ images: [UndividedImage]) {
    var place = 0
    for index in items.indices {
      while !images[place].path.utf8.elementsEqual(items[index].path.utf8) { place += 1 }
      items[index].group = names[place]
      place += 1
    }
  }

  private static let shown = 3

  /// How many images are in groups, and which groups are in more than one split.
  func findings(_ items: [DatasetItem]) -> [DatasetFinding] {
    var groups: [ClassName: SplitCounts] = [:]
    for item in items {
      if let name = item.group { groups[ClassName(name), default: SplitCounts()][item.split] += 1 }
    }
    let grouped = items.count { $0.group != nil }
    let others = items.count - grouped
    var findings = [
      DatasetFinding(
        kind: .groups, severity: .note,
        message: "\(grouped) of the \(items.count) images are in \(groups.count) groups by \(rule)"
          + (others == 0 ? "" : "; \(others) \(others == 1 ? "stands" : "stand") alone"),
        advice: "")
    ]
    let parted = groups.filter { group in Split.allCases.count { group.value[$0] > 0 } > 1 }
      .sorted { NaturalOrder.precedes($0.key.text, $1.key.text) }
    guard !parted.isEmpty else { return findings }
    let examples = parted.prefix(Self.shown).map { name, counts in
      let parts = Split.allCases.filter { counts[$0] > 0 }.map { "\($0.rawValue) \(counts[$0])" }
      return "\(name) (\(parts.joined(separator: ", ")))"
    }
    let names = Set(parted.map(\.key))
    findings.append(
      DatasetFinding(
        kind: .groupAcrossSplits, severity: .warning,
        paths: items.filter { $0.group.map { names.contains(ClassName($0)) } ?? false }.map(\.path),
        message:
          "\(parted.count) of the \(groups.count) groups \(parted.count == 1 ? "is" : "are") in more than one "
          + "split, where folders, lists or an earlier division say so: \(examples.joined(separator: ", "))"
          + (parted.count > Self.shown ? ", ..." : ""),
        advice:
          "what is measured on one split then says little about new groups; put the images of each into one split"))
    return findings
  }
}
