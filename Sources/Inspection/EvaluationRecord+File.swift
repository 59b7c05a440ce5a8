// An evaluation's record as a safetensors file, which NumPy and PyTorch read too:
//
//     paths, path_ends           U8 [bytes], I64 [N]     the texts of the paths one after the other, and where each ends
//     split, truth, predicted    U8, I32, I32 [N]        0 train, 1 val, 2 test; labels; -1 for no prediction
//     confidence, margin, loss   F32 [N]
//     top_labels, top_probabilities                      I32, F32 [N, R]
//     probabilities              F32 or F16 [N, C], or F16 [N, K] with probability_labels I32 [N, K]
//     features                   F16 [N, F]
//
// Whatever else there is to know is JSON in its metadata, with a checksum of each array. The columns are checked when it
// is opened, the features when all are read. It may come from anybody: nothing is believed before it was checked.

import FoundationEssentials
import Messages
import Training
import WeightFiles

extension EvaluationRecord {
  private static let metadataKey = "skipline.evaluation"
  private static let formatVersion = 1
  /// More images are in no evaluation.
  private static let mostImages = 1 << 24
  private static let mostPathBytes = 1 << 30

  private struct Header: Codable {
    var version: Int
    var checkpoint: String
    var data: String?
    var split: EvaluationSplit
    var root: String
    var classes: [String]
    var provenance: EvaluationProvenance?
    var augmentation: TestTimeAugmentation?
    var precision: InferencePrecision?
    var form: ProbabilityRows.Form
    var layer: String?
    var notes: [String]
    var checksums: [String: String]
  }

