// Which images of an evaluation a report shows: the worst mistakes, some of each cell of the matrix, and some that were
// right. How many there are is bounded, so that a page can be sent to somebody.

import Images
import Messages

/// Pictures for a page, each held once and used wherever its image is named.
struct ReportPictures {
  /// So many mistakes are listed with their pictures.
  static let mostMistakes = 60
  /// So many pictures a cell of the matrix has.
  static let mostInCell = 6
  /// And so many that were right, of each class.
  static let mostRight = 4
  private static let most = 400
  /// Bytes of all pictures together, before they are written as text.
  private static let room = 6 << 20
  private static let side = 112

  static let roomText = "6 MB"

  private(set) var thumbnails: Thumbnails
  private var pictures: [(picture: EncodedPicture, path: String)] = []
  private var numbers: [String: Int] = [:]
  private var asked: Set<String> = []

  /// - Parameters:
  ///   - mistakes: the worst first.
  ///   - right: paths of images that were given their class.
  init(root: String, mistakes: [Misclassification], right: [[String]]) {
    thumbnails = Thumbnails(root: root, side: Self.side, room: Self.room)
    for mistake in mistakes.prefix(Self.mostMistakes) { add(mistake.path) }
    var counts: [[Int]: Int] = [:]
    for mistake in mistakes {
      let cell = [mistake.truth, mistake.top.first?.label ?? -1]
      guard counts[cell, default: 0] < Self.mostInCell else { continue }
      counts[cell, default: 0] += 1
      add(mistake.path)
    }
    for paths in right { for path in paths.prefix(Self.mostRight) { add(path) } }
  }

  private mutating func add(_ path: String) {
    guard pictures.count < Self.most, asked.insert(path).inserted, let picture = thumbnails.picture(path) else {
      return
    }
    numbers[path] = pictures.count
    pictures.append((picture, path))
  }

  /// Whether an image has a picture.
  func has(_ path: String) -> Bool { numbers[path] != nil }

  /// The element that shows an image.
  func element(_ path: String) -> String {
    guard let number = numbers[path] else { return "<span class=\"pic none\">no picture</span>" }
    return "<span class=\"pic p\(number)\" role=\"img\" aria-label=\"\(Markup.escaped(path))\"></span>"
  }

  /// The rules that hold the pictures.
  var sheet: String {
    pictures.enumerated().map { number, entry in
      // What was enlarged by whole numbers stays sharp.
      ".p\(number){background-image:url(\(entry.picture.dataAddress))}"
    }.joined(separator: "\n")
  }
}
