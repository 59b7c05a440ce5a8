// Texts as keys by their bytes. Swift's `==` calls two spellings of an accented letter equal; file systems do not.

/// A path or a name that equals only what has the same bytes.
package struct ByteKey: Hashable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (first: ByteKey, second: ByteKey) -> Bool {
    first.text.utf8.count == second.text.utf8.count && first.text.utf8.elementsEqual(second.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    let isHashed: Void? = text.utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }
    if isHashed == nil { Array(text.utf8).withUnsafeBytes { hasher.combine(bytes: $0) } }
  }
}

extension String {
  /// Whether both are the same to a file system.
  func hasSameBytes(as other: String) -> Bool { ByteKey(self) == ByteKey(other) }
}
