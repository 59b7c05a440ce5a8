// The one source of random numbers: every choice of the program is a function of a seed and of where it is made.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A small, fast, seeded generator: SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
/// generators"). Not for cryptography.
public struct RandomGenerator: RandomNumberGenerator, Sendable, Equatable {
  public private(set) var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// A generator for one purpose: the same parts give the same numbers, any other parts give unrelated ones.
  ///
  ///     var generator = RandomGenerator(seed, epoch, image)
  public init(_ seed: UInt64, _ parts: UInt64...) {
    // The addition tells what came before from the part: without it, seed and first part could change places.
    state = parts.reduce(Self.mixed(seed &+ Self.increment)) {
      Self.mixed(($0 &+ Self.increment) ^ Self.mixed($1 &+ Self.increment))
    }
  }

  public mutating func next() -> UInt64 {
    state &+= Self.increment
    return Self.mixed(state)
  }

  /// Uniform in 0 ..< 1, 24 bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in the range.
  public mutating func uniform(in range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Uniform in 0 ..< bound, by multiplication (Lemire 2019, without the rejection step: the bias is below 2^-32
  /// for every bound used here).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a random integer needs a positive bound")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Standard normal (Box and Muller 1958).
  public mutating func normal() -> Float {
    // 1 - uniform is in (0, 1], so the logarithm is finite.
    let radius = sqrt(-2 * log(Double(1 - uniform())))
    return Float(radius * cos(2 * Double.pi * Double(uniform())))
  }

  /// Normal with everything beyond two standard deviations drawn again.
  public mutating func truncatedNormal() -> Float {
    while true {
      let value = normal()
      if abs(value) <= 2 { return value }
    }
  }

  /// 0 ..< count in random order (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    var last = count - 1
    while last > 0 {
      order.swapAt(last, integer(below: last + 1))
      last -= 1
    }
    return order
  }

  private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
