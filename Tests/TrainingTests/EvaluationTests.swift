// Evaluating and predicting: every image once, the right names, the checkpoint's own pixels.

import Images
import Datasets
import Foundation
import Messages
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct EvaluationTests {
  private let project: ToyProject
  private let pool = ThreadPool(threads: 1)

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 3)) }

  /// A network that tells the three colors apart.
  private func trainedModel() throws -> LoadedModel {
    let run = try project.train(project.settings(epochs: 12))
    let model = try Checkpoint.load(path: run.run.path(of: .last))
    try #require(try evaluate(model).top1 == 1, "the toy set is learned without a mistake")
    return model
  }

  /// A network that guesses: mistakes are what is counted here.
  private func guessingModel() throws -> LoadedModel {
    let model = ModelDescription(
      network: Specimen.cifar.network, classes: project.data.classes, preprocessing: Specimen.cifar.preprocessing)
    return LoadedModel(path: "guessing", description: model, network: try Specimen.network(model))
  }

  private func evaluate(
    _ model: LoadedModel, _ data: ToyDataset? = nil, split: EvaluationSplit = .test, batchSize: Int = 4
  ) throws -> EvaluationReport {
    try #require(
      try Evaluator(
        model: model, data: (data ?? project.data).root, split: split, batchSize: batchSize, pool: pool
      ).run())
  }

  @Test func `every image is counted once, whatever the batch size`() throws {
    let model = try guessingModel()
    let reference = try evaluate(model, batchSize: 9)
    #expect(reference.images == 9)
    #expect(reference.confusion.rows.map { $0.reduce(0, +) } == [3, 3, 3])
    for batchSize in [1, 2, 4, 5, 100] {
      var done: [Int] = []
      let report = try Evaluator(
        model: model, data: project.data.root, split: .test, batchSize: batchSize, pool: pool
      ).run { count, total in
        #expect(total == 9)
        done.append(count)
        return true
      }
      #expect(report?.images == 9, "batches of \(batchSize)")
      #expect(report?.confusion == reference.confusion, "batches of \(batchSize)")
      #expect(done.last == 9 && done.count == (9 + batchSize - 1) / batchSize)
    }
  }

  @Test func `the figures are those of a count by hand from single predictions`() throws {
    let model = try guessingModel()
    let predictor = Predictor(model: model, pool: pool)
    let report = try evaluate(model)
    var (loss, hits) = (0.0, 0)
    var confusion = Array(repeating: [0, 0, 0], count: 3)
    var mistakes: [String: [String: Double]] = [:]
    for (truth, name) in project.data.classes.enumerated() {
      for number in 0..<3 {
        let path = "test/\(name)/\(number).png"
        let prediction = predictor.predict(path: "\(project.data.root)/\(path)", top: 3)
        let probabilities = Dictionary(uniqueKeysWithValues: prediction.top.map { ($0.name, $0.probability) })
        #expect(abs(probabilities.values.reduce(0, +) - 1) < 1e-12)
        let best = try #require(prediction.top.first)
        confusion[truth][try #require(project.data.classes.firstIndex(of: best.name))] += 1
        loss -= log(try #require(probabilities[name])) / 9
        if best.name == name { hits += 1 } else { mistakes[path] = probabilities }
      }
    }
    try #require(hits > 0 && hits < 9, "a network that is always right or wrong shows little: \(hits) of 9")
    #expect(report.confusion == ConfusionMatrix(rows: confusion))
    #expect(report.top1 == Double(hits) / 9)
    #expect(report.top5 == 1)
    #expect(abs((report.loss ?? .nan) - loss) < 1e-5)
    #expect(Set(report.misclassified.map(\.path)) == Set(mistakes.keys))
    for mistake in report.misclassified {
      let expected = try #require(mistakes[mistake.path])
      for entry in mistake.top {
        #expect(abs(entry.probability - (expected[report.classes[entry.label].name] ?? .nan)) < 1e-5)
      }
    }
  }

  @Test func `classes are matched by name where the dataset has them in another order, more or fewer`() throws {
    let model = try trainedModel()
    // "aqua" comes first, so that "blue" is another label than the model's; "green" has no images.
    let other = try ToyDataset(
      project.folder.file("other"), classes: ["aqua", "blue", "red"], counts: SplitCounts(train: 1, test: 4))
    let report = try evaluate(model, other)
    #expect(report.images == 8)
    #expect(report.top1 == 1)
    #expect(report.unknownClasses == ["aqua"])
    #expect(report.classes.map(\.name) == ["blue", "green", "red"])
    #expect(report.classes.map(\.support) == [4, 0, 4])
    #expect(report.classes[1].recall == nil)
    #expect(report.confusion == [[4, 0, 0], [0, 0, 0], [0, 0, 4]])
  }

  @Test func `files that do not decode are named and not counted`() throws {
    for name in ["a", "b"] { try project.data.addBroken("test/green/\(name).png") }
    let report = try evaluate(try guessingModel(), batchSize: 2)
    #expect(report.images == 9)
    #expect(Set(report.skipped) == ["test/green/a.png", "test/green/b.png"])
  }

  @Test func `a split without images, or of unknown classes only, is refused with the names`() throws {
    let model = try guessingModel()
    let none = try ToyDataset(project.folder.file("none"), counts: SplitCounts(train: 1, validation: 1))
    let empty = #expect(throws: SettingsError.self) { try evaluate(model, none) }
    #expect(empty?.description.contains("'test'") == true)
    let stranger = LoadedModel(
      path: "stranger",
      description: ModelDescription(
        network: model.description.network, classes: ["cat", "dog", "owl"],
        preprocessing: model.description.preprocessing), network: model.network)
    let unknown = #expect(throws: SettingsError.self) { try evaluate(stranger) }
    for word in ["blue, green, red", "cat, dog, owl", "stranger"] {
      #expect(unknown?.description.contains(word) == true, "\(word)")
    }
    let broken = try ToyDataset(project.folder.file("broken"), counts: SplitCounts(train: 1))
    try broken.addBroken("test/red/a.png")
    #expect(throws: SettingsError.self) { try evaluate(model, broken) }
  }

  @Test func `an evaluation that is ended reports nothing`() throws {
    let report = try Evaluator(
      model: try guessingModel(), data: project.data.root, split: .test, batchSize: 2, pool: pool
    ).run { done, _ in done < 4 }
    #expect(report == nil)
  }

  /// Pixels of 8 x 8 images, normalized by hand with the checkpoint's numbers: no resizing hides a difference.
  @Test func `pixels are normalized with the checkpoint's mean and std`() throws {
    let model = try guessingModel()
    let preprocessing = model.description.preprocessing
    let path = "\(project.data.root)/test/red/0.png"
    let image = try ImageDecoder().decode(path: path, minimumSide: 8)
    try #require(image.width == 8 && image.height == 8)
    let input = image.pixels.enumerated().map { index, value in
      (Float(value) / 255 - preprocessing.mean[index % 3]) / preprocessing.std[index % 3]
    }
    let logits = model.network.forward(Tensor([1, 8, 8, 3], input), Pass(.inference, pool)).values.map(
      Double.init)
    let sum = logits.map { exp($0) }.reduce(0, +)
    let prediction = Predictor(model: model, pool: pool).predict(path: path, top: 3)
    for entry in prediction.top {
      let label = try #require(project.data.classes.firstIndex(of: entry.name))
      #expect(abs(entry.probability - exp(logits[label]) / sum) < 1e-5, "\(entry.name)")
    }
  }

  @Test func `a predictor gives as many classes as asked, best first, and a reason for a bad file`() throws {
    let predictor = Predictor(model: try trainedModel(), pool: pool)
    let good = predictor.predict(path: "\(project.data.root)/test/green/0.png", top: 2)
    #expect(good.error == nil)
    #expect(good.top.count == 2)
    #expect(good.top[0].name == "green")
    #expect(good.top[0].probability > good.top[1].probability)
    try project.data.addBroken("test/green/bad.png")
    for name in ["bad", "missing"] {
      let bad = predictor.predict(path: "\(project.data.root)/test/green/\(name).png", top: 2)
      #expect(bad.top.isEmpty)
      #expect(bad.error?.isEmpty == false, "\(name)")
    }
  }

  @Test func `evaluating a run takes its best checkpoint, its data and its division, and keeps the report`() throws
  {
    let run = try project.train(project.settings(epochs: 3))
    let job = try EvaluationJob(checkpoint: run.run.path, data: nil, split: .validation)
    let report = try #require(try job.run(threads: 1))
    try job.keep(report)
    #expect(report.checkpoint == run.run.path(of: .best))
    #expect(report.data == project.data.root)
    let best = try #require(run.epochs.compactMap(\.validation).max { $0.top1 < $1.top1 })
    #expect(report.top1 == best.top1)
    #expect(try run.run.evaluation(of: .best, on: .validation) == report)
    // The same checkpoint, named by its file.
    let byFile = try #require(
      try EvaluationJob(checkpoint: run.run.path(of: .best), data: nil, split: .validation).run(threads: 2))
    #expect(byFile.confusion == report.confusion)
    #expect(byFile.loss == report.loss)
  }
}
