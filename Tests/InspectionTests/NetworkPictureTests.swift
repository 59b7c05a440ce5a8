// Filters and maps as pictures: each tile where it belongs, with the color that its number has.

import Datasets
import Foundation
import Messages
import Tensors
import TestSupport
import Testing

@testable import Inspection
@testable import Networks
@testable import Training

@Suite struct NetworkPictureTests {
  private static func model(_ settings: NetworkSettings, side: Int) throws -> LoadedModel {
    let project = try ToyProject(side: side)
    var training = project.settings(epochs: 1)
    training.network = settings
    training.preprocessing.imageSize = side
    let job = try TrainingJob.new(training, commandLine: [])
    _ = try job.loop(hooks: TrainingLoop.Hooks()).train()
    return try Checkpoint.load(path: job.run.path(of: .last))
  }

  /// The color at a place of a tile.
  private static func pixel(
    _ picture: NetworkPicture, tile: Int, columns: Int, side: Int, row: Int, column: Int
  ) -> [UInt8] {
    let across = columns * (side + 1) - 1
    let scale = picture.image.width / across
    let x = (tile % columns * (side + 1) + column) * scale + scale / 2
    let y = (tile / columns * (side + 1) + row) * scale + scale / 2
    let place = (y * picture.image.width + x) * 3
    return Array(picture.image.pixels[place..<place + 3])
  }

  @Test func `filters are tiles, gray where a weight is 0 and as bright as it is large`() throws {
    let model = try Self.model(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), side: 8)
    let weight = try #require(model.network.parameters.first)
    // Four filters of 3x3.
    weight.value = Tensor(weight.value.shape) { _ in 0 }
    func set(_ row: Int, _ column: Int, _ channel: Int, _ filter: Int, _ value: Float) {
      weight.value[((row * 3 + column) * 3 + channel) * 4 + filter] = value
    }
    set(0, 1, 0, 2, 2)
    set(2, 2, 1, 3, -1)
    set(1, 1, 2, 0, .nan)
    let picture = try NetworkPicture(filtersOf: model)
    #expect(picture.text == "conv1: 4 filters of 3x3")
    func color(_ filter: Int, _ row: Int, _ column: Int) -> [UInt8] {
      Self.pixel(picture, tile: filter, columns: 2, side: 3, row: row, column: column)
    }
    #expect(color(0, 0, 0) == [128, 128, 128] && color(2, 0, 1) == [255, 128, 128])
    #expect(color(3, 2, 2) == [128, 64, 128] && color(0, 1, 1) == [128, 128, 0])
    #expect(picture.encodedAsPNG() != nil)
  }

  @Test func `maps are tiles, each from its least to its greatest value`() throws {
    let model = try Self.model(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), side: 8)
    let folder = try TemporaryFolder()
    let data = try ToyDataset(folder.file("data"), counts: SplitCounts(train: 1), side: 8)
    let file = try #require(
      FileManager.default.enumerator(atPath: data.root)?.compactMap { $0 as? String }.filter {
        $0.hasSuffix(".png")
      }
      .sorted().first
    )
    let pool = ThreadPool(threads: 1)
    let plan = model.network.plan
    for layer in ["bn1", "layer2", "layer1.0.add"] {
      let picture = try NetworkPicture(mapsOf: model, for: "\(data.root)/\(file)", layer: layer, pool: pool)
      let value = try plan.computedValue(named: layer)
      let shape = plan.shape(of: value)
      #expect(picture.text == "\(layer): \(shape.channels) maps of \(shape.height)x\(shape.width)")
      let preprocessing = model.description.preprocessing
      let seen = try preprocessing.evaluationInput(contentsOf: "\(data.root)/\(file)")
      var input = [Float](repeating: 0, count: seen.pixels.count)
      input.withUnsafeMutableBufferPointer { preprocessing.normalize(seen, into: $0) }
      let maps = model.network.forward(Tensor([1, 8, 8, 3], input), to: value, Pass(.inference, pool)).values
      let columns = (1...).first { $0 * $0 >= shape.channels } ?? 1
      for channel in [0, shape.channels - 1] {
        let own = stride(from: channel, to: maps.count, by: shape.channels).map { maps[$0] }
        let (low, high) = (own.min() ?? 0, own.max() ?? 0)
        for (place, number) in own.enumerated() {
          let expected = high > low ? UInt8(((number - low) / (high - low) * 255).rounded()) : 0
          let found = Self.pixel(
            picture, tile: channel, columns: columns, side: shape.width, row: place / shape.width,
            column: place % shape.width)
          #expect(found == [expected, expected, expected], "\(layer) \(channel) \(place)")
        }
      }
    }
    #expect(throws: NetworkError.self) {
      try NetworkPicture(mapsOf: model, for: "\(data.root)/\(file)", layer: "nothing", pool: pool)
    }
    #expect(throws: (any Error).self) {
      try NetworkPicture(mapsOf: model, for: "\(data.root)/none.png", layer: "bn1", pool: pool)
    }
  }
}
