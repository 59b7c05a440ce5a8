// Files of weights: safetensors, and what is taken for them.

import Training
import WeightFiles

extension FuzzEntry {
  static let weights: [FuzzEntry] = [
    FuzzEntry(name: "weights", seeds: (try? weightsSeeds()) ?? []) {
      { bytes in fuzzWeights(Array(bytes)) }
    },
    FuzzEntry(name: "foreign-weights", seeds: foreignWeightsSeeds) {
      { bytes in fuzzForeignWeights(Array(bytes)) }
    },
    FuzzEntry(name: "classes", seeds: classSeeds) {
      { bytes in (try? ClassList.names(text: String(decoding: bytes, as: UTF8.self))) != nil }
    },
  ]

  private static let classSeeds: [[UInt8]] = ["cat, dog,bird", "\"Rose, red\", \"a \"\"b\"\"\",Tulip"].map {
    Array($0.utf8)
  }
}
