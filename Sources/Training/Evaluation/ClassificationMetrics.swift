// Counting what a network says about images whose class is known: one image at a time goes in, the report's totals,
// ratios, confusion matrix and list of mistakes come out. It neither runs the network nor reads images. Work and room
// are in proportion to the images, and linear in the classes.

import Messages

/// Adds up the network's outputs over a split.
public struct ClassificationMetrics: Sendable {
  /// How many of the most probable classes count for `top5`, and are listed for a mistake.
  static let best = 5

  let classes: [String]
  private var images = 0
  private var lossSum = 0.0
  private var top1Hits = 0
  private var top5Hits = 0
  /// Images of each true class, of each predicted one, and of each where both are the same.
  private var support: [Int]
  private var predictions: [Int]
  private var hits: [Int]
  /// The sum of the losses of each true class; not finite where one of them is none.
  private var lossSums: [Double]
  /// Counts by truth * classes + predicted.
  private var confusion: [Int: Int] = [:]
  private(set) var misclassified: [Misclassification] = []
  private var reliability = Reliability()
  /// Images whose outputs are not finite.
  private(set) var nonFinite: [String] = []
  /// What each image was given, in the order in which they came; gathered where that is wanted.
  private(set) var answers: [Answer] = []
  private let keepsAnswers: Bool

  /// What an image was given.
  struct Answer: Sendable {
    var path: String
    var truth: Int
    /// nil where the outputs are not finite, and so has it no loss.
    var predicted: Int?
    /// Of the predicted class, 0...1.
    var probability: Double
    /// Nats.
    var loss: Double?
  }

  /// - Parameter classes: the checkpoint's classes in the order of its labels; at least one.
  public init(classes: [String]) { self.init(classes: classes, keepsAnswers: false) }

  init(classes: [String], keepsAnswers: Bool) {
    precondition(!classes.isEmpty, "an evaluation needs at least one class")
    self.classes = classes
    self.keepsAnswers = keepsAnswers
    support = Array(repeating: 0, count: classes.count)
    (predictions, hits) = (support, support)
    lossSums = Array(repeating: 0, count: classes.count)
  }

  /// Counts a batch. An image with an output that is NaN or infinite was given no class: it is no hit, whatever its
  /// class is, and its loss is not finite.
  /// - Parameters:
  ///   - logits: [N, classes], row-major, before the softmax. Log-probabilities give the same.
  ///   - truths: [N], labels.
  ///   - paths: [N], below the dataset's folder.
  public mutating func add(logits: [Float], truths: [Int], paths: [String]) {
    precondition(
      logits.count == truths.count * classes.count && paths.count == truths.count,
      "\(truths.count) images and \(paths.count) paths do not go with \(logits.count) logits of \(classes.count)")
    for (row, truth) in truths.enumerated() {
      add(row: logits[row * classes.count..<(row + 1) * classes.count], truth: truth, path: paths[row])
    }
  }

  private mutating func add(row: ArraySlice<Float>, truth: Int, path: String) {
    precondition(classes.indices.contains(truth), "label \(truth) is none of the \(classes.count) classes")
    images += 1
    support[truth] += 1
    guard let outputs = Softmax(row) else {
      if keepsAnswers {
        answers.append(Answer(path: path, truth: truth, predicted: nil, probability: 0, loss: nil))
      }
      lossSums[truth] = .nan
      return nonFinite.append(path)
    }
    let loss = outputs.loss(truth)
    lossSum += loss
    lossSums[truth] += loss

    let order = outputs.mostProbable(Self.best)
    let predicted = order[0]
    if keepsAnswers {
      answers.append(
        Answer(
          path: path, truth: truth, predicted: predicted, probability: outputs.probability(predicted), loss: loss))
    }
    predictions[predicted] += 1
    reliability.add(confidence: outputs.probability(predicted), isRight: predicted == truth)
    confusion[truth * classes.count + predicted, default: 0] += 1
    if order.contains(truth) { top5Hits += 1 }
    guard predicted != truth else {
      top1Hits += 1
      hits[truth] += 1
      return
    }
    misclassified.append(
      Misclassification(
        path: path, truth: truth,
        top: order.map { ClassProbability(label: $0, probability: outputs.probability($0)) },
        truthProbability: outputs.probability(truth)))
  }

