// The model of scaling against sums that can be done by hand.

import Foundation
import Messages
import Networks
import Testing

@testable import Training

@Suite struct ScalingModelTests {
  /// Four layers of 1 MB with as much work each, buckets of 2 MB, and nothing that costs time but bytes.
  private func model(bucketBytes: Int = 2_000_000) -> ScalingModel {
    var model = ScalingModel(
      batch: 32, otherSeconds: 0.5, backwardSeconds: 1,
      layers: Array(repeating: .init(bytes: 1_000_000, work: 3), count: 4), additionSpeed: .infinity)
    model.bucketBytes = bucketBytes
    model.messageSeconds = 0
    return model
  }

  @Test func `buckets are filled from the last layer on, and the rest goes at the end`() {
    var model = model(bucketBytes: 1_500_000)
    model.layers[0] = .init(bytes: 10, work: 3)
    #expect(
      model.buckets == [
        .init(bytes: 2_000_000, readyAt: 0.5), .init(bytes: 1_000_010, readyAt: 1),
      ])
    #expect(model.gradientBytes == 3_000_010)
  }

  @Test func `one rank exchanges nothing`() {
    let step = model().step(ranks: 1, network: RankNetwork(bandwidth: 1, latency: 1))
    #expect(step.seconds == 1.5 && step.exchangeSeconds == 0 && step.hiddenShare == nil && step.efficiency == 1)
    #expect(step.batch == 32 && step.imagesPerSecond == 32 / 1.5)
  }

  @Test func `what comes after the backward pass alone makes a step longer`() {
    // Two buckets; each moves 2 x 1/2 x 2 MB. At 10 MB/s that is 0.2 s: the first is hidden, the second is not.
    let step = model().step(ranks: 2, network: RankNetwork(bandwidth: 10e6, latency: 0))
    #expect(abs(step.exchangeSeconds - 0.4) < 1e-12)
    #expect(abs(step.seconds - 1.7) < 1e-12)
    #expect(abs((step.hiddenShare ?? 0) - 0.5) < 1e-12)
    #expect(abs(step.efficiency - 1.5 / 1.7) < 1e-12)
    #expect(step.batch == 64 && abs(step.imagesPerSecond - 64 / 1.7) < 1e-9)
  }

  @Test func `a slow network sends one bucket after another`() {
    // 2 s each: the first begins at 0.5 s and ends at 2.5 s, the second ends at 4.5 s.
    let step = model().step(ranks: 2, network: RankNetwork(bandwidth: 1e6, latency: 0))
    #expect(abs(step.seconds - (0.5 + 4.5)) < 1e-12)
    #expect(abs((step.hiddenShare ?? 0) - 0.5 / 4) < 1e-12)
  }

  @Test func `with many ranks each moves twice all bytes, and pays for each message`() {
    var model = model()
    let fast = RankNetwork(bandwidth: 1e6, latency: 0)
    #expect(abs(model.exchangeSeconds(bytes: 1_000_000, ranks: 4, network: fast) - 1.5) < 1e-12)
    #expect(abs(model.exchangeSeconds(bytes: 1_000_000, ranks: 1000, network: fast) - 1.998) < 1e-12)
    model.messageSeconds = 1e-3
    let late = RankNetwork(bandwidth: .infinity, latency: 0.1)
    #expect(abs(model.exchangeSeconds(bytes: 8, ranks: 5, network: late) - 2 * (0.1 + 0.004)) < 1e-12)
    model.additionSpeed = 1e6
    #expect(abs(model.exchangeSeconds(bytes: 1_000_000, ranks: 2, network: late) - (0.202 + 0.5)) < 1e-12)
  }

  @Test func `agreeing takes as many turns as a tree is deep`() {
    let network = RankNetwork(bandwidth: 1, latency: 1)
    let turns = [1, 2, 3, 4, 5, 64, 65].map { model().agreementSeconds(ranks: $0, network: network) / 2 }
    #expect(turns == [0, 1, 2, 2, 3, 6, 7])
  }

  @Test func `a network's bytes are its trained parameters', its work its multiply-adds`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "resnet50"), imageSize: 224, classes: 1000)
    let cost = StepCost(training: 0.3, inference: 0.09)
    let model = ScalingModel(plan, cost: cost, batch: 16, rounds: 1, additionSpeed: 1e9)
    // torchvision: 25,557,032 parameters.
    #expect(model.gradientBytes == 4 * 25_557_032)
    #expect(abs(model.otherSeconds - 1.44) < 1e-12 && abs(model.backwardSeconds - 3.36) < 1e-12)
    let buckets = model.buckets
    #expect(buckets.reduce(0) { $0 + $1.bytes } == model.gradientBytes)
    #expect(buckets.dropLast().allSatisfy { $0.bytes >= ScalingModel.usualBucket })
    #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.readyAt <= $1.readyAt })
    // The classifier and the last block have half of the bytes and a tenth of the work.
    #expect(buckets[0].readyAt < 0.1 && buckets.last?.readyAt == 1)
  }

  @Test func `gradients that are added up over rounds are exchanged once`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "resnet50"), imageSize: 64, classes: 10)
    // An inference that was disturbed does not make the backward pass shorter than it can be.
    let cost = StepCost(training: 0.3, inference: 0.29)
    let one = ScalingModel(plan, cost: cost, batch: 8, rounds: 1, additionSpeed: 1e9)
    let four = ScalingModel(plan, cost: cost, batch: 8, rounds: 4, additionSpeed: 1e9)
    #expect(abs(one.otherSeconds - 0.8) < 1e-12 && abs(one.backwardSeconds - 1.6) < 1e-12)
    #expect(four.batch == 32 && four.backwardSeconds == one.backwardSeconds && four.buckets == one.buckets)
    #expect(abs(four.otherSeconds + four.backwardSeconds - 4 * 2.4) < 1e-12)
  }

  @Test func `a step goes into JSON with what follows from it, and back`() throws {
    let step = model().step(ranks: 4, network: RankNetwork(bandwidth: 1e7, latency: 1e-4))
    let json = try JSONEncoder().encode(step)
    #expect(try JSONDecoder().decode(ScaledStep.self, from: json) == step)
    let values = try JSONSerialization.jsonObject(with: json) as? [String: Any]
    let efficiency = try #require(values?["efficiency"] as? Double)
    let speed = try #require(values?["imagesPerSecond"] as? Double)
    #expect(abs(efficiency - step.efficiency) < 1e-12 && abs(speed - step.imagesPerSecond) < 1e-9)
  }
}
