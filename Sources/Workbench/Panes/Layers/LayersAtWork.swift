// Figures of layers at work, of a run or of a checkpoint, put together for the lines of the tree.

import Messages

/// Layers that were measured, with the rows of their network.
struct LayersAtWork: Sendable, Equatable {
  enum Origin: Sendable, Equatable {
    case run(step: Int)
    case checkpoint(String, images: Int, split: EvaluationSplit)
  }

  var origin: Origin
  var network: NetworkSummary
  /// By their rows.
  private(set) var measures: [Int: LayerMeasure]

  init?(origin: Origin, network: NetworkSummary?, _ layers: [LayerMeasure]) {
    // Figures of another network than the one whose rows are known would stand in the wrong places.
    guard let network,
      layers.allSatisfy({ measure in
        network.layers.indices.contains(measure.row) && measure.name.hasSuffix(network.layers[measure.row].name)
      })
    else { return nil }
    self.origin = origin
    self.network = network
    measures = Dictionary(layers.map { ($0.row, $0) }, uniquingKeysWith: { first, _ in first })
  }

  var all: [LayerMeasure] { measures.values.sorted { $0.row < $1.row } }

  /// What a line has to tell.
  func figures(of line: LayerLine) -> LineFigures {
    let rows = line.rows.compactMap { measures[$0] }
    // Of a layer what learns; of a block or a stage everything in it that does, its norms aside.
    let learned = rows.filter { network.layers[$0.row].isLearned }
    let weights = (line.kind == .layer ? Array(rows.prefix(1)) : learned).compactMap(\.weights)
    let activations =
      line.kind == .layer || line.kind == .join ? rows.last { $0.activations != nil }?.activations : nil
    let balance = line.kind == .stage ? nil : rows.compactMap(\.balance).first
    return LineFigures(
      histogram: LayerHistogram(merging: weights.compactMap(\.histogram)) ?? activations?.histogram,
      norm: weights.isEmpty ? nil : Self.norm(weights.map(\.norm)),
      gradientNorm: weights.contains { $0.gradientNorm != nil }
        ? Self.norm(weights.compactMap(\.gradientNorm)) : nil,
      updateRatio: Self.updateRatio(weights), activations: activations,
      shortcutShare: balance?.shortcutShare,
      condition: rows.map(\.condition).max { $0.severity < $1.severity })
  }

  private static func norm(_ norms: [Double]) -> Double { norms.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// Of several layers together: the norm of all that was changed over that of all weights.
  private static func updateRatio(_ weights: [LayerWeights]) -> Double? {
    let known = weights.filter { $0.updateRatio != nil }
    let length = norm(known.map(\.norm))
    guard !known.isEmpty, length > 0 else { return nil }
    return norm(known.map { ($0.updateRatio ?? 0) * $0.norm }) / length
  }
}

/// What stands in a line of the tree; nil for what it does not have.
struct LineFigures: Equatable {
  var histogram: LayerHistogram?
  var norm: Double?
  var gradientNorm: Double?
  var updateRatio: Double?
  var activations: LayerActivations?
  var shortcutShare: Double?
  /// The worst of its layers; nil where none was measured.
  var condition: LayerCondition?
}

extension LayerHistogram {
  /// Several as one over the range of all: each range's count goes where its middle lies.
  init?(merging histograms: [LayerHistogram]) {
    guard let low = histograms.map(\.low).min(), let high = histograms.map(\.high).max() else { return nil }
    guard histograms.count > 1 else {
      self = histograms[0]
      return
    }
    var counts = [Int](repeating: 0, count: Self.bins)
    let scale = high > low ? Double(Self.bins) / (high - low) : 0
    for histogram in histograms where !histogram.counts.isEmpty {
      let width = (histogram.high - histogram.low) / Double(histogram.counts.count)
      for (place, count) in histogram.counts.enumerated() {
        let middle = (histogram.low + width * (Double(place) + 0.5) - low) * scale
        guard middle.isFinite else { continue }
        counts[min(Self.bins - 1, max(0, Int(middle)))] += count
      }
    }
    self.init(low: low, high: high, counts: counts)
  }
}
