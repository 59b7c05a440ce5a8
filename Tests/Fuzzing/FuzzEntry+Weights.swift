// Files of weights: safetensors, and what is taken for them.

import TestSupport
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
    FuzzEntry(name: "pytorch", seeds: [PyTorchSample.archive]) {
      { bytes in fuzzWeights(Array(bytes), as: .pyTorch) }
    },
    FuzzEntry(name: "old-pytorch", seeds: [PyTorchSample.pickles]) {
      { bytes in fuzzWeights(Array(bytes), as: .oldPyTorch) }
    },
    FuzzEntry(name: "onnx", seeds: [ONNXSample.small]) {
      { bytes in fuzzWeights(Array(bytes), as: .onnx) }
    },
    FuzzEntry(
      name: "weights-index", seeds: [Array(#"{"metadata":{"a":1},"weight_map":{"w":"f.safetensors"}}"#.utf8)]
    ) {
      { bytes in fuzzWeightsIndex(Array(bytes)) }
    },
    FuzzEntry(name: "classes", seeds: classSeeds) {
      { bytes in (try? ClassList.names(text: String(decoding: bytes, as: UTF8.self))) != nil }
    },
  ]

  private static let classSeeds: [[UInt8]] = ["cat, dog,bird", "\"Rose, red\", \"a \"\"b\"\"\",Tulip"].map {
    Array($0.utf8)
  }
}
