// Files that a dataset may consist of or have beside it: TFRecord shards, and what the user decided.

import Datasets
import TestSupport

extension FuzzEntry {
  static let datasets: [FuzzEntry] = [
    FuzzEntry(name: "tfrecord", seeds: [smallShard(images: [PNGFile.any, PNGFile.any, PNGFile.any])]) {
      { bytes in
        fuzzTFRecord(Array(bytes))
        return !ParsedShard(Array(bytes)).images.isEmpty
      }
    },
    FuzzEntry(name: "decisions", seeds: decisionSeeds) {
      { bytes in Decisions.areReadable(Array(bytes)) }
    },
  ]

  private static let decisionSeeds: [[UInt8]] = [
    "# a comment\nexclude a/1.png\nrelabel b/2.png -> c\n", "exclude \"a b/\\xe9 1.png\"\n",
  ].map { Array($0.utf8) }
}
