// What a file of weights says of its arrays: names and shapes, from its header alone. How the names are read is in
// NameReading.swift, and which network they are of in RecognizedNetwork.swift.

import WeightFiles

/// The arrays of a file that may be a network's.
struct FileArrays {
  let path: String
  /// By the names in the file; without what a file of ours has besides the network's arrays, and without batch norm's
  /// counts.
  let shapes: [String: [Int]]
  /// The names of `shapes`, sorted.
  let names: [String]
  /// The names of batch norm's counts.
  let counts: [String]

  /// What a file of ours has besides the network's arrays: the optimizer's state.
  static let ownPrefix = "skipline."
  static let countSuffix = ".num_batches_tracked"

  init(_ outline: WeightsOutline) {
    path = outline.path
    let all = outline.names.filter { name in
      !name.hasPrefix(Self.ownPrefix) && (outline.graph == nil || Self.isOfNetwork(name, outline))
    }
    counts = all.filter { $0.hasSuffix(Self.countSuffix) }
    names = all.filter { !$0.hasSuffix(Self.countSuffix) }
    shapes = Dictionary(uniqueKeysWithValues: names.map { ($0, outline.shape(of: $0) ?? []) })
  }

  /// Graphs have arrays of axes, shapes and single numbers besides, which are no weights.
  private static func isOfNetwork(_ name: String, _ outline: WeightsOutline) -> Bool {
    let isFloat: Set<ElementType> = [.float32, .float16, .bfloat16, .float64]
    return name.hasSuffix(countSuffix)
      || outline.dtype(of: name).map(isFloat.contains) == true && outline.shape(of: name) != []
  }
}

/// Whether an array can stand for another as it is: the same numbers in the same order. Dense layers are stored as
/// convolutions over their whole map by some programs, and 1x1 convolutions as dense layers.
func holdsTheSame(_ found: [Int], as needed: [Int]) -> Bool {
  if found == needed { return true }
  guard found.count != needed.count, found.count >= 2, needed.count >= 2, found[0] == needed[0],
    !found.contains(0), !needed.contains(0)
  else { return false }
  let (longer, shorter) = found.count > needed.count ? (found, needed) : (needed, found)
  guard longer.count == 4, shorter.count == 2 else { return false }
  var product = 1
  for extent in longer.dropFirst() {
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    guard !overflow else { return false }
    product = next
  }
  return product == shorter[1]
}
