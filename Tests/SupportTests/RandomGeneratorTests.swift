// The random numbers: known values of the published generators, and the ranges and shapes of what is made of them.

@testable import Support
import Testing

@Suite struct RandomGeneratorTests {
  /// Seeds, and the values that the public-domain C code of Sebastiano Vigna (splitmix64.c) gives for them.
  static let splitMix64: [(UInt64, [UInt64])] = [
    (
      1_234_567,
      [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ]
    ),
    (0, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]),
  ]

  @Test(arguments: splitMix64)
  func `the integers are SplitMix64's`(seed: UInt64, values: [UInt64]) {
    var generator = RandomGenerator(seed: seed)
    #expect(values.map { _ in generator.next() } == values)
  }

  /// The test vectors that Fowler, Noll and Vo publish.
  static let hashes: [(String, UInt64)] = [
    ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
  ]

  @Test(arguments: hashes)
  func `the stable hash is FNV-1a`(text: String, hash: UInt64) {
    #expect(stableHash(text) == hash)
  }

  @Test func `a hash can be taken in pieces`() {
    #expect(stableHash("bar".utf8, from: stableHash("foo")) == stableHash("foobar"))
  }

  @Test func `a generator is a function of all its parts and of their order`() {
    let generators = [
      RandomGenerator(1, 2, 3), RandomGenerator(1, 3, 2), RandomGenerator(2, 1, 3), RandomGenerator(1, 2),
      RandomGenerator(1), RandomGenerator(1, 2, 3, 0),
    ]
    #expect(Set(generators.map(\.state)).count == generators.count)
    #expect(RandomGenerator(1, 2, 3) == RandomGenerator(1, 2, 3))
  }

  @Test(arguments: [0, 1, 2, 7, 1000])
  func `a permutation has every number once`(count: Int) {
    var generator = RandomGenerator(seed: 3)
    let order = generator.permutation(count)
    #expect(order.sorted() == Array(0..<count))
    if count == 1000 { #expect(order != Array(0..<count)) }
  }

  @Test func `every order of three is about as frequent`() {
    var generator = RandomGenerator(seed: 5)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<6000 { counts[generator.permutation(3), default: 0] += 1 }
    #expect(counts.count == 6)
    // 1000 each, standard deviation 29; five of them.
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 145 })
  }

  @Test func `uniform numbers are in the range and fill it`() {
    var generator = RandomGenerator(seed: 7)
    let values = (0..<10_000).map { _ in generator.uniform() }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    // Mean 1/2, its std 0.0029; five of them.
    #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.0145)
    let range: ClosedRange<Float> = -3...(-1)
    let shifted = (0..<10_000).map { _ in generator.uniform(in: range) }
    #expect(shifted.allSatisfy { range.contains($0) })
    #expect((shifted.min() ?? 0) < -2.99)
    #expect((shifted.max() ?? -3) > -1.01)
  }

  @Test(arguments: [1, 2, 3, 10])
  func `integers below a bound take every value`(bound: Int) {
    var generator = RandomGenerator(seed: 9)
    #expect(Set((0..<500).map { _ in generator.integer(below: bound) }) == Set(0..<bound))
  }

  @Test func `normal numbers have mean 0 and std 1`() {
    var generator = RandomGenerator(seed: 11)
    let values = (0..<20_000).map { _ in Double(generator.normal()) }
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    // Deviations of these estimates: 0.007 and 0.01; five of them.
    #expect(abs(mean) < 0.035)
    #expect(abs(variance - 1) < 0.05)
    #expect(values.contains { abs($0) > 3 })
  }

  @Test func `truncated normal numbers stay within two standard deviations and keep their shape`() {
    var generator = RandomGenerator(seed: 13)
    let values = (0..<20_000).map { _ in Double(generator.truncatedNormal()) }
    #expect(values.allSatisfy { abs($0) <= 2 })
    // The variance of a normal cut at two standard deviations: 1 - 4 * density(2) / (2 * distribution(2) - 1) = 0.774.
    let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(variance - 0.774) < 0.04)
  }
}
