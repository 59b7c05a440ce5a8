// The same images reached at another level: decided in D, which holds archive/cat/1.png, and used as D/archive, where
// it is cat/1.png; or the other way round, or below another folder too many. Paths are then compared from where both
// agree.

import Files
import Messages

/// How paths below the folder that decisions are about become paths below another.
struct LevelShift: Hashable {
  /// What the paths there begin with, without a slash at the end; empty for nothing. Others have no counterpart.
  var from: String
  /// What the paths here begin with instead.
  var to: String

  /// The path here of an image there; nil where it lies outside of what both hold.
  func here(_ path: String) -> String? {
    var rest = path
    if !from.isEmpty {
      guard path.utf8.starts(with: "\(from)/".utf8) else { return nil }
      rest = String(path.utf8.dropFirst(from.utf8.count + 1)) ?? path
    }
    return to.isEmpty ? rest : "\(to)/\(rest)"
  }

  /// Between two folders of which one lies in the other; nil for any others, and for one and the same.
  /// - Parameters:
  ///   - there: the folder that decisions are about, its real path.
  ///   - here: the dataset's.
  init?(between there: String, and here: String) {
    if let below = Self.rest(of: here, below: there) {
      self.init(from: below, to: "")
    } else if let below = Self.rest(of: there, below: here) {
      self.init(from: "", to: below)
    } else {
      return nil
    }
  }

  init(from: String, to: String) {
    self.from = from
    self.to = to
  }

  private static func rest(of path: String, below folder: String) -> String? {
    let start = folder.hasSuffix("/") ? folder : "\(folder)/"
    guard path.utf8.starts(with: start.utf8), path.utf8.count > start.utf8.count else { return nil }
    return String(path.utf8.dropFirst(start.utf8.count))
  }
}

/// Finds shifts by the ends of paths, which are the same at every level.
struct LevelShifts {
  private let parts: [[Substring]]
  private var byEnd: [ByteKey: [Int]] = [:]

  /// Samples that are looked at, and images of one end.
  private static let (samplesTried, imagesTried) = (48, 32)
  /// Shifts worth comparing contents for.
  private static let most = 8

  init(_ paths: [String]) {
    parts = paths.map { $0.split(separator: "/") }
    for (place, parts) in parts.enumerated() { byEnd[Self.end(parts), default: []].append(place) }
  }

  /// The folder's name and the file's: a file's alone is in too many places.
  private static func end(_ parts: [Substring]) -> ByteKey {
    ByteKey(ClassName.canonical(parts.suffix(2).joined(separator: "/")))
  }

  /// The likeliest first.
  func shifts(of samples: [DatasetIdentity.Sample]) -> [LevelShift] {
    var votes: [LevelShift: Int] = [:]
    for place in stride(from: 0, to: samples.count, by: max(1, samples.count / Self.samplesTried)) {
      let there = samples[place].path.split(separator: "/")
      for place in byEnd[Self.end(there), default: []].prefix(Self.imagesTried) {
        let here = parts[place]
        let common = zip(there.reversed(), here.reversed()).prefix {
          $0.utf8.elementsEqual($1.utf8) || ClassName(String($0)) == ClassName(String($1))
        }.count
        let shift = LevelShift(
          from: there.dropLast(common).joined(separator: "/"), to: here.dropLast(common).joined(separator: "/"))
        if !shift.from.isEmpty || !shift.to.isEmpty { votes[shift, default: 0] += 1 }
      }
    }
    return votes.sorted {
      ($1.value, $0.key.from.utf8.count + $0.key.to.utf8.count, $0.key.from, $0.key.to)
        < ($0.value, $1.key.from.utf8.count + $1.key.to.utf8.count, $1.key.from, $1.key.to)
    }.prefix(Self.most).map(\.key)
  }
}
