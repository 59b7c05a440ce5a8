// The first convolutional network in wide use, which read the digits on checks.

import Messages
import Tensors

/// lenet5-classic and lenet5: two convolutions, each followed by a layer that halves the map, and three layers more. Both
/// look at a gray image of 32x32 pixels: of a color image, at the luma of its normalized channels.
///
/// - `lenet5-classic` is the paper's, layer by layer (section II.B): every unit is squashed by the scaled hyperbolic
///   tangent; the layers that halve the map, S2 and S4, sum four pixels and have a trainable factor and bias for each
///   map; each map of C3 reads some of the six below by the paper's table I; C5 is a convolution. Only the output
///   differs: the paper compares the 84 values of F6 with a fixed bitmap of each character, which classes of other
///   images do not have; here a dense layer takes them. The other layers have the paper's 60,000 parameters.
/// - `lenet5` is the form in which it is built today: ReLU, max pools, every map connected with every other, 61,706
///   parameters for ten classes.
struct LeNet: NetworkFamily {
  static let paper =
    "LeCun, Bottou, Bengio and Haffner 1998, \"Gradient-based learning applied to document recognition\", Proceedings "
    + "of the IEEE 86 (11), section II.B"
  static let examples = ["lenet5", "lenet5-classic"]
  static let overview = "lenet5, lenet5-classic"

  let isClassic: Bool

  init?(name: String) {
    guard Self.examples.contains(name) else { return nil }
    isClassic = name == "lenet5-classic"
  }

  var usual: (imageSize: Int, classes: Int) { (32, 10) }
  /// Its dense layers stand on a grid of 5x5 pixels, or of as many as a larger image has.
  var takesAnySize: Bool { false }

  /// Table I: the maps of S2 that each map of C3 reads.
  static let connections = [
    [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5], [0, 1, 5], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5],
    [0, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 5], [0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5],
  ]

  /// The same for other numbers of maps: each map of the paper stands for a group of them.
  static func connections(from inputs: Int, to outputs: Int) -> [[Int]] {
    (0..<outputs).map { output in
      let groups = connections[output * connections.count / outputs]
      return (0..<inputs).filter { groups.contains($0 * 6 / inputs) }
    }
  }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { isClassic ? classic(plan) : modern(plan) }

  private func modern(_ plan: PlanBuilder) -> [LayerPlan] {
    func convolution(_ name: String, _ outputs: Int) -> [LayerPlan] {
      [
        .convolution(name: name, outputs: plan.width(outputs), kernel: 5, bias: true), .relu,
        .maxPool(kernel: 2, stride: 2),
      ]
    }
    return [.luma] + convolution("conv1", 6) + convolution("conv2", 16) + [
      .flatten, .dense(name: "fc1", outputs: plan.width(120)), .relu, .dense(name: "fc2", outputs: plan.width(84)),
      .relu,
    ] + plan.classifier("fc3")
  }

  private func classic(_ plan: PlanBuilder) -> [LayerPlan] {
    let (first, second) = (plan.width(6), plan.width(16))
    return [
      .luma, .convolution(name: "c1", outputs: first, kernel: 5, bias: true), .scaledTanh,
      .subsampling(name: "s2", kernel: 2), .scaledTanh,
      .sparseConvolution(name: "c3", kernel: 5, sources: Self.connections(from: first, to: second)), .scaledTanh,
      .subsampling(name: "s4", kernel: 2), .scaledTanh,
      .convolution(name: "c5", outputs: plan.width(120), kernel: 5, bias: true), .scaledTanh, .flatten,
      .dense(
        name: "f6", outputs: plan.width(84),
        initialization: .normal(std: 1 / Double(plan.width(120)).squareRoot())), .scaledTanh,
    ] + plan.classifier("output")
  }

  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    isClassic ? PublishedSize(parameters: 60_000, source: "LeCun et al. 1998, section II.B") : nil
  }

  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    isClassic
      ? PublishedError(
        top1: 0.95, top5: nil, data: "MNIST", source: "LeCun et al. 1998, section III.B, without distorted images")
      : nil
  }
}