  /// Writes it, replacing what was at `path` atomically.
  /// - Returns: the file's size in bytes.
  /// - Throws: `FileOperationError`, or what reading the numbers throws where they lie in another file.
  @discardableResult
  public func write(to path: String) throws -> Int {
    let count = table.count
    var (bytes, ends): ([UInt8], [Int64]) = ([], [])
    for path in table.paths {
      bytes += path.utf8
      ends.append(Int64(bytes.count))
    }
    func column(_ name: String, _ values: NamedArray.Values) -> NamedArray {
      NamedArray(name: name, shape: [count], values: values)
    }
    var arrays = [
      NamedArray(name: "paths", shape: [bytes.count], values: .uint8(bytes)), column("path_ends", .int64(ends)),
      column("split", .uint8(table.splits.map(Self.code))), column("truth", .int32(table.truths)),
      column("predicted", .int32(table.predictions)), column("confidence", .float32(table.confidences)),
      column("margin", .float32(table.margins)), column("loss", .float32(table.losses)),
      NamedArray(name: "top_labels", shape: [count, table.ranks], values: .int32(table.topLabels)),
      NamedArray(name: "top_probabilities", shape: [count, table.ranks], values: .float32(table.topProbabilities)),
    ]
    let all = 0..<count * probabilities.kept
    let numbers: NamedArray.Values =
      probabilities.form == .single
      ? .float32(try probabilities.numbers.floats(all)) : .float16(try probabilities.numbers.halves(all))
    arrays.append(NamedArray(name: "probabilities", shape: [count, probabilities.kept], values: numbers))
    if let labels = probabilities.labels {
      arrays.append(
        NamedArray(
          name: "probability_labels", shape: [count, probabilities.kept], values: .int32(try labels.integers(all))))
    }
    if let features {
      arrays.append(
        NamedArray(
          name: "features", shape: [count, features.width],
          values: .float16(try features.numbers.halves(0..<count * features.width))))
    }
    let header = Header(
      version: Self.formatVersion, checkpoint: table.source.checkpoint, data: table.source.data,
      split: table.source.split, root: table.root, classes: table.classes, provenance: table.provenance,
      augmentation: augmentation, precision: precision, form: probabilities.form, layer: features?.layer,
      notes: table.notes,
      checksums: Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.checksum) }))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(header), as: UTF8.self)
    try Safetensors.write(arrays, metadata: [Self.metadataKey: text], to: path)
    return try SafetensorsArrays(path: path).size
  }

  /// Opens a record: reads its columns.
  /// - Throws: `EvaluationRecordError` for what is none or is damaged, `FileOperationError` for what cannot be read,
  ///   `WeightsFileError` where there is no memory for it.
  public init(path: String) throws {
    do {
      try self.init(SafetensorsArrays(path: path))
    } catch let error as SafetensorsError {
      throw EvaluationRecordError(path: path, reason: "\(error)")
    } catch let error as WeightsFileError where !error.isOfMemory {
      throw EvaluationRecordError(path: path, reason: "\(error)")
    }
  }

  /// - Parameter verifies: whether the checksums of the columns are compared, as is not done by the fuzzer, which would
  ///   get no further.
  /// - Throws: also `WeightsFileError`.
  init(_ arrays: SafetensorsArrays, verifies: Bool = true) throws {
    func refusal(_ reason: String) -> EvaluationRecordError {
      EvaluationRecordError(path: arrays.path, reason: reason)
    }
    guard let text = arrays.outline.metadata[Self.metadataKey] else { throw refusal("it does not say so") }
    let header: Header
    do { header = try JSONDecoder().decode(Header.self, from: Data(text.utf8)) } catch {
      throw refusal("its description cannot be read")
    }
    guard header.version == Self.formatVersion else {
      throw refusal("it is of version \(header.version), and this program reads \(Self.formatVersion)")
    }
    let classes = header.classes
    guard !classes.isEmpty, Limits.classes.range.contains(classes.count), !classes.contains("") else {
      throw refusal("it has \(classes.count) classes, or one without a name")
    }
    guard let shape = arrays.outline.shape(of: "truth"), shape.count == 1, shape[0] > 0, shape[0] <= Self.mostImages
    else { throw refusal("it has no images, or too many") }
    let count = shape[0]
    /// - Parameter width: of a row; nil for a column.
    func check(_ name: String, _ width: Int? = nil) throws {
      guard arrays.outline.shape(of: name) == [count] + (width.map { [$0] } ?? []) else {
        throw refusal("its '\(name)' has the shape \(arrays.outline.shape(of: name) ?? []), for \(count) images")
      }
    }
    func verify(_ name: String) throws {
      guard try !verifies || arrays.checksum(of: name) == header.checksums[name] else {
        throw refusal("its '\(name)' is damaged")
      }
    }
    let ranks = min(EvaluationRecorder.ranks, classes.count)
    for name in ["path_ends", "split", "truth", "predicted", "confidence", "margin", "loss"] { try check(name) }
    for name in ["top_labels", "top_probabilities"] { try check(name, ranks) }
    guard let bytes = arrays.outline.shape(of: "paths"), bytes.count == 1, bytes[0] <= Self.mostPathBytes else {
      throw refusal("it has no paths, or too many")
    }
    for name in [
      "paths", "path_ends", "split", "truth", "predicted", "confidence", "margin", "loss", "top_labels",
      "top_probabilities",
    ] {
      try verify(name)
    }
    let labels = Int32(0)..<Int32(classes.count)
    let orNone = EvaluationTable.noPrediction..<Int32(classes.count)
    let truths = try arrays.int32s("truth")
    let predictions = try arrays.int32s("predicted")
    let topLabels = try arrays.int32s("top_labels")
    guard truths.allSatisfy(labels.contains), predictions.allSatisfy(orNone.contains),
      topLabels.allSatisfy(orNone.contains)
    else { throw refusal("it has a label that is none of \(classes.count) classes") }
    let (confidences, margins) = (try arrays.float32s("confidence"), try arrays.float32s("margin"))
    let (losses, topProbabilities) = (try arrays.float32s("loss"), try arrays.float32s("top_probabilities"))
    guard
      [confidences, margins, topProbabilities].allSatisfy({ $0.allSatisfy { $0 >= 0 && $0 <= 1.0001 } }),
      losses.allSatisfy({ $0.isFinite && $0 > -0.0001 })
    else { throw refusal("it has a number that is no probability, or no loss") }
    let splits = try arrays.uint8s("split").map { code -> Split in
      guard Int(code) < Self.splits.count else { throw refusal("it has a split that is none") }
      return Self.splits[Int(code)]
    }

    let (form, kept) = try Self.probabilityForm(header, arrays, refusal)
    try check("probabilities", kept)
    if form == .most { try check("probability_labels", kept) }
    let table = EvaluationTable(
      source: EvaluationSource(checkpoint: header.checkpoint, data: header.data, split: header.split),
      root: header.root, classes: classes, paths: try Self.paths(arrays, refusal), splits: splits, truths: truths,
      predictions: predictions, confidences: confidences, margins: margins, losses: losses, ranks: ranks,
      topLabels: topLabels, topProbabilities: topProbabilities, provenance: header.provenance, bytes: arrays.size,
      notes: header.notes)
    func stored(_ name: String, _ dtype: ElementType) -> StoredNumbers {
      StoredNumbers(arrays, name, dtype, checksum: header.checksums[name] ?? "")
    }
    var features: FeatureRows?
    if let shape = arrays.outline.shape(of: "features") {
      guard shape.count == 2, shape[0] == count, shape[1] > 0, arrays.outline.dtype(of: "features") == .float16
      else {
        throw refusal("its features have the shape \(shape), for \(count) images")
      }
      features = FeatureRows(
        rows: count, width: shape[1], layer: header.layer ?? "", numbers: stored("features", .float16))
    }
    self.init(
      table: table,
      probabilities: ProbabilityRows(
        form: form, rows: count, classes: classes.count, kept: kept,
        numbers: stored("probabilities", form == .single ? .float32 : .float16),
        labels: form == .most ? stored("probability_labels", .int32) : nil), features: features,
      augmentation: header.augmentation, precision: header.precision)
  }

  private static func probabilityForm(
    _ header: Header, _ arrays: SafetensorsArrays, _ refusal: (String) -> EvaluationRecordError
  ) throws -> (ProbabilityRows.Form, kept: Int) {
    let classes = header.classes.count
    guard let shape = arrays.outline.shape(of: "probabilities"), shape.count == 2, shape[1] > 0,
      shape[1] <= classes,
      header.form == .most || shape[1] == classes,
      arrays.outline.dtype(of: "probabilities") == (header.form == .single ? .float32 : .float16),
      header.form != .most || arrays.outline.dtype(of: "probability_labels") == .int32
    else { throw refusal("its probabilities are not those of \(classes) classes") }
    return (header.form, shape[1])
  }

  private static func paths(
    _ arrays: SafetensorsArrays, _ refusal: (String) -> EvaluationRecordError
  ) throws -> [String] {
    let (bytes, ends) = (try arrays.uint8s("paths"), try arrays.int64s("path_ends"))
    var (paths, begin): ([String], Int) = ([], 0)
    paths.reserveCapacity(ends.count)
    for end in ends {
      guard end >= Int64(begin), end <= Int64(bytes.count),
        let path = String(validating: bytes[begin..<Int(end)], as: UTF8.self), !path.isEmpty
      else { throw refusal("a path of it is none") }
      paths.append(path)
      begin = Int(end)
    }
    guard begin == bytes.count else { throw refusal("its paths end early") }
    return paths
  }

  private static let splits: [Split] = [.train, .validation, .test]

  private static func code(_ split: Split) -> UInt8 { UInt8(splits.firstIndex(of: split) ?? 0) }
}

