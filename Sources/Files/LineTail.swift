// Cutting the last lines off a text file of any length, from its end: what lies before them is not read.

import Glibc

/// The last lines of a file to which lines are appended.
public enum LineTail {
  /// A longer line is none of ours: it is cut off like those that are not kept, without being looked at.
  static let longestLine = 1 << 20

  /// Cuts off the lines behind the last one that is to be kept; a last line without a line feed was torn and goes too.
  /// The file is cut in place, so that it is whole at any time.
  /// - Parameters:
  ///   - path: nothing is done where there is no such file.
  ///   - keep: called with lines from the last one on, without their line feeds, until it answers true.
  /// - Throws: `FileOperationError`; the file then stays as it was.
  public static func cut(_ path: String, keep: (ArraySlice<UInt8>) -> Bool) throws(FileOperationError) {
    let file: InputFile
    do {
      file = try InputFile(path: path)
    } catch {
      if error.code == ENOENT { return }
      throw error
    }
    var backwards = BackwardLines(file: file)
    var end = try backwards.skipTorn()
    while let line = try backwards.next() {
      if let bytes = line.bytes, keep(bytes) { break }
      end = line.start
    }
    guard end < file.size else { return }
    let descriptor = try openToAppend(path, creating: false)
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(end)) == 0 else {
      throw FileOperationError(path: path, step: .write, code: errno)
    }
  }
}

/// The lines of a file from the last one to the first, in memory that does not grow with it.
private struct BackwardLines {
  private let file: InputFile
  /// A part of the file, from `start` on.
  private var window: [UInt8] = []
  private var start: Int
  /// Where the lines end that were not given out yet.
  private var end: Int

  private static let length = 1 << 18
  /// The parts of the file that are on disk; nil until it is asked for. Between them lie holes, which have no line
  /// feeds.
  private var extents: [Range<Int>]?

  init(file: InputFile) {
    self.file = file
    start = file.size
    end = file.size
  }

  /// Passes over a last line that has no line feed.
  /// - Returns: where the whole lines end.
  mutating func skipTorn() throws(FileOperationError) -> Int {
    end = try beginning(before: file.size)
    window = []
    start = end
    return end
  }

  /// - Returns: the next line toward the beginning and where it begins; without its bytes if it is too long; nil at the
  ///   beginning.
  mutating func next() throws(FileOperationError) -> (start: Int, bytes: ArraySlice<UInt8>?)? {
    guard end > 0 else { return nil }
    let last = end - 1
    let first = try beginning(before: last)
    end = first
    guard first >= start, last - first <= LineTail.longestLine else { return (first, nil) }
    return (first, window[(first - start)..<(last - start)])
  }

  /// Where the line begins that has its last byte right before a place. The window holds it, unless it is too long.
  private mutating func beginning(before place: Int) throws(FileOperationError) -> Int {
    var searched = place
    while searched > 0 {
      if searched <= start || start + window.count < place { try load(endingAt: searched, holding: place) }
      let part = window[..<(searched - start)]
      if let feed = part.lastIndex(of: UInt8(ascii: "\n")) { return start + feed + 1 }
      searched = start
      // Longer than any line: a sparse file may claim a terabyte.
      if place - searched > LineTail.longestLine { searched = endOfData(before: searched) }
    }
    return 0
  }

  /// The last place up to this one before which there is data; 0 where there is none.
  private mutating func endOfData(before place: Int) -> Int {
    let extents = extents ?? file.dataExtents()
    self.extents = extents
    guard let last = extents.last(where: { $0.lowerBound < place }) else { return 0 }
    return min(place, last.upperBound)
  }

  /// Loads a part in which `searched` lies at the end, or far behind the beginning where the bytes up to `place` are
  /// still few enough to be one line.
  private mutating func load(endingAt searched: Int, holding place: Int) throws(FileOperationError) {
    let end = place - searched <= LineTail.longestLine ? place : searched
    let begin = max(0, searched - Self.length)
    window = try file.read(count: end - begin, at: begin)
    start = begin
  }
}
