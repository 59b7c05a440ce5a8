// What a run writes down of its layers: a line of metrics.jsonl of bounded size, not one for every look in a long run, and
// the same as scalars and histograms of TensorBoard.

import FoundationEssentials
import Glibc
import Messages

extension LayerStatistics {
  /// So many bytes a line has at most. Readers that sample a log pass over longer ones.
  static let longestLine = 48 << 10
  /// So many looks are written down before every second one is left out, then three of four, and so on: a run of any
  /// length has a few times as many lines.
  private static let densest = 256

  /// Whether a look is written down.
  /// - Parameter interval: steps between two looks.
  func isWritten(interval: Int) -> Bool {
    let look = step / max(1, interval)
    var distance = 1
    while look / distance > Self.densest { distance *= 2 }
    return look % distance == 0
  }

  /// The same in few digits, without histograms where that is not enough, and then with some of the layers: those with
  /// which something is wrong, and others, evenly.
  func fitted(to length: Int = LayerStatistics.longestLine) -> LayerStatistics {
    var statistics = self
    statistics.layers = layers.map(\.brief)
    var size = statistics.lineLength
    guard size > length else { return statistics }
    for index in statistics.layers.indices {
      statistics.layers[index].weights?.histogram = nil
      statistics.layers[index].activations?.histogram = nil
    }
    let all = statistics.layers
    size = statistics.lineLength
    var share = 1.0
    while size > length, !statistics.layers.isEmpty {
      share *= 0.9 * Double(length) / Double(size)
      let wanted = Int(share * Double(all.count))
      let faults = all.filter { $0.condition.isFault }.prefix(wanted)
      let others = all.filter { !$0.condition.isFault }
      let room = wanted - faults.count
      let evenly = (0..<max(0, room)).map { others[$0 * others.count / max(1, room)] }
      statistics.layers = (faults + evenly).sorted { $0.row < $1.row }
      statistics.omitted = all.count - statistics.layers.count
      size = statistics.lineLength
    }
    return statistics
  }

  private var lineLength: Int { (try? RunJSON.line(self)).map(\.utf8.count) ?? 0 }
}

extension LayerMeasure {
  /// With four digits, and histograms in thousandths.
  fileprivate var brief: LayerMeasure {
    var measure = self
    if var weights {
      weights.norm = weights.norm.brief
      weights.gradientNorm = weights.gradientNorm?.brief
      weights.updateRatio = weights.updateRatio?.brief
      weights.histogram = weights.histogram?.brief
      measure.weights = weights
    }
    if var activations {
      activations.mean = activations.mean.brief
      activations.std = activations.std.brief
      activations.histogram = activations.histogram?.brief
      measure.activations = activations
    }
    measure.balance = balance.map { ResidualBalance(shortcut: $0.shortcut.brief, residual: $0.residual.brief) }
    return measure
  }
}

extension LayerHistogram {
  fileprivate var brief: LayerHistogram {
    let total = counts.reduce(0, +)
    return LayerHistogram(
      low: low.brief, high: high.brief, counts: counts.map { total > 0 ? ($0 * 1000 + total / 2) / total : 0 })
  }
}

extension Double {
  /// With four digits.
  fileprivate var brief: Double {
    guard isFinite, self != 0 else { return self }
    let scale = pow(10, 3 - floor(log10(abs(self))))
    let brief = (self * scale).rounded() / scale
    // Of the smallest and the largest numbers the scale has none.
    return brief.isFinite && scale.isFinite && scale > 0 ? brief : self
  }
}

extension LayerStatistics {
  /// More curves than that nobody reads, and TensorBoard would take long to list them.
  private static let mostScalars = 200

  /// As scalars of TensorBoard, `updateRatio/conv1`, `dead/bn1.relu` and so on, and what comes out of layers as histograms.
  var summaryValues: [SummaryValue] {
    func scalars(_ group: String, _ value: (LayerMeasure) -> Double?) -> [SummaryValue] {
      let values = layers.compactMap { layer in value(layer).map { (layer.name, $0) } }
      guard values.count <= Self.mostScalars else { return [] }
      return values.map { SummaryValue("\(group)/\($0.0)", .scalar(Float($0.1))) }
    }
    let groups: [(String, (LayerMeasure) -> Double?)] = [
      ("weightNorm", { $0.weights?.norm }), ("layerGradientNorm", { $0.weights?.gradientNorm }),
      ("updateRatio", { $0.weights?.updateRatio }), ("activationMean", { $0.activations?.mean }),
      ("activationStd", { $0.activations?.std }), ("dead", { $0.activations?.deadShare }),
      ("shortcutShare", { $0.balance?.shortcutShare }),
    ]
    let histograms = layers.compactMap { layer -> SummaryValue? in
      guard let activations = layer.activations, let histogram = ValueHistogram(activations) else { return nil }
      return SummaryValue("activations/\(layer.name)", .histogram(histogram))
    }
    return groups.flatMap { scalars($0.0, $0.1) } + (layers.count <= 4 * Self.mostScalars ? histograms : [])
  }
}

extension ValueHistogram {
  /// Nil where no value is finite.
  init?(_ activations: LayerActivations) {
    guard let histogram = activations.histogram else { return nil }
    let count = Double(histogram.counts.reduce(0, +))
    let (mean, std) = (activations.mean, activations.std)
    self.init(
      range: histogram.low...histogram.high, counts: histogram.counts, sum: mean * count,
      squares: (std * std + mean * mean) * count)
  }
}
