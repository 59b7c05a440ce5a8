// The memory that a run takes against what is left: refused with the numbers, and with a batch that does fit.

import Messages
import Networks
import Resources
import Testing

@testable import Training

@Suite struct MemoryTests {
  private static let megabyte = 1 << 20

  private func check(batch: Int, ignoring: Bool = false) throws -> MemoryCheck {
    var settings = TrainingSettings(data: "data", network: NetworkSettings(name: "resnet18"), batchSize: batch)
    settings.threads = 2
    settings.safety.ignoresMemory = ignoring
    return MemoryCheck(try NetworkPlan(settings.network, imageSize: 64, classes: 10), settings)
  }

  @Test func `the batch that is named is the largest that fits with room to spare`() throws {
    let check = try check(batch: 1024)
    for megabytes in [400, 500, 600, 800] {
      let limit = MemoryLimit(bytes: megabytes * Self.megabyte, source: .machine)
      let error = #expect(throws: MemoryShortage.self) { try check.require([limit]) }
      let batch = try #require(error?.fitting)
      #expect(
        (batch == 1 || check.needed(batch: batch) <= limit.bytes * 4 / 5)
          && check.needed(batch: batch + 1) >= limit.bytes * 4 / 5)
      #expect(throws: Never.self) { try self.check(batch: batch).require([limit]) }
      #expect(error?.description.contains("--batch \(batch) fits") == true)
      #expect(error?.description.contains("batches of 1024") == true)
    }
  }

  @Test func `the least of several limits counts, and is named`() throws {
    let check = try check(batch: 256)
    let plenty = MemoryLimit(bytes: 1 << 40, source: .machine)
    #expect(throws: Never.self) { try check.require([plenty]) }
    #expect(throws: Never.self) { try check.require([]) }
    for (source, name) in [
      (MemoryLimit.Source.controlGroup, "control group"), (.addressSpace, "ulimit -v"), (.data, "ulimit -d"),
    ] {
      let error = #expect(throws: MemoryShortage.self) {
        try check.require([plenty, MemoryLimit(bytes: 500 * Self.megabyte, source: source)])
      }
      #expect(error?.description.contains(name) == true && error?.description.contains("500.0 MiB") == true)
    }
  }

  @Test func `where not even one image fits, that is said`() throws {
    let error = #expect(throws: MemoryShortage.self) {
      try check(batch: 8).require([MemoryLimit(bytes: Self.megabyte, source: .machine)])
    }
    #expect(error?.fitting == nil && error?.description.contains("not even one image") == true)
  }

  @Test func `ranks take buffers for what they exchange, and replicas that go together what each keeps`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar20"), imageSize: 32, classes: 10)
    func needed(_ replicas: Int, ranks: Int = 1, syncsNorms: Bool = false) -> Int {
      var settings = TrainingSettings(data: "data", network: plan.settings, batchSize: 64 * replicas)
      (settings.replicas, settings.syncsNorms, settings.threads) = (replicas, syncsNorms, 1)
      return MemoryCheck(plan, settings, ranks: ranks).needed(batch: settings.partSize)
    }
    let gradient = plan.trainedParameters * 4
    // To send one, to receive a half of two, the sum, and its tensors.
    #expect(needed(2, ranks: 2) - needed(2) == 4 * gradient)
    // Two nodes on each rank: (0, 1) and 2, 3 and 4, 5 and 6.
    let seven = needed(7, ranks: 3) - needed(7)
    #expect(abs(seven - (2 * gradient + 6 * gradient / 3 + 2 * gradient)) <= 8)
    let (one, four) = (needed(4), needed(4, syncsNorms: true))
    let alone = Double(plan.summary(batchSize: 64, threads: 1, optimizerState: 0).trainingMemory - gradient)
    #expect(abs(Double(four - one) - 3 * MemoryCheck.poolShare * alone) < 8)
    // A rank with one replica has no others beside it.
    #expect(needed(4, ranks: 4, syncsNorms: true) == needed(4, ranks: 4))
  }

  @Test func `who insists may try`() throws {
    try check(batch: 256, ignoring: true).require([MemoryLimit(bytes: 1, source: .machine)])
  }

  @Test func `what the kernel tells is read`() {
    let text = "MemTotal:       24 kB\nMemAvailable:   2048 kB\nVmSize:\n"
    #expect(KernelFigures.kilobytes("MemAvailable", in: text) == 2 << 20)
    #expect(KernelFigures.kilobytes("VmSize", in: text) == nil)
    #expect(KernelFigures.kilobytes("Mem", in: text) == nil)
    #expect(SystemMemory.limits().contains { $0.source == .machine && $0.bytes > 0 })
  }
}
