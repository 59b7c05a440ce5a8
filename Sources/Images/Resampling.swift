// Changes an image's size. Shrinking averages over every source pixel, so nothing aliases; the result is Pillow's
// `resize(..., BILINEAR)`, to the bit or next to it, because most published networks were trained on that. The sums
// themselves are CKernels'.

import CKernels
import Messages

/// A rectangle of an image in pixels; fractions are allowed.
public struct SourceBox: Sendable, Equatable {
  public var x: Double
  public var y: Double
  public var width: Double
  public var height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

extension PixelImage {
  /// The image, or a rectangle of it, at another size: a triangle filter as wide as a source pixel when enlarging
  /// and as a result's pixel when shrinking, first along rows, then along columns, rounded to 8 bits after each.
  ///
  /// - Parameter box: the part of the image to use, nil for all of it; it lies within the image.
  public func resized(width: Int, height: Int, box: SourceBox? = nil) -> PixelImage {
    resized(width: width, height: height, box: box, columns: 0..<width, rows: 0..<height)
  }

  /// A window of what `resized(width:height:box:)` gives, computed alone: the middle of a very long image does not
  /// cost the memory of its ends.
  package func resized(
    width newWidth: Int, height newHeight: Int, box: SourceBox?, columns: Range<Int>, rows: Range<Int>
  ) -> PixelImage {
    precondition(newWidth > 0 && newHeight > 0 && width > 0 && height > 0, "an image has at least one pixel")
    let box = box ?? SourceBox(x: 0, y: 0, width: Double(width), height: Double(height))
    precondition(
      box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 && box.x + box.width <= Double(width)
        && box.y + box.height <= Double(height), "the box lies within the image")
    if box == SourceBox(x: 0, y: 0, width: Double(newWidth), height: Double(newHeight)) {
      return cut(columns: columns, rows: rows)
    }
    let horizontal = TriangleFilter(
      sourceLength: width, from: box.x, length: box.width, resultLength: newWidth, window: columns)
    let vertical = TriangleFilter(
      sourceLength: height, from: box.y, length: box.height, resultLength: newHeight, window: rows)

    if vertical.isIdentity { return filteredAlongRows(horizontal, rows: 0..<height) }
    if horizontal.isIdentity { return filteredAlongColumns(vertical, firstRow: 0) }
    let needed = vertical.sources
    return filteredAlongRows(horizontal, rows: needed).filteredAlongColumns(vertical, firstRow: needed.lowerBound)
  }

  /// A rectangle of the image as it is.
  private func cut(columns: Range<Int>, rows: Range<Int>) -> PixelImage {
    if columns == 0..<width && rows == 0..<height { return self }
    var cut: [UInt8] = []
    cut.reserveCapacity(columns.count * rows.count * 3)
    for row in rows {
      let start = 3 * (row * width + columns.lowerBound)
      cut += pixels[start..<(start + 3 * columns.count)]
    }
    return PixelImage(width: columns.count, height: rows.count, pixels: cut)
  }

  /// Each result pixel of the given rows is a weighted sum of neighbors in its row.
  private func filteredAlongRows(_ filter: TriangleFilter, rows: Range<Int>) -> PixelImage {
    let columns = filter.count
    let (starts, weights, pairs) = filter.pairedWeights
    let first = 3 * rows.lowerBound * width
    let filtered = [UInt8](unsafeUninitializedCapacity: rows.count * columns * 3) { target, count in
      pixels.withUnsafeBufferPointer { source in
        let rest = UnsafeBufferPointer(rebasing: source[first...])
        ck_resample_rows(
          rest.baseAddress, rest.count, width, rows.count, starts, weights, pairs, columns, target.baseAddress)
      }
      count = rows.count * columns * 3
    }
    return PixelImage(width: columns, height: rows.count, pixels: filtered)
  }

  /// Each result row is a weighted sum of whole rows.
  /// - Parameter firstRow: which source row this image's first row is.
  private func filteredAlongColumns(_ filter: TriangleFilter, firstRow: Int) -> PixelImage {
    let rowLength = width * 3
    let filtered = [UInt8](unsafeUninitializedCapacity: filter.count * rowLength) { target, count in
      pixels.withUnsafeBufferPointer { source in
        filter.weights.withUnsafeBufferPointer { weights in
          for (row, span) in filter.spans.enumerated() {
            let start = (span.start - firstRow) * rowLength
            let rows = UnsafeBufferPointer(rebasing: source[start..<(start + span.count * rowLength)])
            ck_resample_columns(
              rows.baseAddress, rowLength, UnsafeBufferPointer(rebasing: weights[span.weights...]).baseAddress,
              span.count, UnsafeMutableBufferPointer(rebasing: target[(row * rowLength)...]).baseAddress)
          }
        }
      }
      count = filter.count * rowLength
    }
    return PixelImage(width: width, height: filter.count, pixels: filtered)
  }
}

/// For each position of the result along one axis: which source positions it sums, and with which weights.
private struct TriangleFilter {
  struct Span {
    /// The first source position, and how many.
    var start: Int
    var count: Int
    /// Where its weights begin.
    var weights: Int
  }

  private(set) var spans: [Span] = []
  /// Fixed point, 1 is 2^22: with 8-bit samples a sum stays within 32 bits.
  private(set) var weights: [Int32] = []
  /// Whether the result is the source, position by position.
  let isIdentity: Bool

  private static let fractionBits: Int32 = 22

  init(sourceLength: Int, from: Double, length: Double, resultLength: Int, window: Range<Int>) {
    isIdentity =
      from == 0 && length == Double(sourceLength) && resultLength == sourceLength && window == 0..<resultLength
    if isIdentity { return }
    let scale = length / Double(resultLength)
    let radius = max(scale, 1)
    spans.reserveCapacity(window.count)
    weights.reserveCapacity(window.count * (Int(radius.rounded(.up)) * 2 + 1))
    var taps: [Double] = []
    for position in window {
      let center = from + (Double(position) + 0.5) * scale
      let first = max(0, Int(center - radius + 0.5))
      let end = min(sourceLength, Int(center + radius + 0.5))
      taps.removeAll(keepingCapacity: true)
      for source in first..<max(first + 1, end) {
        taps.append(max(0, 1 - abs((Double(source) + 0.5 - center) / radius)))
      }
      let sum = taps.reduce(0, +)
      spans.append(Span(start: first, count: taps.count, weights: weights.count))
      let unit = Double(1 << Self.fractionBits)
      for tap in taps { weights.append(Int32((sum > 0 ? tap / sum : 1) * unit + 0.5)) }
    }
  }

  var count: Int { spans.count }

  /// Every source position that some result needs.
  var sources: Range<Int> {
    guard let first = spans.first, let last = spans.last else { return 0..<0 }
    return first.start..<(last.start + last.count)
  }

  /// The weights two by two, as `ck_resample_rows` takes them, the same number of pairs for every position.
  var pairedWeights: (starts: [Int32], weights: [Int32], pairs: Int) {
    let pairs = ((spans.map(\.count).max() ?? 0) + 1) / 2
    var paired = [Int32](repeating: 0, count: spans.count * pairs * 8)
    for (position, span) in spans.enumerated() {
      for tap in 0..<span.count {
        let place = (position * pairs + tap / 2) * 8 + 3 * (tap % 2)
        for channel in 0..<3 { paired[place + channel] = weights[span.weights + tap] }
      }
    }
    return (spans.map { Int32($0.start) }, paired, pairs)
  }
}
