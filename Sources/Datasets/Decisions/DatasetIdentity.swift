// What tells a dataset again wherever it lies: some of its images, by their paths below its folder and their content.
// It is kept with the decisions about it, as comments in their file. Whose decisions are then used is a matter of
// DecisionStore+Finding.swift.

import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Support

/// A dataset as it was when something was decided about it.
struct DatasetIdentity: Equatable, Sendable {
  /// An image that the dataset is known by.
  struct Sample: Equatable, Sendable {
    var path: String
    /// Bytes.
    var size: Int
    var hash: UInt64

    static func == (first: Sample, second: Sample) -> Bool {
      ByteKey(first.path) == ByteKey(second.path) && first.size == second.size && first.hash == second.hash
    }
  }

  /// Where it lay: the folder's real path.
  var folder: String
  var samples: [Sample]
  /// Which folder that is to the file system, whatever it is called: a folder that was moved keeps it, a copy has
  /// another. nil in files of earlier versions.
  var place: String?
  /// Names of files of decisions about other datasets that are not to be spoken of here.
  var ignored: [String] = []

  /// `place` of a folder; nil where there is none.
  static func place(of folder: String) -> String? {
    var status = stat()
    guard folder.withPathCString({ stat($0, &status) }) == 0 else { return nil }
    return "\(status.st_dev)-\(status.st_ino)"
  }

  /// Images that are sampled besides those that something is decided about.
  static let sampled = 64
  /// Of the latter, the most that are sampled.
  static let mostDecided = 256
}

/// Reads the contents of images by which a dataset is known, each once.
struct ContentSampler {
  private let root: String
  private let paths: [String]
  /// Made when something is asked: most datasets have no decisions.
  private lazy var table = PathTable(paths)
  private lazy var levels = LevelShifts(paths)
  private var known: [Int: (size: Int, hash: UInt64)?] = [:]
  private let decoder = ImageDecoder()

  init(_ reading: ScannedDataset) {
    root = reading.root
    paths = reading.items.map(\.path) + reading.unlisted
  }

  /// The image's path on disk where there is one of this path, or of another Unicode spelling of it.
  mutating func path(of path: String) -> String? { table.place(of: path).map { paths[$0] } }

  /// How much of the samples is here, 0...1.
  mutating func share(of samples: [DatasetIdentity.Sample]) -> Double {
    guard !samples.isEmpty else { return 0 }
    // Nothing is read where even the names are others.
    let places = samples.map { table.place(of: $0.path) }
    guard 4 * places.count(where: { $0 != nil }) >= samples.count else { return 0 }
    return Double(samples.count { isHere($0) == true }) / Double(samples.count)
  }

  /// The shift by which most of the samples are here that have a counterpart, and how much of these that is, 0...1; nil
  /// where there is none.
  mutating func shifted(
    _ samples: [DatasetIdentity.Sample], isHere: (inout ContentSampler, DatasetIdentity.Sample) -> Bool
  ) -> (shift: LevelShift, share: Double)? {
    var best: (shift: LevelShift, share: Double)?
    for shift in levels.shifts(of: samples) {
      let here = shift.here(samples)
      // A few that agree by chance are none.
      guard here.count >= min(4, samples.count) else { continue }
      var same = 0
      for sample in here where isHere(&self, sample) { same += 1 }
      let share = Double(same) / Double(here.count)
      if share > best?.share ?? 0 { best = (shift, share) }
    }
    return best
  }

  /// How much of the samples is here by name alone, 0...1.
  mutating func nameShare(of samples: [DatasetIdentity.Sample]) -> Double {
    var found = 0
    for sample in samples where table.place(of: sample.path) != nil { found += 1 }
    return samples.isEmpty ? 0 : Double(found) / Double(samples.count)
  }

  /// Whether an image is here with the same content; nil where there is none of its path.
  mutating func isHere(_ sample: DatasetIdentity.Sample) -> Bool? {
    guard let place = table.place(of: sample.path) else { return nil }
    return content(at: place).map { $0.size == sample.size && $0.hash == sample.hash } ?? false
  }

