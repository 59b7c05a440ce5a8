// What the user says about the image cache: the options, a number of bytes as people write it, and the lines that tell
// how far making one has come.

import ArgumentParser
import Canvas
import Messages
import Synchronization

struct CacheOptions: ParsableArguments {
  @Flag(Settings.cache) var cache: Bool?
  @Option(byteCount: Settings.cacheLimit.number, binary: true, instead: "half of the free disk and of the memory")
  var cacheLimit: Int?
}

extension Option where Value == Int? {
  /// A number of bytes: `4096`, `500M`, `20G`.
  /// - Parameter binary: whether a K is 1024 bytes, or 1000.
  init(byteCount setting: NumericSetting<Int>, binary: Bool, instead: String) {
    let most = setting.range.upper >> 40
    self.init(
      name: .customLong(setting.name), parsing: .unconditional,
      help: "\(setting.meaning), as 500M or 20G, at most \(most)T; \(instead) if not given.",
      transform: { try bytes(of: $0, setting, binary: binary) })
  }
}

/// Reads a whole number of bytes, or of thousands, millions, ... of bytes.
private func bytes(of text: String, _ setting: NumericSetting<Int>, binary: Bool) throws(Unfitting) -> Int {
  let powers: [Character: Int] = ["k": 1, "m": 2, "g": 3, "t": 4]
  let power = text.last.flatMap { powers[Character($0.lowercased())] }
  let digits = power == nil ? text[...] : text.dropLast()
  let unit = (0..<(power ?? 0)).reduce(1) { unit, _ in unit * (binary ? 1024 : 1000) }
  guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
    case let (bytes, overflow) = number.multipliedReportingOverflow(by: unit), !overflow,
    setting.range.contains(bytes)
  else {
    throw Unfitting("it must be a number of bytes, \(setting.range.text), such as 500K, 100M or 20G")
  }
  return bytes
}

/// Lines on standard error about what comes before the first step: none in the first second, then one every two.
final class PreparationPrinter: Sendable {
  private let clock = ContinuousClock()
  private let next: Mutex<ContinuousClock.Instant>

  init() { next = Mutex(ContinuousClock().now + .seconds(1)) }

  func report(_ progress: PreparationProgress) {
    let isDue = next.withLock { next in
      guard clock.now >= next else { return false }
      next = clock.now + .seconds(2)
      return true
    }
    guard isDue else { return }
    switch progress {
    case .scanning(let files): Console.progress("reading folders: \(Format.counted(files, "image"))")
    case .planning: Console.progress("trying what fits the images")
    case .caching(let done, let total, let bytes):
      Console.progress(
        "caching \(Format.count(done)) of \(Format.counted(total, "image")), about \(Format.bytes(bytes)) in all")
    case .measuring(let done, let total):
      Console.progress("measuring \(Format.count(done)) of \(Format.counted(total, "image"))")
    }
  }
}
