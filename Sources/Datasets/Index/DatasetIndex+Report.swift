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
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split))
    }
    let failures = decoding ?? []
    let undecodable = failures.map { failure in
      DatasetWarning(
        kind: .undecodable, subject: failure.path,
        message: "\(failure.path) cannot be decoded: \(failure.reason); it is left out of training")
    }
    return DatasetReport(
      root: root, splitByFolder: splitByFolder, classes: reports,
      // A stray file is the least of it; the first line is often all that is seen.
      warnings: undecodable + warnings.filter { $0.kind != .ignoredFile }
        + warnings.filter { $0.kind == .ignoredFile },
      decodingChecked: decoding != nil, undecodable: failures.map(\.path))
  }

  static func emptyClassWarning(_ name: String) -> DatasetWarning {
    DatasetWarning(
      kind: .emptyClass, subject: name,
      message: "the class folder \"\(name)\" holds no PNG or JPEG images and is not used as a class")
  }

  /// Classes with too few images, with none in a split, or with far fewer than another.
  static func balanceWarnings(classes: [String], items: [DatasetItem]) -> [DatasetWarning] {
    var counts = [SplitCounts](repeating: SplitCounts(), count: classes.count)
    var total = SplitCounts()
    for item in items {
      counts[item.label][item.split] += 1
      total[item.split] += 1
    }
    var warnings: [DatasetWarning] = []
    for (name, count) in zip(classes, counts) {
      for split in Split.allCases where total[split] > 0 && count[split] == 0 {
        warnings.append(
          DatasetWarning(
            kind: .missingInSplit, subject: name,
            message: "the class \"\(name)\" has no images in \(split.rawValue), which has \(total[split]) of others"
          ))
      }
      if total.train > 0, (1..<advisedTrainingImages).contains(count.train) {
        warnings.append(
          DatasetWarning(
            kind: .fewTrainingImages, subject: name,
            message: "the class \"\(name)\" has \(count.train) training images; "
              + "\(advisedTrainingImages) or more are advised"))
      }
    }
    let trained = zip(classes, counts).filter { $0.1.train > 0 }
    if let smallest = trained.min(by: { $0.1.train < $1.1.train }),
      let largest = trained.max(by: { $0.1.train < $1.1.train }),
      largest.1.train > imbalanceFactor * smallest.1.train
    {
      warnings.append(
        DatasetWarning(
          kind: .imbalance, subject: smallest.0,
          message: "the class \"\(largest.0)\" has \(largest.1.train) training images, \"\(smallest.0)\" "
            + "only \(smallest.1.train); the network will lean to the former, add images to the latter"))
    }
    return warnings
  }
}
