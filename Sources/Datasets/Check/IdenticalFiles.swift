// Which files have the same bytes. Hashes propose, a comparison of the files decides.

import Images
import Messages

/// Finds groups of identical files.
struct IdenticalFiles {
  /// Reads a file and calls `body` with its bytes; nil where it cannot be read.
  let read: (_ index: Int, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool?

  /// - Parameter keys: for each file what says that two may be the same; nil for those that take no part.
  /// - Returns: the indices of each group of two or more, ascending; groups in order of their first.
  func groups(keys: [(hash: ContentHash, bytes: Int)?], isCancelled: () -> Bool = { false }) -> [[Int]] {
    struct Key: Hashable {
      var hash: ContentHash
      var bytes: Int
    }
    var byKey: [Key: [Int]] = [:]
    for (index, key) in keys.enumerated() {
      if let key { byKey[Key(hash: key.hash, bytes: key.bytes), default: []].append(index) }
    }
    return byKey.values.filter { $0.count > 1 }
      .flatMap { isCancelled() ? [] : verified($0) }
      .sorted { $0[0] < $1[0] }
  }

  /// Divides files of equal hash by what is in them; as good as always that is one group.
  private func verified(_ candidates: [Int]) -> [[Int]] {
    var groups: [[Int]] = []
    var rest = candidates
    while rest.count > 1 {
      let first = rest.removeFirst()
      var original: [UInt8] = []
      guard
        read(
          first,
          {
            original = Array($0)
            return true
          }) != nil
      else { continue }
      var same = [first]
      var other: [Int] = []
      for index in rest {
        let isSame = original.withUnsafeBytes { original in
          read(index) { bytes in
            bytes.count == original.count && bytes.elementsEqual(original)
          }
        }
        if isSame == true { same.append(index) } else { other.append(index) }
      }
      if same.count > 1 { groups.append(same) }
      rest = other
    }
    return groups
  }
}
