// Findings about images whose size is unlike the others': one for each way of being unlike. And what a crop to the
// center would not show of them.

import Messages

extension DatasetIndex {
  /// An image is far from the rest when it is more than so many times larger, smaller, wider or taller than usual. By
  /// its square root of width times height for size, by width over height for aspect; the median is the usual. Four,
  /// so that a portrait among landscapes of 16:9 is not.
  static let sizeFactor = 4.0
  /// And when such images are rare; at least one is.
  static let rareShare = 0.02
  /// There is next to nothing to be seen in an image with a side of fewer pixels.
  static let leastSide = 8
  private static let named = 3

  func sizeFindings(_ facts: [ImageFacts]) -> [DatasetFinding] {
    let images = zip(items, facts).compactMap { item, fact in
      fact.header.map { SizedImage(path: item.path, width: $0.width, height: $0.height) }
    }
    let tiny = images.filter { min($0.width, $0.height) < Self.leastSide }
    let rest = images.filter { min($0.width, $0.height) >= Self.leastSide }
    let side = DatasetStatistics.Spread(rest.map(\.side)).median
    let aspect = DatasetStatistics.Spread(rest.map(\.aspect)).median
    let allowed = max(1, Int(Self.rareShare * Double(images.count)))
    var findings: [DatasetFinding] = []
    func add(_ found: [SizedImage], isRare: Bool, _ what: String, advice: String) {
      guard !found.isEmpty, !isRare || found.count <= allowed else { return }
      let names = found.prefix(Self.named).map { "\($0.path) (\($0.width)x\($0.height))" }.joined(separator: ", ")
      let more = found.count > Self.named ? " and \(found.count - Self.named) more" : ""
      findings.append(
        DatasetFinding(
          kind: .unusualSize, severity: .warning, subject: found.count == 1 ? found[0].path : nil,
          paths: found.map(\.path),
          message: "\(found.count == 1 ? "1 image has" : "\(found.count) images have") \(what): \(names)\(more)",
          advice: advice))
    }
    add(
      tiny, isRare: false, "a side of less than \(Self.leastSide) pixels",
      advice: "nothing can be learned from them; replace them, or leave them out with skipline exclude")
    let usual = "the usual \(Int(side.rounded())) pixels"
    let look = "look whether they belong here; what does not: skipline exclude"
    add(
      rest.filter { $0.side > Self.sizeFactor * side }, isRare: true,
      "sides more than \(Int(Self.sizeFactor)) times \(usual)", advice: look)
    add(
      rest.filter { $0.side < side / Self.sizeFactor }, isRare: true,
      "sides less than a \(Self.sizeFactor == 4 ? "quarter" : "fraction") of \(usual)", advice: look)
    add(
      rest.filter { $0.aspect > Self.sizeFactor * aspect || $0.aspect < aspect / Self.sizeFactor }, isRare: true,
      "an aspect more than \(Int(Self.sizeFactor)) times off the usual", advice: look)
    return findings
  }

  /// How much of the images the center square leaves out, where it is more than the usual edges.
  func cropFindings(_ facts: [ImageFacts]) -> [DatasetFinding] {
    let sizes = zip(items, facts).compactMap { item, fact in
      fact.header.map { (path: item.path, width: $0.width, height: $0.height) }
    }
    guard let loss = CropLoss(sizes), loss.isWorthSaying else { return [] }
    return [
      DatasetFinding(
        kind: .croppedAway, severity: loss.isGrave ? .warning : .note,
        message: "a crop to the center, as is usual from --imgsz \(Preprocessing.automaticCropSize) on, "
          + loss.text,
        advice: "what lies there is never evaluated; --resize pad or --resize stretch keeps all of it")
    ]
  }
}

private struct SizedImage {
  var path: String
  var width: Int
  var height: Int

  /// Of the square of the same area, pixels.
  var side: Double { (Double(width) * Double(height)).squareRoot() }
  var aspect: Double { Double(width) / Double(height) }
}
