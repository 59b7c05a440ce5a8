// The statistics of a report: what the files of a dataset are like, taken together.

import Images
import Messages
import Support

extension DatasetStatistics {
  /// How many different sizes are listed.
  static let sizesListed = 10

  /// - Parameters:
  ///   - items: of the index.
  ///   - facts: one for each item.
  init(items: [DatasetItem], facts: [ImageFacts]) {
    var sums = ChannelSums()
    var sizes: [Size: Int] = [:]
    var formats: [String: Int] = [:]
    var channels: [String: Int] = [:]
    var widths: [Double] = []
    var heights: [Double] = []
    var aspects: [Double] = []
    for (item, fact) in zip(items, facts) {
      guard case .decoded(let header, let imageSums, _) = fact.outcome else { continue }
      if item.split == .train { sums += imageSums }
      sizes[Size(width: header.width, height: header.height), default: 0] += 1
      formats[header.format.rawValue, default: 0] += 1
      channels[header.channelsText, default: 0] += 1
      widths.append(Double(header.width))
      heights.append(Double(header.height))
      aspects.append(Double(header.width) / Double(header.height))
    }
    let common = sizes.map { SizeShare(size: $0.key, count: $0.value) }.sorted {
      ($1.count, $0.size.width, $0.size.height) < ($0.count, $1.size.width, $1.size.height)
    }
    self.init(
      images: widths.count,
      undecodable: zip(items, facts).compactMap { $1.failure == nil ? nil : $0.path },
      bytes: facts.reduce(0) { $0 + $1.bytes },
      width: Spread(widths), height: Spread(heights), aspect: Spread(aspects),
      commonSizes: Array(common.prefix(Self.sizesListed)), formats: Self.shares(formats),
      channels: Self.shares(channels), mean: sums.mean, std: sums.std)
  }

  /// The most frequent first, names in order where equal.
  private static func shares(_ counts: [String: Int]) -> [Share] {
    counts.map { Share(name: $0.key, count: $0.value) }.sorted {
      $0.count == $1.count ? NaturalOrder.precedes($0.name, $1.name) : $0.count > $1.count
    }
  }
}

extension DatasetStatistics.Spread {
  /// The median of an even number of values is the mean of the middle two; of none everything is 0.
  init(_ values: [Double]) {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    self.init(
      least: sorted.first ?? 0,
      median: sorted.isEmpty
        ? 0 : sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle],
      greatest: sorted.last ?? 0)
  }
}

extension ImageHeader {
  /// `rgb`, `gray, 16 bits`; the depth only where it is not the usual one. Of palettes it says nothing about colors.
  fileprivate var channelsText: String {
    if bitDepth == 8 || channels == .palette { return channels.rawValue }
    return "\(channels.rawValue), \(bitDepth == 1 ? "1 bit" : "\(bitDepth) bits")"
  }
}
