// A network's weights and running statistics to and from named arrays, in PyTorch's names and order. What comes from a
// file is looked at number by number: what is none spoils every figure that is computed with it.

import Messages
import Networks
import Tensors
import WeightFiles

extension Network {
  /// Every parameter and running statistic as a torchvision `state_dict` has them, `num_batches_tracked` included.
  public func stateArrays() -> [NamedArray] {
    parameters.map { NamedArray(name: $0.name, shape: $0.fileShape, floats: $0.fileOrder($0.value)) }
      + buffers.map { NamedArray(name: $0.name, shape: $0.value.shape, floats: $0.value.values) }
      + batchNorms.map { NamedArray(name: $0.name + ".num_batches_tracked", scalar: Int64($0.batchesTracked)) }
  }

  /// Takes weights and running statistics from a file, all or nothing: the network changes only if everything fits.
  ///
  /// Names may be wrapped (`module.`, `_orig_mod.`, `model.`) where all of them are; `num_batches_tracked` may be
  /// missing.
  /// - Throws: `CheckpointError.doesNotFit`, `CheckpointError.badValue`, or `SafetensorsError`.
  public func loadState(_ file: WeightsContents) throws {
    load(try StoredState(file, StateFit(plan, file.outline), plan))
  }

  /// Takes what was read; what it lacks stays as it is.
  func load(_ state: StoredState) {
    for parameter in parameters {
      if let values = state.values[parameter.name] { parameter.value = parameter.innerOrder(values) }
    }
    for buffer in buffers {
      if let values = state.values[buffer.name] { buffer.value = Tensor(buffer.value.shape, values) }
    }
    for norm in batchNorms { norm.batchesTracked = state.counts[norm.name] ?? 0 }
  }

  /// A network out of a file that has all of its arrays. One array at a time is in memory twice.
  /// - Parameters:
  ///   - fit: of the same file to the plan.
  ///   - pool: as `Parameter.innerOrder` has it.
  /// - Throws: as `StoredState`.
  convenience init(
    _ plan: NetworkPlan, _ file: WeightsContents, _ fit: StateFit, _ pool: ThreadPool? = nil
  ) throws {
    self.init(unset: plan)
    let parameters = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) })
    let buffers = Dictionary(uniqueKeysWithValues: buffers.map { ($0.name, $0) })
    var unset = Set(parameters.keys)
    var counts: [String: Int] = [:]
    try StoredState.read(file, fit, plan) { name, values in
      if let parameter = parameters[name] {
        parameter.value = parameter.innerOrder(values, pool)
        unset.remove(name)
      } else if let buffer = buffers[name] {
        buffer.value = Tensor(buffer.value.shape, values)
      }
    } count: { norm, count in
      counts[norm] = count
    }
    precondition(unset.isEmpty, "arrays that no file was asked for: \(unset.sorted())")
    for norm in batchNorms { norm.batchesTracked = counts[norm.name] ?? 0 }
  }
}

/// The arrays of a network out of a file: all finite, no variance negative.
struct StoredState {
  /// By the network's names, in PyTorch's order.
  var values: [String: [Float]] = [:]
  /// Batches that each batch norm has counted.
  var counts: [String: Int] = [:]

  /// More batches than any training counts; one more than the largest integer is none.
  static let mostBatches = 1 << 53

  /// - Parameter fit: of the same file to the plan.
  /// - Throws: `CheckpointError.badValue`, or `SafetensorsError` for an element type that is not read.
  init(_ file: WeightsContents, _ fit: StateFit, _ plan: NetworkPlan) throws {
    var (values, counts): ([String: [Float]], [String: Int]) = ([:], [:])
    try Self.read(file, fit, plan) {
      values[$0] = $1
    } count: {
      counts[$0] = $1
    }
    (self.values, self.counts) = (values, counts)
  }

  /// Gives each array that the file has, looked at, by the network's name, and what batch norms have counted.
  /// - Throws: as `init`.
  static func read(
    _ file: WeightsContents, _ fit: StateFit, _ plan: NetworkPlan, _ array: (String, [Float]) -> Void,
    count: (_ norm: String, Int) -> Void
  ) throws {
    for entry in plan.state {
      guard let stored = fit.stored[entry.name] else { continue }
      let values = try file.floats(stored)
      try check(values, name: stored, isVariance: entry.kind == .runningVariance, path: file.path)
      array(entry.name, values)
      guard entry.kind == .runningMean else { continue }
      let norm = String(entry.name.dropLast(".running_mean".count))
      guard let name = fit.stored[norm + FileArrays.countSuffix] else { continue }
      let counted = try file.count(name) ?? 0
      guard (0...mostBatches).contains(counted) else {
        throw CheckpointError.badValue(path: file.path, array: name, what: "counts \(counted) batches")
      }
      count(norm, counted)
    }
  }

  /// - Throws: `CheckpointError.badValue`.
  static func check(_ array: [Float], name: String, isVariance: Bool, path: String) throws {
    // The largest exponent of all is what is none of a number's; of integers, it is found by vectors.
    let exponent: UInt32 = 0x7f80_0000
    if array.reduce(0, { max($0, $1.bitPattern & exponent) }) == exponent {
      let count = array.count { !$0.isFinite }
      let value = array.first { !$0.isFinite } ?? .nan
      throw CheckpointError.badValue(
        path: path, array: name,
        what:
          "holds \(value.isNaN ? "NaN" : "an infinite value") (\(count) of \(array.count) values are not finite)"
      )
    }
    if isVariance, let negative = array.first(where: { $0 < 0 }) {
      throw CheckpointError.badValue(
        path: path, array: name, what: "holds \(negative), and a variance is never below zero")
    }
  }
}
