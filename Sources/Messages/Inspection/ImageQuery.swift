// What is typed to choose images: classes, splits, confidence, right or wrong, and parts of paths, in one line.
//
//     "disc" > "hexagon"    true class > predicted class; either may be left out
//     conf>.5 conf<.9       the probability of the predicted class
//     right, wrong          whether the prediction is the label
//     train, val, test      the split
//
// Anything else is a part of the path.

/// A filter of images as it is written.
public enum ImageQuery {
  /// In the place of the label of a class that there is not.
  static let noClass = -2

  /// The filter that a text stands for. A class that there is not finds nothing, as a path that there is not does.
  public static func filter(_ text: String, classes: [String]) -> EvaluationFilter {
    var filter = EvaluationFilter()
    var rest: [String] = []
    var words = words(of: text)[...]
    while let word = words.popFirst() {
      switch word {
      case .name(let name):
        if words.first == .arrow {
          words.removeFirst()
          filter.truth = label(name, classes)
          if case .name(let predicted)? = words.first {
            words.removeFirst()
            filter.predicted = label(predicted, classes)
          }
        } else {
          rest.append(name)
        }
      case .arrow:
        if case .name(let name)? = words.first {
          words.removeFirst()
          filter.predicted = label(name, classes)
        }
      case .word(let word): if !take(word, into: &filter) { rest.append(word) }
      }
    }
    filter.text = rest.joined(separator: " ")
    return filter
  }

  /// `"disc" > "hexagon"`
  public static func pair(_ truth: String, _ predicted: String) -> String { "\"\(truth)\" > \"\(predicted)\"" }
  /// `"disc" >`
  public static func truth(_ name: String) -> String { "\"\(name)\" >" }
  /// `> "hexagon"`
  public static func predicted(_ name: String) -> String { "> \"\(name)\"" }

  /// Whether it asks for a class that there is not.
  public static func isOfUnknownClass(_ filter: EvaluationFilter) -> Bool {
    filter.truth == noClass || filter.predicted == noClass
  }

  private enum Word: Equatable {
    /// In quotes.
    case name(String)
    case arrow
    case word(String)
  }

  private static func words(of text: String) -> [Word] {
    var words: [Word] = []
    var rest = text[...]
    while let first = rest.first {
      if first == "\"" {
        let body = rest.dropFirst()
        let end = body.firstIndex(of: "\"") ?? body.endIndex
        words.append(.name(String(body[..<end])))
        rest = end < body.endIndex ? body[body.index(after: end)...] : ""
      } else if first == " " {
        rest = rest.dropFirst()
      } else {
        let word = rest.prefix { $0 != " " && $0 != "\"" }
        words.append(word == ">" ? .arrow : .word(String(word)))
        rest = rest.dropFirst(word.count)
      }
    }
    return words
  }

  /// A label; one that no image has for a class that there is not.
  private static func label(_ name: String, _ classes: [String]) -> Int {
    classes.firstIndex { ClassName($0) == ClassName(name) } ?? noClass
  }

  private static func take(_ word: String, into filter: inout EvaluationFilter) -> Bool {
    switch word.lowercased() {
    case "right": filter.answers = .right
    case "wrong": filter.answers = .wrong
    case "train": filter.split = .train
    case "val", "validation": filter.split = .validation
    case "test": filter.split = .test
    case let word where word.hasPrefix("conf"):
      let bound = word.dropFirst("conf".count)
      guard let sign = bound.first, let value = Float(leadingZero(bound.dropFirst())) else { return false }
      switch sign {
      case ">": filter.leastConfidence = value
      case "<": filter.greatestConfidence = value
      default: return false
      }
    default: return false
    }
    return true
  }

  private static func leadingZero(_ number: Substring) -> String { (number.first == "." ? "0" : "") + number }
}
