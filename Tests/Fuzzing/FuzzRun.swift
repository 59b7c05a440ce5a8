// Feeds one entry with one input after another. What to do about a crash is the business of whoever runs it.

import Support

/// An entry, its target and the inputs it will get.
public struct FuzzRun {
  private let entry: FuzzEntry
  private let mutator: Mutator
  private let seed: UInt64
  private let target: (UnsafeRawBufferPointer) -> Bool

  /// - Parameters:
  ///   - seed: another one gives other inputs.
  ///   - corpus: more inputs to begin with, beside the entry's seeds; those that cannot be its own are left out.
  public init(entry: FuzzEntry, seed: UInt64, corpus: [[UInt8]] = []) {
    self.entry = entry
    self.seed = seed
    mutator = Mutator(seeds: entry.seeds + corpus.filter(entry.mayTake), framing: entry.framing)
    target = entry.makeTarget()
  }

  /// The input of a number; the first ones are the seeds themselves.
  public func input(number: UInt64) -> [UInt8] {
    if number < mutator.seeds.count { return mutator.seeds[Int(number)] }
    var generator = RandomGenerator(seed, stableHash(entry.name), number)
    return mutator.input(&generator)
  }

  /// Feeds one input, in memory of exactly its size, so that an address sanitizer sees a step beyond.
  /// - Returns: whether it was accepted.
  public func feed(number: UInt64) -> Bool {
    let input = input(number: number)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: input)
    return target(UnsafeRawBufferPointer(memory))
  }
}
