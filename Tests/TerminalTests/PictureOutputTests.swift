// What the terminal is sent for pictures: in kitty's protocol and in sixels, and what becomes of them when frames change.

import Canvas
import Foundation
import Testing

@testable import Terminal

/// A frame with pictures of one shade each, side by side.
private func frame(_ shades: [UInt8], size: Size = Size(width: 40, height: 10)) throws -> Frame {
  var frame = Frame(size: size)
  let theme = Theme.dark.with(glyphs: .unicode, pictureOutput: .pixels)
  for (place, shade) in shades.enumerated() {
    let picture = try #require(Picture(width: 4, height: 4, pixels: [UInt8](repeating: shade, count: 48)))
    picture.draw(into: &frame, in: Rect(x: place * 6, y: 1, width: 4, height: 2), theme: theme)
  }
  return frame
}

private func commands(_ text: String) -> [String] {
  text.split(separator: "\u{1B}_G").map { String($0.prefix { $0 != ";" && $0 != "\u{1B}" }) }
}

struct KittyPicturesTests {
  @Test func `a picture is sent once, and its cells have its number for a color`() throws {
    var kitty = KittyPictures(throughTmux: false, colors: .palette)
    var first = try frame([10, 20])
    let sent = commands(kitty.resolve(&first, fallback: .dark))
    #expect(sent.map { $0.contains("a=T,U=1,i=") } == [true, true])
    #expect(sent[0].contains("f=24,s=4,v=4,c=4,r=2,q=2,m=0"))
    for (place, command) in sent.enumerated() {
      let number = try #require(
        command.split(separator: ",").first { $0.hasPrefix("i=") }.flatMap { UInt8($0.dropFirst(2)) })
      #expect(first[place * 6, 1].style.foreground == .palette(number))
      #expect(first[place * 6 + 3, 2].style.foreground == .palette(number))
    }
    var second = try frame([20, 10])
    #expect(kitty.resolve(&second, fallback: .dark).isEmpty)
    #expect(second[0, 1].style.foreground == first[6, 1].style.foreground)
  }

  @Test func `in colors of 24 bits the number is what the terminal reads out of the color`() throws {
    var kitty = KittyPictures(throughTmux: false, colors: .direct)
    var shown = try frame([10])
    let sent = kitty.resolve(&shown, fallback: .dark)
    let number = ColorDepth.direct.index(of: shown[0, 1].style.foreground)
    #expect(number > 255 && sent.contains("i=\(number),"))
    #expect(Set(KittyPictures.slots.map { ColorDepth.direct.index(of: .palette(UInt8($0))) }).count == 192)
  }

  @Test func `a large picture comes in pieces that are whole together, each wrapped for tmux`() throws {
    let pixels = (0..<120 * 90 * 3).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let picture = try #require(Picture(width: 120, height: 90, pixels: pixels))
    let theme = Theme.dark.with(glyphs: .unicode, pictureOutput: .pixels)
    for throughTmux in [false, true] {
      var frame = Frame(size: Size(width: 40, height: 20))
      picture.draw(into: &frame, in: Rect(frame.size), theme: theme)
      var kitty = KittyPictures(throughTmux: throughTmux, colors: .palette)
      var sent = kitty.resolve(&frame, fallback: .dark)
      if throughTmux {
        #expect(sent.hasPrefix("\u{1B}Ptmux;\u{1B}\u{1B}_G"))
        #expect(
          sent.components(separatedBy: "\u{1B}Ptmux;").count - 1 == sent.components(separatedBy: "_G").count - 1)
        sent = sent.replacingOccurrences(of: "\u{1B}Ptmux;", with: "")
          .replacingOccurrences(of: "\u{1B}\u{1B}\\\u{1B}\\", with: "\u{1B}\u{1B}\\")
          .replacingOccurrences(of: "\u{1B}\u{1B}", with: "\u{1B}")
      }
      let pieces = sent.components(separatedBy: "\u{1B}_G").dropFirst().map {
        $0.components(separatedBy: "\u{1B}\\")[0]
      }
      let texts = pieces.map { $0.components(separatedBy: ";")[1] }
      #expect(texts.dropLast().allSatisfy { $0.count == 4096 } && texts.count == 11)
      #expect(pieces.dropLast().allSatisfy { $0.contains("m=1;") } && pieces.last?.contains("m=0;") == true)
      #expect(Data(base64Encoded: texts.joined()) == Data(pixels))
    }
  }

  @Test func `base64 is that of the standard`() {
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8($0 * 53 & 0xFF) }
      #expect(Base64.text(of: bytes) == Data(bytes).base64EncodedString())
    }
  }

  @Test func `numbers are given to others once their pictures are gone, and never two at once`() throws {
    var kitty = KittyPictures(throughTmux: false, colors: .palette)
    for round in 0..<60 {
      let shades = (0..<6).map { UInt8((round * 4 + $0) % 250) }
      var shown = try frame(shades)
      _ = kitty.resolve(&shown, fallback: .dark)
      let colors = (0..<6).map { shown[$0 * 6, 1].style.foreground }
      #expect(Set(colors).count == 6)
    }
    let forgotten = commands(kitty.forgetAll())
    #expect(forgotten.count <= KittyPictures.slots.count && forgotten.count > 100)
    #expect(forgotten.allSatisfy { $0.hasPrefix("a=d,d=I,i=") })
    #expect(kitty.forgetAll().isEmpty)
    // Sent again after that.
    var shown = try frame([1])
    #expect(!kitty.resolve(&shown, fallback: .dark).isEmpty)
  }

  @Test func `a picture that is covered altogether is not sent, and one too many is drawn in blocks`() throws {
    var kitty = KittyPictures(throughTmux: false, colors: .palette)
    var covered = try frame([7])
    covered.fill(Rect(covered.size), style: .plain)
    #expect(kitty.resolve(&covered, fallback: .dark).isEmpty)

    let theme = Theme.dark.with(glyphs: .unicode, pictureOutput: .pixels)
    var many = Frame(size: Size(width: 100, height: 40))
    for number in 0..<250 {
      let pixels = [UInt8(number), 1, 2, UInt8(number), 1, 2]
      let picture = try #require(Picture(width: 1, height: 2, pixels: pixels))
      picture.draw(into: &many, in: Rect(x: number % 50 * 2, y: number / 50, width: 1, height: 1), theme: theme)
    }
    _ = kitty.resolve(&many, fallback: .dark)
    #expect(!many.cells.contains { cell in many.pictures.contains { $0.covers(cell) } })
    #expect(many[98, 4].style.background == .rgb(red: 249, green: 1, blue: 2))
  }

  @Test func `a crash takes every number there may be, in a text that the handler can hold`() {
    for throughTmux in [false, true] {
      let kitty = KittyPictures(throughTmux: throughTmux, colors: .direct)
      #expect(commands(kitty.forgetAny).filter { $0.hasPrefix("a=d") }.count == KittyPictures.slots.count)
      #expect(kitty.forgetAny.utf8.count < 15_000)
      let sequence = CrashGuard.restoreSequence(
        modes: TerminalModes(isANSI: true, mouse: true), pictures: kitty.forgetAny
      ) { _ in nil }
      #expect(sequence.contains("a=d,d=I"))
    }
  }
}

