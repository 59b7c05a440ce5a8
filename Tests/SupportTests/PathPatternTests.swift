// Patterns in paths: what they find, what is refused, and that none takes long.

import Support
import Testing

@Suite struct PathPatternTests {
  @Test(arguments: [
    ("clip_(\\d+)", "cat/clip_017-4.png", "017"),
    ("clip_(\\d+)", "cat/clip_.png", nil),
    ("(\\w+?)_", "ab_cd_e.png", "ab"),
    ("(\\w+)_", "ab_cd_e.png", "ab_cd"),
    ("^[^/]+/([^/]+)/", "cat/p7/1.png", "p7"),
    ("^([^/]+)/1", "cat/p7/1.png", nil),
    ("(p|q)[0-9]", "xq3", "q"),
    ("(?:img|pic)-([a-z]{2,3})", "pic-abcd", "abc"),
    ("([a-z]{2})$", "xyz", "yz"),
    ("(\\d{3,})", "12 1234", "1234"),
    ("(a*)b", "b", nil),
    ("(.)\\.png", "ü.png", "ü"),
    ("([é-ö]+)", "xéöy", "éö"),
    ("([]a-]+)", "x]-a", "]-a"),
    ("x([\\W]+)y", "x./y", "./"),
    ("(?:a|(b))c", "ac", nil),
    ("(?:a|(b))c", "bc", "b"),
    ("(ab|abc)d", "abcd", "abc"),
  ])
  func `a pattern finds what its group matches`(pattern: String, path: String, found: String?) throws {
    #expect(try PathPattern(pattern).captured(in: path) == found)
  }

  @Test(arguments: [
    "", "clip", "(a)(b)", "(a", "a)", "[a", "*(a)", "(a)\\", "(a){2", "(a){3,2}", "(a){2000}", "(?=a)(b)", "(a)\\1",
    "\\b(a)", "([z-a])", "(a)++", "((?:(?:a{100}){100}){100})",
  ])
  func `what is no pattern is refused with a reason`(pattern: String) {
    let fault = #expect(throws: PathPattern.Fault.self) { try PathPattern(pattern) }
    #expect(fault?.reason.isEmpty == false)
  }

  @Test(arguments: ["(a+)+$", "((?:a|a)*)*b", "(.*)*.*.*.*x", "((?:a?){30}a{30})b", "(?:(?:)*)*(c)"])
  func `none takes time without end`(pattern: String) throws {
    guard let pattern = try? PathPattern(pattern) else { return }
    // A backtracking engine would take 2^200 steps.
    #expect(pattern.captured(in: String(repeating: "a", count: 200) + "!") == nil)
  }

  @Test func `deep parentheses and long patterns neither crash nor hang`() {
    for count in [10, 60, 5000] {
      let deep = String(repeating: "(?:", count: count) + "(a)" + String(repeating: ")", count: count)
      #expect(((try? PathPattern(deep)) != nil) == (count < 50))
    }
    #expect((try? PathPattern(String(repeating: "a", count: 3000) + "(b)")) == nil)
  }
}
