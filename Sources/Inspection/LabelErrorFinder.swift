// Labels that are probably wrong. Two judges are asked that have not seen the label: the network's probabilities, held out
// or out of fold, by confident learning (Northcutt, Jiang and Chuang 2019, arXiv:1911.00068, section 3), and the labels
// of the most similar images by their features. What a network was trained on it may have learned by heart, wrong labels
// with it: such images are not judged, unless that is asked for, and then it is said.

import Messages
import Tensors

/// One image that is judged.
public struct JudgedImage: Sendable {
  public var path: String
  public var split: Split
  /// The label it has.
  public var label: Int
  public var isInSample: Bool

  public init(path: String, split: Split, label: Int, isInSample: Bool) {
    self.path = path
    self.split = split
    self.label = label
    self.isInSample = isInSample
  }
}

/// Finds suspected label errors.
public struct LabelErrorFinder {
  /// How many neighbors have a say.
  public static let neighbors = 10
  /// So many images at most are looked at for neighbors; of more, an even selection.
  static let mostReferences = 50_000

  /// What the neighbors of an image say: how many of each label, for those labels that there are.
  struct Votes {
    var count = 0
    var labels: [Int: Int] = [:]
  }

  /// Every image with its suspicion, the most suspicious first.
  /// - Parameters:
  ///   - images: N of them.
  ///   - probabilities: [N, classes], of networks that have not seen the image, but for those in sample.
  ///   - votes: of each image; empty where there are no features.
  static func ranking(
    _ images: [JudgedImage], probabilities: [Float], classes: Int, votes: [Votes]
  ) -> [SuspectedLabel] {
    let thresholds = thresholds(images, probabilities: probabilities, classes: classes)
    let suspects = images.indices.map { row in
      suspicion(
        images[row], probabilities[row * classes..<(row + 1) * classes], thresholds,
        votes.isEmpty ? Votes() : votes[row])
    }
    return suspects.indices.sorted { (-suspects[$0].score, $0) < (-suspects[$1].score, $1) }.map { suspects[$0] }
  }

