// Random input for property tests, the same at every run.

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014).
struct SystemlessGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Text of scalars that give trouble and of any others.
  mutating func text(maximumLength: Int) -> String {
    let troubles: [Unicode.Scalar] = [
      "a", " ", "\n", "\r", "\t", "\u{1B}", "\u{301}", "\u{200D}", "\u{202E}", "漢", "👍", "\u{FE0F}", "\u{1F1E6}",
      "#", "\"",
      "=",
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0...maximumLength, using: &self) {
      if Bool.random(using: &self), let any = Unicode.Scalar(UInt32.random(in: 0...0x1_FFFF, using: &self)) {
        text.unicodeScalars.append(any)
      } else {
        text.unicodeScalars.append(troubles[Int.random(in: 0..<troubles.count, using: &self)])
      }
    }
    return text
  }
}
