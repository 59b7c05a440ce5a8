// The images of a folder that are most alike to one image, to a network. The features of the folder's images are kept in
// the user's cache by checkpoint and folder; images that were added or changed since are computed anew, so that asking
// again takes no longer than reading them.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Support
import Training
import WeightFiles

/// Features of a folder's images.
public struct FolderFeatures {
  public let paths: [String]
  public let width: Int
  let numbers: StoredNumbers
  /// Images that do not decode, and why.
  public let failures: [DecodingFailure]
  /// How many were computed now, the others were kept.
  public let computed: Int

  /// The images that are most alike, the most alike first.
  /// - Parameters:
  ///   - query: [width].
  ///   - leavingOut: a path that is not counted, as the image's own.
  /// - Throws: `FileOperationError`.
  public func mostAlike(to query: [Float], count: Int, leavingOut: String? = nil) throws -> [SimilarImage] {
    precondition(query.count == width, "features of \(width) numbers, and of \(query.count)")
    let own = leavingOut.flatMap { path in paths.firstIndex { $0.utf8.elementsEqual(path.utf8) } }
    return try numbers.mostAlike(to: query, rows: paths.count, count: count, excluding: own).map {
      SimilarImage(path: paths[$0.row], similarity: Double($0.cosine))
    }
  }
}

extension StoredNumbers {
  private static let block = 4096

  /// The rows between which and a query the angle is smallest, the most alike first.
  /// - Parameters:
  ///   - query: [width].
  ///   - rows: of width numbers each.
  /// - Throws: `FileOperationError`.
  func mostAlike(
    to query: [Float], rows: Int, count: Int, excluding own: Int? = nil
  ) throws -> [(row: Int, cosine: Float)] {
    let width = query.count
    let length = query.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    var cosines: [Float] = []
    cosines.reserveCapacity(rows)
    for begin in stride(from: 0, to: rows, by: Self.block) {
      let end = min(begin + Self.block, rows)
      let values = try floats(begin * width..<end * width)
      values.withUnsafeBufferPointer { values in
        query.withUnsafeBufferPointer { query in
          for row in 0..<end - begin {
            var (dot, squares): (Float, Float) = (0, 0)
            let from = row * width
            for place in 0..<width {
              let value = values[from + place]
              dot += value * query[place]
              squares += value * value
            }
            let lengths = length * Double(squares).squareRoot()
            cosines.append(lengths > 0 ? Float(min(1, max(-1, Double(dot) / lengths))) : 0)
          }
        }
      }
    }
    return cosines.withUnsafeBufferPointer { UnitFeatures.largest($0, count: count, excluding: own) }
  }
}

/// Where the features of folders are kept.
public struct FeatureCache: Sendable {
  private let folder: String?
  /// Bytes that all files together may have; the ones that were not used for the longest time go first.
  private let mostBytes: Int

  /// - Parameter folder: nil for none.
  public init(folder: String?, mostBytes: Int = 4 << 30) {
    self.folder = folder
    self.mostBytes = mostBytes
  }

  public static var user: FeatureCache {
    FeatureCache(folder: UserFolders.current.cache.map { $0 + "/skipline/features" })
  }

  private static let metadataKey = "skipline.features"
  /// Of more images no features are taken from a file.
  private static let mostImages = 1 << 24

  private struct Header: Codable, Equatable {
    var version = 1
    var checkpoint: String
    var layer: String
    var folder: String
  }

  /// The features of the images anywhere below a folder.
  /// - Parameters:
  ///   - paths: of these images, with the folder's path in front.
  ///   - progress: told how many of those that are not kept are computed; false ends it.
  /// - Returns: nil where it was ended.
  /// - Throws: `FileOperationError`. What is damaged in the cache is made anew; a cache that cannot be written is told
  ///   to `notice`.
  public func features(
    of paths: [String], below root: String, _ extractor: FeatureExtractor, batchSize: Int,
    notice: (String) -> Void = { _ in }, progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
  ) throws -> FolderFeatures? {
    let header = Header(
      checkpoint: extractor.model.checksum, layer: extractor.layer ?? "", folder: FilePath.real(root))
    let stamps = FileStamp.stamps(of: paths, workers: 4)
    let prefix = Array((root.hasSuffix("/") ? root : root + "/").utf8)
    func below(_ path: String) -> String {
      path.utf8.starts(with: prefix) ? String(Substring(path.utf8.dropFirst(prefix.count))) : path
    }
    let file = folder.map { "\($0)/\(Self.name(header)).safetensors" }
    let kept = file.flatMap { try? Self.read($0, header, width: extractor.width) }
    // What is kept of each image that has not changed.
    var rows = [Int?](repeating: nil, count: paths.count)
    if let kept {
      for (place, path) in paths.enumerated() {
        guard let row = kept.places[ByteKey(below(path))], let stamp = stamps[place], kept.stamps[row] == stamp
        else { continue }
        rows[place] = row
      }
    }
    let missing = paths.indices.filter { rows[$0] == nil }
    if let kept, missing.isEmpty, kept.stamps.count == paths.count, rows.elements(are: 0..<paths.count) {
      (try? InputFile(path: kept.arrays.path))?.markUsed()
      return FolderFeatures(paths: paths, width: extractor.width, numbers: kept.numbers, failures: [], computed: 0)
    }
    var computed: [Int: [Float16]] = [:]
    var failures: [DecodingFailure] = []
    var done = 0
    for begin in stride(from: 0, to: missing.count, by: Self.block) {
      let places = missing[begin..<min(begin + Self.block, missing.count)]
      var next = places.startIndex
      extractor.extract(places.map { paths[$0] }, batchSize: batchSize) { _, features in
        switch features {
        case .success(let values): computed[missing[next]] = values.map(HalfPrecision.rounded)
        case .failure(let failure): failures.append(failure)
        }
        next += 1
      }
      done += places.count
      guard progress(done, missing.count) else { return nil }
    }
    var (found, values, foundStamps): ([String], [Float16], [FileStamp]) = ([], [], [])
    values.reserveCapacity(paths.count * extractor.width)
    for (place, path) in paths.enumerated() {
      if let own = computed[place] {
        values += own
      } else if let row = rows[place], let kept {
        values += try kept.numbers.halves(row * extractor.width..<(row + 1) * extractor.width)
      } else {
        continue
      }
      found.append(path)
      foundStamps.append(stamps[place] ?? FileStamp(size: -1, modified: 0, changed: 0))
    }
    let array = NamedArray(name: "features", shape: [found.count, extractor.width], values: .float16(values))
    if let file, let folder {
      do {
        try Folder.make(folder)
        try Self.write(array, found.map(below), foundStamps, header, to: file)
        try makeRoom(sparing: file)
      } catch {
        notice("the features are not kept, and will be computed again: \(error)")
      }
    }
    return FolderFeatures(
      paths: found, width: extractor.width, numbers: StoredNumbers(array), failures: failures,
      computed: computed.count)
  }

