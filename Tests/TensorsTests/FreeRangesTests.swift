// The bookkeeping of free memory: nothing is lost, nothing given out twice, neighbors become one.

import Support
import Testing

@testable import Tensors

@Suite struct FreeRangesTests {
  private func range(_ start: UInt, _ length: Int) -> FreeRanges.Range { .init(start: start, length: length) }

  @Test func `ranges that touch become one, in any order`() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      let parts = [range(100, 50), range(150, 20), range(170, 30)]
      var free = FreeRanges()
      free.add(range(300, 10))
      for index in order { free.add(parts[index]) }
      #expect(free.ranges == [range(100, 100), range(300, 10)])
      #expect(free.length == 110)
    }
  }

  @Test func `a block comes from the end of the shortest range that has it`() {
    var free = FreeRanges()
    for part in [range(0, 100), range(200, 40), range(300, 60), range(400, 40)] { free.add(part) }
    #expect(free.take(40) == 200)
    #expect(free.take(30) == 410)
    #expect(free.take(50) == 310)
    #expect(free.take(101) == nil)
    #expect(free.ranges == [range(0, 100), range(300, 10), range(400, 10)])
    #expect(free.length == 120)
  }

  @Test func `thousands of takes and returns keep the account of every byte`() {
    let size = 4096
    var free = FreeRanges()
    free.add(range(64, size))
    var taken: [FreeRanges.Range] = []
    var generator = RandomGenerator(seed: 5)
    for _ in 0..<5000 {
      if generator.integer(below: 2) == 0 || taken.isEmpty {
        let length = 1 + generator.integer(below: 300)
        guard let start = free.take(length) else { continue }
        taken.append(range(start, length))
      } else {
        free.add(taken.remove(at: generator.integer(below: taken.count)))
      }
      let all = (taken + free.ranges).sorted { $0.start < $1.start }
      #expect(all.first?.start == 64 && all.last?.end == UInt(64 + size))
      #expect(zip(all, all.dropFirst()).allSatisfy { $0.end == $1.start }, "without gaps or overlaps")
      #expect(zip(free.ranges, free.ranges.dropFirst()).allSatisfy { $0.end < $1.start }, "merged")
      #expect(free.length == free.ranges.reduce(0) { $0 + $1.length })
    }
  }
}
