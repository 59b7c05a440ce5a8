// Bookkeeping of free address ranges: which to cut a block from, and merging what is given back. Knows numbers only;
// the memory itself is StoragePool's business.

/// Disjoint ranges of addresses, merged where they touch. All lengths are multiples of whatever the caller rounds to.
struct FreeRanges {
  struct Range: Equatable {
    var start: UInt
    var length: Int

    var end: UInt { start + UInt(length) }
  }

  /// By address. Some dozens at most in a training step: it takes and gives back in nearly opposite orders.
  private(set) var ranges: [Range] = []
  /// Of all ranges, bytes.
  private(set) var length = 0

  /// Cuts `length` bytes from the shortest range that has them (the first of equal ones), at its end: what is left of
  /// the lowest range then touches whatever is mapped below it.
  mutating func take(_ length: Int) -> UInt? {
    var best: Int?
    for (index, range) in ranges.enumerated() where range.length >= length {
      if let best, ranges[best].length <= range.length { continue }
      best = index
    }
    guard let best else { return nil }
    self.length -= length
    ranges[best].length -= length
    let start = ranges[best].end
    if ranges[best].length == 0 { ranges.remove(at: best) }
    return start
  }

  /// Takes in a range that touches or is apart from all the others.
  mutating func add(_ range: Range) {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].start < range.start { low = middle + 1 } else { high = middle }
    }
    length += range.length
    let touchesNext = low < ranges.count && range.end == ranges[low].start
    if low > 0, ranges[low - 1].end == range.start {
      ranges[low - 1].length += range.length
      if touchesNext { ranges[low - 1].length += ranges.remove(at: low).length }
    } else if touchesNext {
      ranges[low].start = range.start
      ranges[low].length += range.length
    } else {
      ranges.insert(range, at: low)
    }
  }

  mutating func removeAll() -> [Range] {
    defer {
      ranges.removeAll()
      length = 0
    }
    return ranges
  }
}
