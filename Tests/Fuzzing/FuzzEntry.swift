// The ways into the program that take bytes from outside, in a form that can be fed anything. A way in is described
// once, here or in a FuzzEntry+....swift of its own, and then fuzzed by the tests, a little, and by `make fuzz`, a lot.

/// One way in.
public struct FuzzEntry: Sendable {
  /// How the command line calls it.
  public var name: String
  /// Small inputs that it takes; every other input is made of these.
  public var seeds: [[UInt8]]
  /// How the inputs are divided into parts.
  public var framing: Framing
  /// Makes a function that takes an input and says whether it was accepted. Whatever the program keeps from one input
  /// to the next, the function keeps.
  public var makeTarget: @Sendable () -> (UnsafeRawBufferPointer) -> Bool

  public init(
    name: String, seeds: [[UInt8]], framing: Framing = .none,
    makeTarget: @escaping @Sendable () -> (UnsafeRawBufferPointer) -> Bool
  ) {
    self.name = name
    self.seeds = seeds
    self.framing = framing
    self.makeTarget = makeTarget
  }

  /// All of them. Another one: a static list in a file of its own, added here.
  public static let all: [FuzzEntry] = images + datasets + weights + inspection

  /// Whether a file might be an input: it begins like a seed.
  public func mayTake(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 2 && seeds.contains { $0.starts(with: bytes[..<2]) }
  }
}
