// The loss and its gradient, with and without label smoothing, and at the edges of the number range.

import Foundation
import Tensors
import Testing

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
