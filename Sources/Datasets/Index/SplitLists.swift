// Splits as lists of paths, one file for each, written by Skipline or by hand. A line is a path below the dataset's
// folder, just as it stands or in the double quotes of PathQuoting.swift; lines that begin with # mean nothing.

import Messages
import Tensors

/// The lists `train.txt`, `val.txt` and `test.txt` of a folder. Any of them may be missing.
struct SplitLists {
  private struct Place {
    var split: Split
    var line: Int
  }

  private let folder: String
  private var places: [ByteKey: Place] = [:]
  private let count: Int

  /// - Throws: `DatasetError.unreadableFile`, `.malformedLine`, also for a path that is listed twice, or `.noLists`.
  init(folder: String) throws(DatasetError) {
    self.folder = folder
    var found = 0
    for split in Split.allCases {
      let file = Self.file(split, in: folder)
      guard let lines = try LineFile.lines(of: file) else { continue }
      found += 1
      for (number, bytes) in lines {
        let path: String
        do throws(QuotingError) {
          path = try PathQuoting.path(ofLine: bytes)
        } catch {
          throw .malformedLine(file: file, line: number, reason: error.reason)
        }
        if let earlier = places.updateValue(Place(split: split, line: number), forKey: ByteKey(path)) {
          throw .malformedLine(
            file: file, line: number,
            reason: "\(path) is listed before, on line \(earlier.line) of \(Self.name(earlier.split))")
        }
      }
    }
    guard found > 0 else { throw .noLists(path: folder) }
    count = places.count
  }

  /// The split that lists give an image; what is never asked for is told in `findings`.
  mutating func take(path: String) -> Split? { places.removeValue(forKey: ByteKey(path))?.split }

  /// The lines whose paths were not taken: no image has them.
  var findings: [DatasetFinding] {
    guard !places.isEmpty else { return [] }
    let unknown = places.sorted {
      ($0.value.split.rawValue, $0.value.line) < ($1.value.split.rawValue, $1.value.line)
    }
    let first = unknown[0]
    let isForeign = unknown.count == count
    let all = isForeign ? ", as is every other line" : unknown.count > 1 ? ", and \(unknown.count - 1) more" : ""
    return [
      DatasetFinding(
        kind: .staleDecision, severity: isForeign ? .error : .warning, paths: unknown.map(\.key.text),
        message:
          "\(Self.file(first.value.split, in: folder)), line \(first.value.line): \(first.key.text) is no image "
          + "of the dataset\(all)",
        advice: isForeign
          ? "give the lists of this dataset, with paths below its folder"
          : "correct the lists, or write them anew: skipline split DATA --export FOLDER")
    ]
  }

  static func name(_ split: Split) -> String { "\(split.rawValue).txt" }

  static func file(_ split: Split, in folder: String) -> String { "\(folder)/\(name(split))" }
}

extension DatasetIndex {
  /// The content of the lists that give the images the splits they have, by the names of the files.
  public var splitLists: [(name: String, text: String)] {
    Split.allCases.map { split in
      let lines = items.filter { $0.split == split }.map { PathQuoting.line($0.path) + "\n" }
      return (SplitLists.name(split), lines.joined())
    }
  }

  /// The same images divided anew, so that in every class each split has its share, rounded by the largest remainder
  /// (Hamilton's method; of equal remainders training comes first, then validation). Which image goes where follows
  /// from a hash of its path. Adding images may move others: that is what lists are for.
  public func dividedExactly(_ settings: SplitSettings) -> DatasetIndex {
    var divided = items
    let groups = Dictionary(grouping: items.indices) { items[$0].label }
    for members in groups.values {
      var counts = settings.shares(of: members.count)
      let order = members.map { index -> (hash: UInt64, index: Int) in
        var generator = RandomGenerator(items[index].stableHash, 1)
        return (generator.next(), index)
      }.sorted { $0 < $1 }
      for (_, index) in order {
        guard let split = Split.allCases.first(where: { counts[$0] > 0 }) else { continue }
        counts[split] -= 1
        divided[index].split = split
      }
    }
    return DatasetIndex(
      root: root, classes: classes, items: divided, excluded: excluded, splitSource: .lists, findings: [])
  }
}

extension SplitSettings {
  /// How many of so many images each split gets.
  func shares(of count: Int) -> SplitCounts {
    let percents: [(split: Split, percent: Int)] = [(.train, train), (.validation, validation), (.test, test)]
    var counts = SplitCounts()
    for (split, percent) in percents { counts[split] = count * percent / 100 }
    // Stable, so that of equal remainders the earlier comes first.
    let byRemainder = percents.enumerated().sorted { first, second in
      let remainders = (count * first.element.percent % 100, count * second.element.percent % 100)
      return remainders.0 == remainders.1 ? first.offset < second.offset : remainders.0 > remainders.1
    }
    for (_, entry) in byRemainder.prefix(count - counts.total) { counts[entry.split] += 1 }
    return counts
  }
}
