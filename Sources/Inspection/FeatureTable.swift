// Features as files for other programs: NumPy's .npy with the names in a text beside it, .csv, and .safetensors. Each row
// is written as soon as it is computed.

import Datasets
import Files
import FoundationEssentials
import Messages
import Support
import WeightFiles

/// The forms that features are written in, by the ending of the file's name.
public enum FeatureFormat: String, Sendable, CaseIterable {
  case npy, csv, safetensors

  /// - Throws: `FeatureFileRefusal` for another ending.
  public init(path: String) throws {
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard let format = Self(rawValue: ending), FilePath.split(path).name.utf8.count > ending.utf8.count + 1 else {
      throw FeatureFileRefusal(
        "\(path): features are written as .npy, .csv or .safetensors; name a file that ends so")
    }
    self = format
  }
}

/// A file that no features are written to.
public struct FeatureFileRefusal: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Rows of features on their way into a file.
public final class FeatureFile {
  private let format: FeatureFormat
  private let width: Int
  /// nil for a format that is written at the end.
  private let output: OutputFile?
  private var names: [String] = []
  /// Of a format that needs to know them all.
  private var values: [Float] = []

  /// Writes features, replacing what was at `path` atomically.
  /// - Parameters:
  ///   - width: numbers an image.
  ///   - metadata: what else a .safetensors file says.
  ///   - body: appends the rows; what it throws leaves everything as it was.
  /// - Returns: where the names are, if they have a file of their own: a path a line, in the form of split lists.
  /// - Throws: `FeatureFileRefusal`, `FileOperationError`, and what `body` throws.
  @discardableResult
  public static func write(
    to path: String, width: Int, metadata: [String: String] = [:], _ body: (FeatureFile) throws -> Void
  ) throws -> String? {
    let format = try FeatureFormat(path: path)
    if format == .safetensors {
      let file = FeatureFile(format, width: width, nil)
      try body(file)
      var metadata = metadata
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.withoutEscapingSlashes]
      metadata["paths"] = String(decoding: try encoder.encode(file.names), as: UTF8.self)
      try Safetensors.write(
        [NamedArray(name: "features", shape: [file.count, width], floats: file.values)], metadata: metadata,
        to: path)
      return nil
    }
    var names: [String] = []
    try AtomicFile.write(to: path) { output in
      let file = FeatureFile(format, width: width, output)
      try file.begin()
      try body(file)
      names = file.names
      if format == .npy { try output.write(npyHeader(rows: names.count, columns: width), at: 0) }
    }
    guard format == .npy else { return nil }
    let namesPath = String(path.dropLast(".npy".count)) + ".txt"
    try AtomicFile.write(to: namesPath) { output in
      try output.append(Array(names.map { PathQuoting.line($0) + "\n" }.joined().utf8))
    }
    return namesPath
  }

  private init(_ format: FeatureFormat, width: Int, _ output: OutputFile?) {
    (self.format, self.width, self.output) = (format, width, output)
  }

  /// Images so far.
  public var count: Int { names.count }

  private func begin() throws {
    switch format {
    case .npy: try output?.append([UInt8](repeating: 0x20, count: Self.npyHeader(rows: 0, columns: width).count))
    case .csv:
      try output?.append(Array((["path"] + (0..<width).map { "f\($0)" }).joined(separator: ",").utf8) + [0x0a])
    case .safetensors: break
    }
  }

  /// - Throws: `FileOperationError`.
  public func append(_ name: String, _ features: ArraySlice<Float>) throws {
    precondition(features.count == width, "\(width) features, not \(features.count)")
    names.append(name)
    switch format {
    case .npy: try features.withUnsafeBytes { try output?.append($0) }
    case .csv:
      var line = Self.cell(name)
      for value in features { line += value.isFinite ? ",\(value)" : "," }
      try output?.append(Array(line.utf8) + [0x0a])
    case .safetensors: values += features
    }
  }

  /// The beginning of a .npy file, version 1.0, of single precision in C order: a multiple of 64 bytes, as the format
  /// asks for (numpy.lib.format), and of one length whatever the number of rows is.
  static func npyHeader(rows: Int, columns: Int) -> [UInt8] {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    let begin: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    let unpadded = begin.count + 2 + text.utf8.count + 1
    let padding = max(128, (unpadded + 63) / 64 * 64) - unpadded
    let length = text.utf8.count + padding + 1
    return begin + [UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
      + [UInt8](repeating: 0x20, count: padding) + [0x0a]
  }

  private static func cell(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy { ![0x22, 0x2c, 0x0a, 0x0d].contains($0) }
    return isPlain
      ? name : "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
