// From any image to the square the network sees, and the mean and std of many.

import Images
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

private func resolve(_ settings: PreprocessingSettings) throws(DatasetError) -> Preprocessing {
  try Preprocessing(resolving: settings, items: [], root: "")
}

private func given(_ size: Int, _ resize: PreprocessingSettings.Resize) -> PreprocessingSettings {
  PreprocessingSettings(
    imageSize: size, resize: resize, normalization: .given(mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7]))
}

/// Columns from 0 at the left to 255 at the right, rows likewise in the second channel.
private func ramp(width: Int, height: Int) -> PixelImage {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      pixels += [UInt8(255 * x / max(1, width - 1)), UInt8(255 * y / max(1, height - 1)), 77]
    }
  }
  return PixelImage(width: width, height: height, pixels: pixels)
}

@Test func `automatic crops photographs and stretches small images`() throws {
  #expect(try resolve(given(127, .automatic)).resize == .stretch)
  #expect(try resolve(given(128, .automatic)).resize == .crop)
  #expect(try resolve(given(32, .crop)).resize == .crop)
  #expect(try resolve(given(224, .stretch)).resize == .stretch)
}

@Test func `given mean and std are taken as they are`() throws {
  let preprocessing = try resolve(given(32, .automatic))
  #expect(
    preprocessing
      == Preprocessing(
        imageSize: 32, resize: .stretch, mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7]))
  let again = try JSONDecoder().decode(Preprocessing.self, from: JSONEncoder().encode(preprocessing))
  #expect(again == preprocessing)
}

@Test(arguments: [
  ([0.5], [0.5, 0.5, 0.5]), ([0, 0, 0], [1, 1, 0]), ([0, 0, .nan], [1, 1, 1]), ([0, 0, 0], [1]),
])
func `a mean or std that makes no sense is refused`(mean: [Float], std: [Float]) {
  let settings = PreprocessingSettings(normalization: .given(mean: mean, std: std))
  #expect(throws: DatasetError.self) { try resolve(settings) }
}

@Test(arguments: [0, -1, 100_000]) func `an image size that makes no sense is refused`(size: Int) {
  let error = #expect(throws: DatasetError.self) { try resolve(given(size, .automatic)) }
  #expect(error?.description.contains("\(size)") == true)
}

@Test func `stretching takes all of the image`() throws {
  let preprocessing = try resolve(given(16, .stretch))
  let input = preprocessing.evaluationInput(ramp(width: 64, height: 32))
  #expect(input.width == 16 && input.height == 16)
  #expect(input == ramp(width: 64, height: 32).resized(width: 16, height: 16))
  #expect(preprocessing.minimumSide == 32)
}

@Test(arguments: [(64, 32), (32, 64), (50, 50), (20, 33)])
func `cropping keeps proportions and takes the center`(width: Int, height: Int) throws {
  // 28 * 256 / 224 is 32: the shorter side becomes 32, then 28 are cut from the middle, as torchvision does.
  let preprocessing = try resolve(given(28, .crop))
  let image = ramp(width: width, height: height)
  let input = preprocessing.evaluationInput(image)
  let (newWidth, newHeight) = width < height ? (32, 32 * height / width) : (32 * width / height, 32)
  let whole = image.resized(width: newWidth, height: newHeight)
  let left = Int((Double(newWidth - 28) / 2).rounded(.toNearestOrEven))
  let top = Int((Double(newHeight - 28) / 2).rounded(.toNearestOrEven))
  let cut = (top..<(top + 28)).flatMap { (row: Int) -> ArraySlice<UInt8> in
    let start = 3 * (row * newWidth + left)
    return whole.pixels[start..<(start + 3 * 28)]
  }
  #expect(input == PixelImage(width: 28, height: 28, pixels: cut))
  #expect(preprocessing.minimumSide == 64)
}

@Test func `a line of pixels is cropped without the memory of its whole length`() throws {
  // In full this would be 1.5 gigabytes.
  let line = PixelImage(width: 1, height: 30_000, pixels: [UInt8](repeating: 9, count: 90_000))
  let input = try resolve(given(112, .crop)).evaluationInput(line)
  #expect(input.width == 112 && input.height == 112 && Set(input.pixels) == [9])
}

@Test func `normalizing subtracts the mean and divides by the std`() throws {
  let preprocessing = try resolve(given(1, .stretch))
  var values = [Float](repeating: .nan, count: 3)
  values.withUnsafeMutableBufferPointer {
    preprocessing.normalize(PixelImage(width: 1, height: 1, pixels: [0, 255, 51]), into: $0)
  }
  let expected: [Float] = [(0 - 0.1) / 0.5, (1 - 0.2) / 0.6, (0.2 - 0.3) / 0.7]
  for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) < 1e-6) }
}

@Test(arguments: [1, 2, 3]) func `mean and std of two images are visible`(workers: Int) throws {
  let folder = try TemporaryFolder()
  try folder.write(PNGFile.plain(red: 0, green: 51, blue: 90), to: "a.png")
  try folder.write(PNGFile.plain(red: 255, green: 51, blue: 110), to: "b.png")
  try folder.write(Array("text".utf8), to: "c.png")
  let items = ["a.png", "b.png", "c.png"].map { DatasetItem(path: $0, label: 0, split: .train) }
  let preprocessing = try Preprocessing(
    resolving: PreprocessingSettings(imageSize: 8), items: items, root: folder.path, workers: workers)
  #expect(preprocessing.mean == [0.5, 0.2, Float(100.0 / 255)])
  // All the same green: the floor; blue is 10 away from its mean everywhere.
  #expect(preprocessing.std[0] == 0.5 && preprocessing.std[1] == Float(1.0 / 255))
  #expect(abs(preprocessing.std[2] - 10.0 / 255) < 1e-6)
}

@Test func `of too many images some at even distances are measured`() throws {
  let folder = try TemporaryFolder()
  let items = (0..<10).map { DatasetItem(path: "\($0).png", label: 0, split: .train) }
  for (number, item) in items.enumerated() {
    let value: UInt8 = number.isMultiple(of: 5) ? 51 : 255
    try folder.write(PNGFile.plain(red: value, green: value, blue: value), to: item.path)
  }
  let preprocessing = Preprocessing(imageSize: 4, resize: .stretch, mean: [0, 0, 0], std: [1, 1, 1])
  #expect(
    try preprocessing.measure(items: items, source: ImageSource(root: folder.path), limit: 2).mean == [
      0.2, 0.2, 0.2,
    ])
}

@Test func `images of which none decodes cannot be measured`() throws {
  let folder = try TemporaryFolder()
  try folder.write([], to: "a.png")
  let items = [DatasetItem(path: "a.png", label: 0, split: .train)]
  let error = #expect(throws: DatasetError.self) {
    try Preprocessing(resolving: PreprocessingSettings(), items: items, root: folder.path)
  }
  #expect(error?.description.contains("a.png") == true)
}
