// What becomes of each file of a folder of hostile images, beside what a manifest says Pillow makes of it. A table to
// read, and what the tests hold on to.

import Foundation
import Images
import Messages

public struct OutcomeTable {
  public enum Outcome {
    case decoded(PixelImage)
    case refused(reason: String)

    public var text: String {
      switch self {
      case .decoded(let image): "\(image.width)x\(image.height)"
      case .refused(let reason): "refused: \(reason)"
      }
    }
  }

  /// A line of the manifest: tab-separated, the file below its folder first, Pillow's size or `error` third.
  public struct Row {
    /// Below the manifest's folder.
    public var file: String
    /// Width x height x channels before orientation is applied, or `error`.
    public var pillow: String
    /// Pillow's format and mode, or its error.
    public var pillowDetail: String
    /// Whether Pillow had warnings.
    public var pillowWarned: Bool
    public var note: String

    /// `valid`, `corrupt`, `bombs` or `other`.
    public var kind: Substring { file.prefix { $0 != "/" } }
  }

  public let folder: String
  public let rows: [Row]

  /// - Throws: if there is no `manifest.tsv` in the folder that can be read.
  public init(folder: String) throws {
    self.folder = folder
    let text = try String(contentsOfFile: "\(folder)/manifest.tsv", encoding: .utf8)
    rows = text.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count > 7 else { return nil }
      return Row(
        file: fields[0], pillow: fields[2], pillowDetail: fields[3], pillowWarned: !fields[6].isEmpty,
        note: fields[7])
    }
  }

  /// Decodes a row's file.
  public func outcome(_ row: Row, decoder: ImageDecoder) -> Outcome {
    do {
      return .decoded(try decoder.decode(path: "\(folder)/\(row.file)", name: row.file))
    } catch {
      return .refused(reason: error.reason)
    }
  }

  /// The line of a row: the file, Pillow's result, ours, the time ours took.
  public func line(_ row: Row, decoder: ImageDecoder) -> String {
    let clock = ContinuousClock()
    let start = clock.now
    let outcome = outcome(row, decoder: decoder)
    let milliseconds = (clock.now - start) / .milliseconds(1)
    let pillow = row.pillow == "error" ? "error (\(row.pillowDetail.prefix(60)))" : row.pillow
    return [row.file, "Pillow: \(pillow)", "Skipline: \(outcome.text)", "\(Int(milliseconds)) ms"]
      .joined(separator: " | ")
  }
}