struct SixelPicturesTests {
  private static let cell = Size(width: 10, height: 20)

  @Test func `a picture is painted once, and again when something was written below it`() throws {
    var sixels = SixelPictures(cell: Self.cell)
    var first = try frame([10, 20])
    #expect(sixels.resolve(&first, fallback: .dark).isEmpty)
    #expect(first[0, 1].character == " " && first[9, 2].character == " ")
    let painted = sixels.paint(written: Set(0..<10))
    #expect(painted.components(separatedBy: "\u{1B}P").count == 3)
    #expect(painted.hasPrefix("\u{1B}7\u{1B}[2;1H\u{1B}P0;1;0q"))
    #expect(painted.hasSuffix("\u{1B}\\\u{1B}8"))

    var same = try frame([10, 20])
    #expect(sixels.resolve(&same, fallback: .dark).isEmpty)
    #expect(sixels.paint(written: [0, 5]).isEmpty)
    #expect(!sixels.paint(written: [2]).isEmpty)

    var other = try frame([10, 30])
    #expect(sixels.resolve(&other, fallback: .dark) == [1, 2])
    #expect(sixels.paint(written: [1, 2]).components(separatedBy: "\u{1B}P").count == 3)
    var none = try frame([])
    #expect(sixels.resolve(&none, fallback: .dark) == [1, 2])
    #expect(sixels.paint(written: [1, 2]).isEmpty)
  }

