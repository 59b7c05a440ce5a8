// JSON that is read without knowing its keys: values, texts of values, and what is wrong with what is none.

import Foundation
import Testing

@testable import Training

@Suite struct JSONValueTests {
  @Test func `every kind of value is read, and numbers stay as they are written`() throws {
    let text =
      #" {"a": [1, -2.50e+3, 0], "b": {"c": null, "d": true, "e": false}, "f": "x\"\\\/\b\f\n\r\té\ud83d\ude00"} "#
    let value = try JSONValue(Array(text.utf8))
    #expect(
      value
        == .object([
          "a": .array([.number("1"), .number("-2.50e+3"), .number("0")]),
          "b": .object(["c": .null, "d": .bool(true), "e": .bool(false)]),
          "f": .string("x\"\\/\u{8}\u{c}\n\r\té😀"),
        ]))
    #expect(try JSONValue(Array(value.text.utf8)) == value)
  }

  @Test func `Foundation reads what is written, control characters too`() throws {
    let value = JSONValue.object(["k\u{1}\"\\": .array([.string("\u{1f}é\u{2028}"), .number("2.5"), .null])])
    let read = try JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? [String: [Any]]
    #expect(read?["k\u{1}\"\\"]?.first as? String == "\u{1f}é\u{2028}")
    #expect(read?["k\u{1}\"\\"]?.count == 3)
  }

  @Test(arguments: [
    ("", 1, 1), ("{", 1, 2), ("{\"a\": 1,}", 1, 9), ("[1 2]", 1, 4), ("{\n  \"a\" 1\n}", 2, 7), ("01", 1, 2),
    ("1.", 1, 3),
    ("-", 1, 2), ("1e", 1, 3), ("tru", 1, 4), ("nul1", 1, 4), ("\"a", 1, 3), ("\"\\x\"", 1, 3),
    ("\"\\ud800\"", 1, 8),
    ("\"\\u12g4\"", 1, 6), ("[1]]", 1, 4), ("NaN", 1, 1), ("\"a\nb\"", 1, 3), ("{a: 1}", 1, 2), ("'a'", 1, 1),
  ])
  func `what is no JSON is told with its place`(text: String, line: Int, column: Int) {
    #expect {
      try JSONValue(Array(text.utf8))
    } throws: { error in
      guard let error = error as? JSONSyntaxError else { return false }
      return (error.line, error.column) == (line, column) && "\(error)".contains("line \(line)")
    }
  }

  @Test func `nesting without end and names that are no text are errors`() {
    #expect(throws: JSONSyntaxError.self) { try JSONValue(Array(String(repeating: "[", count: 100_000).utf8)) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue([0x22, 0xff, 0x22]) }
    #expect(throws: Never.self) {
      try JSONValue(Array((String(repeating: "[", count: 150) + String(repeating: "]", count: 150)).utf8))
    }
  }

  @Test func `a number that its key cannot hold is told as it is written`() {
    struct Held: Decodable { var whole: Int }
    for number in ["2.5", "1e300", "99999999999999999999"] {
      #expect {
        try RunJSON.decode(Held.self, from: Data("{\"other\": [1.5], \"whole\": \(number)}".utf8))
      } throws: { error in
        "\(error)".contains("in whole: it cannot be \(number)")
      }
    }
    #expect {
      try RunJSON.decode(Held.self, from: Data("{\"whole\": 1\n".utf8))
    } throws: { error in
      "\(error)".contains("not valid JSON") && "\(error)".contains("line 2")
    }
  }
}
