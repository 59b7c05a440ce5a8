// Numbers in messages, as C's printf writes them: the same in every locale, for the program never sets that of numbers.

import Glibc

/// A number as C's `printf` writes it.
/// - Parameter format: one conversion for a Double, with whatever stands around it: `%.1f MiB`.
public func printed(_ format: StaticString, _ value: Double) -> String {
  // The largest Double has 309 digits before the point.
  var text = [UInt8](repeating: 0, count: 512)
  let count = text.withUnsafeMutableBytes { bytes in
    withVaList([value]) { values in
      vsnprintf(
        bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count,
        UnsafeRawPointer(format.utf8Start).assumingMemoryBound(to: CChar.self), values)
    }
  }
  return String(decoding: text.prefix(min(max(0, Int(count)), text.count - 1)), as: UTF8.self)
}

/// The shortest text that reads back to the same number; whole numbers without a point.
public func plainNumber(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