  private static let block = 1024

  private static func name(_ header: Header) -> String {
    let digits = String(stableHash("\(header.checkpoint)\0\(header.layer)\0\(header.folder)"), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private struct Kept {
    var arrays: SafetensorsArrays
    var places: [ByteKey: Int]
    var stamps: [FileStamp]
    var numbers: StoredNumbers
  }

  /// - Returns: nil for features of something else, or a damaged file.
  private static func read(_ path: String, _ header: Header, width: Int) throws -> Kept? {
    let arrays = try SafetensorsArrays(path: path)
    guard let text = arrays.outline.metadata[metadataKey],
      try JSONDecoder().decode(Header.self, from: Data(text.utf8)) == header,
      let shape = arrays.outline.shape(of: "features"), shape.count == 2, shape[1] == width, shape[0] <= mostImages,
      arrays.outline.shape(of: "path_ends") == [shape[0]], arrays.outline.shape(of: "stamps") == [shape[0], 3],
      let checksum = arrays.outline.metadata["skipline.features.checksum"],
      arrays.outline.dtype(of: "features") == .float16
    else { return nil }
    let (bytes, ends, numbers) = (
      try arrays.uint8s("paths"), try arrays.int64s("path_ends"), try arrays.int64s("stamps")
    )
    var (places, begin): ([ByteKey: Int], Int) = ([:], 0)
    for (row, end) in ends.enumerated() {
      guard end >= Int64(begin), end <= Int64(bytes.count) else { return nil }
      places[ByteKey(String(decoding: bytes[begin..<Int(end)], as: UTF8.self))] = row
      begin = Int(end)
    }
    return Kept(
      arrays: arrays, places: places,
      stamps: ends.indices.map {
        FileStamp(size: numbers[$0 * 3], modified: numbers[$0 * 3 + 1], changed: numbers[$0 * 3 + 2])
      }, numbers: StoredNumbers(arrays, "features", .float16, checksum: checksum))
  }

  private static func write(
    _ features: NamedArray, _ paths: [String], _ stamps: [FileStamp], _ header: Header, to path: String
  ) throws {
    var (bytes, ends): ([UInt8], [Int64]) = ([], [])
    for path in paths {
      bytes += path.utf8
      ends.append(Int64(bytes.count))
    }
    try Safetensors.write(
      [
        features, NamedArray(name: "paths", shape: [bytes.count], values: .uint8(bytes)),
        NamedArray(name: "path_ends", shape: [ends.count], values: .int64(ends)),
        NamedArray(
          name: "stamps", shape: [stamps.count, 3],
          values: .int64(stamps.flatMap { [$0.size, $0.modified, $0.changed] })),
      ],
      metadata: [
        metadataKey: String(decoding: try JSONEncoder().encode(header), as: UTF8.self),
        "skipline.features.checksum": features.checksum,
      ], to: path)
  }

  /// Removes what was not used for the longest time, until the rest has room.
  private func makeRoom(sparing own: String) throws {
    guard let folder else { return }
    var files: [(path: String, bytes: Int, used: Int)] = []
    for name in try Folder.names(in: folder) where name.hasSuffix(".safetensors") {
      var status = stat()
      let path = "\(folder)/\(name)"
      guard path.withPathCString({ stat($0, &status) }) == 0 else { continue }
      files.append((path, Int(status.st_size), Int(status.st_mtim.tv_sec)))
    }
    var total = files.reduce(0) { $0 + $1.bytes }
    for file in files.sorted(by: { $0.used < $1.used }) where total > mostBytes && file.path != own {
      file.path.withPathCString { _ = unlink($0) }
      total -= file.bytes
    }
  }
}

extension [Int?] {
  /// Whether each is its own place.
  fileprivate func elements(are range: Range<Int>) -> Bool {
    count == range.count && zip(self, range).allSatisfy { $0 == $1 }
  }
}
