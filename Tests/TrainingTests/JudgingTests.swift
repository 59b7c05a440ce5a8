// What makes an epoch the best, classes of unequal size, and several views of an image.

import Datasets
import Foundation
import Messages
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct JudgingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  /// Twelve red images and two of each other color.
  private func uneven() throws -> ToyProject {
    let toy = try ToyProject(counts: SplitCounts(train: 2, validation: 2, test: 2))
    for number in 10..<20 { try toy.data.add("train/red/\(number).png", color: "red") }
    return toy
  }

  // MARK: Figures

  @Test func `balanced accuracy and macro F1 are those of scikit-learn`() throws {
    var tally = ClassificationMetrics(classes: ["a", "b", "c", "d"])
    // y_true = [0, 0, 0, 0, 1, 1, 2], y_pred = [0, 0, 0, 1, 1, 3, 0]: recalls 3/4, 1/2, 0 (d has no image);
    // F1 2*3/(4+4), 2*1/(2+2), 0/(0+1), 0/(1+0).
    let predicted = [0, 0, 0, 1, 1, 3, 0]
    let logits: [Float] = predicted.flatMap { label -> [Float] in (0..<4).map { $0 == label ? 2 : 0 } }
    tally.add(logits: logits, truths: [0, 0, 0, 0, 1, 1, 2], paths: (0..<7).map { "\($0)" })
    let metrics = try #require(tally.metrics)
    let accuracy: Double = try #require(metrics.balancedAccuracy)
    #expect(abs(accuracy - 1.25 / 3) < 1e-15)
    let f1: Double = try #require(metrics.macroF1)
    #expect(abs(f1 - (0.75 + 0.5) / 4) < 1e-15)
    let report = try #require(
      tally.report(checkpoint: "c", data: "d", split: .test, leftOut: .init(), seconds: 1))
    #expect(report.balancedAccuracy == metrics.balancedAccuracy && report.macroF1 == metrics.macroF1)
    let json = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(EvaluationReport.self, from: json) == report)
  }

  @Test func `an image without numbers is a miss of its class`() throws {
    var tally = ClassificationMetrics(classes: ["a", "b"])
    tally.add(logits: [.nan, 0, 1, 0, 0, 1], truths: [0, 0, 1], paths: ["1", "2", "3"])
    let metrics = try #require(tally.metrics)
    #expect(metrics.balancedAccuracy == 0.75 && metrics.loss == nil)
    for metric in BestMetric.allCases { #expect(metric.value(in: metrics) == nil) }
  }

  @Test func `which of two values is better`() {
    for metric in BestMetric.allCases {
      #expect(metric.isBetter(0.5, than: nil) && !metric.isBetter(.nan, than: nil))
      #expect(metric.isBetter(0.5, than: 0.5) == (metric == .last) && !metric.isBetter(.nan, than: 0.5))
      #expect(metric.isBetter(0.6, than: 0.5) == (metric != .loss))
      #expect(metric.isBetter(0.4, than: 0.5) == (metric == .loss || metric == .last))
    }
  }

  @Test(arguments: BestMetric.allCases)
  func `best is the epoch that its metric says, and every place names it`(metric: BestMetric) throws {
    let toy = try uneven()
    let run = try toy.train(
      toy.settings(epochs: 5) {
        $0.best = metric
        $0.learningRate = 0.2
      })
    let values = run.epochs.map { metric.value(in: $0.validation) ?? .nan }
    var (best, bestEpoch): (Double?, Int) = (nil, 0)
    for (place, value) in values.enumerated() where metric.isBetter(value, than: best) {
      (best, bestEpoch) = (value, place + 1)
    }
    let score = Score(metric, try #require(best))
    #expect(run.outcome.best == score)
    #expect((run.outcome.bestValidationAccuracy != nil) == (metric == .top1))
    let info = try #require(run.run.checkpoints().first { $0.name == "best" })
    #expect(info.epoch == bestEpoch && info.score == score)
    #expect(run.run.progress(of: run.run.checkpoints(), try run.run.record()).best == score)
    #expect(try run.run.history().outcome?.best == score)
    #expect(try run.run.record().settings.best == metric)
  }

  @Test func `which of some scores is the best, and where it stands`() {
    func place(_ metric: BestMetric, _ values: Double?...) -> Int? {
      Score.place(ofBestIn: values.map { $0.map { Score(metric, $0) } }, by: metric)
    }
    #expect(place(.top1, 0.5, nil, 0.7, 0.7, 0.6) == 2)
    #expect(place(.loss, 0.5, 0.4, 0.4, 0.6) == 1)
    #expect(place(.last, 0.7, 0.5, 0.7, 0.5, nil) == 3)
    for metric in BestMetric.allCases { #expect(place(metric) == nil && place(metric, nil, nil) == nil) }
  }

  @Test func `patience has nothing to wait for where the last epoch is the best`() throws {
    let toy = try uneven()
    let error = #expect(throws: SettingsError.self) {
      try toy.train(
        toy.settings {
          $0.best = .last
          $0.earlyStoppingPatience = 2
        })
    }
    #expect(error?.description.contains("--best last") == true)
  }

  @Test func `patience waits for the metric`() throws {
    let toy = try uneven()
    let run = try toy.train(
      toy.settings(epochs: 30) {
        $0.best = .loss
        $0.earlyStoppingPatience = 2
        $0.learningRate = 0.3
      })
    let losses = run.epochs.map { $0.validation?.loss ?? .infinity }
    let best = losses.firstIndex(of: losses.min()!)!
    if run.outcome.reason == .earlyStopping { #expect(losses.count == best + 3) }
    // A finished run ends again at once.
    #expect(try toy.resume(run.run).outcome.steps == run.outcome.steps)
  }

  @Test func `another metric than the accuracy needs validation images`() throws {
    let toy = try ToyProject(counts: SplitCounts(train: 3, validation: 0, test: 1))
    let error = #expect(throws: SettingsError.self) {
      try toy.train(toy.settings { $0.best = .loss })
    }
    #expect(error?.description.contains("--best loss") == true)
  }

  // MARK: Balance

  @Test(arguments: [ClassBalance.loss, .sampling])
  func `a balanced run that is resumed within an epoch gives the same bits, on any number of threads`(
    balance: ClassBalance
  ) throws {
    let toy = try uneven()
    let settings = toy.settings(epochs: 3) { $0.balance = balance }
    let reference = try toy.train(settings)
    for stop in [1, 2, 6] {
      let stopped = try toy.train(settings) { $0.isStep(stop) ? [.stop] : [] }
      let run = try toy.resume(stopped.run, ResumeChanges(threads: 2, workers: 2))
      let comparison = try RunComparison(reference.run, run.run)
      #expect(comparison.isSame, "\(comparison.differences)")
    }
    let plain = try toy.train(toy.settings(epochs: 3))
    #expect(try !RunComparison(reference.run, plain.run).isSame, "it does something")
    #expect(plain.outcome.steps == reference.outcome.steps)
  }

  // MARK: Views

  @Test func `views are mirrored and shifted, with edges repeated`() {
    // 2x2 pixels; channels the same.
    let image = [1, 2, 3, 4].flatMap { Array(repeating: Float($0), count: 3) }
    func plane(_ view: [Float]) -> [Float] { stride(from: 0, to: view.count, by: 3).map { view[$0] } }
    #expect(TestTimeAugmentation.flip.views(of: image, size: 2).map(plane) == [[1, 2, 3, 4], [2, 1, 4, 3]])
    #expect(
      TestTimeAugmentation.shift.views(of: image + image, size: 2).map { plane(Array($0[12...])) } == [
        [1, 2, 3, 4], [3, 4, 3, 4], [1, 2, 1, 2], [2, 2, 4, 4], [1, 1, 3, 3],
      ])
  }

  @Test func `probabilities are averaged, not logits`() {
    let mean = TestTimeAugmentation.logMeanProbabilities([[log(3), 0], [0, log(3)]], classes: 2)
    #expect(mean.allSatisfy { abs($0 - Float(log(0.5))) < 1e-6 })
    let sure = TestTimeAugmentation.logMeanProbabilities([[3e38, -3e38], [3e38, -3e38]], classes: 2)
    #expect(sure[0] == 0 && sure[1].isFinite && sure[1] < -1e38)
    #expect(TestTimeAugmentation.logMeanProbabilities([[.nan, 1], [1, 1]], classes: 2).allSatisfy { $0.isNaN })
  }

  @Test func `evaluating with views says so, and keeps its report beside the plain one`() throws {
    let toy = try uneven()
    let run = try toy.train(toy.settings { $0.augmentation.horizontalFlip = true })
    func evaluate(_ views: TestTimeAugmentationChoice) throws -> EvaluationReport {
      let job = try EvaluationJob(checkpoint: run.run.path, data: nil, split: .test, augmentation: views)
      let report = try #require(try job.run(threads: 1))
      try job.keep(report)
      return report
    }
    let plain = try evaluate(.none)
    let flip = try evaluate(.automatic)
    #expect(plain.augmentation == nil && flip.augmentation == .flip && flip.loss != plain.loss)
    #expect(try run.run.evaluation(of: .best, on: .test)?.augmentation == nil)
    #expect(FileManager.default.fileExists(atPath: "\(run.run.evaluationsPath)/best-test-flip.json"))
    // By hand: image and mirror image each by themselves.
    let model = try Checkpoint.load(path: run.run.path(of: .best))
    let pool = ThreadPool(threads: 1)
    let file = toy.data.root + "/test/red/0.png"
    let prediction = Predictor(model: model, pool: pool, augmentation: .flip).predict(path: file, top: 3)
    #expect(abs(prediction.top.reduce(0) { $0 + $1.probability } - 1) < 1e-6)
    #expect(prediction != Predictor(model: model, pool: pool).predict(path: file, top: 3))
  }

  @Test func `mirroring is refused for a network that never saw mirrored images`() throws {
    let run = try project.train(project.settings { $0.augmentation.horizontalFlip = false })
    func views(_ choice: TestTimeAugmentationChoice, _ checkpoint: String) throws -> TestTimeAugmentation? {
      try choice.resolved(mirrors: try CheckpointLocation(checkpoint).mirrors(), checkpoint: checkpoint)
    }
    #expect(try views(.automatic, run.run.path) == .shift)
    #expect(throws: SettingsError.self) { try views(.flip, run.run.path) }
    // A file by itself does not say how it was trained.
    let copy = project.folder.file("copy.safetensors")
    try FileManager.default.copyItem(atPath: run.run.path(of: .best), toPath: copy)
    #expect(throws: SettingsError.self) { try views(.automatic, copy) }
    #expect(try views(.flip, copy) == .flip && views(.none, copy) == nil)
  }
}