/// Takes the bytes of a record as far as its numbers: for the fuzzer.
/// - Returns: whether it is one.
package func fuzzEvaluationRecord(_ bytes: [UInt8]) -> Bool {
  guard let arrays = SafetensorsArrays(bytes: bytes), let record = try? EvaluationRecord(arrays, verifies: false)
  else { return false }
  _ = record.table.rows(EvaluationFilter(answers: .wrong), sortedBy: .loss)
  _ = record.table.reliability()
  _ = try? record.probabilities.values(0..<min(4, record.table.count))
  _ = try? record.features?.values(0..<min(4, record.table.count))
  return true
}

/// Writes a small record: a seed.
/// - Parameter classes: of many, only the most probable ones are kept.
package func writeEvaluationRecordSeed(classes: Int, to path: String) throws {
  var recorder = EvaluationRecorder(classes: (0..<classes).map { "c\($0)" })
  for number in 0..<3 {
    let logits = (0..<classes).map { number == 2 ? Float.nan : Float(($0 + number) % 5) }
    recorder.add(
      MeasuredImage(
        path: "a/\(number)", truth: number % classes, outputs: Softmax(logits), features: [1, 2, 3][...]))
  }
  let report = EvaluationReport(
    checkpoint: "c", data: "d", split: .test, images: 3, loss: nil, top1: 0, top5: 0, classes: [], confusion: [],
    misclassified: [], skipped: [], unknownClasses: [], imagesPerSecond: 0)
  try recorder.record(report, checkpoint: "c", layer: "fc").write(to: path)
}
