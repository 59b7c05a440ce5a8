// The table of metrics and the lines that are made by it.

import Foundation
import Testing

@testable import Messages

@Suite struct MetricTests {
  private static let scopes: [Metric.Scope] = [.step, .epoch, .validation]

  @Test(arguments: scopes)
  func `every row has its own place and key`(scope: Metric.Scope) {
    let rows = Metric.all(of: scope)
    #expect(rows.map(\.place) == Array(rows.indices))
    #expect(Set(rows.map(\.key)).count == rows.count && Set(rows.map(\.name)).count == rows.count)
    #expect(rows.allSatisfy { $0.scope == scope && !$0.key.isEmpty && !$0.name.isEmpty })
    #expect(
      Set(rows.map(\.key)).isDisjoint(with: ["kind", "step", "epoch", "validation", "skippedImages", "nonFinite"]))
  }

  private func line(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test func `lines have the keys of the table and keep their form`() throws {
    var step = StepMetrics(
      step: 3, epoch: 1, loss: 0.5, accuracy: 0.25, learningRate: 0.125, gradientNorm: 2, imagesPerSecond: 64,
      secondsLeft: nil)
    #expect(
      try line(step) == #"{"accuracy":0.25,"epoch":1,"gradientNorm":2,"imagesPerSecond":64,"learningRate":0.125,"#
        + #""loss":0.5,"step":3}"#)
    step.secondsLeft = 8
    #expect(try line(step).contains(#""secondsLeft":8"#))
    let epoch = EpochMetrics(
      epoch: 1, step: 3, trainLoss: 0.5, trainAccuracy: 0.25,
      validation: ValidationMetrics(loss: nil, top1: 0, top5: 1, nonFinite: 2), learningRate: 0.125, seconds: 4,
      skippedImages: 0, dataWait: 0.5)
    #expect(
      try line(epoch) == #"{"dataWait":0.5,"epoch":1,"learningRate":0.125,"seconds":4,"skippedImages":0,"step":3,"#
        + #""trainAccuracy":0.25,"trainLoss":0.5,"validation":{"loss":null,"nonFinite":2,"top1":0,"top5":1}}"#)
  }

  @Test func `values are reached by row and by name`() {
    var step = StepMetrics(step: 1, epoch: 1)
    #expect(Metric.ofSteps.allSatisfy { step[$0] == nil } && step.loss.isNaN && step.secondsLeft == nil)
    for (index, metric) in Metric.ofSteps.enumerated() { step[metric] = Double(index) }
    #expect(
      [step.loss, step.accuracy, step.learningRate, step.gradientNorm, step.imagesPerSecond] == [0, 1, 2, 3, 4])
    step.loss = 7
    #expect(step[.loss] == 7 && step.secondsLeft == 5)
    let epoch = EpochMetrics(
      epoch: 1, step: 1, trainLoss: 1, trainAccuracy: 2,
      validation: ValidationMetrics(loss: 3, top1: 4, top5: 5, balancedAccuracy: 8, macroF1: 9),
      learningRate: 6, seconds: 7, skippedImages: 0)
    #expect((Metric.ofEpochs + Metric.ofValidations).map { epoch[$0] } == [1, 2, 6, 7, nil, 3, 4, 5, 8, 9])
  }

  @Test(arguments: Metric.ofSteps)
  func `a line without a value that must be there is refused`(metric: Metric) throws {
    var values = Dictionary(uniqueKeysWithValues: Metric.ofSteps.map { ($0.key, 0.5) })
    (values["step"], values["epoch"]) = (1, 1)
    #expect(try JSONDecoder().decode(StepMetrics.self, from: JSONEncoder().encode(values))[metric] == 0.5)
    values[metric.key] = nil
    let data = try JSONEncoder().encode(values)
    if metric.absence == .never {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(StepMetrics.self, from: data) }
    } else {
      #expect(try JSONDecoder().decode(StepMetrics.self, from: data)[metric] == nil)
    }
  }
}
