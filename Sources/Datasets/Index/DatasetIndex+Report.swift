// What there is to say about a dataset: counts for the screen and `check`, and warnings with their numbers.

import Images
import Messages

extension DatasetIndex {
  /// Fewer training images than this in a class are worth a warning; the residual network article advises it.
  static let advisedTrainingImages = 80
  /// A largest class with more than so many times the training images of the smallest is worth a warning.
  static let imbalanceFactor = 3

  /// The dataset as values for the screen.
  /// - Parameter decoding: the result of `checkDecoding`, if it was run.
  public func report(decoding: [DecodingFailure]? = nil) -> DatasetReport {
    var reports = classes.map { ClassReport(name: $0, counts: SplitCounts(), images: []) }
    for item in items {
      reports[item.label].counts[item.split] += 1
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split, decision: item.decision))
    }
    for item in excluded {
      reports[item.label].excluded += 1
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split, decision: .excluded))
    }
    for label in Set(excluded.map(\.label)) {
      reports[label].images.sort { NaturalOrder.precedes($0.path, $1.path) }
    }
    let undecodable = (decoding ?? []).map { failure in
      DatasetFinding(
        kind: .undecodable, severity: .error, subject: failure.path, paths: [failure.path],
        message: "\(failure.path) cannot be decoded: \(failure.reason)", advice: "it is left out of training")
    }
    return DatasetReport(root: root, splitSource: splitSource, classes: reports, findings: undecodable + findings)
  }

  static func emptyClassFinding(_ name: String) -> DatasetFinding {
    DatasetFinding(
      kind: .emptyClass, severity: .warning, subject: name, message: "the class folder \"\(name)\" holds no images",
      advice: "it is not used as a class; add images or remove the folder")
  }

  /// Classes with too few images, with none in a split, or with far fewer than another.
  static func balanceFindings(classes: [String], items: [DatasetItem]) -> [DatasetFinding] {
    var counts = [SplitCounts](repeating: SplitCounts(), count: classes.count)
    var total = SplitCounts()
    for item in items {
      counts[item.label][item.split] += 1
      total[item.split] += 1
    }
    var findings: [DatasetFinding] = []
    for (name, count) in zip(classes, counts) {
      for split in Split.allCases where total[split] > 0 && count[split] == 0 {
        findings.append(
          DatasetFinding(
            kind: .missingInSplit, severity: .error, subject: name,
            message:
              "the class \"\(name)\" has no images in \(split.rawValue), which has \(total[split]) of others",
            advice: "add some, or divide the images anew"))
      }
      if total.train > 0, (1..<advisedTrainingImages).contains(count.train) {
        findings.append(
          DatasetFinding(
            kind: .fewTrainingImages, severity: .warning, subject: name,
            message: "the class \"\(name)\" has \(count.train) training images",
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
          message: "the class \"\(largest.0)\" has \(largest.1.train) training images, \"\(smallest.0)\" "
            + "only \(smallest.1.train): the network will lean to the former", advice: "add images to the latter"))
    }
    return findings
  }
}
