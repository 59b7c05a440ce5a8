// Grad-CAM of every family of networks: against finite differences of what comes behind the map, and against PyTorch on
// the same weights where there is one.

import Datasets
import Exports
import Foundation
import Messages
import Support
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Inspection
@testable import Networks
@testable import Training

private let python = ProcessInfo.processInfo.environment["SKIPLINE_PYTHON"]

/// A narrow network of a family, and what its last map is.
struct MapCase: Sendable, CustomTestStringConvertible {
  var settings: NetworkSettings
  var side: Int
  /// Height, width and channels of the last map.
  var map: [Int]
  /// What takes it in PyTorch: the last call of this function.
  var consumer: String

  init(_ name: String, width: Double, _ side: Int, map: [Int], _ consumer: String = "adaptive_avg_pool2d") {
    settings = NetworkSettings(name: name, widthMultiplier: width)
    (self.side, self.map, self.consumer) = (side, map, consumer)
  }

  var testDescription: String { settings.name }

  static let all = [
    MapCase("cifar8", width: 0.5, 16, map: [4, 4, 32]), MapCase("resnet18", width: 0.125, 64, map: [2, 2, 64]),
    MapCase("resnet50", width: 0.0625, 64, map: [2, 2, 128]), MapCase("plain20", width: 0.25, 16, map: [4, 4, 16]),
    MapCase("wrn-16-8", width: 0.0625, 16, map: [4, 4, 32]),
    MapCase("seresnet18", width: 0.125, 64, map: [2, 2, 64]),
    MapCase("resnext50_32x4d", width: 0.125, 64, map: [2, 2, 256]),
    MapCase("resnet9", width: 0.125, 32, map: [4, 4, 64], "adaptive_max_pool2d"),
    MapCase("googlenet", width: 0.125, 96, map: [3, 3, 128]),
    MapCase("squeezenet1_1", width: 0.25, 64, map: [3, 3, 3]),
    MapCase("vgg11", width: 0.0625, 64, map: [4, 4, 32], "max_pool2d"),
    MapCase("vgg11_bn", width: 0.0625, 64, map: [4, 4, 32], "max_pool2d"),
    MapCase("alexnet", width: 0.0625, 96, map: [5, 5, 16], "max_pool2d"),
    MapCase("lenet5", width: 1, 32, map: [10, 10, 16], "max_pool2d"),
    MapCase("lenet5-classic", width: 1, 32, map: [10, 10, 16], ""),
  ]

  /// With running statistics that are not those of the beginning.
  func model() throws -> LoadedModel {
    let description = ModelDescription(
      network: settings, classes: ["a", "b", "c"],
      preprocessing: Preprocessing(
        imageSize: side, resize: .stretch, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]))
    let network = Network(try description.plan(), seed: 3)
    var generator = RandomGenerator(seed: 4)
    _ = network.forward(
      Tensor([4, side, side, 3]) { _ in generator.normal() }, Pass(.training, ThreadPool(threads: 1)))
    return LoadedModel(
      path: "m.safetensors",
      description: ModelDescription(
        network: network.plan.settings, classes: description.classes, preprocessing: description.preprocessing),
      network: network)
  }

  /// [side, side, 3], normalized.
  var image: [Float] {
    var generator = RandomGenerator(seed: 5)
    return (0..<side * side * 3).map { _ in generator.normal() }
  }
}

@Suite struct GradCAMTests {
  private let pool = ThreadPool(threads: 1)

  @Test(arguments: MapCase.all)
  func `the last map is the one before places are lost`(item: MapCase) throws {
    let plan = try item.model().network.plan
    let value = try #require(plan.lastMap)
    let shape = plan.shape(of: value)
    #expect([shape.height, shape.width, shape.channels] == item.map)
    #expect(plan.isWhole(value) && plan.isComputed(value))
  }

