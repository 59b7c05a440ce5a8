// Durations come from a clock that nobody can set. The calendar's clock is for stamps that people read.

import Foundation
import Testing

@Suite struct ClockTests {
  @Test func `the calendar's clock is asked for stamps only`() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let forbidden = ["Date()", "Date.now", "timeIntervalSince", "gettimeofday", "CLOCK_REALTIME", "CFAbsoluteTime"]
    // When a checkpoint was saved, a run created, a line logged.
    let stamps = ["TrainingSnapshot.swift", "Jobs.swift", "FileLogHandler.swift", "EngineHost.swift"]
    // How old a file is: file systems stamp by the calendar's clock, and so does TensorBoard its events, in seconds.
    let ages = [
      "TensorBoardLog.swift": ["Date()", "timeIntervalSince"],
      "ImageCacheFolder.swift": ["Date()", "timeIntervalSince"], "CacheCommand.swift": ["timeIntervalSince"],
      "FileStamp.swift": ["CLOCK_REALTIME"],
      // How long ago a run was saved, by the stamp in its checkpoint.
      "RunFolder+Summary.swift": ["timeIntervalSince"],
    ]
    var seen = 0
    for case let file as URL in files where file.pathExtension == "swift" {
      seen += 1
      let text = try String(contentsOf: file, encoding: .utf8)
      let found = forbidden.filter { text.contains($0) }
      if stamps.contains(file.lastPathComponent) {
        #expect(found == ["Date()"], "\(file.lastPathComponent)")
      } else {
        #expect(found == ages[file.lastPathComponent] ?? [], "\(file.lastPathComponent) asks \(found)")
      }
    }
    #expect(seen > 100)
  }
}
