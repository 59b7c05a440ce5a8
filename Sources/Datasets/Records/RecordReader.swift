// Reads the records of a shard one after the other through one buffer, and checks both checksums of each. What is
// behind a damaged record is read as long as its length can be trusted.

import Files
import Glibc
import Resources

/// Where the bytes of a shard come from.
protocol RecordSource {
  /// Bytes in all.
  var count: Int { get }
  /// Puts the bytes from `offset` on into the beginning of a buffer.
  /// - Returns: how many there were, fewer than asked for only at the end.
  func read(into buffer: inout [UInt8], count: Int, at offset: Int) throws(FileOperationError) -> Int
}

/// A shard on disk.
extension InputFile: RecordSource {
  var count: Int { size }
}

/// A shard in memory.
struct ShardBuffer: RecordSource {
  var bytes: [UInt8]

  var count: Int { bytes.count }

  func read(into buffer: inout [UInt8], count: Int, at offset: Int) -> Int {
    let part = bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)]
    buffer.replaceSubrange(..<part.count, with: part)
    return part.count
  }
}

/// A way through the records of one shard.
struct RecordReader<Source: RecordSource> {
  let source: Source
  /// How many records were begun.
  private(set) var records = 0
  /// Where the next record begins.
  private var position = 0
  /// Bytes of the shard from `windowStart` on.
  private var window: [UInt8] = []
  private var windowStart = 0
  private var windowCount = 0

  /// Enough for many small images at a time.
  private static var windowLength: Int { 1 << 18 }

  init(_ source: Source) { self.source = source }

  /// Calls `body` with the next record's data, which is valid until it returns, and the offset in the shard at which
  /// the data begins.
  ///
  /// - Returns: nil at the end.
  /// - Throws: `RecordFault`; the next call goes on behind the damaged record, or is at the end if the damage
  ///   `endsShard`.
  mutating func next<Result>(
    _ body: (_ data: UnsafeRawBufferPointer, _ offset: Int) throws(RecordDamage) -> Result
  ) throws(RecordFault) -> Result? {
    let start = position
    guard start < source.count else { return nil }
    records += 1
    do throws(RecordDamage) {
      let length = try nextLength()
      let dataStart = start + TFRecord.headerLength
      position = dataStart + length + TFRecord.footerLength
      guard length <= RecordLimits.recordBytes else { throw .tooLong(length: UInt64(length)) }
      try load(TFRecord.headerLength + length + TFRecord.footerLength, at: start)
      return try window.withUnsafeBufferPointer { (window) throws(RecordDamage) in
        let record = UnsafeRawBufferPointer(window)[(dataStart - windowStart)..<(position - windowStart)]
        let data = UnsafeRawBufferPointer(rebasing: record.prefix(length))
        let footer = UnsafeRawBufferPointer(rebasing: record.suffix(TFRecord.footerLength))
        guard TFRecord.isIntact(data: data, footer: footer) else { throw .wrongDataChecksum }
        return try body(data, dataStart)
      }
    } catch {
      if error.endsShard { position = source.count }
      throw RecordFault(record: records, offset: start, damage: error)
    }
  }

  /// The length of the next record's data, which lies within the file.
  private mutating func nextLength() throws(RecordDamage) -> Int {
    let left = source.count - position
    guard left >= TFRecord.headerLength else { throw .cutOffInHeader(left: left) }
    try load(TFRecord.headerLength, at: position)
    let length = window.withUnsafeBytes { window in
      let start = position - windowStart
      return TFRecord.length(
        header: UnsafeRawBufferPointer(rebasing: window[start..<(start + TFRecord.headerLength)]))
    }
    guard let length else { throw .wrongLengthChecksum }
    let behind = left - TFRecord.headerLength
    guard behind >= TFRecord.footerLength, length <= UInt64(behind - TFRecord.footerLength) else {
      throw .cutOff(length: length, left: behind)
    }
    return Int(length)
  }

  /// Sees to it that bytes of the shard are in the window.
  /// - Parameter count: no more than the shard has from `offset` on.
  private mutating func load(_ count: Int, at offset: Int) throws(RecordDamage) {
    if offset >= windowStart, offset + count <= windowStart + windowCount { return }
    let wanted = min(max(count, Self.windowLength), source.count - offset)
    windowStart = offset
    windowCount = 0
    if window.count < wanted {
      // Half as much again, so that growing records do not make for a new buffer each.
      let larger = max(wanted, window.count + window.count / 2)
      window = []
      let length = Memory.has(larger) ? larger : wanted
      guard Memory.has(length) else { throw .unreadable(.system(SystemError(number: ENOMEM))) }
      window = [UInt8](repeating: 0, count: length)
    }
    let got: Int
    do throws(FileOperationError) {
      got = try source.read(into: &window, count: wanted, at: offset)
    } catch {
      throw .unreadable(error.reason)
    }
    windowCount = got
    // The file became shorter while it was read.
    guard got >= count else { throw .cutOff(length: UInt64(count), left: got) }
  }
}
