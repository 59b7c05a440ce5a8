// Images that are fitted into the square whole, and what is beside them.

import Foundation
import Images
import Messages
import Support
import TestSupport
import Testing

@testable import Datasets

private func preprocessing(_ size: Int, _ color: PadColor? = nil, background: Background = .white) -> Preprocessing
{
  Preprocessing(
    imageSize: size, resize: .pad, padColor: color, background: background, mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2])
}

private func noise(_ width: Int, _ height: Int) -> PixelImage {
  var generator = RandomGenerator(seed: UInt64(width * 1000 + height))
  return PixelImage(
    width: width, height: height,
    pixels: (0..<(width * height * 3)).map { _ in UInt8(generator.integer(below: 256)) })
}

private func pixel(_ image: PixelImage, _ x: Int, _ y: Int) -> [UInt8] {
  Array(image.pixels[(3 * (y * image.width + x))..<(3 * (y * image.width + x) + 3)])
}

@Suite struct LetterboxTests {
  @Test(arguments: [
    (40, 20, 16, 8), (20, 40, 8, 16), (16, 16, 16, 16), (5, 5, 16, 16), (1000, 3, 16, 1), (1, 900, 1, 16),
    (48, 33, 16, 11),
  ])
  func `the whole image stands in the middle of the square`(
    width: Int, height: Int, fittedWidth: Int, fittedHeight: Int
  ) {
    let image = noise(width, height)
    let fitted = image.resized(width: fittedWidth, height: fittedHeight)
    let (left, top) = ((16 - fittedWidth) / 2, (16 - fittedHeight) / 2)
    for color in [PadColor.black, .white, .color(red: 1, green: 2, blue: 3), .edge] {
      let square = preprocessing(16, color).evaluationInput(image)
      #expect(square.width == 16 && square.height == 16)
      for y in 0..<16 {
        for x in 0..<16 {
          let (column, row) = (x - left, y - top)
          let isInside = (0..<fittedWidth).contains(column) && (0..<fittedHeight).contains(row)
          let expected: [UInt8] =
            switch color {
            case _ where isInside: pixel(fitted, column, row)
            case .edge:
              pixel(fitted, min(max(column, 0), fittedWidth - 1), min(max(row, 0), fittedHeight - 1))
            case .color(let red, let green, let blue): [red, green, blue]
            }
          #expect(pixel(square, x, y) == expected, "\(color) \(x) \(y)")
        }
      }
    }
  }

  @Test func `the cached form is the square, and evaluation sees the same through it`() {
    for (width, height) in [(1, 1), (40, 20), (3, 700), (16, 16)] {
      for color in [PadColor.white, .edge] {
        let (form, image) = (preprocessing(16, color), noise(width, height))
        let stored = form.cachedForm(of: image)
        #expect(stored == form.evaluationInput(image) && form.evaluationInput(stored) == stored)
        #expect(form.cachedForm(of: stored) == stored)
        #expect(form.cachedSize(width: width, height: height) == (16, 16))
      }
    }
  }

  @Test func `settings make it, black unless they say otherwise, and no color without padding`() throws {
    func resolve(_ resize: PreprocessingSettings.Resize, _ color: PadColor?) throws -> Preprocessing {
      try Preprocessing(unmeasured: PreprocessingSettings(imageSize: 200, resize: resize, padColor: color))
    }
    #expect(try resolve(.pad, nil).padColor == .black && resolve(.pad, .edge).padColor == .edge)
    #expect(try resolve(.automatic, nil).padColor == nil)
    for resize in [PreprocessingSettings.Resize.automatic, .stretch, .crop] {
      let error = #expect(throws: DatasetError.self) { try resolve(resize, .white) }
      #expect(error?.description.contains("add --resize pad") == true)
    }
  }

  @Test func `a description says its color where it pads, and only there`() throws {
    for written in [preprocessing(16, .edge), preprocessing(8, .color(red: 0, green: 9, blue: 255))] {
      let text = try JSONEncoder().encode(written)
      #expect(try JSONDecoder().decode(Preprocessing.self, from: text) == written)
    }
    func read(_ part: String) throws -> Preprocessing {
      let text = #"{"imageSize":8,"background":"none","mean":[0,0,0],"std":[1,1,1],\#(part)}"#
      return try JSONDecoder().decode(Preprocessing.self, from: Data(text.utf8))
    }
    #expect(try read(##""resize":"pad","padColor":"#0102ff""##).padColor == .color(red: 1, green: 2, blue: 255))
    for bad in [
      #""resize":"pad""#, #""resize":"crop","padColor":"black""#, #""resize":"pad","padColor":"pink""#,
      #""resize":"fit","padColor":"black""#,
    ] {
      #expect(throws: DecodingError.self) { try read(bad) }
    }
  }

  @Test func `each color has an image cache of its own, which gives what the files give`() throws {
    let fixture = try ImageCacheFixture()
    let index = try fixture.index()
    for form in [preprocessing(7, .white), preprocessing(7, .edge), preprocessing(7)] {
      let prepared = try fixture.caches.prepare(index: index, preprocessing: form, workers: 2)
      let cache = try #require(prepared.cache)
      #expect(form.cropLoss(index: index, cache: cache, workers: 1) == nil, "nothing is cut off")
      for item in index.items {
        let (one, other) = (ImageSource(root: index.root), ImageSource(root: index.root, cache: cache))
        let stored = try other.cachedForm(of: item, preprocessing: form, decoder: ImageDecoder())
        #expect(try one.cachedForm(of: item, preprocessing: form, decoder: ImageDecoder()) == stored)
      }
      // Found again, and listed for what it is.
      #expect(try fixture.caches.prepare(index: index, preprocessing: form, workers: 2).isUpToDate)
      #expect(
        fixture.caches.list().contains { $0.content?.resize == .pad && $0.content?.padColor == form.padColor })
    }
    #expect(fixture.caches.list().count == 3)
  }
}
