// That nothing of what a file hides under its transparent pixels reaches the network; and transparent images on noise.

import Foundation
import Images
import Messages
import Support
import TestSupport
import Testing

@testable import Datasets

private func pixel(_ image: PixelImage, _ x: Int, _ y: Int) -> [UInt8] {
  Array(image.pixels[(3 * (y * image.width + x))..<(3 * (y * image.width + x) + 3)])
}

/// Two files that differ only in what they hide.
private struct HidingPair {
  let folder: TemporaryFolder

  /// A checkered picture, half of it transparent, in every form that has transparency.
  init() throws {
    folder = try TemporaryFolder()
    for (name, hidden) in [("one", [255, 0, 0] as [UInt8]), ("other", [0, 70, 255])] {
      let files: [String: [UInt8]] = [
        "rgba.png": Self.png(.rgba, Self.rows(hidden + [0], [20, 180, 60, 255])),
        "deep.png": Self.png(
          .rgba, depth: 16,
          Self.rows([hidden[0], 1, hidden[1], 1, hidden[2], 1, 0, 0], [20, 1, 180, 1, 60, 1, 255, 255])),
        "gray.png": Self.png(.grayAlpha, Self.rows([hidden[0], 0], [99, 255])),
        "palette.png": Self.png(
          .palette, Self.rows([1], [0]), [("PLTE", [20, 180, 60] + hidden), ("tRNS", [255, 0])]),
        "picture.gif": Self.gif(hidden),
      ]
      for (file, bytes) in files { try folder.write(bytes, to: "data/\(name)/\(file)") }
    }
  }

  /// Where the picture is transparent.
  static func isHidden(_ x: Int, _ y: Int) -> Bool { (x + y) % 2 == 0 || x < 6 }

  /// Rows of a PNG file: 12 of 20 pixels.
  private static func rows(_ hidden: [UInt8], _ shown: [UInt8]) -> [[UInt8]] {
    var rows: [[UInt8]] = []
    for y in 0..<12 {
      var row: [UInt8] = [0]
      for x in 0..<20 { row += isHidden(x, y) ? hidden : shown }
      rows.append(row)
    }
    return rows
  }

  private static func png(
    _ color: PNGFile.Color, depth: UInt8 = 8, _ rows: [[UInt8]], _ chunks: [(type: String, content: [UInt8])] = []
  ) -> [UInt8] {
    PNGFile(width: 20, height: 12, depth: depth, color: color, rows: rows, chunks: chunks).bytes
  }

  private static func gif(_ hidden: [UInt8]) -> [UInt8] {
    let pixels: [UInt8] = rows([1], [0]).flatMap { $0.dropFirst() }
    let palette: [UInt8] = [20, 180, 60] + hidden + Array(repeating: 0, count: 18)
    let picture = GIFFile.Picture(width: 20, height: 12, pixels: pixels, transparent: 1)
    return GIFFile(width: 20, height: 12, palette: palette, pictures: [picture]).bytes
  }

  static let files = ["rgba.png", "deep.png", "gray.png", "palette.png", "picture.gif"]
}

@Suite struct HiddenColorTests {
  private static let augmentation = AugmentationSettings(
    crop: .randomResized, verticalFlip: true, rotation: 30, automatic: .trivial, colorJitter: 0.4)

