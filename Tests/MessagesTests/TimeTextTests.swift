// Times as people type them.

import Testing

@testable import Messages

@Suite struct TimeTextTests {
  @Test(arguments: [
    ("90s", 90.0), ("10m", 600), ("1h30m", 5400), ("2h", 7200), ("1d", 86_400), ("45", 45), ("2.5", 2.5),
    ("1.5h", 5400),
  ])
  func `times are read`(text: String, seconds: Double) throws {
    #expect(try TimeText.notation.parse(text) == seconds)
    #expect(try TimeText.notation.parse(TimeText.text(of: seconds)) == seconds)
  }

  @Test(arguments: ["", "m", "10x", "5m1h", "1m1m", "0", "0s", "-3m", "1e99", "10m5", "nan", "١٠m", "1..5m"])
  func `others are refused`(text: String) {
    #expect(throws: SettingRefusal.self) { try TimeText.notation.parse(text) }
  }

  @Test(arguments: [(90.0, "1m30s"), (3600, "1h"), (86_461, "1d1m1s"), (2.5, "2.5s")])
  func `they are written as they are typed`(seconds: Double, text: String) {
    #expect(TimeText.text(of: seconds) == text)
  }
}
