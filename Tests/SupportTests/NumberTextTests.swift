// Numbers in messages, beside what printf prints in a shell.

import Messages
@testable import Support
import Testing

@Suite struct NumberTextTests {
  @Test func `numbers are written as printf writes them`() {
    #expect(printed("%.1f MiB", 12.34) == "12.3 MiB")
    #expect(printed("%.3g", 0.00012345) == "0.000123")
    #expect(printed("%.3g", 1e10) == "1e+10")
    #expect(printed("%.3g", .nan) == "nan" && printed("%.3g", -.infinity) == "-inf")
    #expect(printed("%.1f", .greatestFiniteMagnitude).utf8.count == 311)
  }

  /// UAX 15's examples; the accent below goes before the one above, which then has nothing to be composed with.
  @Test(arguments: [
    ("e\u{301}", "\u{e9}"), ("\u{1100}\u{1161}\u{11a8}", "\u{ac01}"), ("e\u{301}\u{323}", "\u{1eb9}\u{301}"),
    ("\u{212b}", "\u{c5}"), ("\u{fb01}", "\u{fb01}"), ("a", "a"), ("\u{e9}", "\u{e9}"),
  ])
  func `names of classes are composed`(name: String, canonical: String) {
    #expect(Array(ClassName.canonical(name).unicodeScalars) == Array(canonical.unicodeScalars))
  }
}
