// However long a series is and wherever it goes back: it is in order, bounded, and has its first, its last and its most
// extreme element.

import Messages
import Testing

@Suite struct ThinnedSeriesTests {
  private struct Point: Equatable, Sendable {
    var step: Int
    var value: Double
  }

  private static let lengths = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 1000, 12_345]

  private func sampled(_ capacity: Int = 8) -> ThinnedSeries<Point> {
    .sampled(capacity: capacity, step: { $0.step }) { $0.value > $1?.value ?? -.infinity }
  }

  private func averaged(_ capacity: Int = 8) -> ThinnedSeries<Point> {
    .averaged(capacity: capacity, step: { $0.step }) { points in
      Point(step: points[points.count - 1].step, value: points.reduce(0) { $0 + $1.value } / Double(points.count))
    }
  }

  private func value(_ step: Int) -> Double { Double((step &* 7919) % 1009) }

  @Test(arguments: lengths)
  func `a sample keeps order, first, last, extreme and even distances`(length: Int) {
    var series = sampled()
    for step in 0..<length { series.add(Point(step: step, value: value(step))) }
    let all = series.all
    #expect(all.map(\.step) == Set(all.map(\.step)).sorted())
    #expect(all.count <= 8 + 1 && series.kept.count < 8)
    #expect(all.first?.step == (length > 0 ? 0 : nil) && all.last?.step == (length > 0 ? length - 1 : nil))
    #expect(all.map(\.value).max() == (0..<length).map(value).max())
    #expect(all.allSatisfy { $0.value == value($0.step) })
    #expect(series.kept.enumerated().allSatisfy { $1.step == $0 * series.stride })
    #expect(length < 8 || series.kept.count >= 4)
  }

  @Test(arguments: lengths)
  func `an average keeps order, the last step and the sum`(length: Int) {
    var series = averaged()
    for step in 0..<length { series.add(Point(step: step, value: value(step))) }
    let all = series.all
    #expect(all.map(\.step) == Set(all.map(\.step)).sorted())
    #expect(all.count <= 8 && series.kept.count < 8)
    #expect(all.last?.step == (length > 0 ? length - 1 : nil))
    let counts = zip(all, [-1] + all.map(\.step)).map { $0.step - $1 }
    let sum = zip(all, counts).reduce(0) { $0 + $1.0.value * Double($1.1) }
    let exact = (0..<length).reduce(0) { $0 + value($1) }
    #expect(abs(sum - exact) <= 1e-9 * max(1, exact))
  }

  @Test(arguments: [3, 40, 700])
  func `what goes back drops what followed, in either kind`(length: Int) {
    for var series in [sampled(), averaged()] {
      for step in 1...length { series.add(Point(step: step, value: Double(step))) }
      let back = length / 2 + 1
      series.add(Point(step: back, value: -1))
      var all = series.all
      #expect(all.last?.step == back && all.dropLast().allSatisfy { $0.step < back && $0.value < Double(back) })
      for step in (back + 1)...(2 * length) { series.add(Point(step: step, value: 0)) }
      all = series.all
      #expect(all.map(\.step) == Set(all.map(\.step)).sorted() && all.last?.step == 2 * length)
      series.drop(after: 0)
      #expect(series.all.isEmpty && series.extreme == nil)
      series.add(Point(step: 9, value: 3))
      #expect(series.all.map(\.step).allSatisfy { $0 == 9 })
    }
  }

  @Test func `random ways back and forth keep it in order and bounded`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      for var series in [sampled(4), averaged(4)] {
        var step = 0
        for _ in 0..<200 {
          step = max(0, step + Int.random(in: -9...11, using: &random))
          if Int.random(in: 0..<20, using: &random) == 0 {
            series.drop(after: step)
            #expect(series.all.allSatisfy { $0.step <= step })
          } else {
            series.add(Point(step: step, value: Double.random(in: 0...1, using: &random)))
            #expect(series.all.last?.step == step)
          }
          let steps = series.all.map(\.step)
          #expect(steps == Set(steps).sorted() && steps.count <= 6)
        }
      }
    }
  }

  @Test func `what is offered is made only in its turn, and what comes too late is left out`() {
    var series = sampled()
    var made = 0
    for step in 0..<1000 {
      series.offer {
        made += 1
        return Point(step: step, value: 0)
      }
    }
    #expect(made < 50)
    let kept = series.kept
    for _ in 0..<(2 * series.stride) { series.offer { Point(step: 5, value: 9) } }
    #expect(series.kept == kept)
    series.note(Point(step: 333, value: 9))
    series.close(with: Point(step: 999, value: 1))
    series.close(with: Point(step: 700, value: 1))
    #expect(series.all.last?.step == 999 && series.all.contains { $0.step == 333 })
    #expect(series.all.map(\.step) == series.all.map(\.step).sorted())
  }

  @Test func `of steps the largest loss is kept, of epochs the best one that can be trusted`() {
    var steps = ThinnedSeries<StepMetrics>.sampled(capacity: 4)
    var epochs = ThinnedSeries<EpochMetrics>.sampled(capacity: 4)
    for number in 1...100 {
      var step = StepMetrics(step: number, epoch: 1)
      step.loss = number == 37 ? 9 : number == 38 ? .infinity : number == 39 ? .nan : 1
      steps.add(step)
      epochs.add(
        EpochMetrics(
          epoch: number, step: number, trainLoss: 1, trainAccuracy: 0,
          validation: number == 1
            ? nil
            : ValidationMetrics(
              loss: 1, top1: number == 51 ? 0.9 : number == 52 ? 1 : 0.5, top5: 1,
              nonFinite: number == 52 ? 1 : 0), learningRate: 1, seconds: 1, skippedImages: 0))
    }
    #expect(steps.extreme?.step == 37 && steps.all.contains { $0.step == 37 })
    #expect(epochs.extreme?.step == 51 && epochs.all.contains { $0.step == 51 })
  }

  @Test func `the mean of steps leaves out what is no number, and a gap stays one`() throws {
    var series = ThinnedSeries<StepMetrics>.averaged(capacity: 2)
    for number in 1...4 {
      var step = StepMetrics(step: number, epoch: 1)
      step.loss = number == 1 ? .nan : Double(number)
      step.accuracy = .nan
      series.add(step)
    }
    let mean = try #require(series.all.first)
    #expect(mean.step == 4 && mean[.accuracy] == nil && mean[.gradientNorm] == nil)
    // 2 stands for the first pair alone.
    #expect(mean[.loss] == 2.75)
  }

  @Test func `series are equal by what they hold`() {
    var (one, other) = (sampled(), sampled())
    one.add(Point(step: 1, value: 1))
    #expect(one != other)
    other.add(Point(step: 1, value: 1))
    #expect(one == other)
  }
}
