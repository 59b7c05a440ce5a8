// Findings about classes: what can be said from the counts alone.

import Messages

extension DatasetIndex {
  /// Fewer training images than this in a class are worth a warning; the residual network article advises it.
  static let advisedTrainingImages = 80
  /// A largest class with more than so many times the training images of the smallest is worth a warning.
  static let imbalanceFactor = 3

  static func emptyClassFinding(_ name: String) -> DatasetFinding {
    DatasetFinding(
      kind: .emptyClass, severity: .warning, subject: name, message: "the class folder \"\(name)\" holds no images",
      advice: "it is not used as a class; add images or remove the folder")
  }

  /// Kinds that `balanceFindings` makes.
  static let balanceKinds: Set<DatasetFinding.Kind> = [.missingInSplit, .fewTrainingImages, .imbalance]

  /// Classes that a split lacks, with too few images to learn from, or with far fewer than another.
  /// - Parameters:
  ///   - items: only images that take part.
  ///   - excluded: those that the user took out.
  ///   - isWhole: false where folders may not be read: what seems to be missing may lie in them.
  static func balanceFindings(
    classes: [String], items: [DatasetItem], excluded: [DatasetItem] = [], isWhole: Bool = true
  ) -> [DatasetFinding] {
    let findings = balanceFindings(classes: classes, of: items, excluded: excluded)
    return isWhole ? findings : findings.filter { $0.kind != .missingInSplit && $0.kind != .emptyClass }
  }

  private static func balanceFindings(
    classes: [String], of items: [DatasetItem], excluded: [DatasetItem]
  ) -> [DatasetFinding] {
    var counts = [SplitCounts](repeating: SplitCounts(), count: classes.count)
    var total = SplitCounts()
    for item in items {
      counts[item.label][item.split] += 1
      total[item.split] += 1
    }
    guard total.train > 0 else {
      return [
        DatasetFinding(
          kind: .missingInSplit, severity: .error, subject: Split.train.rawValue,
          message: "there are no training images",
          advice: "put images into a folder \"train\", or give training a share with --split")
      ]
    }
    var findings: [DatasetFinding] = []
    for (label, (name, count)) in zip(classes, counts).enumerated() {
      if count.total == 0 {
        findings.append(unusedFinding(name, excluded: excluded.count { $0.label == label }))
        continue
      }
      findings += missingFindings(name, count, total: total)
      if (1..<advisedTrainingImages).contains(count.train) {
        findings.append(
          DatasetFinding(
            kind: .fewTrainingImages, severity: .warning, subject: name,
            message: "the class \"\(name)\" has \(counted(count.train, "training image"))",
            advice: "\(advisedTrainingImages) or more are advised"))
      }
    }
    let trained = zip(classes, counts).filter { $0.1.train > 0 }
    if let smallest = trained.min(by: { $0.1.train < $1.1.train }),
      let largest = trained.max(by: { $0.1.train < $1.1.train }),
      largest.1.train > imbalanceFactor * smallest.1.train
    {
      findings.append(
        DatasetFinding(
          kind: .imbalance, severity: .warning, subject: smallest.0,
          message: "the class \"\(largest.0)\" has \(counted(largest.1.train, "training image")), "
            + "\"\(smallest.0)\" only \(smallest.1.train): the network will lean to the former",
          advice: "add images to the latter"))
    }
    return findings
  }

  /// A class without images: a mistake, unless the user took out all that there were.
  private static func unusedFinding(_ name: String, excluded: Int) -> DatasetFinding {
    guard excluded > 0 else {
      return DatasetFinding(
        kind: .emptyClass, severity: .error, subject: name,
        message: "no image of the class \"\(name)\" can be used", advice: "add images, or remove the class")
    }
    return DatasetFinding(
      kind: .emptyClass, severity: .warning, subject: name,
      message: "the class \"\(name)\" has no images but \(counted(excluded, "excluded one"))",
      advice: "the network keeps an output for it that learns nothing; include some again, or remove the folder")
  }

  /// A class that is measured but not learned makes every figure wrong; one that is learned but not measured makes the
  /// metrics say less than they seem to.
  private static func missingFindings(
    _ name: String, _ count: SplitCounts, total: SplitCounts
  ) -> [DatasetFinding] {
    if count.train == 0 {
      let places = [Split.validation, .test].filter { count[$0] > 0 }.map(\.rawValue).joined(separator: " and ")
      return [
        DatasetFinding(
          kind: .missingInSplit, severity: .error, subject: name,
          message: "the class \"\(name)\" has no training images, but \(count.total) in \(places)",
          advice: "each of them will count as a mistake; add training images, or remove the class from \(places)")
      ]
    }
    return [Split.validation, .test].filter { total[$0] > 0 && count[$0] == 0 }.map { split in
      DatasetFinding(
        kind: .missingInSplit, severity: .warning, subject: name,
        message: "the class \"\(name)\" has no images in \(split.rawValue), which has \(total[split]) of others",
        advice: "metrics on \(split.rawValue) say nothing about it; add some, or divide the images again")
    }
  }

  private static func counted(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