  /// Whatever resizing, rotating and sharpening interpolate, they have nothing of the hidden colors.
  @Test(arguments: HidingPair.files, [Preprocessing.Resize.stretch, .crop, .pad])
  func `what a file hides changes no pixel that a network is trained on`(
    file: String, resize: Preprocessing.Resize
  ) throws {
    let pair = try HidingPair()
    for background in [Background.white, .black, .color(red: 7, green: 200, blue: 90)] {
      let form = Preprocessing(
        imageSize: 9, resize: resize, padColor: .edge, background: background, mean: [0.5, 0.5, 0.5],
        std: [0.2, 0.2, 0.2])
      func batches(_ name: String, mode: BatchLoader.Mode) -> [[Float]] {
        // One path in two datasets: the augmentation is the same.
        let loader = BatchLoader(
          items: [DatasetItem(path: file, label: 0, split: .train)], root: pair.folder.file("data/\(name)"),
          preprocessing: form, batchSize: 1, mode: mode)
        return (0..<12).flatMap { loader.epoch($0).map(\.images) }
      }
      for mode in [
        BatchLoader.Mode.evaluation,
        .training(augmentation: Augmentation(resolving: Self.augmentation, resize: resize), seed: 3),
      ] {
        let (one, other) = (batches("one", mode: mode), batches("other", mode: mode))
        #expect(one.count == 12 && one == other, "\(background)")
      }
    }
    // Where they are asked for they show, so that the test means something.
    let shown = try ["one", "other"].map {
      try ImageDecoder.decode(path: pair.folder.file("data/\($0)/\(file)"), background: .none)
    }
    #expect(shown[0] != shown[1])
  }

  @Test(arguments: HidingPair.files) func `noise lies where the file is transparent, and hides all that it hid`(
    file: String
  ) throws {
    let pair = try HidingPair()
    let path = pair.folder.file("data/one/\(file)")
    let image = try ImageDecoder.decode(path: path, background: .noise)
    let plain = try ImageDecoder.decode(path: path, background: .white)
    var colors: Set<[UInt8]> = []
    for y in 0..<12 {
      for x in 0..<20 {
        if (x + y) % 2 == 0 || x < 6 {
          colors.insert(pixel(image, x, y))
        } else {
          #expect(pixel(image, x, y) == pixel(plain, x, y))
        }
      }
    }
    #expect(colors.count > 140 && !colors.contains([255, 0, 0]))
    #expect(try ImageDecoder.decode(path: path, background: .noise) == image)
    // It follows from what is in the file, not from where it lies: predicting a copy sees the same.
    try pair.folder.write([UInt8](Data(contentsOf: URL(fileURLWithPath: path))), to: "copy")
    #expect(try ImageDecoder.decode(path: pair.folder.file("copy"), background: .noise) == image)
    let other = try ImageDecoder.decode(path: pair.folder.file("data/other/\(file)"), background: .noise)
    #expect(other != image)
  }

  @Test func `noise is as coarse as the network's pixels, so that it outlasts shrinking`() throws {
    let folder = try TemporaryFolder()
    let clear = PNGFile(
      width: 120, height: 120, color: .rgba,
      rows: Array(repeating: [0] + (0..<120).flatMap { _ in [9, 9, 9, 0] as [UInt8] }, count: 120))
    try folder.write(clear.bytes, to: "a.png")
    let form = Preprocessing(
      imageSize: 8, resize: .stretch, background: .noise, mean: [0, 0, 0], std: [1, 1, 1])
    let input = try form.evaluationInput(contentsOf: folder.file("a.png"))
    let values = input.pixels.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    // Of 0...255 evenly 74; noise of single pixels would leave 4.
    #expect(abs(mean - 127.5) < 15 && deviation > 30, "\(mean) \(deviation)")
  }

  @Test func `a dataset on noise is cached, and evaluation, prediction and training see the same`() throws {
    let pair = try HidingPair()
    let index = try DatasetIndex.scan(
      root: pair.folder.file("data"), split: SplitSettings(train: 100, validation: 0, test: 0))
    let form = Preprocessing(imageSize: 9, resize: .pad, background: .noise, mean: [0, 0, 0], std: [1, 1, 1])
    let caches = ImageCacheFolder(path: pair.folder.file("cache"))
    let cache = try #require(try caches.prepare(index: index, preprocessing: form, workers: 2).cache)
    for item in index.items {
      let predicted = try form.evaluationInput(contentsOf: item.absolutePath(root: index.root))
      for source in [ImageSource(root: index.root), ImageSource(root: index.root, cache: cache)] {
        #expect(
          try source.evaluationInput(of: item, preprocessing: form, decoder: ImageDecoder()) == predicted)
        #expect(try source.cachedForm(of: item, preprocessing: form, decoder: ImageDecoder()) == predicted)
      }
    }
    #expect(caches.list().first?.content?.background == .noise)
  }
}
