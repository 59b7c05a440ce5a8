// The set of hostile images, which is no part of the repository, and what Pillow makes of them, which is.

import Foundation
import Fuzzing
import Messages
import TestSupport
import Testing

@testable import Images

/// The set, unpacked into a folder that goes with it.
final class TortureSet {
  let table: OutcomeTable
  private let folder: TemporaryFolder

  /// Where the packed set is looked for: where the environment says, else beside the repository.
  static let archive =
    ProcessInfo.processInfo.environment["SKIPLINE_TORTURE"]
    ?? URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../../shared/data/torture.tgz").standardizedFileURL.path

  static var isThere: Bool { FileManager.default.fileExists(atPath: archive) }

  /// What is said of a test that needs it, where it is absent.
  static let absence: Comment =
    "the set of hostile images is not there; SKIPLINE_TORTURE names its archive"

  init() throws {
    folder = try TemporaryFolder()
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", "xzf", Self.archive, "-C", folder.path]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0)
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    let manifest = try #require(files.first { $0.hasSuffix("manifest.tsv") })
    table = try OutcomeTable(folder: "\(folder.path)/\(manifest.dropLast("/manifest.tsv".count))")
  }
}

/// What Pillow makes of one image; see References/make_torture_pixels.py.
struct ReferencePixels {
  var width: Int
  var height: Int
  var checksum: UInt32
  /// [8, 8, 3] mean levels; none for PNG.
  var grid: [UInt8]

  /// By file.
  static func all() throws -> [String: ReferencePixels] {
    let url = try #require(
      Bundle.module.url(forResource: "torture-pixels", withExtension: "tsv", subdirectory: "References"))
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    return try Dictionary(
      uniqueKeysWithValues: lines.map { line in
        let fields = line.split(separator: "\t")
        try #require(fields.count == 5)
        let digits = Array(fields[4].utf8)
        let grid = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
          UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
        }
        let reference = ReferencePixels(
          width: try #require(Int(fields[1])), height: try #require(Int(fields[2])),
          checksum: try #require(UInt32(fields[3], radix: 16)), grid: grid)
        return (String(fields[0]), reference)
      })
  }
}

extension PixelImage {
  /// Adler-32 (RFC 1950, section 8.2) of the pixels.
  var checksum: UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    pixels.withUnsafeBufferPointer { pixels in
      // So many additions fit into 32 bits before the remainder must be taken.
      for start in stride(from: 0, to: pixels.count, by: 5552) {
        for byte in pixels[start..<min(start + 5552, pixels.count)] {
          low &+= UInt32(byte)
          high &+= low
        }
        low %= 65_521
        high %= 65_521
      }
    }
    return high << 16 | low
  }

  /// [8, 8, 3] mean levels, as the references have them.
  var grid: [Double] {
    (0..<64).flatMap { cell -> [Double] in
      let (top, left) = (cell / 8 * height / 8, cell % 8 * width / 8)
      let rows = top..<max(top + 1, (cell / 8 + 1) * height / 8)
      let columns = left..<max(left + 1, (cell % 8 + 1) * width / 8)
      var sums = [0, 0, 0]
      for row in rows {
        for column in columns {
          for channel in 0..<3 { sums[channel] += Int(pixels[3 * (row * width + column) + channel]) }
        }
      }
      return sums.map { Double($0) / Double(rows.count * columns.count) }
    }
  }
}
