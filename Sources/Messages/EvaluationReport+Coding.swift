// An evaluation's report as JSON, and cut down to what a message to a screen may hold.

/// In JSON the confusion matrix is `confusionCells`, a list of `[truth, predicted, count]` for every count above 0; for
/// up to `denseClasses` classes it is also `confusion`, all counts as rows.
extension EvaluationReport: Codable {
  /// The most classes for which the whole matrix is written.
  public static let denseClasses = 200

  /// Names in JSON.
  public enum Key: String, CodingKey, CaseIterable {
    case augmentation, balancedAccuracy, calibrationError, checkpoint, classes, comparison, confusion
    case confusionCells, data, images, imagesPerSecond, loss, macroF1, misclassified, mistakes
    case nonFinite, nonFiniteImages, precision, provenance, skipped, skippedImages, split, top1, top5
    case unknownClasses, unknownImages
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let classes = try values.decode([ClassMetrics].self, forKey: .classes)
    let confusion: ConfusionMatrix
    if let rows = try values.decodeIfPresent([[Int]].self, forKey: .confusion) {
      confusion = ConfusionMatrix(rows: rows)
    } else {
      confusion = ConfusionMatrix(
        classes: classes.count, cells: try values.decode([ConfusionMatrix.Cell].self, forKey: .confusionCells))
    }
    let loss = try values.decodeIfPresent(Double.self, forKey: .loss)
    self.init(
      checkpoint: try values.decode(String.self, forKey: .checkpoint),
      data: try values.decode(String.self, forKey: .data),
      split: try values.decode(EvaluationSplit.self, forKey: .split),
      images: try values.decode(Int.self, forKey: .images), loss: loss.flatMap { $0.isFinite ? $0 : nil },
      top1: try values.decode(Double.self, forKey: .top1), top5: try values.decode(Double.self, forKey: .top5),
      classes: classes, confusion: confusion,
      misclassified: try values.decode([Misclassification].self, forKey: .misclassified),
      nonFinite: try values.decodeIfPresent([String].self, forKey: .nonFinite) ?? [],
      skipped: try values.decode([String].self, forKey: .skipped),
      unknownImages: try values.decodeIfPresent(Int.self, forKey: .unknownImages) ?? 0,
      unknownClasses: try values.decode([String].self, forKey: .unknownClasses),
      imagesPerSecond: try values.decode(Double.self, forKey: .imagesPerSecond),
      provenance: try values.decodeIfPresent(EvaluationProvenance.self, forKey: .provenance),
      augmentation: try values.decodeIfPresent(TestTimeAugmentation.self, forKey: .augmentation),
      calibrationError: try values.decodeIfPresent(Double.self, forKey: .calibrationError),
      precision: try values.decodeIfPresent(InferencePrecision.self, forKey: .precision),
      comparison: try values.decodeIfPresent(PrecisionComparison.self, forKey: .comparison))
    // Of a report that was cut down the classes do not tell them.
    balancedAccuracy = try values.decodeIfPresent(Double.self, forKey: .balancedAccuracy) ?? balancedAccuracy
    macroF1 = try values.decodeIfPresent(Double.self, forKey: .macroF1) ?? macroF1
    mistakes = try values.decodeIfPresent(Int.self, forKey: .mistakes) ?? mistakes
    nonFiniteImages = try values.decodeIfPresent(Int.self, forKey: .nonFiniteImages) ?? nonFiniteImages
    skippedImages = try values.decodeIfPresent(Int.self, forKey: .skippedImages) ?? skippedImages
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(checkpoint, forKey: .checkpoint)
    try values.encode(data, forKey: .data)
    try values.encode(split, forKey: .split)
    try values.encode(images, forKey: .images)
    // Null, not left out.
    try values.encode(loss, forKey: .loss)
    try values.encode(top1, forKey: .top1)
    try values.encode(top5, forKey: .top5)
    try values.encode(balancedAccuracy, forKey: .balancedAccuracy)
    try values.encode(macroF1, forKey: .macroF1)
    try values.encodeIfPresent(calibrationError, forKey: .calibrationError)
    try values.encodeIfPresent(augmentation, forKey: .augmentation)
    try values.encodeIfPresent(precision, forKey: .precision)
    try values.encodeIfPresent(comparison, forKey: .comparison)
    try values.encode(classes, forKey: .classes)
    if hasDenseConfusion { try values.encode(confusion.rows, forKey: .confusion) }
    try values.encode(confusion.cells, forKey: .confusionCells)
    try values.encode(mistakes, forKey: .mistakes)
    try values.encode(misclassified, forKey: .misclassified)
    try values.encode(nonFiniteImages, forKey: .nonFiniteImages)
    try values.encode(nonFinite, forKey: .nonFinite)
    try values.encode(skippedImages, forKey: .skippedImages)
    try values.encode(skipped, forKey: .skipped)
    try values.encode(unknownImages, forKey: .unknownImages)
    try values.encode(unknownClasses, forKey: .unknownClasses)
    try values.encode(imagesPerSecond, forKey: .imagesPerSecond)
    try values.encodeIfPresent(provenance, forKey: .provenance)
  }

  /// Whether `confusion` is in its JSON.
  public var hasDenseConfusion: Bool { confusion.classes <= Self.denseClasses }
}

extension EvaluationReport {
  /// What a screen is told of an evaluation, in bytes of JSON: a small part of what a connection takes as one message.
  public static let screenBytes = 24 << 20

  /// The same report in about so many bytes of JSON at most, the beginnings of its lists. Of the classes and of the
  /// matrix, which the other numbers refer to, everything stays or nothing.
  public func limited(toBytes limit: Int = screenBytes) -> EvaluationReport {
    var report = self
    var left = limit
    // Whatever a byte of a name is written as, and the numbers beside it.
    func cost(_ name: String) -> Int { name.utf8.count * 6 + 16 }
    let names = classes.reduce(0) { $0 + cost($1.name) + 160 }
    let counts = confusion.cells.count * 32 + (hasDenseConfusion ? confusion.classes * confusion.classes * 8 : 0)
    if names > left / 2 { (report.classes, report.confusion) = ([], []) } else { left -= names }
    if counts > left / 2 {
      report.confusion = ConfusionMatrix(classes: report.classes.count, cells: [])
    } else if !report.classes.isEmpty || classes.isEmpty {
      left -= counts
    }
    func beginning<Element>(_ list: [Element], _ share: Int, _ cost: (Element) -> Int) -> [Element] {
      var room = share
      let kept = list.prefix { element in
        room -= cost(element)
        return room >= 0
      }
      left -= share - max(0, room)
      return Array(kept)
    }
    for path in [\EvaluationReport.nonFinite, \.skipped, \.unknownClasses] {
      report[keyPath: path] = beginning(report[keyPath: path], left / 8, cost)
    }
    report.misclassified = beginning(misclassified, max(0, left)) { cost($0.path) + 120 + $0.top.count * 64 }
    return report
  }
}
