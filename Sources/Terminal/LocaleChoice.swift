// Which locale the characters of the screen are drawn in. Only its character set matters; a locale that is not there
// must not turn a terminal that shows every script into one of ASCII.

import CNcurses
import FoundationEssentials
import Glibc

/// The locale in use, and what there is to say about it.
struct LocaleChoice: Equatable {
  var isUTF8: Bool
  /// nil where the environment's own is used.
  var remark: String?

  /// Takes the environment's locale, or where that is not installed and would have been one of UTF-8, another of
  /// UTF-8.
  /// - Parameters:
  ///   - environment: LC_ALL, LC_CTYPE and LANG count, in this order.
  ///   - installed: names of further locales to try at last.
  ///   - adopt: makes a locale the process's, the empty name for the environment's; gives its character set, nil
  ///     where it is not installed.
  init(environment: [String: String], installed: [String] = [], adopt: (String) -> String?) {
    if let set = adopt("") {
      (isUTF8, remark) = (set == Self.utf8, nil)
      return
    }
    let source = ["LC_ALL", "LC_CTYPE", "LANG"].first { environment[$0]?.isEmpty == false } ?? "LANG"
    let wanted = environment[source] ?? ""
    let name = "the locale \(wanted.prefix(60)) (\(source)) is not installed"
    guard Self.claimsUTF8(wanted) else {
      (isUTF8, remark) = (false, "\(name): the screen is drawn in ASCII; \(source)=C.UTF-8 shows every character")
      return
    }
    for other in Self.substitutes + installed where adopt(other) == Self.utf8 {
      (isUTF8, remark) = (true, "\(name): \(other) is used instead")
      return
    }
    (isUTF8, remark) = (false, "\(name), and no other of UTF-8 is: the screen is drawn in ASCII")
  }

  private static let utf8 = "UTF-8"
  private static let substitutes = ["C.UTF-8", "C.utf8", "en_US.UTF-8", "POSIX.UTF-8"]

  /// `en_US.UTF-8`, `de_DE.utf8@euro`, and macOS' plain `UTF-8`.
  private static func claimsUTF8(_ name: String) -> Bool {
    let set = name.split(separator: "@")[0...].first.map { $0.split(separator: ".").last ?? $0 } ?? ""
    return ["utf-8", "utf8"].contains(set.lowercased())
  }

  /// Takes the locale of this process from its environment.
  static func adopt() -> LocaleChoice {
    LocaleChoice(environment: ProcessInfo.processInfo.environment, installed: installedNames()) { name in
      // Characters alone: a decimal comma must not get into numbers that other programs read.
      guard setlocale(LC_CTYPE, name) != nil else { return nil }
      return nl_langinfo(Int32(CODESET)).map { String(cString: $0) }
    }
  }

  private static func installedNames() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/locale")) ?? []
    return names.filter(claimsUTF8).sorted()
  }
}
