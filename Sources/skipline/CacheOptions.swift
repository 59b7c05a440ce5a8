// What the user says about the pack: the options, a number of bytes as people write it, and the lines that tell how
// far making one has come.

import ArgumentParser
import Canvas
import Foundation
import Messages
import Synchronization

struct CacheOptions: ParsableArguments {
  @Flag(inversion: .prefixedNo, help: "Keep decoded and resized images in a file of the user's cache folder.")
  var cache = true
  @Option(help: "Bytes that file may have, as 500M or 20G; half of the free disk and of the memory if not given.")
  var cacheLimit: ByteCount?

  var settings: CacheSettings { CacheSettings(isEnabled: cache, limit: cacheLimit?.bytes) }
}

/// `4096`, `500M`, `20G`: a whole number of bytes, or of KiB, MiB, GiB or TiB.
struct ByteCount: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    let shifts: [Character: Int] = ["k": 10, "m": 20, "g": 30, "t": 40]
    let unit = argument.last.flatMap { shifts[Character($0.lowercased())] }
    let digits = unit == nil ? argument[...] : argument.dropLast()
    guard let number = Int(digits), number >= 0, digits.allSatisfy(\.isNumber) else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (unit ?? 0))
    guard !overflow else { return nil }
    self.bytes = bytes
  }
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
    case .packing(let done, let total, let bytes):
      Console.progress(
        "packing \(Format.count(done)) of \(Format.counted(total, "image")), about \(Format.bytes(bytes)) in all")
    case .measuring(let done, let total):
      Console.progress("measuring \(Format.count(done)) of \(Format.counted(total, "image"))")
    }
  }
}
