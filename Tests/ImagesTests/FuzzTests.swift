// A little of what `make fuzz` does a lot of: damaged input decodes or is refused, and never traps.

import Fuzzing
import Testing

@Test(.timeLimit(.minutes(5)), arguments: FuzzEntry.all)
func `an entry takes whatever it is fed`(entry: FuzzEntry) {
  let run = FuzzRun(entry: entry, seed: 7)
  for number in 0..<UInt64(entry.seeds.count) {
    #expect(run.feed(number: number), "a seed is what the entry takes: \(number)")
  }
  var accepted = 0
  for number in 0..<UInt64(3000) where run.feed(number: number) { accepted += 1 }
  // Were all refused, or none, the mutations would say nothing about the decoder.
  #expect(accepted > 200 && accepted < 2900, "\(accepted)")
}

@Test func `an input is a function of its numbers`() throws {
  let entry = try #require(FuzzEntry.all.first)
  let (first, second) = (FuzzRun(entry: entry, seed: 1), FuzzRun(entry: entry, seed: 2))
  #expect(first.input(number: 500) == FuzzRun(entry: entry, seed: 1).input(number: 500))
  #expect(first.input(number: 500) != second.input(number: 500))
  #expect((500..<600).count { first.input(number: $0) != first.input(number: $0 + 1) } > 90)
}
