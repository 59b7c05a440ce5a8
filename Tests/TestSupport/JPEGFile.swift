// Four small JPEG files, and EXIF data to put in them. The picture is 32x16: red and green above, blue and near
// white below.

import Foundation

package enum JPEGFile: String, CaseIterable {
  case baseline, progressive, gray, cmyk

  /// The four colours, from the upper left to the lower right corner.
  package var corners: [[Int]] {
    switch self {
    case .gray: [[82, 82, 82], [120, 120, 120], [53, 53, 53], [240, 240, 240]]
    case .baseline, .progressive, .cmyk: [[200, 30, 40], [30, 180, 50], [20, 40, 210], [240, 240, 240]]
    }
  }

  package func bytes() -> [UInt8] { [UInt8](Data(base64Encoded: text) ?? Data()) }

  /// The file with a segment of EXIF data whose only entry is the orientation.
  package func bytes(orientation: Int, bigEndian: Bool) -> [UInt8] {
    func number(_ value: Int, _ length: Int) -> [UInt8] {
      let little = (0..<length).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return bigEndian ? little.reversed() : little
    }
    let tiff: [UInt8] =
      Array((bigEndian ? "MM" : "II").utf8) + number(42, 2) + number(8, 4) + number(1, 2) + number(0x0112, 2)
      + number(3, 2) + number(1, 4) + number(orientation, 2) + number(0, 2) + number(0, 4)
    return bytes(exif: tiff)
  }

  package func bytes(exif tiff: [UInt8]) -> [UInt8] {
    let length = 2 + 6 + tiff.count
    let file = bytes()
    return file[..<2] + [0xff, 0xe1, UInt8(length >> 8), UInt8(length & 255)] + Array("Exif\0\0".utf8) + tiff
      + file[2...]
  }

  private var text: String {
    switch self {
    case .baseline:
      """
      /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU\
      FRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU\
      FBQUFBQUFBT/wAARCAAQACADAREAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAcICf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/\
      xAAYAQEAAwEAAAAAAAAAAAAAAAAABwgJBv/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AIIj9eABZnKMdAGTGqya\
      wHfNRRIAD//Z
      """
    case .progressive:
      """
      /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU\
      FRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU\
      FBQUFBQUFBT/wgARCAAQACADAREAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAYHCP/EABgBAQADAQAAAAAAAAAAAAAAAAAG\
      BwgF/9oADAMBAAIQAxAAAAGBj94Cz5OORk2q5sO+aKkA/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABBQIP/8QAFBEBAAAA\
      AAAAAAAAAAAAAAAAMP/aAAgBAwEBPwEP/8QAFBEBAAAAAAAAAAAAAAAAAAAAMP/aAAgBAgEBPwEP/8QAFBABAAAAAAAAAAAAAAAA\
      AAAAMP/aAAgBAQAGPwIP/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABPyEP/9oADAMBAAIAAwAAABCT9KT/xAAUEQEAAAAA\
      AAAAAAAAAAAAAAAw/9oACAEDAQE/EA//xAAUEQEAAAAAAAAAAAAAAAAAAAAw/9oACAECAQE/EA//xAAUEAEAAAAAAAAAAAAAAAAA\
      AAAw/9oACAEBAAE/EA//2Q==
      """
    case .gray:
      """
      /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU\
      FRUVDA8XGBYUGBIUFRT/wAALCAAQACABAREA/8QAFwABAQEBAAAAAAAAAAAAAAAAAAcICf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/\
      2gAIAQEAAD8AggswyYO+Y//Z
      """
    case .cmyk:
      """
      /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK\
      CgYICwwLCgwJCgoK/8AAFAgAEAAgBEMRAE0RAFkRAEsRAP/EABgAAQEBAQEAAAAAAAAAAAAAAAAKCQYH/8QAFBABAAAAAAAAAAAA\
      AAAAAAAAAP/aAA4EQwBNAFkASwAAPwDSBjuyfb+ACVdSw6gAHLpz1QAALcFkD3gAH//Z
      """
    }
  }
}
