// The same seed gives the same bits, however many threads compute or decode.

import Messages
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct DeterminismTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  private func arrays(
    seed: UInt64 = 1, threads: Int = 1, workers: Int = 1
  ) throws -> [String: NamedArray] {
    try project.train(
      project.settings {
        $0.seed = seed
        $0.threads = threads
        $0.workers = workers
        $0.augmentation.colorJitter = 0.2
        $0.network.head = .regularized
      }
    ).arrays()
  }

  @Test func `the same seed gives the same last checkpoint for any number of threads and loaders`() throws {
    let reference = try arrays()
    #expect(reference.keys.contains("skipline.momentum.conv1.weight"))
    #expect(try arrays() == reference, "the same settings")
    #expect(try arrays(threads: 2) == reference, "two threads")
    #expect(try arrays(workers: 3) == reference, "three loaders")
    #expect(try arrays(threads: 2, workers: 3) == reference, "two threads, three loaders")
  }

  @Test func `another seed gives other weights`() throws {
    let (one, two) = (try arrays(seed: 1), try arrays(seed: 2))
    #expect(one.keys == two.keys)
    #expect(one["conv1.weight"] != two["conv1.weight"])
    #expect(one["fc.weight"] != two["fc.weight"])
  }
}