  /// The weight of a channel is the mean gradient over the map: adding a little to all of the channel changes the logit by
  /// as much times the number of pixels.
  @Test(arguments: MapCase.all)
  func `gradients by the map are those of finite differences`(item: MapCase) throws {
    let network = try item.model().network
    let value = try #require(network.plan.lastMap)
    let map = network.forward(Tensor([1, item.side, item.side, 3], item.image), to: value, Pass(.inference, pool))
    let (activations, channels) = (map.values, item.map[2])
    for label in 0..<2 {
      let logits = network.forward(from: value, map, Pass(.explanation, pool))
      let gradient = network.backward(
        Tensor([1, logits.count]) { $0 == label ? 1 : 0 }, to: value, Pass(.explanation, pool)
      ).values
      try #require(gradient.count == activations.count)
      let scale = (0..<channels).map { channel in abs(sum(gradient, channel, channels)) }.max() ?? 0
      for channel in stride(from: 0, to: channels, by: max(1, channels / 6)) {
        func logit(_ step: Float) -> Double {
          var moved = activations
          for place in stride(from: channel, to: moved.count, by: channels) { moved[place] += step }
          return Double(
            network.forward(from: value, Tensor(map.shape, moved), Pass(.inference, pool)).values[label])
        }
        let difference = (logit(0.002) - logit(-0.002)) / 0.004
        // A step may lead over the edge of a ReLU or of a maximum.
        #expect(
          abs(difference - sum(gradient, channel, channels)) <= 0.05 * scale + 1e-3,
          "channel \(channel) of \(item.settings.name)")
      }
    }
  }

  private func sum(_ values: [Float], _ channel: Int, _ channels: Int) -> Double {
    stride(from: channel, to: values.count, by: channels).reduce(0) { $0 + Double(values[$1]) }
  }

  @Test func `the heat is the weighted sum of the channels without what is negative`() {
    // Two pixels of two channels; mean gradients 1 and -2: 1 * 3 - 2 * 1 = 1, and 1 * 2 - 2 * 4 = -6.
    #expect(GradCAM.heat([3, 1, 2, 4], gradient: [0.5, -3, 1.5, -1], channels: 2) == [1, 0])
    #expect(GradCAM.scaled([1, 0, 4]) == [0.25, 0, 1] && GradCAM.scaled([0, 0]) == [0, 0])
  }

  @Test func `an explanation has the predicted class first, then those asked for`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("image.png")
    try ToyDataset.writePNG(
      PixelImage(width: 16, height: 16, pixels: (0..<768).map { UInt8($0 % 251) }), to: path)
    let model = try MapCase.all[0].model()
    let explanation = try Explainer(model: model, pool: pool).explain(path, classes: [0, 1, 2, 7])
    let predicted = explanation.top[0].label
    #expect(explanation.heats.map(\.label) == [predicted] + [0, 1, 2].filter { $0 != predicted })
    #expect(
      explanation.seen.width == 16 && explanation.heats.allSatisfy { $0.map.values.allSatisfy { 0...1 ~= $0 } })
    let over = explanation.heats[0].map.over(explanation.seen)
    #expect(over.width == 16 && over.pixels != explanation.seen.pixels)
  }

  @Test func `a map is enlarged between the centers of its places`() {
    let map = HeatMap(height: 1, width: 2, values: [0, 1])
    #expect(map.enlarged(height: 1, width: 4) == [0, 0.25, 0.75, 1])
    #expect(
      HeatMap(height: 2, width: 1, values: [0.5, 0.5]).enlarged(height: 3, width: 3)
        == [Float](repeating: 0.5, count: 9))
    #expect(HeatMap(height: 1, width: 1, values: [0]).enlarged(height: 0, width: 2).isEmpty)
  }

  @Test(
    .enabled(if: python != nil, "set SKIPLINE_PYTHON to a Python with torch and safetensors to run this"),
    arguments: MapCase.all.filter { !$0.consumer.isEmpty })
  func `PyTorch computes the same on the same weights`(item: MapCase) throws {
    let folder = try TemporaryFolder()
    let model = try item.model()
    let source = try PyTorchSource(model.network.plan, model.description, weights: "model.safetensors").text()
    try Data(source.utf8).write(to: URL(fileURLWithPath: folder.file("model.py")))
    try Safetensors.write(model.network.stateArrays(), metadata: [:], to: folder.file("model.safetensors"))
    try item.image.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: folder.file("image"))) }
    let script = """
      import json, sys, numpy, torch
      import torch.nn.functional as F
      folder, side, consumer = sys.argv[1], int(sys.argv[2]), sys.argv[3]
      sys.path.insert(0, folder)
      import model
      image = torch.tensor(numpy.fromfile(folder + "/image", numpy.float32).reshape(1, side, side, 3)).permute(0, 3, 1, 2)
      network, original, maps = model.load().eval(), getattr(F, consumer), []
      def watch(x, *rest, **more):
          x.retain_grad(); maps.append(x); return original(x, *rest, **more)
      setattr(F, consumer, watch)
      heats = []
      for label in range(3):
          maps.clear()
          for weight in network.parameters(): weight.requires_grad_(True)
          network(image)[0, label].backward()
          map = maps[-1]
          heats.append(F.relu((map.grad.mean((2, 3), keepdim=True) * map).sum(1)).flatten().tolist())
      print(json.dumps(heats))
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = ["-B", "-c", script, folder.path, "\(item.side)", item.consumer]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let theirs = try JSONDecoder().decode([[Float]].self, from: data)
    let ours = try GradCAM(model.network, image: item.image, labels: [0, 1, 2], pool: pool)
    for (label, map) in theirs.enumerated() {
      let largest = map.max() ?? 0
      let difference = zip(map, ours.maps[label]).map { abs($0 - $1) }.max() ?? .nan
      #expect(difference <= 1e-4 * max(largest, 1e-6) + 1e-7, "class \(label): \(difference) of \(largest)")
    }
  }
}
