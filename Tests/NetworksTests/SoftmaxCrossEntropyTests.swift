// The loss and its gradient, with and without label smoothing, and at the edges of the number range.

import Foundation
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

@Suite struct SoftmaxCrossEntropyTests {
  private let ops = Ops(ThreadPool(threads: 1))

  @Test(arguments: [0, 0.1, 0.5], [(1, 1), (1, 2), (3, 5), (8, 10)])
  func `the loss and its gradient`(smoothing: Double, shape: (images: Int, classes: Int)) {
    let logits = ReferenceNumbers.tensor("logits", [shape.images, shape.classes]) { 8 * $0 - 4 }
    let labels = ReferenceNumbers.labels(shape.images, classes: shape.classes)
    let result = ops.softmaxCrossEntropy(logits: logits, labels: labels, smoothing: smoothing)
    let naive = Naive.crossEntropy(NaiveTensor(logits), labels: labels, smoothing: smoothing)
    // Both in double precision.
    #expect(abs(result.loss - naive) <= 1e-14 * max(1, naive))
    let check = GradientCheck(name: "logits", gradient: result.gradient, point: NaiveTensor(logits)) {
      Naive.crossEntropy($0, labels: labels, smoothing: smoothing)
    }
    // Rounded once to Float32, 6e-8; measured: 4e-8. The floor is for one class, whose gradient is zero.
    #expect(check.difference(.everyElement, floor: 0.01) < 1e-7)
  }

  @Test(arguments: [0, 0.1, 0.5], [0, 0.25, 0.7, 1])
  func `the loss of mixed images is the shares' mean of the losses by either label`(
    smoothing: Double, share: Double
  ) {
    let (images, classes) = (6, 5)
    let logits = ReferenceNumbers.tensor("logits", [images, classes]) { 8 * $0 - 4 }
    let first = ReferenceNumbers.labels(images, classes: classes)
    // One of them is mixed with another of its own class, and each share is another.
    let second = first.enumerated().map { $0 == 2 ? $1 : ($1 + 1 + $0 % 3) % classes }
    let shares = (0..<images).map { $0.isMultiple(of: 2) ? share : 1 - share }
    let labels = MixedLabels(first: first, second: second, shares: shares)
    let result = ops.softmaxCrossEntropy(logits: logits, labels: labels, smoothing: smoothing)
    let naive = Naive.crossEntropy(NaiveTensor(logits), labels: labels, smoothing: smoothing)
    #expect(abs(result.loss - naive) <= 1e-14 * max(1, naive))
    let check = GradientCheck(name: "logits", gradient: result.gradient, point: NaiveTensor(logits)) {
      Naive.crossEntropy($0, labels: labels, smoothing: smoothing)
    }
    #expect(check.difference(.everyElement, floor: 0.01) < 1e-7)
  }

  @Test func `whole images have the bits that they had before any were mixed`() {
    let logits = ReferenceNumbers.tensor("logits", [8, 10]) { 8 * $0 - 4 }
    let labels = ReferenceNumbers.labels(8, classes: 10)
    let plain = ops.softmaxCrossEntropy(logits: logits, labels: labels, smoothing: 0.1)
    // The formula as it stood: (softmax - target) / N, rounded once.
    for image in 0..<8 {
      let row = (0..<10).map { Double(logits.values[10 * image + $0]) }
      let largest = row.max() ?? 0
      let normalizer = largest + log(row.reduce(0.0) { $0 + exp($1 - largest) })
      for k in 0..<10 {
        let target = 0.1 / 10 + (k == labels[image] ? 1 - 0.1 : 0)
        #expect(plain.gradient.values[10 * image + k] == Float((exp(row[k] - normalizer) - target) / 8))
      }
    }
    let other = MixedLabels(
      first: labels, second: labels.map { ($0 + 1) % 10 }, shares: Array(repeating: 1, count: 8))
    let whole = ops.softmaxCrossEntropy(logits: logits, labels: other, smoothing: 0.1)
    #expect(whole.loss == plain.loss && whole.gradient.values == plain.gradient.values)
    #expect(whole.correct == plain.correct)
  }

  @Test func `of a mixed image the share of the predicted class is right`() {
    // The third class is predicted of each.
    let logits = Tensor([4, 3], [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1])
    let labels = MixedLabels(first: [2, 0, 0, 2], second: [0, 2, 1, 2], shares: [0.75, 0.625, 0.5, 0.3])
    #expect(ops.softmaxCrossEntropy(logits: logits, labels: labels).correct == 0.75 + 0.375 + 0 + 1)
  }

