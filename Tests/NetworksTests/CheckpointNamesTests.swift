// Names, shapes and order of weights in files: torchvision's, so that its weights fit.

import Foundation
import Messages
import Tensors
import Testing

@testable import Networks

/// An entry of a PyTorch state dictionary.
struct StateEntry: Equatable {
  var name: String
  var shape: [Int]
}

/// What torchvision's networks call their parameters and buffers, in the order of their state dictionaries.
private func torchvisionEntries(of network: String) throws -> [StateEntry] {
  let text = try String(contentsOf: referenceURL("torchvision-names.txt"), encoding: .utf8)
  return text.split(separator: "\n").compactMap { line in
    let words = line.split(separator: " ")
    guard words[0] == network else { return nil }
    return StateEntry(
      name: String(words[1]),
      shape: words[2] == "scalar" ? [] : words[2].split(separator: "x").compactMap { Int($0) })
  }
}

@Suite struct CheckpointNamesTests {
  @Test(arguments: [
    ("resnet18", 122), ("resnet34", 218), ("resnet50", 320), ("resnet101", 626), ("resnet152", 932),
    ("vgg19", 38), ("vgg19_bn", 118), ("resnet9", 50),
  ])
  func `names, shapes and order are torchvision's, or those of a twin in PyTorch`(name: String, entries: Int) throws
  {
    // A sixteenth of the width: the shapes are a sixteenth, the names are the same, and it takes no second to make.
    let network = Network(
      try NetworkPlan(NetworkSettings(name: name, widthMultiplier: 1.0 / 16), imageSize: 224, classes: 1000),
      seed: 1)
    let theirs = try torchvisionEntries(of: name)
    #expect(theirs.count == entries)
    #expect(network.parameters.count + network.buffers.count + network.batchNorms.count == entries)

    func narrowed(_ entry: StateEntry) -> StateEntry {
      StateEntry(
        name: entry.name,
        shape: entry.shape.enumerated().map { index, extent in
          // Neither the image's channels, nor the kernel, nor the classes.
          extent == 3 || extent == 1000 || index > 1 ? extent : extent / 16
        })
    }
    let learned = theirs.filter { !$0.name.contains("running_") && !$0.name.hasSuffix("num_batches_tracked") }
    #expect(network.parameters.map { StateEntry(name: $0.name, shape: $0.fileShape) } == learned.map(narrowed))
    let measured = theirs.filter { $0.name.contains("running_") }
    #expect(network.buffers.map { StateEntry(name: $0.name, shape: $0.value.shape) } == measured.map(narrowed))
    let tracked = theirs.filter { $0.name.hasSuffix("num_batches_tracked") }
    #expect(network.batchNorms.map { $0.name + ".num_batches_tracked" } == tracked.map(\.name))
  }

  /// By their plans, at full width: groups do not get narrower as the rest does.
  @Test(arguments: widerNames)
  func `names, shapes and order of a wider network are torchvision's`(name: String, entries: Int) throws {
    let plan = try NetworkPlan(NetworkSettings(name: name), imageSize: 224, classes: 1000)
    let theirs = try torchvisionEntries(of: name)
    #expect(theirs.count == entries)
    let own = plan.state.map { StateEntry(name: $0.name, shape: $0.shape) }
    #expect(own == theirs.filter { !$0.name.hasSuffix("num_batches_tracked") })
    #expect(
      plan.lowered.operations.count { if case .batchNorm = $0.kind { true } else { false } } == entries - own.count)
  }

  static let widerNames = [
    ("wide_resnet50_2", 320), ("resnext50_32x4d", 320), ("resnet18d", 134), ("resnet50d", 332), ("seresnet18", 154),
    ("seresnet50", 384),
  ]

  @Test(arguments: [
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "vgg19", "vgg19_bn", "wide_resnet50_2",
    "resnext50_32x4d",
  ])
  func `each row of the summary counts torchvision's parameters of that name, at full width`(name: String) throws {
    var theirs: [String: Int] = [:]
    for entry in try torchvisionEntries(of: name)
    where entry.name.hasSuffix(".weight") || entry.name.hasSuffix(".bias") {
      theirs[String(entry.name[..<(entry.name.lastIndex(of: ".") ?? entry.name.endIndex)]), default: 0] +=
        entry.shape.reduce(1, *)
    }
    let rows = try NetworkPlan(NetworkSettings(name: name), imageSize: 224, classes: 1000).summary(batchSize: 1)
      .layers.filter { $0.parameters > 0 }
    #expect(Dictionary(rows.map { ($0.name, $0.parameters) }, uniquingKeysWith: +) == theirs)
  }

  @Test func `a convolution's weights are stored as output, input, row, column`() {
    let parameter = Parameter(
      name: "conv.weight", role: .convolutionWeight,
      // [K, K, C, O] = [2, 2, 3, 2]; the value tells its place: row, column, input, output.
      value: Tensor([2, 2, 3, 2]) { i in Float(1000 * (i / 12) + 100 * (i / 6 % 2) + 10 * (i / 2 % 3) + i % 2) })
    #expect(parameter.fileShape == [2, 3, 2, 2])
    #expect(
      parameter.fileOrder(parameter.value) == [
        0, 100, 1000, 1100, 10, 110, 1010, 1110, 20, 120, 1020, 1120,
        1, 101, 1001, 1101, 11, 111, 1011, 1111, 21, 121, 1021, 1121,
      ])
  }

  @Test func `dense weights are stored by output, then channel, then pixel of the map they read`() {
    let parameter = Parameter(
      name: "fc.weight", role: .denseWeight(map: [1, 2, 3]),
      // [pixel * channel, output]; the value tells its place: pixel, channel, output.
      value: Tensor([6, 2]) { i in Float(100 * (i / 6) + 10 * (i / 2 % 3) + i % 2) })
    #expect(parameter.fileShape == [2, 6])
    #expect(
      parameter.fileOrder(parameter.value) == [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121])
  }

  @Test(arguments: [
    (Parameter.Role.convolutionWeight, [3, 3, 4, 5]), (.convolutionWeight, [1, 1, 1, 1]),
    (.convolutionWeight, [3, 3, 70, 130]),
    (.denseWeight(map: [2, 3, 4]), [24, 7]), (.bias, [9]), (.norm, [9]),
  ])
  func `reading what was written gives it back`(role: Parameter.Role, shape: [Int]) {
    let parameter = Parameter(name: "x", role: role, value: Tensor(shape) { Float($0) })
    let file = parameter.fileOrder(parameter.value)
    #expect(file.sorted() == parameter.value.values)
    #expect(parameter.innerOrder(file) == parameter.value)
    #expect(parameter.innerOrder(file, ThreadPool(threads: 3)) == parameter.value)
  }

  @Test func `VGG's first dense layer reads a map of 7 by 7, the next ones a row`() throws {
    let network = Network(
      try NetworkPlan(NetworkSettings(name: "vgg19", widthMultiplier: 1.0 / 16), imageSize: 32, classes: 10),
      seed: 1)
    let roles = network.parameters.filter { $0.name.hasPrefix("classifier") && $0.name.hasSuffix("weight") }
      .map(\.role)
    #expect(
      roles == [
        .denseWeight(map: [7, 7, 32]), .denseWeight(map: [1, 1, 256]), .denseWeight(map: [1, 1, 256]),
      ])
  }
}
