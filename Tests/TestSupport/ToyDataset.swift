// A tiny dataset that is made when a test needs it: classes that a network can tell apart by color, in folders
// `train`, `val` and `test`.

import CPNG
import Foundation
import Messages
import Support

/// Class folders of small noisy PNG files, each class of a color of its own.
package struct ToyDataset {
  package let root: String
  package let classes: [String]

  /// Red, green and blue of each class, before the noise.
  package static let colors: [String: [Int]] = [
    "aqua": [30, 200, 200], "blue": [40, 50, 210], "green": [50, 200, 60], "red": [210, 40, 50],
  ]

  /// - Parameter counts: images of each class in each split; a split of 0 has no folder.
  package init(
    _ root: String, classes: [String] = ["blue", "green", "red"], counts: SplitCounts, side: Int = 8
  ) throws {
    self.root = root
    self.classes = classes
    for split in Split.allCases {
      for name in classes {
        for number in 0..<counts[split] {
          try add("\(split.rawValue)/\(name)/\(number).png", color: name, side: side)
        }
      }
    }
  }

  /// Adds an image of a class's color; which noise it gets follows from its path.
  package func add(_ path: String, color: String, side: Int = 8) throws {
    guard let base = Self.colors[color] else { throw ToyDatasetError(reason: "there is no color \(color)") }
    var generator = RandomGenerator(seed: stableHash(path))
    let pixels = (0..<side * side * 3).map { index in
      UInt8(clamping: base[index % 3] + generator.integer(below: 81) - 40)
    }
    try makeFolder(of: path)
    try Self.writePNG(PixelImage(width: side, height: side, pixels: pixels), to: "\(root)/\(path)")
  }

  /// Adds a file that is no image, whatever its name says.
  package func addBroken(_ path: String) throws {
    try makeFolder(of: path)
    try Data("no image".utf8).write(to: URL(fileURLWithPath: "\(root)/\(path)"))
  }

  private func makeFolder(of path: String) throws {
    let folder = URL(fileURLWithPath: "\(root)/\(path)").deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  package static func writePNG(_ picture: PixelImage, to path: String) throws {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    image.width = UInt32(picture.width)
    image.height = UInt32(picture.height)
    image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
    guard png_image_write_to_file(&image, path, 0, picture.pixels, 0, nil) != 0 else {
      throw ToyDatasetError(reason: "cannot write \(path)")
    }
  }
}

package struct ToyDatasetError: Error {
  package let reason: String
}