  @Test(arguments: [0, 0.2], [(1, 1), (3, 5), (8, 10)])
  func `the loss with weights of classes and its gradient`(smoothing: Double, shape: (images: Int, classes: Int)) {
    let logits = ReferenceNumbers.tensor("logits", [shape.images, shape.classes]) { 8 * $0 - 4 }
    let labels = ReferenceNumbers.labels(shape.images, classes: shape.classes)
    let weights = (0..<shape.classes).map { 0.25 + 0.5 * Double(($0 * 3) % 5) }
    let result = ops.softmaxCrossEntropy(logits: logits, labels: labels, smoothing: smoothing, weights: weights)
    func naive(_ logits: NaiveTensor) -> Double {
      Naive.crossEntropy(logits, labels: labels, smoothing: smoothing, weights: weights)
    }
    let loss = naive(NaiveTensor(logits))
    #expect(abs(result.loss - loss) <= 1e-14 * max(1, loss))
    let check = GradientCheck(name: "logits", gradient: result.gradient, point: NaiveTensor(logits)) { naive($0) }
    #expect(check.difference(.everyElement, floor: 0.01) < 2e-7)
    // Weights of 1 are none, to the last bit but one.
    let plain = ops.softmaxCrossEntropy(logits: logits, labels: labels, smoothing: smoothing)
    let ones = ops.softmaxCrossEntropy(
      logits: logits, labels: labels, smoothing: smoothing, weights: Array(repeating: 1, count: shape.classes))
    #expect(abs(plain.loss - ones.loss) < 1e-12)
  }

  /// torch.nn.functional.cross_entropy(weight=w, label_smoothing=s, reduction="sum") / 2, in double precision.
  @Test(arguments: [
    (0, 3.323979449008963, [0.1752904, -0.9608874, 0.7855970, -0.0703899, 0.0514592, 0.0189308]),
    (0.2, 3.1327648807985513, [0.1454769, -0.8304875, 0.6850106, 0.0168264, 0.0002302, -0.0170567]),
  ])
  func `weights give PyTorch's numbers`(smoothing: Double, loss: Double, gradient: [Float]) {
    let result = ops.softmaxCrossEntropy(
      logits: Tensor([2, 3], [0.5, -1, 2, 1.5, 0.25, -0.75]), labels: [1, 0], smoothing: smoothing,
      weights: [0.5, 2, 1.25])
    #expect(abs(result.loss - loss) < 1e-12)
    for (own, reference) in zip(result.gradient.values, gradient) { #expect(abs(own - reference) < 1e-7) }
  }

  @Test func `two classes by hand`() {
    // Softmax of log 3 and 0: three quarters and a quarter.
    let logits = Tensor([2, 2], [log(3), 0, log(3), 0])
    let result = ops.softmaxCrossEntropy(logits: logits, labels: [0, 1])
    #expect(abs(result.loss - (log(4.0 / 3) + log(4.0)) / 2) < 1e-7)
    #expect(Deviation.largest(result.gradient, from: NaiveTensor([2, 2], [-0.125, 0.125, 0.375, -0.375])) < 1e-6)
    #expect(result.correct == 1)
  }

  @Test func `of equal logits the first is the prediction`() {
    let result = ops.softmaxCrossEntropy(logits: Tensor([2, 3], [1, 1, 1, 0, 2, 2]), labels: [0, 2])
    #expect(result.correct == 1)
  }

  @Test func `huge logits neither overflow nor lose the loss`() {
    let result = ops.softmaxCrossEntropy(logits: Tensor([1, 2], [3e38, -3e38]), labels: [0])
    #expect(result.loss == 0)
    #expect(result.gradient.values == [0, 0])
    let wrong = ops.softmaxCrossEntropy(logits: Tensor([1, 2], [1000, 0]), labels: [1])
    #expect(wrong.loss == 1000)
    #expect(wrong.gradient.values == [1, -1])
  }

  @Test(arguments: [Float.nan, .infinity])
  func `a logit that is no number makes a loss that is none`(value: Float) {
    for position in 0..<3 {
      var logits = Tensor([1, 3], [1, 2, 3])
      logits[position] = value
      #expect(!ops.softmaxCrossEntropy(logits: logits, labels: [1]).loss.isFinite)
    }
  }

  @Test func `an empty batch has no loss`() {
    #expect(ops.softmaxCrossEntropy(logits: Tensor(zeros: [0, 0]), labels: []).loss == 0)
  }
}
