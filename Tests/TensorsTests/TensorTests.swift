// The tensor as a value: copies are independent, shapes are checked, arithmetic is elementwise.

import Support
import Testing

@testable import Tensors

@Suite struct TensorTests {
  @Test func `writing to a copy leaves the original alone`() {
    let original = Tensor([2, 2], [1, 2, 3, 4])
    var copy = original
    copy[0] = 9
    copy.write { $0[3] = 8 }
    #expect(original.values == [1, 2, 3, 4])
    #expect(copy.values == [9, 2, 3, 8])
  }

  @Test func `copies share memory until one is written to`() {
    let original = Tensor([3], [1, 2, 3])
    var copy = original
    let address = original.read { UInt(bitPattern: $0) }
    #expect(copy.read { UInt(bitPattern: $0) } == address)
    copy[1] = 0
    #expect(copy.read { UInt(bitPattern: $0) } != address)
    #expect(original.read { UInt(bitPattern: $0) } == address)
  }

  @Test func `the only owner writes in place`() {
    var tensor = Tensor([3], [1, 2, 3])
    let address = tensor.read { UInt(bitPattern: $0) }
    tensor[1] = 7
    #expect(tensor.write { UInt(bitPattern: $0) } == address)
    #expect(tensor.values == [1, 7, 3])
  }

  @Test func `reshaping keeps order and memory`() {
    let tensor = Tensor([2, 3], [1, 2, 3, 4, 5, 6])
    let reshaped = tensor.reshaped([3, 2])
    #expect(reshaped.shape == [3, 2])
    #expect(reshaped.values == tensor.values)
    #expect(tensor.read { UInt(bitPattern: $0) } == reshaped.read { UInt(bitPattern: $0) })
    #expect(tensor.shape == [2, 3])
  }

  @Test func `some images share the memory of all until one of both is written to`() {
    var all = Tensor([3, 2], [1, 2, 3, 4, 5, 6])
    var some = all.images(1..<3)
    #expect(some.shape == [2, 2] && some.values == [3, 4, 5, 6])
    #expect(some.read { UInt(bitPattern: $0) } == all.read { UInt(bitPattern: $0) } + 8)
    #expect(!some.isUnique() && !all.isUnique())
    some[0] = 9
    #expect(all.values == [1, 2, 3, 4, 5, 6] && some.values == [9, 4, 5, 6])
    let last = all.images(2..<3)
    all[4] = 7
    #expect(last.values == [5, 6] && all.values == [1, 2, 3, 4, 7, 6])
    #expect(all.images(1..<1).values.isEmpty)
  }

  @Test func `the memory of some images stays when all of them are let go`() {
    let some = Tensor([4, 1 << 20]) { Float($0 >> 20) }.images(2..<3)
    // Other tensors do not get it.
    let others = (0..<4).map { _ in Tensor([1 << 20]) { _ in -1 } }
    #expect(some[0] == 2 && some[(1 << 20) - 1] == 2)
    withExtendedLifetime(others) {}
  }

  @Test(arguments: [(1, 1, 1), (3, 2, 4), (16, 5, 9), (37, 3, 9), (33, 1, 1), (2, 40, 25)])
  func `files' order of a weight is turned around`(outputs: Int, channels: Int, places: Int) {
    let values = (0..<(outputs * channels * places)).map(Float.init)
    let tensor = Tensor(
      [places, channels, outputs], reversing: values, outputs: outputs, channels: channels, places: places)
    for place in 0..<places {
      for channel in 0..<channels {
        for output in 0..<outputs {
          let expected = values[(output * channels + channel) * places + place]
          #expect(tensor[(place * channels + channel) * outputs + output] == expected)
        }
      }
    }
  }

  @Test func `a tensor may be empty or a scalar`() {
    #expect(Tensor(zeros: [0, 5]).values.isEmpty)
    #expect(Tensor([], [3]).values == [3])
    #expect(Tensor([4]) { Float($0 * $0) }.values == [0, 1, 4, 9])
  }

  @Test func `new zeros are zero although their memory was used before`() {
    // A size that no other test asks for, so that the block comes back.
    for _ in 0..<2 {
      var tensor = Tensor(zeros: [77_777])
      #expect(tensor.values.allSatisfy { $0 == 0 })
      tensor.write { $0.update(repeating: 5, count: 77_777) }
    }
  }

  @Test func `equality looks at shape and values`() {
    #expect(Tensor([2], [1, 2]) == Tensor([2], [1, 2]))
    #expect(Tensor([2], [1, 2]) != Tensor([1, 2], [1, 2]))
    #expect(Tensor([1], [.nan]) != Tensor([1], [.nan]))
    #expect(Tensor([1], [0]) == Tensor([1], [-0.0]))
  }

  @Test func `adding and scaling are elementwise`() {
    let pool = ThreadPool(threads: 2)
    var tensor = Tensor([101]) { Float($0) }
    Ops(pool).add(Tensor([101]) { Float(2 * $0) }, to: &tensor)
    Ops(pool).scale(&tensor, by: -0.5)
    #expect(tensor.values == (0..<101).map { -1.5 * Float($0) })
  }

  @Test func `a tensor can be added to itself`() {
    var tensor = Tensor([3], [1, 2, 3])
    let same = tensor
    Ops(ThreadPool(threads: 1)).add(same, to: &tensor)
    #expect(tensor.values == [2, 4, 6])
    #expect(same.values == [1, 2, 3])
  }

  @Test(arguments: [1, 2, 3, 5])
  func `the sum of squares has the same bits for any number of threads`(threads: Int) {
    var generator = RandomGenerator(seed: 17)
    let tensor = Tensor([10_007]) { _ in generator.normal() }
    let alone = Ops(ThreadPool(threads: 1)).sumOfSquares(tensor)
    #expect(Ops(ThreadPool(threads: threads)).sumOfSquares(tensor).bitPattern == alone.bitPattern)
    let naive = tensor.values.reduce(0.0) { $0 + Double($1) * Double($1) }
    // Ten thousand roundings of 2^-53 at most.
    #expect(abs(alone - naive) <= naive * 1.2e-12)
  }

  @Test(arguments: [0, 1, 15, 17])
  func `short tensors have a sum of squares too`(count: Int) {
    let tensor = Tensor([count]) { Float($0 + 1) }
    #expect(Ops(ThreadPool(threads: 3)).sumOfSquares(tensor) == Double(count * (count + 1) * (2 * count + 1) / 6))
  }
}
