// The search for near duplicates against a naive one, and on sets that were made to break it.

import Support
import Messages
import Testing

@testable import Datasets

/// Every pair compared.
private func naiveGroups(_ prints: [Fingerprint]) -> [[Int]] {
  var cluster = Array(prints.indices)
  for second in prints.indices {
    for first in 0..<second
    where prints[first].distance(to: prints[second]) <= SimilarImages.hashLimit
      && prints[first].difference(to: prints[second]) <= SimilarImages.differenceLimit
    {
      let (old, new) = (max(cluster[first], cluster[second]), min(cluster[first], cluster[second]))
      for index in cluster.indices where cluster[index] == old { cluster[index] = new }
    }
  }
  return Dictionary(grouping: cluster.indices, by: { cluster[$0] }).values.filter { $0.count > 1 }
    .sorted { $0[0] < $1[0] }
}

/// A row of random steps to brighter blocks: the hash is the same for all of them, the pictures are not.
private func rising(_ generator: inout RandomGenerator) -> Fingerprint {
  var luma: [UInt8] = []
  for _ in 0..<16 {
    var value = 0
    for column in 0..<18 {
      if column.isMultiple(of: 2) { value += 1 + generator.integer(below: 27) }
      luma.append(UInt8(value))
    }
  }
  return Fingerprint(luma: luma)
}

@Suite(.timeLimit(.minutes(5))) struct `The search for near duplicates` {
  @Test func `finds what comparing every pair finds`() {
    var generator = RandomGenerator(seed: 5)
    // Noise that leaves some pairs on either side of the limits.
    let prints = (0..<400).map { index in
      Fingerprint(
        blotches(UInt64(generator.integer(below: 80))).withNoise(generator.integer(below: 60), seed: UInt64(index)))
    }
    let naive = naiveGroups(prints)
    let found = SimilarImages(among: prints)
    #expect(found.groups == naive)
    #expect(found.isComplete)
    #expect(naive.count > 20 && naive.joined().count < 390, "the test is of use")
  }

  @Test func `leaves out what takes no part and keeps the numbers`() {
    let print = Fingerprint(blotches(1))
    let found = SimilarImages(among: [nil, print, nil, Fingerprint(blotches(2)), print])
    #expect(found.groups == [[1, 4]])
  }

  @Test func `pictures of next to no contrast are not each other's copies`() {
    let black = Fingerprint(luma: [UInt8](repeating: 0, count: 288))
    let faint = Fingerprint(luma: (0..<288).map { $0.isMultiple(of: 2) ? 100 : 107 })
    #expect(faint.contrast < SimilarImages.leastContrast)
    let found = SimilarImages(among: [Fingerprint?](repeating: black, count: 100_000) + [faint, faint])
    #expect(found.groups.isEmpty && found.isComplete)
  }

  @Test func `a hundred thousand copies of one picture are one group`() {
    let print = Fingerprint(blotches(3))
    let found = SimilarImages(among: [Fingerprint?](repeating: print, count: 100_000))
    #expect(found.groups.map(\.count) == [100_000])
  }

  @Test func `thousands of different pictures of one hash take bounded work, and it is said that not all was done`()
  {
    var generator = RandomGenerator(seed: 9)
    let prints = (0..<6_000).map { _ in rising(&generator) }
    #expect(Set(prints.map(\.hash)) == [.max])
    let found = SimilarImages(among: prints)
    #expect(!found.isComplete)
    #expect(found.groups.isEmpty)
  }

  @Test func `ends when it is cancelled`() {
    let print = Fingerprint(blotches(3))
    #expect(SimilarImages(among: [print, print], isCancelled: { true }).groups.isEmpty)
  }
}

@Suite struct `The search for identical files` {
  /// Files in memory; the hash is the length, so that all of one length collide.
  private func groups(_ files: [String?]) -> [[Int]] {
    IdenticalFiles(read: { index, body in files[index].map { Array($0.utf8).withUnsafeBytes(body) } }).groups(
      keys: files.map { file in file.map { (contentHash([UInt8($0.utf8.count)]), $0.utf8.count) } })
  }

  @Test func `compares files of one hash`() {
    #expect(groups(["abc", "abd", "x", "abc", "abd", "zzz", "abc"]) == [[0, 3, 6], [1, 4]])
    #expect(groups(["abc", "abd"]).isEmpty)
    #expect(groups([]).isEmpty)
  }

  @Test func `a file that is gone meanwhile is in no group`() {
    var gone = Set<Int>()
    func read(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool? {
      gone.contains(index) ? nil : [UInt8](repeating: 7, count: 5).withUnsafeBytes(body)
    }
    let keys: [(hash: ContentHash, bytes: Int)?] = [
      (contentHash([1]), 5), (contentHash([1]), 5), nil, (contentHash([1]), 5),
    ]
    gone = [0]
    #expect(IdenticalFiles(read: { read($0, $1) }).groups(keys: keys) == [[1, 3]])
    gone = [1]
    #expect(IdenticalFiles(read: { read($0, $1) }).groups(keys: keys) == [[0, 3]])
    gone = []
    #expect(IdenticalFiles(read: { read($0, $1) }).groups(keys: keys) == [[0, 1, 3]])
  }
}
