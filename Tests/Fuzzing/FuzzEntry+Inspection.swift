// What an evaluation keeps of each image.

import Foundation
import Inspection
import TestSupport

extension FuzzEntry {
  static let inspection: [FuzzEntry] = [
    FuzzEntry(name: "evaluation-record", seeds: (try? recordSeeds()) ?? []) {
      { bytes in fuzzEvaluationRecord(Array(bytes)) }
    }
  ]

  private static func recordSeeds() throws -> [[UInt8]] {
    let folder = try TemporaryFolder()
    return try [2, 300].map { classes in
      let path = folder.file("record.safetensors")
      try writeEvaluationRecordSeed(classes: classes, to: path)
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }
}