  /// The dataset as it is now.
  mutating func identity(of reading: ScannedDataset, _ decisions: Decisions) -> DatasetIdentity {
    // By a hash of the path: images that are added to the dataset change the choice but little.
    func chosen(_ places: [Int], _ count: Int) -> [Int] {
      let hashes = places.map { (hash: stableHash(paths[$0]), place: $0) }
      return hashes.sorted { $0 < $1 }.prefix(count).map(\.place)
    }
    let decided = decisions.list.compactMap { table.place(of: $0.path) }
    let places =
      Set(chosen(decided, DatasetIdentity.mostDecided)).union(
        chosen(Array(paths.indices), DatasetIdentity.sampled))
    let samples = places.sorted().compactMap { place in
      content(at: place).map { DatasetIdentity.Sample(path: paths[place], size: $0.size, hash: $0.hash) }
    }
    return DatasetIdentity(
      folder: FilePath.real(reading.root), samples: samples, place: DatasetIdentity.place(of: reading.root))
  }

  private mutating func content(at place: Int) -> (size: Int, hash: UInt64)? {
    if let known = known[place] { return known }
    let path = root.hasSuffix("/") ? root + paths[place] : "\(root)/\(paths[place])"
    let found = try? decoder.withContents(path: path) { (size: $0.count, hash: ContentHash($0).value) }
    known[place] = .some(found)
    return found
  }
}

extension LevelShift {
  /// The samples that have a counterpart here, by their paths here.
  func here(_ samples: [DatasetIdentity.Sample]) -> [DatasetIdentity.Sample] {
    samples.compactMap { sample in
      here(sample.path).map { DatasetIdentity.Sample(path: $0, size: sample.size, hash: sample.hash) }
    }
  }
}

extension DatasetIdentity {
  private static let mark = "#= "

  /// The lines that keep it in a file of decisions.
  var text: String {
    var text = """
      # What the dataset is known by when it is moved or renamed; written anew with each decision.
      \(Self.mark)folder \(PathQuoting.word(folder))

      """
    if let place { text += "\(Self.mark)place \(place)\n" }
    for name in ignored { text += "\(Self.mark)ignore \(PathQuoting.word(name))\n" }
    for sample in samples {
      text += "\(Self.mark)image \(sample.size) \(hexadecimal(sample.hash)) \(PathQuoting.word(sample.path))\n"
    }
    return text
  }

  /// Reads it from the lines of a file of decisions.
  /// - Returns: nil where there is none, as in files of earlier versions. A line that makes no sense is passed over:
  ///   the dataset is then known by the others.
  init?(content: [UInt8]) {
    var folder: String?
    var samples: [Sample] = []
    var place: String?
    var ignored: [String] = []
    for line in content.split(separator: 0x0a) where line.starts(with: Self.mark.utf8) {
      let line = line.last == 0x0d ? line.dropLast() : line
      guard let words = try? PathQuoting.words(of: line.dropFirst(Self.mark.utf8.count)) else { continue }
      if words.count == 2, words[0].text == "folder" { folder = words[1].text }
      if words.count == 2, words[0].text == "place" { place = words[1].text }
      if words.count == 2, words[0].text == "ignore" { ignored.append(words[1].text) }
      if words.count == 4, words[0].text == "image", let size = Int(words[1].text),
        let hash = UInt64(words[2].text, radix: 16)
      {
        samples.append(Sample(path: words[3].text, size: size, hash: hash))
      }
    }
    guard let folder else { return nil }
    self.init(folder: folder, samples: samples, place: place, ignored: ignored)
  }

  /// The folder that a file of an earlier version names in its first line.
  static func folder(ofEarlierFile content: [UInt8]) -> String? {
    let start = Array("# Skipline's decisions about the images in ".utf8)
    guard let line = content.split(separator: 0x0a).first, line.starts(with: start) else { return nil }
    return try? PathQuoting.path(ofLine: line.dropFirst(start.count))
  }
}
