// What a dataset's folder says before any decision of the user, and the one way from there to an index. It is kept to
// decide again without reading again.

import Messages
import Support

/// The classes and images of a folder and their splits, as found on disk.
public struct ScannedDataset: Sendable {
  public let root: String
  public let split: SplitSettings
  /// In natural order.
  public let classes: [String]
  /// Every image, in order of its folder's label, then in natural order of the path.
  public let items: [DatasetItem]
  /// Paths of images that are left out for being in none of the lists.
  let unlisted: [String]
  let splitSource: SplitSource
  /// What was found while reading; what depends on decisions is added in `index`.
  let findings: [DatasetFinding]

  init(
    root: String, split: SplitSettings, classes: [String], items: [DatasetItem], unlisted: [String] = [],
    splitSource: SplitSource, findings: [DatasetFinding]
  ) {
    self.root = root
    self.split = split
    self.classes = classes
    self.items = items
    self.unlisted = unlisted
    self.splitSource = splitSource
    self.findings = findings
  }

  /// The dataset with the user's decisions: excluded images are taken out, relabeled ones are of another class, and
  /// what is decided about images or classes that are gone is a finding.
  public func index(_ decisions: Decisions = .none) -> DatasetIndex {
    var used = items
    var excluded: [DatasetItem] = []
    var stale = StaleDecisions()
    if !decisions.isEmpty { (used, excluded, stale) = divide(by: decisions) }
    let confirmed = (used + excluded).lazy.filter {
      !decisions.isEmpty && decisions.confirms($0, classes[$0.label])
    }
    .map { ConfirmedLabel(path: $0.path, className: classes[$0.label]) }
    return DatasetIndex(
      root: root, classes: classes, items: used, excluded: excluded, splitSource: splitSource,
      findings: findings + stale.findings
        + DatasetIndex.balanceFindings(
          classes: classes, items: used, excluded: excluded,
          isWhole: !findings.contains { $0.kind == .unreadableFolder })
        + ratioFindings(used),
      confirmed: confirmed.sorted { NaturalOrder.precedes($0.path, $1.path) })
  }

  /// The same with decisions and what there is to say about them.
  public func index(_ found: FoundDecisions) -> DatasetIndex {
    let index = index(found.decisions)
    return DatasetIndex(
      root: index.root, classes: index.classes, items: index.items, excluded: index.excluded,
      splitSource: index.splitSource, findings: index.findings + found.findings, confirmed: index.confirmed)
  }

  private func divide(by decisions: Decisions) -> ([DatasetItem], [DatasetItem], StaleDecisions) {
    let labels = ClassLabels(classes)
    var used: [DatasetItem] = []
    used.reserveCapacity(items.count)
    var excluded: [DatasetItem] = []
    var stale = StaleDecisions()
    var remaining = decisions
    for var item in items {
      guard let decision = remaining.remove(path: item.path) else {
        used.append(item)
        continue
      }
      if let name = decision.className {
        if let label = labels[name] {
          if label != item.label { item.relabeledFrom = classes[item.label] }
          item.label = label
        } else {
          stale.classesGone.append((item.path, name, classes[item.label]))
        }
      }
      if decision.isExcluded { excluded.append(item) } else { used.append(item) }
    }
    // What is left out, or lies where nobody may look, is not gone.
    let kept = Set(unlisted.map(ByteKey.init))
    let closed = findings.filter { $0.kind == .unreadableFolder }.flatMap(\.paths)
    stale.imagesGone = remaining.list.map(\.path).filter { path in
      !kept.contains(ByteKey(path)) && !closed.contains { path.utf8.starts(with: "\($0)/".utf8) }
    }
    func precedes(_ first: DatasetItem, _ second: DatasetItem) -> Bool {
      first.label == second.label
        ? NaturalOrder.precedes(first.path, second.path) : first.label < second.label
    }
    if used.contains(where: { $0.relabeledFrom != nil }) { used.sort(by: precedes) }
    return (used, excluded.sorted(by: precedes), stale)
  }

  /// From so many images on, a class's shares are compared with the wanted ones.
  private static let imagesWorthComparing = 20
  /// Points of difference that are worth a word.
  private static let ratioTolerance = 5.0

  /// Classes whose images are divided otherwise than asked: chance does that where names hold no numbers. Lists and
  /// folders are as somebody made them.
  private func ratioFindings(_ items: [DatasetItem]) -> [DatasetFinding] {
    guard splitSource == .hash else { return [] }
    var counts = [SplitCounts](repeating: SplitCounts(), count: classes.count)
    for item in items { counts[item.label][item.split] += 1 }
    let wanted = SplitCounts(train: split.train, validation: split.validation, test: split.test)
    return zip(classes, counts).compactMap { name, count in
      func percent(_ split: Split) -> Double { 100 * Double(count[split]) / Double(count.total) }
      guard count.total >= Self.imagesWorthComparing,
        Split.allCases.contains(where: { abs(percent($0) - Double(wanted[$0])) > Self.ratioTolerance })
      else { return nil }
      let shares = Split.allCases.map { "\(Int(percent($0).rounded()))" }.joined(separator: "/")
      return DatasetFinding(
        kind: .splitRatio, severity: .note, subject: name,
        message: "the \(count.total) images of the class \"\(name)\" are divided \(shares), not "
          + "\(split.train)/\(split.validation)/\(split.test)",
        advice: split.groups == nil
          ? "for exact shares: skipline split DATA --export FOLDER --exact, then --split FOLDER"
          : "groups are kept whole; smaller ones would come closer")
    }
  }
}

extension Decisions {
  /// Whether the label of an image is found right as it is.
  fileprivate func confirms(_ item: DatasetItem, _ className: String) -> Bool {
    self[item.path]?.confirmedClass.map { ClassName($0) == ClassName(className) } ?? false
  }
}

/// Decisions that the folder has outlived.
private struct StaleDecisions {
  var imagesGone: [String] = []
  var classesGone: [(path: String, className: String, folderClass: String)] = []

  private static let shown = 5

  var findings: [DatasetFinding] {
    var findings: [DatasetFinding] = []
    func list(_ texts: [String]) -> String {
      texts.prefix(Self.shown).joined(separator: ", ") + (texts.count > Self.shown ? ", ..." : "")
    }
    if !imagesGone.isEmpty {
      let count = imagesGone.count
      findings.append(
        DatasetFinding(
          kind: .staleDecision, severity: .warning, paths: imagesGone,
          message: "\(count == 1 ? "1 decision is" : "\(count) decisions are") about images that are not there: "
            + list(imagesGone),
          advice: "put the images back, or drop a decision with: skipline include DATA FILE"))
    }
    if !classesGone.isEmpty {
      let count = classesGone.count
      findings.append(
        DatasetFinding(
          kind: .staleDecision, severity: .warning, paths: classesGone.map(\.path),
          message: "\(count == 1 ? "1 relabeling names a class" : "\(count) relabelings name classes") without "
            + "images: " + list(classesGone.map { "\($0.path) -> \($0.className)" }),
          advice: "their folder's class stays; drop one with: skipline relabel DATA FILE --to "
            + "\(classesGone[0].folderClass)"))
    }
    return findings
  }
}
