// The order in which a person expects names: 1, 2, 10.

/// Compares names so that runs of ASCII digits count as numbers and everything else by its bytes.
package enum NaturalOrder {
  /// Whether `first` comes before `second`. A total order on bytes: names that differ in any byte are never equal,
  /// though Swift's own `==` may call two spellings of an accented letter equal.
  package static func precedes(_ first: String, _ second: String) -> Bool {
    let order = first.utf8.withContiguousStorageIfAvailable { first in
      second.utf8.withContiguousStorageIfAvailable { second in compare(first, second) }
    }
    if let order = order ?? nil { return order < 0 }
    // Strings that come from elsewhere than Swift may not be contiguous; a copy is.
    return Array(first.utf8).withUnsafeBufferPointer { first in
      Array(second.utf8).withUnsafeBufferPointer { second in compare(first, second) < 0 }
    }
  }

  /// Negative, zero or positive as `first` comes before, is, or comes after `second`.
  private static func compare(_ first: UnsafeBufferPointer<UInt8>, _ second: UnsafeBufferPointer<UInt8>) -> Int {
    var i = 0
    var j = 0
    while i < first.count && j < second.count {
      if isDigit(first[i]) && isDigit(second[j]) {
        let numberOfFirst = digits(in: first, at: &i)
        let numberOfSecond = digits(in: second, at: &j)
        if numberOfFirst.count != numberOfSecond.count { return numberOfFirst.count - numberOfSecond.count }
        for (a, b) in zip(numberOfFirst, numberOfSecond) where a != b { return Int(a) - Int(b) }
      } else {
        if first[i] != second[j] { return Int(first[i]) - Int(second[j]) }
        i += 1
        j += 1
      }
    }
    let left = first.count - i
    let right = second.count - j
    if left != right { return left - right }
    // The same but for leading zeros ("01" and "1"): plain byte order decides.
    for (a, b) in zip(first, second) where a != b { return Int(a) - Int(b) }
    return first.count - second.count
  }

  /// The run of digits at `index` without its leading zeros; moves `index` behind it.
  private static func digits(
    in bytes: UnsafeBufferPointer<UInt8>, at index: inout Int
  ) -> UnsafeBufferPointer<UInt8>.SubSequence {
    while index < bytes.count && bytes[index] == UInt8(ascii: "0") { index += 1 }
    let start = index
    while index < bytes.count && isDigit(bytes[index]) { index += 1 }
    return bytes[start..<index]
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
