// Huge pages for large blocks that are about to be written whole: the system is entered once for two megabytes of a
// file's contents instead of once for every four kilobytes.

import Glibc

package enum HugePages {
  /// What a page holds on the processors that this is for.
  private static let pageBytes = 2 << 20

  /// Asks for huge pages for those that lie whole in a block. Advice only: where there are none, it is a little slower.
  package static func advise(_ block: UnsafeMutableRawBufferPointer) {
    #if os(Linux)
      guard let start = block.baseAddress.map({ UInt(bitPattern: $0) }), block.count >= pageBytes else { return }
      let page = UInt(pageBytes)
      let (first, end) = ((start + page - 1) / page * page, (start + UInt(block.count)) / page * page)
      guard first < end else { return }
      madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_HUGEPAGE)
    #endif
  }
}
