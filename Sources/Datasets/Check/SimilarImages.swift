// Which pictures look alike. Comparing all with all would take hours for a million images; here only those are
// compared whose hashes agree in some part, and the work for each is bounded, whatever the images are.

/// Groups of near duplicates among fingerprints.
///
/// Two pictures are near duplicates when their 64-bit hashes differ in at most `hashLimit` bits and their small gray
/// versions by at most `differenceLimit` of their contrast. The hash is quick and lets through pictures of the same
/// outline; the small pictures decide. Pictures with next to no contrast are left out: a hundred black images are not
/// each other's copies.
struct SimilarImages: Sendable, Equatable {
  /// Of photographs saved again at half their size or at JPEG quality 50, nine of ten differ in 2 bits at the most, and
  /// as good as all in 4.
  static let hashLimit = 5
  /// The same photographs stay below 0.03, 99 of 100; different ones of the same hand or bottle begin at 0.15. Pictures
  /// of Fashion-MNIST, where a hundred trousers fill the frame in one way, begin to be others at 0.04.
  static let differenceLimit: Float = 0.04
  /// In levels of 255.
  static let leastContrast: Float = 4

  /// Indices of each group of two or more, ascending; groups in order of their first.
  private(set) var groups: [[Int]] = []
  /// False where so many pictures had nearly the same hash that not every pair of them was compared.
  private(set) var isComplete = true

  /// Two hashes that differ in `hashLimit` bits agree in one of `hashLimit + 1` parts. Parts take every sixth bit, so
  /// that each sees the whole picture: a part with the upper rows only would be the same for every blue sky.
  private static let parts: [UInt64] = (0...hashLimit).map { part in
    stride(from: part, to: 64, by: hashLimit + 1).reduce(0) { $0 | 1 << UInt64($1) }
  }
  /// For each image and part, at most: hashes compared, small pictures compared without success, and members of the
  /// image's own group met.
  private static let hashesCompared = 5000
  private static let picturesCompared = 2000
  private static let membersMet = 500

  init() {}

  /// - Parameters:
  ///   - fingerprints: nil for what takes no part.
  ///   - isCancelled: asked now and then; true gives the groups found so far.
  /// - Complexity: O(n log n) sorting and at most 30,000 comparisons of two numbers an image.
  init(among fingerprints: [Fingerprint?], isCancelled: () -> Bool = { false }) {
    let candidates = fingerprints.enumerated().compactMap { index, fingerprint in
      fingerprint.flatMap { $0.contrast >= Self.leastContrast ? (index: index, print: $0) : nil }
    }
    var clusters = Clusters(count: candidates.count)
    for (number, part) in Self.parts.enumerated() {
      let before = Self.parts[..<number]
      // Members of a run agree in the part; within a run, like hashes come together.
      let sorted = candidates.indices.map { (hash: candidates[$0].print.hash, position: $0) }.sorted {
        let (first, second) = ($0.hash & part, $1.hash & part)
        return first == second ? ($0.hash, $0.position) < ($1.hash, $1.position) : first < second
      }
      var runStart = 0
      var hashStart = 0
      for current in sorted.indices {
        if current.isMultiple(of: 1000), isCancelled() { return }
        let (hash, position) = sorted[current]
        if sorted[runStart].hash & part != hash & part { runStart = current }
        if sorted[hashStart].hash != hash { hashStart = current }
        // Those of the very same hash met in the first part.
        let newest = number == 0 ? current : hashStart
        let oldest = max(runStart, newest - Self.hashesCompared)
        if oldest > runStart { isComplete = false }
        var picturesLeft = Self.picturesCompared
        var membersLeft = Self.membersMet
        var earlier = newest
        while earlier > oldest {
          earlier -= 1
          let differing = sorted[earlier].hash ^ hash
          guard differing.nonzeroBitCount <= Self.hashLimit else { continue }
          let other = sorted[earlier].position
          if clusters.areTogether(position, other) {
            membersLeft -= 1
          } else if before.contains(where: { differing & $0 == 0 }) {
            // They agree in an earlier part, and met there.
            continue
          } else {
            switch Self.comparison(candidates[position].print, candidates[other].print) {
            case .alike: clusters.join(position, other)
            case .differentContrast: break
            case .different: picturesLeft -= 1
            }
          }
          if membersLeft == 0 || picturesLeft == 0 {
            isComplete = isComplete && earlier == oldest
            break
          }
        }
      }
    }
    groups = clusters.groups.map { $0.map { candidates[$0].index } }
  }

  private enum Comparison { case alike, different, differentContrast }

  private static func comparison(_ first: Fingerprint, _ second: Fingerprint) -> Comparison {
    // The difference of two pictures is never less than the difference of their contrasts.
    let contrast = max(first.contrast, second.contrast)
    guard abs(first.contrast - second.contrast) <= differenceLimit * contrast else { return .differentContrast }
    return first.difference(to: second) <= differenceLimit ? .alike : .different
  }
}

/// A division of 0..<count into clusters that only grow: a forest in which each member points toward the first of its
/// cluster.
private struct Clusters {
  private var parent: [Int]

  init(count: Int) { parent = Array(0..<count) }

  private mutating func first(of member: Int) -> Int {
    var member = member
    while parent[member] != member {
      parent[member] = parent[parent[member]]
      member = parent[member]
    }
    return member
  }

  mutating func areTogether(_ a: Int, _ b: Int) -> Bool { first(of: a) == first(of: b) }

  mutating func join(_ a: Int, _ b: Int) {
    let (first, second) = (first(of: a), first(of: b))
    parent[max(first, second)] = min(first, second)
  }

  /// Clusters of two or more, their members ascending, in order of the first.
  var groups: [[Int]] {
    var clusters = self
    var members: [Int: [Int]] = [:]
    for member in parent.indices { members[clusters.first(of: member), default: []].append(member) }
    return members.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }
}
