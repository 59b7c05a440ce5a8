// Numbers of a network as a picture: the filters of its first layer, and what comes out of a layer for an image, a tile
// each in a grid. Tiles of gray are scaled by their own least and greatest value, so that weak ones can be seen too.

import Images
import Messages
import Networks
import Tensors
import Training

/// A grid of tiles, and what is in it in words.
public struct NetworkPicture: Sendable, Equatable {
  public let image: PixelImage
  public let text: String

  /// No more channels of a layer are drawn: the first ones.
  static let mostTiles = 256
  /// The least side of the picture in pixels: small tiles are enlarged.
  private static let side = 384

  /// The filters of the first convolution: of color images each in color, gray where its weight is 0, by the largest weight
  /// of all filters.
  /// - Throws: `NetworkError.unsupported` for a network without convolutions.
  public init(filtersOf model: LoadedModel) throws {
    let network = model.network
    guard
      let filters = network.parameters.first(where: { $0.role == .convolutionWeight && $0.value.shape.count == 4 })
    else {
      throw NetworkError.unsupported(
        "\(network.plan.settings.name) has no convolution whose filters could be shown")
    }
    let (shape, values) = (filters.value.shape, filters.value.values)
    let (height, width, channels, outputs) = (shape[0], shape[1], shape[2], shape[3])
    let largest = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
    let tiles = (0..<min(outputs, Self.mostTiles)).map { filter in
      Tile(height: height, width: width) { row, column in
        let color = (0..<3).map { channel -> UInt8 in
          // A layer that reads gray, or more than three maps, is shown by its first one.
          let channel = channels == 3 ? channel : 0
          let value = values[((row * width + column) * channels + channel) * outputs + filter]
          return Self.byte(largest > 0 ? value / largest / 2 + 0.5 : 0.5)
        }
        return (color[0], color[1], color[2])
      }
    }
    let name = filters.name.hasSuffix(".weight") ? String(filters.name.dropLast(".weight".count)) : filters.name
    let of = channels == 3 ? "" : channels == 1 ? ", of gray images" : ", by the first of \(channels) channels"
    try self.init(
      tiles, text: "\(name): \(Self.count(tiles.count, of: outputs, "filter")) of \(height)x\(width)\(of)")
  }

  /// What comes out of a layer for an image.
  /// - Parameter layer: by its name in a summary, a block or a stage; what the network has of it last.
  /// - Throws: `NetworkError.unsupported` for a layer that the network has not; `DecodingFailure`.
  public init(mapsOf model: LoadedModel, for file: String, layer: String, pool: ThreadPool) throws {
    let preprocessing = model.description.preprocessing
    let plan = model.network.plan
    let value = try plan.computedValue(named: layer)
    let seen = try preprocessing.evaluationInput(contentsOf: file)
    var input = [Float](repeating: 0, count: seen.pixels.count)
    input.withUnsafeMutableBufferPointer { preprocessing.normalize(seen, into: $0) }
    let size = plan.input.height
    let maps = model.network.forward(Tensor([1, size, size, 3], input), to: value, Pass(.inference, pool)).values
    let shape = plan.shape(of: value)
    let channels = shape.channels
    let tiles = (0..<min(channels, Self.mostTiles)).map { channel in
      let places = stride(from: channel, to: maps.count, by: channels)
      let finite = places.map { maps[$0] }.filter(\.isFinite)
      let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
      return Tile(height: shape.height, width: shape.width) { row, column in
        let value = maps[(row * shape.width + column) * channels + channel]
        let byte = Self.byte(high > low ? (value - low) / (high - low) : 0)
        return (byte, byte, byte)
      }
    }
    try self.init(
      tiles,
      text: "\(layer): \(Self.count(tiles.count, of: channels, "map")) of \(shape.height)x\(shape.width)")
  }

  /// A PNG of it; nil for want of memory.
  public func encodedAsPNG() -> EncodedPicture? { image.encodedAsPNG() }

  // MARK: Tiles

  private struct Tile {
    let height: Int
    let width: Int
    let pixel: (_ row: Int, _ column: Int) -> (UInt8, UInt8, UInt8)
  }

  /// Tiles in reading order, in a grid about as wide as high, with a pixel between them.
  private init(_ tiles: [Tile], text: String) throws {
    guard let first = tiles.first, first.height > 0, first.width > 0 else {
      throw NetworkError.unsupported("\(text): there is nothing to show")
    }
    var columns = 1
    while columns * columns * (first.width + 1) < tiles.count * (first.height + 1) { columns += 1 }
    let rows = (tiles.count + columns - 1) / columns
    let (width, height) = (columns * (first.width + 1) - 1, rows * (first.height + 1) - 1)
    let scale = max(1, Self.side / max(width, height))
    var pixels = [UInt8](repeating: Self.gap, count: width * height * scale * scale * 3)
    for (place, tile) in tiles.enumerated() {
      let (left, top) = (place % columns * (tile.width + 1), place / columns * (tile.height + 1))
      for row in 0..<tile.height {
        for column in 0..<tile.width {
          let color = tile.pixel(row, column)
          for y in (top + row) * scale..<(top + row + 1) * scale {
            for x in (left + column) * scale..<(left + column + 1) * scale {
              let pixel = (y * width * scale + x) * 3
              (pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]) = color
            }
          }
        }
      }
    }
    image = PixelImage(width: width * scale, height: height * scale, pixels: pixels)
    self.text = text
  }

  private static let gap: UInt8 = 24

  /// Of 0...1; what is no number is black.
  private static func byte(_ value: Float) -> UInt8 {
    value.isFinite ? UInt8((min(max(value, 0), 1) * 255).rounded()) : 0
  }

  private static func count(_ shown: Int, of all: Int, _ noun: String) -> String {
    shown < all ? "the first \(shown) of \(all) \(noun)s" : "\(all) \(noun)\(all == 1 ? "" : "s")"
  }
}

extension NetworkPlan {
  /// The value that a name stands for, or where that is never there because a batch norm does the next step along with its
  /// own, what that makes of it.
  /// - Throws: `NetworkError.unsupported` for a name that the network has not.
  func computedValue(named name: String) throws -> LoweredPlan.Value {
    do {
      return try value(named: name)
    } catch {
      guard let own = valueEndingStep(named: name) else { throw error }
      return own
    }
  }
}
