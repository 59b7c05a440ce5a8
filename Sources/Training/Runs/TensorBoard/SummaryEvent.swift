// What TensorBoard reads, as messages of protocol buffers: an event with its summary, and of a summary scalars,
// histograms, images and texts. Field numbers are those of tensorboard/compat/proto (event.proto, summary.proto).

import Images
import Protobuf

/// A value under a name.
struct SummaryValue: Sendable {
  enum Content: Sendable {
    case scalar(Float)
    case histogram(ValueHistogram)
    case image(EncodedPicture)
    /// In Markdown.
    case text(String)
  }

  /// What stands before its first slash is the group in which it is shown.
  var tag: String
  var content: Content

  init(_ tag: String, _ content: Content) {
    self.tag = tag
    self.content = content
  }

  /// `Summary.Value`.
  var message: [UInt8] {
    var bytes = ProtobufWriter.field(1, tag)
    switch content {
    case .scalar(let value): bytes += ProtobufWriter.field(2, float: value)
    case .histogram(let histogram): bytes += ProtobufWriter.field(5, histogram.message)
    case .image(let picture):
      let image =
        ProtobufWriter.field(1, integer: Int64(picture.height))
        + ProtobufWriter.field(2, integer: Int64(picture.width))
        + ProtobufWriter.field(3, integer: Self.rgb) + ProtobufWriter.field(4, picture.bytes)
      bytes += ProtobufWriter.field(4, image)
    case .text(let text):
      let plugin = ProtobufWriter.field(1, "text")
      // A tensor of one string, and that its plug-in is the one for texts.
      bytes += ProtobufWriter.field(
        8, ProtobufWriter.field(1, integer: Self.stringType) + ProtobufWriter.field(8, text))
      bytes += ProtobufWriter.field(9, ProtobufWriter.field(1, plugin))
    }
    return bytes
  }

  /// `colorspace` of an image.
  private static let rgb: Int64 = 3
  /// `DT_STRING`.
  private static let stringType: Int64 = 7
}

/// `HistogramProto`: how often values lie in each of many ranges of the same width.
struct ValueHistogram: Sendable, Equatable {
  private static let buckets = 40

  private(set) var count = 0
  private(set) var sum = 0.0
  private(set) var squares = 0.0
  private(set) var range = 0.0...0.0
  /// Of equal width over the range.
  private(set) var counts: [Int] = []

  /// Of values that somebody else has counted.
  init(range: ClosedRange<Double>, counts: [Int], sum: Double, squares: Double) {
    (self.range, self.counts, self.sum, self.squares) = (range, counts, sum, squares)
    count = counts.reduce(0, +)
  }

  /// - Returns: nil where no value is finite; those that are not are left out.
  init?(_ values: [Float]) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where value.isFinite {
      let value = Double(value)
      low = min(low, value)
      high = max(high, value)
      count += 1
      sum += value
      squares += value * value
    }
    guard count > 0 else { return nil }
    range = low...high
    counts = Array(repeating: 0, count: low == high ? 1 : Self.buckets)
    let scale = low == high ? 0 : Double(Self.buckets) / (high - low)
    for value in values where value.isFinite {
      counts[min(counts.count - 1, Int((Double(value) - low) * scale))] += 1
    }
  }

  var message: [UInt8] {
    let width = (range.upperBound - range.lowerBound) / Double(counts.count)
    let limits = counts.indices.map {
      $0 == counts.count - 1 ? range.upperBound : range.lowerBound + width * Double($0 + 1)
    }
    return ProtobufWriter.field(1, double: range.lowerBound) + ProtobufWriter.field(2, double: range.upperBound)
      + ProtobufWriter.field(3, double: Double(count)) + ProtobufWriter.field(4, double: sum)
      + ProtobufWriter.field(5, double: squares) + ProtobufWriter.field(6, doubles: limits)
      + ProtobufWriter.field(7, doubles: counts.map(Double.init))
  }
}

/// `Event`.
enum SummaryEvent {
  /// What every file begins with.
  static func version(time: Double) -> [UInt8] {
    ProtobufWriter.field(1, double: time) + ProtobufWriter.field(3, "brain.Event:2")
  }

  static func message(time: Double, step: Int, _ values: [SummaryValue]) -> [UInt8] {
    let summary = values.flatMap { ProtobufWriter.field(1, $0.message) }
    return ProtobufWriter.field(1, double: time) + ProtobufWriter.field(2, integer: Int64(step))
      + ProtobufWriter.field(5, summary)
  }

  /// What of an event says whether a resumed run keeps it.
  struct Place: Equatable {
    var step = 0
    /// The epoch that it is about the end of; nil for an event of a step.
    var epoch: Int?
    /// Whether it has any value.
    var isSummary = false

    /// - Throws: `ProtobufFault`.
    init(_ bytes: UnsafeRawBufferPointer) throws(ProtobufFault) {
      var event = ProtobufReader(bytes, 0..<bytes.count)
      while let (field, value) = try event.next() {
        switch (field, value) {
        case (2, .number(let number)): step = Int(truncatingIfNeeded: number)
        case (5, .bytes(let summary)):
          isSummary = true
          var values = ProtobufReader(bytes, summary)
          // The epoch's number comes first.
          guard case (1, .bytes(let first))? = try values.next() else { continue }
          epoch = try Self.epoch(bytes, first)
        default: break
        }
      }
    }

    private static func epoch(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(ProtobufFault) -> Int? {
      var value = ProtobufReader(bytes, range)
      var (isEpoch, number): (Bool, Int?) = (false, nil)
      while let (field, content) = try value.next() {
        switch (field, content) {
        case (1, .bytes(let tag)): isEpoch = bytes[tag].elementsEqual(epochTag.utf8)
        case (2, .fourBytes(let bits)): number = Int(exactly: Float(bitPattern: bits))
        default: break
        }
      }
      return isEpoch ? number : nil
    }
  }

  /// The first value of an epoch's event.
  static let epochTag = "epoch/number"
}
