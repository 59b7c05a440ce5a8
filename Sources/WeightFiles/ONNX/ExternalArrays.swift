// Arrays whose numbers lie in other files beside an ONNX file (onnx.proto, TensorProto.external_data), as PyTorch's
// exporter writes them: `model.onnx` and `model.onnx.data`. What the file says of places and lengths comes from anybody:
// only files in its own folder are opened, and nothing is taken for longer than it is.

import Files

/// Where the numbers of an array lie, by the words of the file.
struct ExternalPlace: Equatable {
  var location: String
  var offset: Int
  /// nil for as many as the array needs.
  var length: Int?

  /// - Parameter entries: keys and values as they stand in the file.
  /// - Returns: nil for what is no place.
  init?(_ entries: [(key: String, value: String)]) {
    var values: [String: String] = [:]
    for (key, value) in entries {
      guard values.updateValue(value, forKey: key) == nil else { return nil }
    }
    guard let location = values["location"] else { return nil }
    self.location = location
    offset = 0
    for (key, text) in values where key == "offset" || key == "length" {
      guard let number = Int(text), number >= 0 else { return nil }
      if key == "offset" { offset = number } else { length = number }
    }
  }
}

/// The files beside an ONNX file that its arrays lie in.
struct ExternalArrays {
  /// In the order in which they were named.
  private(set) var sources: [ByteSource] = []
  private var numbers: [String: Int] = [:]
  /// nil where there is no folder, as for bytes in memory.
  private let folder: String?

  private static let mostFiles = 10_000

  init(beside path: String?) { folder = path.map { FilePath.split($0).folder } }

  /// Opens the file of a place.
  /// - Parameters:
  ///   - name: of the array.
  ///   - needed: bytes of its numbers.
  /// - Returns: the number of the file.
  /// - Throws: `WeightsFileError.Fault`, `FileOperationError`.
  mutating func open(_ place: ExternalPlace, for name: String, needed: Int) throws -> Int {
    let number = try numbers[place.location] ?? open(place.location, for: name)
    let size = sources[number].size
    guard place.length == nil || place.length == needed, place.offset <= size, needed <= size - place.offset else {
      throw WeightsFileError.Fault.malformed(
        "array \"\(name)\" needs \(needed) bytes, and should have \(place.length.map { "\($0)" } ?? "them") from byte "
          + "\(place.offset) of \(place.location), which has \(size)", .onnx)
    }
    return number
  }

  private mutating func open(_ location: String, for name: String) throws -> Int {
    guard !ShardedWeights.leadsElsewhere(location) else {
      throw WeightsFileError.Fault.malformed(
        "array \"\(name)\" should lie in \"\(location)\", and only files beside it are read", .onnx)
    }
    guard let folder else { throw WeightsFileError.Fault.unfit("array \"\(name)\" lies in another file") }
    guard sources.count < Self.mostFiles else {
      throw WeightsFileError.Fault.malformed("its arrays lie in more than \(Self.mostFiles) files", .onnx)
    }
    let path = folder == "/" ? "/\(location)" : "\(folder)/\(location)"
    guard try FilePath.kind(of: path) != nil else {
      throw WeightsFileError.Fault.unfit(
        "the numbers of \"\(name)\" lie in the file \(location), which is not beside it: fetch that too")
    }
    do throws(FileOperationError) { sources.append(ByteSource(try InputFile(path: path))) } catch {
      guard error.reason == .notARegularFile else { throw error }
      throw WeightsFileError.Fault.malformed("array \"\(name)\" should lie in \(location), which is no file", .onnx)
    }
    numbers[location] = sources.count - 1
    return sources.count - 1
  }
}