  /// Of each class the mean probability that it has in the images of its label: as confident as the network is of it on
  /// average (equation 2). Images in sample have no say where others are. nil for a class without an image.
  static func thresholds(_ images: [JudgedImage], probabilities: [Float], classes: Int) -> [Double?] {
    var (sums, counts) = ([Double](repeating: 0, count: classes), [Int](repeating: 0, count: classes))
    let hasHeldOut = images.contains { !$0.isInSample }
    for (row, image) in images.enumerated() where !(hasHeldOut && image.isInSample) {
      sums[image.label] += Double(probabilities[row * classes + image.label])
      counts[image.label] += 1
    }
    return zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : nil }
  }

  /// The class that an image is confidently of: the most probable one of those above their thresholds (equation 1).
  static func confidentClass(_ row: ArraySlice<Float>, _ thresholds: [Double?]) -> Int? {
    var best: Int?
    for (label, threshold) in thresholds.enumerated() {
      let value = Double(row[row.startIndex + label])
      guard let threshold, value >= threshold - 1e-6 else { continue }
      if best.map({ value > Double(row[row.startIndex + $0]) }) ?? true { best = label }
    }
    return best
  }

  /// How many labels are wrong by the confident joint: each row of it is scaled to the images of that label (equation 3).
  static func estimatedErrors(_ images: [JudgedImage], probabilities: [Float], classes: Int) -> Int {
    let thresholds = thresholds(images, probabilities: probabilities, classes: classes)
    var all = [Int](repeating: 0, count: classes)
    var confident = all
    var other = all
    for (row, image) in images.enumerated() {
      all[image.label] += 1
      guard let found = confidentClass(probabilities[row * classes..<(row + 1) * classes], thresholds) else {
        continue
      }
      confident[image.label] += 1
      if found != image.label { other[image.label] += 1 }
    }
    var errors = 0.0
    for label in 0..<classes where confident[label] > 0 {
      errors += Double(all[label]) * Double(other[label]) / Double(confident[label])
    }
    return Int(errors.rounded())
  }

  /// Both judges are taken together as a product, in which whoever is sure counts: the network's probability times the root
  /// of the neighbors' votes, of which every class has one beforehand. The score is what that leaves to other classes than
  /// the label (1 - self-confidence). The lead of the other class, the alternative in the paper, hardly differs between
  /// what is confused now and then and what is wrong beyond doubt.
  private static func suspicion(
    _ image: JudgedImage, _ row: ArraySlice<Float>, _ thresholds: [Double?], _ votes: Votes
  ) -> SuspectedLabel {
    func judged(_ label: Int) -> Double {
      let probability = Double(row[row.startIndex + label])
      return votes.count > 0 ? probability * Double((votes.labels[label] ?? 0) + 1).squareRoot() : probability
    }
    var (suggested, best, sum) = (image.label, -1.0, 0.0)
    for label in 0..<thresholds.count {
      let value = judged(label)
      sum += value
      if label != image.label, value > best { (suggested, best) = (label, value) }
    }
    let own = sum > 0 ? judged(image.label) / sum : 1
    let confident = confidentClass(row, thresholds)
    return SuspectedLabel(
      path: image.path, split: image.split, label: image.label, suggested: suggested,
      score: min(1, max(0, 1 - own)), labelProbability: Double(row[row.startIndex + image.label]),
      suggestedProbability: Double(row[row.startIndex + suggested]), neighbors: votes.count,
      labelNeighbors: votes.labels[image.label] ?? 0, suggestedNeighbors: votes.labels[suggested] ?? 0,
      isConfident: confident.map { $0 != image.label } ?? false, isInSample: image.isInSample)
  }

  /// Whether the suggested class is more likely than the label to the network, and not less to the neighbors.
  static func isLikely(_ suspect: SuspectedLabel) -> Bool {
    suspect.suggestedProbability > suspect.labelProbability && suspect.suggestedNeighbors >= suspect.labelNeighbors
  }

  /// What the most similar images say of each query.
  /// - Parameters:
  ///   - features: of all images that there are.
  ///   - labels: of the same images.
  ///   - queries: the rows to ask about, in ascending order.
  /// - Returns: nil where it was ended.
  /// - Throws: `FileOperationError`, `EvaluationRecordError`.
  static func votes(
    _ features: FeatureRows, labels: [Int], queries: [Int], pool: ThreadPool,
    progress: (Int) -> Bool = { _ in true }
  ) throws -> [Votes]? {
    try features.verify()
    let width = features.width
    let most = max(1, min(mostReferences, mostReferenceBytes / (4 * width)))
    let step = max(1, (labels.count + most - 1) / most)
    let references = Array(stride(from: 0, to: labels.count, by: step))
    let known = UnitFeatures(try rows(references[...], of: features), width: width)
    var votes: [Votes] = []
    votes.reserveCapacity(queries.count)
    for begin in stride(from: 0, to: queries.count, by: block) {
      let part = queries[begin..<min(begin + block, queries.count)]
      let asked = UnitFeatures(try rows(part, of: features), width: width)
      let nearest = known.nearest(
        to: asked, count: neighbors,
        excluding: { place in
          let row = part[part.startIndex + place]
          return row % step == 0 ? row / step : nil
        }, pool: pool, progress: { progress(begin + $0) })
      guard let nearest else { return nil }
      votes += nearest.map { found in
        found.reduce(into: Votes()) { votes, neighbor in
          votes.count += 1
          votes.labels[labels[references[neighbor.row]], default: 0] += 1
        }
      }
    }
    return votes
  }

  private static let block = 4096
  private static let mostReferenceBytes = 256 << 20

  /// The features of some rows, in ascending order.
  private static func rows(_ places: ArraySlice<Int>, of features: FeatureRows) throws -> [Float] {
    let width = features.width
    var values: [Float] = []
    values.reserveCapacity(places.count * width)
    var next = places.startIndex
    while next < places.endIndex {
      // A stretch of the file at a time, of which some rows are wanted.
      let begin = places[next]
      let read = try features.values(begin..<min(begin + block, features.rows))
      while next < places.endIndex, places[next] < begin + block {
        let row = places[next] - begin
        values += read[row * width..<(row + 1) * width]
        next += 1
      }
    }
    return values
  }
}
