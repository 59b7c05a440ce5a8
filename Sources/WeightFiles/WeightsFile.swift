// The one way to open a file of weights of whatever format: what it is is told by its content, never by its name.

import Files
import Support

/// Opening files of weights.
public enum WeightsFile {
  /// Which arrays a file has; of an archive or safetensors file little more than its header is read.
  /// - Parameter path: of a file, of the index of several, or of a folder with one of them.
  /// - Throws: `SafetensorsError`, `WeightsFileError` or `FileOperationError`.
  public static func outline(of path: String) throws -> WeightsOutline { try opened(path).outline }

  /// Opens a file for reading its arrays. What has a checksum is compared with it.
  /// - Throws: as `outline(of:)`.
  public static func read(_ path: String) throws -> WeightsContents { try opened(path).contents() }

  /// The file of weights in a folder, as Hugging Face's libraries name it; nil for none.
  public static func file(inFolder folder: String) -> String? {
    ShardedWeights.names.map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
      .first { FilePath.isFolder($0) == false }
  }

  private struct Opened {
    let outline: WeightsOutline
    let contents: () throws -> WeightsContents
  }

  private static func opened(_ path: String) throws -> Opened {
    let path = FilePath.isFolder(path) == true ? file(inFolder: path) ?? path : path
    return try naming(path) {
      do {
        return described(try single(path), path)
      } catch SafetensorsError.Fault.otherFormat(.safetensorsIndex) {
        return described(try several(path), path)
      }
    }
  }

  /// With what a file that Hugging Face's libraries save says in `config.json` beside it.
  private static func described(_ opened: Opened, _ path: String) -> Opened {
    guard let names = ConfigFile.classNames(beside: path),
      opened.outline.metadata[ConfigFile.classNamesKey] == nil
    else { return opened }
    let metadata = opened.outline.metadata.merging([ConfigFile.classNamesKey: names]) { own, _ in own }
    return Opened(outline: opened.outline.with(metadata: metadata), contents: opened.contents)
  }

  /// A file that is no index.
  private static func single(_ path: String) throws -> Opened {
    let file = try InputFile(path: path)
    do {
      let outline = try Safetensors.outline(of: file)
      return Opened(outline: outline) { try Safetensors.read(path: path) }
    } catch SafetensorsError.Fault.otherFormat(let kind) {
      guard let scanned = try scan(ByteSource(file), kind: kind, path: path) else {
        throw SafetensorsError.Fault.otherFormat(kind)
      }
      return Opened(outline: scanned.outline) { try naming(path) { try contents(scanned) } }
    }
  }

  /// - Returns: nil for a kind that is not read.
  /// - Throws: `WeightsFileError.Fault`, `SafetensorsError.Fault`, `FileOperationError`.
  static func scan(_ source: ByteSource, kind: WeightsFileKind, path: String) throws -> ScannedWeights? {
    switch kind {
    case .pyTorch: return try PyTorchFile.scanArchive(source, path: path)
    case .oldPyTorch: return try PyTorchFile.scanPickles(source, path: path)
    case .onnx: return try ONNXFile.scan(source, path: path)
    case .pickle:
      // What it would call is told; what it is else.
      do { return try PyTorchFile.scanPickles(source, path: path) } catch WeightsFileError.Fault.malformed {
        return nil
      } catch SafetensorsError.Fault.otherFormat { return nil }
    default: return nil
    }
  }

  /// - Throws: as `scan`.
  static func contents(_ scanned: ScannedWeights) throws -> WeightsContents {
    let parts = try scanned.parts()
    var checksum = CRC32C()
    for source in [scanned.source] + scanned.others {
      try source.forEachPiece(of: 0..<source.size) { checksum.update($0) }
    }
    return WeightsContents(scanned.outline, checksum: Safetensors.text(checksum), parts: parts)
  }

  private static func several(_ path: String) throws -> Opened {
    let (files, places) = try ShardedWeights.open(path, { path in try naming(path) { try single(path) } }) {
      $0.outline
    }
    var arrays: [String: StoredArray] = [:]
    for (name, number) in places { arrays[name] = files[number].outline.arrays[name] }
    var notes: [String] = []
    for file in files { notes += file.outline.notes.map { "\(file.outline.path): \($0)" } }
    // Texts of the first file: those of the others are the same or about themselves.
    let outline = WeightsOutline(
      path: path, format: .shards, metadata: files.first?.outline.metadata ?? [:], notes: notes, arrays: arrays)
    return Opened(outline: outline) {
      let contents = try files.map { try $0.contents() }
      var checksum = CRC32C()
      for file in contents { checksum.update(Array(file.checksum.utf8)) }
      return WeightsContents(outline, checksum: Safetensors.text(checksum), files: contents, places: places)
    }
  }

  /// Puts the file's name to a fault.
  static func naming<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let fault as SafetensorsError.Fault {
      throw SafetensorsError(path: path, fault: fault)
    } catch let fault as WeightsFileError.Fault {
      throw WeightsFileError(path: path, fault: fault)
    } catch let error as FileOperationError where error.reason == .notARegularFile {
      throw SafetensorsError(path: path, fault: .notARegularFile)
    }
  }
}
