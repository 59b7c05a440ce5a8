// Reads all shards of a folder and gathers what they hold: images by their place, classes by name, and what is wrong.
// Which split an image belongs to is decided elsewhere.

import Files
import Images
import Messages
import Protobuf
import Support

/// The images of a folder of shards.
struct RecordTable {
  struct Image: Equatable {
    /// Index in `shards`.
    var shard: Int
    /// Where the image file lies in it.
    var offset: Int
    var length: Int
  }

  let shards: [RecordFolder.Shard]
  /// In natural order.
  private(set) var classes: [String] = []
  /// In order of the label, then of the shard, then of the offset.
  private(set) var images: [(label: Int, image: Image)] = []
  private(set) var findings: [DatasetFinding] = []

  /// Damaged records of one shard that are told one by one.
  static let namedFaults = 10
  /// Images found between two calls of `progress`.
  private static let progressInterval = 500

  /// - Parameters:
  ///   - progress: called now and then with the number of images found so far.
  ///   - isCancelled: asked before each image; true ends the reading, and what was read is of no use.
  init(root: String, folder: RecordFolder, progress: (Int) -> Void, isCancelled: () -> Bool = { false }) {
    shards = folder.shards
    findings = folder.findings
    let labels = Self.labels(in: root, &findings)
    var names = ClassNames(labels: labels ?? LabelsFile([]))
    var found: [(name: Int, image: Image)] = []
    for (number, shard) in shards.enumerated() {
      let faults = Self.read("\(root)/\(shard.path)") { example, place in
        let image = Image(shard: number, offset: place.lowerBound, length: place.count)
        found.append((names.index(of: example), image))
        if found.count.isMultiple(of: Self.progressInterval) { progress(found.count) }
        return !isCancelled()
      }
      findings += Self.findings(faults, in: shard.path)
    }
    let order = names.names.indices.sorted { NaturalOrder.precedes(names.names[$0], names.names[$1]) }
    classes = order.map { names.names[$0] }
    var byName = [[Image]](repeating: [], count: order.count)
    for (name, image) in found { byName[name].append(image) }
    images = order.enumerated().flatMap { label, name in byName[name].map { (label, $0) } }
    findings += names.findings
    progress(images.count)
  }

  /// The name under which an image is opened.
  func path(_ image: Image) -> String {
    FileSlice(path: shards[image.shard].path, offset: image.offset, length: image.length).name
  }

  /// Reads one shard.
  /// - Parameter take: called with each Example that has an image and a class, and the image's place in the shard;
  ///   false ends the reading.
  private static func read(_ path: String, _ take: (ImageExample, Range<Int>) -> Bool) -> [RecordFault] {
    do {
      var reader = RecordReader(try InputFile(path: path))
      return readExamples(&reader, take)
    } catch {
      return [RecordFault(record: 1, offset: 0, damage: .unreadable(error.reason))]
    }
  }

  /// Reads all records as Examples.
  /// - Returns: the ones that are not, in order.
  static func readExamples<Source>(
    _ reader: inout RecordReader<Source>, _ take: (ImageExample, Range<Int>) -> Bool
  ) -> [RecordFault] {
    var faults: [RecordFault] = []
    while true {
      do throws(RecordFault) {
        let more: Bool? = try reader.next { (data, offset) throws(RecordDamage) in
          let (example, image) = try usable(data)
          return take(example, (offset + image.lowerBound)..<(offset + image.upperBound))
        }
        if more != true { return faults }
      } catch {
        faults.append(error)
      }
    }
  }

  /// An Example that has an image and a class, and where in the record the image lies.
  private static func usable(
    _ data: UnsafeRawBufferPointer
  ) throws(RecordDamage) -> (example: ImageExample, image: Range<Int>) {
    let example: ImageExample
    let keys: [String]
    do throws(ProtobufFault) {
      example = try ImageExample(data)
      keys = example.encoded == nil ? try ImageExample.keys(of: data) : []
    } catch {
      throw .malformed(error)
    }
    guard let image = example.encoded else { throw .withoutImage(keys: keys) }
    guard example.text != nil || example.label != nil else { throw .withoutClass }
    let length = example.text?.count ?? 0
    guard length <= RecordLimits.classNameBytes else { throw .longClassName(length: length) }
    return (example, image)
  }

  private static func labels(in root: String, _ findings: inout [DatasetFinding]) -> LabelsFile? {
    func note(_ message: String) {
      findings.append(
        DatasetFinding(
          kind: .damagedShard, severity: .warning, subject: LabelsFile.name, paths: [LabelsFile.name],
          message: "\(LabelsFile.name) \(message)", advice: "write lines such as 0:daisy, a number once"))
    }
    do {
      let labels = try LabelsFile(folder: root)
      if let line = labels?.faultyLine { note("has a line that makes no sense: line \(line)") }
      return labels
    } catch {
      note("cannot be read (\(error.reason))")
      return nil
    }
  }

  /// The first faults of a shard one by one, the others as a number.
  private static func findings(_ faults: [RecordFault], in shard: String) -> [DatasetFinding] {
    var findings = faults.prefix(namedFaults).map { fault in
      DatasetFinding(
        kind: .damagedShard, severity: .error, subject: shard, paths: [shard],
        message: "\(shard): record \(fault.record) at byte \(fault.offset) \(fault.damage)",
        advice: fault.damage.advice)
    }
    if faults.count > namedFaults {
      findings.append(
        DatasetFinding(
          kind: .damagedShard, severity: .error, subject: shard, paths: [shard],
          message: "\(shard): \(faults.count - namedFaults) more records cannot be used", advice: ""))
    }
    return findings
  }
}
