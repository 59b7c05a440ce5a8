// Figures as files: SVG as it is, PNG as rsvg-convert draws it.

import Files
import FoundationEssentials
import Glibc
import Reports

/// A picture in a file of a format.
public struct PictureFile {
  public enum Format: Sendable {
    case svg, png

    /// By the ending of a file's name; nil for another one.
    public init?(_ path: String) {
      let name = FilePath.split(path).name.lowercased()
      guard name.utf8.count > 4,
        let format: Format = name.hasSuffix(".svg") ? .svg : name.hasSuffix(".png") ? .png : nil
      else { return nil }
      self = format
    }
  }

  let path: String
  let format: Format

  public init(path: String, format: Format) {
    self.path = path
    self.format = format
  }

  /// Dots for each pixel of a figure, in PNG.
  private static let zoom = 2
  private static let renderer = "rsvg-convert"

  /// - Throws: `FileOperationError`, `NoRenderer` or `RenderingFailure`; what was there then stays.
  public func write(_ figure: Figure) throws {
    let svg = Data(figure.svg.utf8)
    switch format {
    case .svg: try AtomicFile.write(svg, to: path)
    case .png: try render(svg)
    }
  }

  private func render(_ svg: Data) throws {
    guard let program = Self.program(Self.renderer) else { throw NoRenderer(path: path) }
    let (folder, name) = FilePath.split(FilePath.absolute(path))
    // Beside the picture, so that putting it in place is one step.
    let (source, target, log) = (
      "\(folder)/.\(name).\(getpid()).svg", "\(folder)/.\(name).\(getpid()).png",
      "\(folder)/.\(name).\(getpid()).log"
    )
    defer { for file in [source, target, log] { file.withPathCString { _ = unlink($0) } } }
    do { try AtomicFile.write(svg, to: source) } catch let error as FileOperationError {
      throw FileOperationError(path: path, step: error.step, reason: error.reason)
    }
    let process = try ChildProcess(
      program, arguments: ["--zoom", "\(Self.zoom)", "--format", "png", "--output", target, source], errors: log)
    guard process.hasSucceeded, let png = try? InputFile.contents(of: target, bound: SizeBound.imageFile) else {
      let said =
        (try? InputFile.contents(of: log, bound: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      throw RenderingFailure(path: path, reason: said.isEmpty ? process.ending : said)
    }
    try AtomicFile.write(Data(png), to: path)
  }

  /// Where a program is, by the search path.
  private static func program(_ name: String) -> String? {
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }
}

/// What draws PNG is not installed.
public struct NoRenderer: Error, CustomStringConvertible {
  public var path: String

  public var description: String {
    "\(path): PNG is drawn by rsvg-convert, which is not installed: apt install librsvg2-bin; or name a file that ends "
      + "in .svg"
  }
}

/// What draws PNG could not.
public struct RenderingFailure: Error, CustomStringConvertible {
  public var path: String
  public var reason: String

  public var description: String { "\(path): rsvg-convert could not draw it: \(reason)" }
}
