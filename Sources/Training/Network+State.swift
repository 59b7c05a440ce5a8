// A network's weights and running statistics to and from named arrays, in PyTorch's names and order.

import Foundation
import Messages
import Networks
import Tensors

extension Network {
  /// Every parameter and running statistic as a torchvision `state_dict` has them, `num_batches_tracked` included.
  public func stateArrays() -> [NamedArray] {
    parameters.map { NamedArray(name: $0.name, shape: $0.fileShape, floats: $0.fileOrder($0.value)) }
      + buffers.map { NamedArray(name: $0.name, shape: $0.value.shape, floats: $0.value.values) }
      + batchNorms.map { NamedArray(name: $0.name + ".num_batches_tracked", scalar: Int64($0.batchesTracked)) }
  }

  /// Takes weights and running statistics from a file, all or nothing: the network changes only if everything fits.
  ///
  /// Names may be wrapped in `module.` or `_orig_mod.`; `num_batches_tracked` may be missing.
  /// - Parameter exceptClassifier: leave the last dense layer as it is, for a file with other classes.
  /// - Throws: `CheckpointError.doesNotFit`, or `SafetensorsError`.
  public func loadState(_ file: SafetensorsContents, exceptClassifier: Bool = false) throws {
    let names = Self.unwrappedNames(file.names)
    let classifier = exceptClassifier ? Set(parameters.suffix(2).map(\.name)) : []

    func values(_ name: String, _ shape: [Int]) throws -> [Float] {
      guard let stored = names[name] else {
        throw CheckpointError.doesNotFit(path: file.path, reason: "it lacks '\(name)'")
      }
      guard file.shape(of: stored) == shape else {
        throw CheckpointError.doesNotFit(
          path: file.path, reason: "'\(name)' is \(file.shape(of: stored) ?? []), the network needs \(shape)")
      }
      return try file.floats(stored)
    }

    let wanted = parameters.filter { !classifier.contains($0.name) }
    let newParameters = try wanted.map { $0.innerOrder(try values($0.name, $0.fileShape)) }
    let newBuffers = try buffers.map { Tensor($0.value.shape, try values($0.name, $0.value.shape)) }
    let tracked = try batchNorms.map { norm in
      try names[norm.name + ".num_batches_tracked"].flatMap { try file.integers($0).first } ?? 0
    }
    for (parameter, value) in zip(wanted, newParameters) { parameter.value = value }
    for (buffer, value) in zip(buffers, newBuffers) { buffer.value = value }
    for (norm, count) in zip(batchNorms, tracked) { norm.batchesTracked = Int(count) }
  }

  /// Plain names to the file's own, for files written by wrapped modules.
  private static func unwrappedNames(_ names: [String]) -> [String: String] {
    var plain: [String: String] = [:]
    for name in names {
      var bare = Substring(name)
      while let prefix = ["module.", "_orig_mod."].first(where: { bare.hasPrefix($0) }) {
        bare = bare.dropFirst(prefix.count)
      }
      plain[String(bare)] = name
    }
    return plain
  }
}