  /// The means so far; nil before the first image. The loss is the mean cross-entropy in nats, without label
  /// smoothing; nil where an output was no number. Of equal logits the smaller label ranks first.
  public var metrics: ValidationMetrics? {
    guard images > 0 else { return nil }
    let classes = classMetrics
    return ValidationMetrics(
      loss: nonFinite.isEmpty ? lossSum / Double(images) : nil, top1: Double(top1Hits) / Double(images),
      top5: Double(top5Hits) / Double(images), balancedAccuracy: classes.balancedAccuracy, macroF1: classes.macroF1,
      nonFinite: nonFinite.count)
  }

  /// The class that every image so far was given; nil where there were several, or none for some image, or the images
  /// are all of one class.
  var onlyPrediction: String? {
    let predicted = classes.indices.filter { predictions[$0] > 0 }
    let truths = support.count { $0 > 0 }
    return predicted.count == 1 && truths > 1 && nonFinite.isEmpty ? classes[predicted[0]] : nil
  }

  /// What of the images and classes of a split was left out of a report.
  public struct LeftOut: Sendable {
    /// Paths of images that do not decode.
    public var skipped: [String]
    /// Classes of the dataset that the checkpoint does not know, and their images in the split.
    public var unknownClasses: [String]
    public var unknownImages: Int

    public init(skipped: [String] = [], unknownClasses: [String] = [], unknownImages: Int = 0) {
      self.skipped = skipped
      self.unknownClasses = unknownClasses
      self.unknownImages = unknownImages
    }
  }

  /// The whole report; nil where no image was counted. Mistakes stand in the order in which the images came.
  /// - Parameter seconds: wall time the evaluation took.
  public func report(
    checkpoint: String, data: String, split: EvaluationSplit, leftOut: LeftOut, seconds: Double,
    provenance: EvaluationProvenance? = nil, augmentation: TestTimeAugmentation? = nil,
    precision: InferencePrecision? = nil
  ) -> EvaluationReport? {
    guard let metrics else { return nil }
    return EvaluationReport(
      checkpoint: checkpoint, data: data, split: split, images: images, loss: metrics.loss, top1: metrics.top1,
      top5: metrics.top5, classes: classMetrics, confusion: confusionMatrix,
      misclassified: misclassified, nonFinite: nonFinite, skipped: leftOut.skipped,
      unknownImages: leftOut.unknownImages, unknownClasses: leftOut.unknownClasses,
      imagesPerSecond: seconds > 0 ? Double(images) / seconds : 0, provenance: provenance,
      augmentation: augmentation, calibrationError: reliability.expectedCalibrationError,
      precision: precision)
  }

  /// The counts so far, without the images whose outputs are not finite.
  var confusionMatrix: ConfusionMatrix {
    ConfusionMatrix(
      classes: classes.count,
      cells: confusion.map { key, count in
        ConfusionMatrix.Cell(truth: key / classes.count, predicted: key % classes.count, count: count)
      })
  }

  /// Of each class, 0...1; nil for one without an image.
  var recalls: [Double?] { classMetrics.map(\.recall) }

  /// The mean loss of each class, nats; nil for one without an image, and where an output of its is not finite.
  var losses: [Double?] {
    zip(lossSums, support).map { sum, images in
      images > 0 && sum.isFinite ? sum / Double(images) : nil
    }
  }

  /// Precision = hits / predicted, recall = hits / support, F1 = 2 · hits / (predicted + support); nil where that
  /// would divide by zero.
  private var classMetrics: [ClassMetrics] {
    func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }
    return classes.enumerated().map { label, name in
      ClassMetrics(
        name: name, support: support[label], precision: ratio(hits[label], predictions[label]),
        recall: ratio(hits[label], support[label]),
        f1: ratio(2 * hits[label], predictions[label] + support[label]))
    }
  }
}