  @Test func `where a dialog covers a part of it blocks stand in its place`() throws {
    var sixels = SixelPictures(cell: Self.cell)
    var shown = try frame([200])
    shown.fill(Rect(x: 1, y: 1, width: 1, height: 1), style: .plain, with: "x")
    _ = sixels.resolve(&shown, fallback: .dark)
    #expect(sixels.paint(written: Set(0..<10)).isEmpty)
    #expect(shown[1, 1].character == "x")
    #expect(shown[0, 2].style.background == .rgb(red: 200, green: 200, blue: 200))
  }

  @Test func `sixels show the picture`() throws {
    let (width, height) = (24, 20)
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width { pixels += [UInt8(x * 10), UInt8(y * 12), UInt8(255 - x * 5)] }
    }
    let picture = try #require(Picture(width: width, height: height, pixels: pixels))
    let text = SixelText.of(picture, within: Size(width: width, height: height))
    let decoded = try #require(Self.decode(text, width: width, height: height))
    #expect(decoded.filter { $0 < 0 }.isEmpty)
    var sum = 0
    for (shown, wanted) in zip(decoded, pixels) { sum += abs(shown - Int(wanted)) }
    let error = Double(sum) / Double(pixels.count)
    #expect(error < 4, "\(error)")
  }

  /// Bytes of a picture; -1 for a pixel that was not painted.
  private static func decode(_ text: String, width: Int, height: Int) -> [Int]? {
    guard text.hasPrefix("\u{1B}P0;1;0q\"1;1;\(width);\(height)"), text.hasSuffix("\u{1B}\\") else { return nil }
    var image = [Int](repeating: -1, count: width * height * 3)
    var palette: [Int: [Int]] = [:]
    var (color, x, top) = (0, 0, 0)
    let body = Array(text.dropFirst("\u{1B}P0;1;0q\"1;1;\(width);\(height)".count).dropLast(2))
    var place = 0
    func numbers() -> [Int] {
      var digits = ""
      while place < body.count, body[place].isNumber || body[place] == ";" {
        digits.append(body[place])
        place += 1
      }
      return digits.split(separator: ";").compactMap { Int($0) }
    }
    while place < body.count {
      let character = body[place]
      place += 1
      var count = 1
      var sixel = character
      switch character {
      case "#":
        let values = numbers()
        color = values[0]
        if values.count == 5 { palette[color] = values.suffix(3).map { $0 * 255 / 100 } }
        continue
      case "$":
        x = 0
        continue
      case "-":
        (x, top) = (0, top + 6)
        continue
      case "!":
        count = numbers()[0]
        sixel = body[place]
        place += 1
      default: break
      }
      guard let bits = sixel.asciiValue.map({ Int($0) - 63 }), let rgb = palette[color] else { return nil }
      for _ in 0..<count {
        for row in 0..<6 where bits & 1 << row != 0 {
          guard x < width, top + row < height else { return nil }
          for channel in 0..<3 { image[((top + row) * width + x) * 3 + channel] = rgb[channel] }
        }
        x += 1
      }
    }
    return image
  }

  @Test func `a picture of few colors keeps them`() {
    var pixels: [UInt8] = [0, 0, 0, 255, 255, 255]
    for _ in 0..<30 { pixels += [250, 10, 10] }
    let palette = MedianCut(pixels: pixels, most: 255)
    #expect(palette.colors.count == 3)
    for (place, index) in palette.indices.enumerated() {
      #expect(palette.colors[Int(index)] == Array(pixels[place * 3..<place * 3 + 3]))
    }
    var gradient: [UInt8] = []
    for number in 0..<20_000 {
      gradient.append(UInt8(number & 0xFF))
      gradient.append(UInt8((number >> 7) & 0xFF))
      gradient.append(UInt8((number >> 3) & 0xFF))
    }
    #expect(MedianCut(pixels: gradient, most: 64).colors.count == 64)
    #expect(MedianCut(pixels: [], most: 64).colors.isEmpty)
  }
}
