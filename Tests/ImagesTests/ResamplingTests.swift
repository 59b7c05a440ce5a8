// Changing size, against numbers from Pillow 13.

import Messages
import Testing

@testable import Images

private struct Case {
  var width: Int
  var height: Int
  var box: SourceBox?
  /// [height, width, 3]
  var expected: [UInt8]
}

/// A 7x5 image whose byte i is (37 i + 11 i i) mod 256.
private let picture = PixelImage(
  width: 7, height: 5, pixels: (0..<105).map { (i: Int) -> UInt8 in UInt8((37 * i + 11 * i * i) % 256) })

@Test func `sizes come out as in Pillow`() {
  let cases: [Case] = [
    Case(
      width: 3, height: 2, box: nil,
      expected: [
        138, 128, 148, 113, 146, 163, 187, 118, 107, 155, 144, 152, 94, 133, 189, 160, 145, 136,
      ]),
    Case(
      width: 9, height: 6, box: nil,
      expected: [
        0, 48, 118, 140, 61, 175, 164, 51, 216, 127, 66, 225, 200, 190, 202, 228, 70, 134, 224, 60, 175,
        187, 75, 156, 134, 66, 20, 189, 200, 40, 126, 138, 150, 84, 125, 168, 66, 159, 132, 52, 196, 171,
        141, 138, 164, 199, 83, 161, 225, 75, 118, 224, 119, 35, 235, 203, 87, 145, 158, 157, 129, 127, 165,
        132, 132, 130, 21, 188, 120, 63, 198, 182, 157, 177, 129, 201, 159, 61, 160, 162, 37, 199, 126, 182,
        168, 139, 168, 173, 130, 174, 162, 120, 183, 37, 162, 160, 65, 158, 207, 144, 182, 140, 174, 197, 57,
        120, 188, 21, 146, 95, 195, 174, 125, 140, 153, 162, 165, 92, 174, 228, 35, 119, 224, 132, 67, 225,
        161, 91, 192, 165, 146, 129, 171, 196, 52, 84, 188, 58, 165, 143, 57, 121, 178, 143, 15, 209, 226,
        20, 66, 134, 179, 77, 196, 163, 56, 226, 143, 87, 224, 202, 190, 200,
      ]),
    Case(
      width: 4, height: 3, box: SourceBox(x: 1.5, y: 0.25, width: 4.5, height: 4.25),
      expected: [
        107, 100, 181, 98, 163, 174, 171, 117, 154, 215, 69, 170, 152, 123, 165, 80, 155, 139, 60, 187, 189,
        190, 178, 89, 140, 167, 174, 56, 141, 210, 130, 81, 217, 158, 112, 173,
      ]),
    Case(
      width: 7, height: 2, box: nil,
      expected: [
        161, 159, 86, 128, 111, 197, 118, 109, 156, 74, 189, 162, 146, 129, 169, 219, 104, 140, 175, 127, 31,
        157, 136, 149, 173, 137, 123, 119, 172, 213, 31, 127, 175, 140, 104, 219, 169, 129, 146, 162, 189, 74,
      ]),
  ]
  for test in cases {
    let result = picture.resized(width: test.width, height: test.height, box: test.box)
    #expect(result == PixelImage(width: test.width, height: test.height, pixels: test.expected))
  }
}

@Test func `the same size gives the same image`() {
  #expect(picture.resized(width: 7, height: 5) == picture)
}

@Test func `one color stays that color at any size`() {
  let plain = PixelImage(width: 13, height: 1, pixels: (0..<13).flatMap { _ in [7, 130, 255] as [UInt8] })
  for (width, height) in [(1, 1), (2, 3), (40, 40), (13, 9), (5, 1)] {
    let result = plain.resized(width: width, height: height, box: SourceBox(x: 0.3, y: 0, width: 12.5, height: 1))
    #expect(result.pixels == (0..<(width * height)).flatMap { _ in [7, 130, 255] as [UInt8] })
  }
}

@Test func `a window is cut out of the whole`() {
  let whole = picture.resized(width: 20, height: 30)
  let window = picture.resized(width: 20, height: 30, box: nil, columns: 3..<11, rows: 7..<9)
  let cut = (7..<9).flatMap { (row: Int) -> ArraySlice<UInt8> in
    let start = 3 * (row * 20 + 3)
    return whole.pixels[start..<(start + 3 * 8)]
  }
  #expect(window == PixelImage(width: 8, height: 2, pixels: cut))
}

@Test func `shrinking averages over every pixel`() {
  // Every second column white: any rule that skips pixels gives black or white.
  let stripes = PixelImage(
    width: 64, height: 2, pixels: (0..<128).flatMap { [UInt8](repeating: $0 % 2 == 0 ? 0 : 255, count: 3) })
  #expect(stripes.resized(width: 2, height: 1).pixels.allSatisfy { (126...129).contains($0) })
}
