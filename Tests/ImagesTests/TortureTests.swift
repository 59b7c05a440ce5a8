// The torture set against its manifest: what is valid decodes to Pillow's pixels, what is not is refused with a reason,
// and what would fill the memory is refused before it does.

import Foundation
import Fuzzing
import Messages
import TestSupport
import Testing

@testable import Images

/// Valid files that are refused, and the words that say why.
private let refusedValidFiles = [
  // Three of its scans end early, a fourth is of another picture.
  "valid/jpegref__partial_progressive.jpg": "premature end of data segment",
  // Pillow shows torn stripes.
  "valid/pillow__hopper_bad_exif.jpg": "bad Huffman code",
]

/// Damaged files that decode. Of none can the damage be seen in its structure.
private let lenientlyDecoded: [String: Comment] = [
  "corrupt/afl__id_000223,src_000000,op_flip2,pos_503,+cov.jpg": "a changed sample",
  "corrupt/afl__id_000227,src_000000,op_flip2,pos_503,+cov.jpg": "a changed sample",
  "corrupt/afl__id_002005,src_001056,op_flip2,pos_175.jpg": "an odd subsampling, which is allowed",
  "corrupt/gen__bitflip05.jpg": "changed samples",
  "corrupt/gen__bitflip11.jpg": "changed samples",
  "corrupt/gen__long_idat.png": "bytes behind the pixels",
  "corrupt/gen__palidx.png": "colors beyond the palette are black",
  "corrupt/imagepng-bugfixes__invalid_palette_index.png": "colors beyond the palette are black",
  "corrupt/jpegdec-crash__multiple-0xff-before-eoi.jpg": "fill bytes, which are allowed",
  "corrupt/pillow__truncated_jpeg.jpg": "the end marker's second byte is all that is missing",
]

/// Words of which a reason must hold one: what the matter is.
private let causes = [
  "damaged", "cut short", "not supported", "is empty", "its content is no PNG", "pixels",
]

@Suite(.enabled(if: TortureSet.isThere, TortureSet.absence))
struct TortureTests {
  @Test func `valid files decode to Pillow's pixels`() throws {
    let (set, references) = (try TortureSet(), try ReferencePixels.all())
    let decoder = ImageDecoder()
    var count = 0
    for row in set.table.rows where row.kind == "valid" || row.kind == "other" && references[row.file] != nil {
      switch set.table.outcome(row, decoder: decoder) {
      case .refused(let reason):
        let words = row.file == "other/gen__tiff_named.jpg" ? "TIFF" : refusedValidFiles[row.file]
        #expect(words.map(reason.contains) == true, "\(row.file): \(reason)")
      case .decoded(let image):
        let reference = try #require(references[row.file], "\(row.file)")
        #expect(refusedValidFiles[row.file] == nil)
        #expect((image.width, image.height) == (reference.width, reference.height), "\(row.file)")
        if row.pillowDetail.hasPrefix("PNG") {
          #expect(image.checksum == reference.checksum, "\(row.file)")
        } else {
          let differences = zip(image.grid, reference.grid).map { abs($0 - Double($1)) }
          #expect(differences.count == 192 && differences.max() ?? .infinity <= 2, "\(row.file) \(differences)")
        }
        // The manifest has the size as stored.
        let stored = row.pillow.split(separator: "x").compactMap { Int($0) }
        #expect(
          stored.prefix(2) == [image.width, image.height] || stored.prefix(2) == [image.height, image.width],
          "\(row.file)")
        count += 1
      }
    }
    #expect(count == 214)
  }

  @Test func `damaged files are refused with the cause, or decode for a known reason`() throws {
    let set = try TortureSet()
    let decoder = ImageDecoder()
    for row in set.table.rows where row.kind == "corrupt" {
      do throws(DecodingFailure) {
        let image = try decoder.decode(path: "\(set.table.folder)/\(row.file)", name: row.file)
        #expect(lenientlyDecoded[row.file] != nil, "\(row.file) decoded to \(image.width)x\(image.height)")
      } catch {
        #expect(error.path == row.file && error.description.contains(row.file))
        #expect(lenientlyDecoded[row.file] == nil, "\(row.file): \(error.reason)")
        #expect(causes.contains { error.reason.contains($0) }, "\(row.file): \(error.reason)")
      }
    }
  }

  @Test func `other formats are named, unless they can be decoded`() throws {
    let set = try TortureSet()
    let decoder = ImageDecoder()
    for row in set.table.rows where row.kind == "other" {
      let path = "\(set.table.folder)/\(row.file)"
      switch set.table.outcome(row, decoder: decoder) {
      case .decoded(let image):
        #expect(row.pillow == "\(image.width)x\(image.height)x\(row.file.hasSuffix("gif") ? 1 : 3)")
        #expect(ImageFormat.unsupportedName(ofFile: path) == nil)
      case .refused(let reason):
        #expect(reason.contains("not supported"), "\(row.file): \(reason)")
        let name = ImageFormat.unsupportedName(ofFile: path)
        if row.file.contains("tiff") { #expect(name == "TIFF") }
        if row.file.contains("iphone") { #expect(name?.hasPrefix("CgBI") == true) }
      }
    }
  }

  // In a process of its own, whose memory is only this.
  @Test func `bombs are refused before they take memory, in a process of its own`() async throws {
    let set = try TortureSet()
    let folder = set.table.folder
    await #expect(processExitsWith: .success) { [folder = folder as String] in
      let table = try OutcomeTable(folder: folder)
      // Below the 81 million pixels of the one bomb that is allowed otherwise.
      let decoder = ImageDecoder(maximumPixels: 50_000_000)
      let before = ResidentMemory.peak
      for row in table.rows where row.kind == "bombs" || row.file.hasSuffix("max_size.jpg") {
        guard case .refused = table.outcome(row, decoder: decoder) else { fatalError("\(row.file) decoded") }
        guard (try? decoder.header(path: "\(folder)/\(row.file)")) == nil else { fatalError("\(row.file) passed") }
      }
      let taken = ResidentMemory.peak - before
      // The largest file has three megabytes; the smallest bomb would take 240.
      precondition(taken < 16 << 20, "the bombs took \(taken) bytes")
    }
  }

  // An address sanitizer keeps what is freed, so that this fails under one; its own search for leaks is better.
  @Test func `decoding everything again and again takes no more memory, in a process of its own`() async throws {
    let set = try TortureSet()
    let folder = set.table.folder
    await #expect(processExitsWith: .success) { [folder = folder as String] in
      let table = try OutcomeTable(folder: folder)
      // Small images, and every refusal: `skipline-fuzz table --rounds` has the large ones too.
      let decoder = ImageDecoder(maximumPixels: 100_000)
      var held: [Int] = []
      for _ in 0..<20 {
        for row in table.rows { _ = table.outcome(row, decoder: decoder) }
        held.append(ResidentMemory.now)
      }
      // 340 files a round: one byte lost in each would be 6 KB, one block of a decoder some megabytes.
      precondition(held[19] - held[4] < 1 << 20, "held after each round: \(held)")
    }
  }
}
