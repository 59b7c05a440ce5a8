// The network that made deep learning the usual way to classify images.

import Messages

/// alexnet in the form of Krizhevsky 2014: five convolutions in one column, three dense layers. torchvision's layers and
/// names: like it, without local response normalization, and with an average pool before the dense layers so that images
/// larger than 224 pixels fit too.
struct AlexNet: NetworkFamily {
  static let paper =
    "Krizhevsky 2014, \"One weird trick for parallelizing convolutional neural networks\", arXiv:1404.5997, figure 1; "
    + "after Krizhevsky, Sutskever and Hinton 2012, \"ImageNet classification with deep convolutional neural networks\""
  static let examples = ["alexnet"]
  static let overview = "alexnet"

  init?(name: String) {
    guard Self.examples.contains(name) else { return nil }
  }

  /// Its dense layers stand on a grid of 6x6 pixels.
  var takesAnySize: Bool { false }
  var dropout: Double? { 0.5 }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    func convolution(_ index: Int, _ outputs: Int, _ kernel: Int) -> [LayerPlan] {
      [plan.convolution("features.\(index)", plan.width(outputs), kernel, bias: true), .relu]
    }
    func dense(_ index: Int) -> [LayerPlan] {
      plan.dropout() + [.dense(name: "classifier.\(index)", outputs: plan.width(4096)), .relu]
    }
    let pool = LayerPlan.maxPool(kernel: 3, stride: 2)
    let first: [LayerPlan] = [
      .convolution(name: "features.0", outputs: plan.width(64), kernel: 11, stride: 4, padding: 2, bias: true),
      .relu, pool,
    ]
    return first + convolution(3, 192, 5) + [pool] + convolution(6, 384, 3) + convolution(8, 256, 3)
      + convolution(10, 256, 3) + [pool, .averagePool(side: 6), .flatten] + dense(1) + dense(4)
      + [plan.lastDense("classifier.6", usually: .uniform)]
  }

  /// The paper of 2014 measures another training; these layers with torchvision's.
  func publishedError(_ settings: NetworkSettings) -> PublishedError? { .torchvision(top1: 56.522, top5: 79.066) }
}
