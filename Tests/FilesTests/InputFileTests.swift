// A file that is larger than the memory that is left.

import Foundation
import TestSupport
import Testing

@testable import Files

@Test func `a file that memory does not hold is refused, in a process of its own`() async {
  await #expect(processExitsWith: .success) {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("begin".utf8), to: "large")
    truncate(path, 300 << 20)
    var failure: FileOperationError?
    do {
      _ = try ScarceMemory.during(100 << 20) { try InputFile.contents(of: path, bound: 1 << 30) }
    } catch let error as FileOperationError { failure = error }
    precondition(failure?.code == ENOMEM && failure?.path == path, "\(String(describing: failure))")
    precondition(failure?.description.contains("ulimit -v") == true)
    let bytes = try InputFile.contents(of: path, bound: 1 << 30)
    precondition(bytes.count == 300 << 20 && bytes.starts(with: Array("begin".utf8)))
  }
}
