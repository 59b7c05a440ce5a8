// How many pixels an image may have. What is larger is refused before any memory is taken for it; the person at the
// machine may say otherwise.

import FoundationEssentials
import Messages

/// The cap on pixels, and the environment variable that moves it.
package struct PixelLimit: Sendable, Equatable {
  /// Set to a whole number of pixels, it holds for every command.
  package static let variable = "SKIPLINE_MAX_PIXELS"
  /// 100 million: four times what most cameras give.
  package static let standard = 100_000_000
  /// What this process goes by. Read once: a cap that changes between two epochs would change the images.
  package static let current = PixelLimit(setting: ProcessInfo.processInfo.environment[variable])

  package let pixels: Int
  /// What the variable held if that was no number of pixels; `pixels` is the standard then.
  package let refusedSetting: String?

  package init(setting: String?) {
    let digits = setting.flatMap { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? $0 : nil }
    if let digits, let pixels = try? Limits.maxPixels.parse(digits) {
      (self.pixels, refusedSetting) = (pixels, nil)
    } else {
      (pixels, refusedSetting) = (Self.standard, setting)
    }
  }

  /// What to do about an image that is too large.
  static var advice: String {
    let advice = "scale it down, or allow more by setting \(variable)"
    return current.refusedSetting.map { "\(advice) (its value now, '\($0)', is not a number of pixels)" } ?? advice
  }
}
