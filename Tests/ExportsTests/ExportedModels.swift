// Networks with random weights and statistics, to be exported.

import Datasets
import Foundation
import Messages
import Networks
import Support
import Tensors
import WeightFiles

@testable import Training

enum ExportedModels {
  /// A narrow network of each kind of layer, by name, with the side of its images.
  static let all: [(NetworkSettings, Int)] = [
    (NetworkSettings(name: "cifar8", widthMultiplier: 0.5), 16),
    (NetworkSettings(name: "cifar8", zeroPlacement: .end, version: .v2, widthMultiplier: 0.5), 17),
    (NetworkSettings(name: "resnet18", widthMultiplier: 0.125), 64),
    (NetworkSettings(name: "resnet50", version: .v1, widthMultiplier: 0.125, dropPath: 0.1), 64),
    (NetworkSettings(name: "resnet9", widthMultiplier: 0.125, isWhitened: true), 16),
    (NetworkSettings(name: "vgg11_bn", widthMultiplier: 0.0625, head: .regularized), 40),
    (NetworkSettings(name: "plain18", widthMultiplier: 0.125), 40),
    (NetworkSettings(name: "alexnet", widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.125), 64),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.125, auxiliaryHeads: true), 64),
    (NetworkSettings(name: "squeezenet1_1", widthMultiplier: 0.25), 40),
    (NetworkSettings(name: "wrn-16-8", widthMultiplier: 0.125), 16),
    (NetworkSettings(name: "resnext50_32x4d", widthMultiplier: 0.125), 33),
    (NetworkSettings(name: "resnet18d", widthMultiplier: 0.125), 40),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.125), 33),
    (NetworkSettings(name: "wide_resnet50_2", widthMultiplier: 0.0625), 33),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.0625, variant: .article), 64),
    (NetworkSettings(name: "lenet5"), 32),
    (NetworkSettings(name: "lenet5-classic"), 33),
  ]

  /// - Throws: `NetworkError`.
  static func model(
    _ settings: NetworkSettings, side: Int, classes: [String] = ["a \"cat\"", "ß", "c"],
    resize: Preprocessing.Resize = .crop
  ) throws -> LoadedModel {
    let description = ModelDescription(
      network: settings, classes: classes,
      preprocessing: Preprocessing(
        imageSize: side, resize: resize, mean: [0.5, 0.25, 0.125], std: [0.25, 0.5, 0.75]))
    let network = Network(try description.plan(), seed: 3)
    // A pass in training, so that running statistics are not those of the beginning.
    var generator = RandomGenerator(seed: 4)
    _ = network.forward(Tensor([2, side, side, 3]) { _ in generator.normal() }, Pass(.training, ThreadPool()))
    return LoadedModel(
      path: "m.safetensors",
      description: ModelDescription(
        network: network.plan.settings, classes: classes, preprocessing: description.preprocessing),
      network: network)
  }

  /// Bytes of images in the order of ONNX and PyTorch, [N, 3, H, W].
  static func pixels(_ count: Int, side: Int) -> [UInt8] {
    var generator = RandomGenerator(seed: 5)
    return (0..<count * 3 * side * side).map { _ in UInt8(generator.integer(below: 256)) }
  }

  /// What the model makes of them: logits, [N, classes].
  static func logits(_ model: LoadedModel, _ pixels: [UInt8], count: Int) -> [Double] {
    let side = model.description.preprocessing.imageSize
    let preprocessing = model.description.preprocessing
    let images = Tensor([count, side, side, 3]) { index in
      let (pixel, channel) = (index / 3, index % 3)
      let (image, place) = (pixel / (side * side), pixel % (side * side))
      let value = Float(pixels[(image * 3 + channel) * side * side + place]) / 255
      return (value - preprocessing.mean[channel]) / preprocessing.std[channel]
    }
    return model.network.forward(images, Pass(.inference, ThreadPool())).values.map(Double.init)
  }

  /// The same as probabilities.
  static func probabilities(_ model: LoadedModel, _ pixels: [UInt8], count: Int) -> [[Double]] {
    let logits = logits(model, pixels, count: count)
    let classes = logits.count / count
    return (0..<count).map { image in
      let row = logits[(image * classes)..<((image + 1) * classes)]
      let largest = row.max() ?? 0
      let weights = row.map { exp($0 - largest) }
      let sum = weights.reduce(0, +)
      return weights.map { $0 / sum }
    }
  }
}
