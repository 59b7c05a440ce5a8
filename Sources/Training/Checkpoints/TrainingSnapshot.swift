// What a checkpoint is made of, at one moment of a run.

import FoundationEssentials
import Glibc
import Messages
import Networks
import Tensors

/// A run between two steps. Valid until the next step, which changes the network.
struct TrainingSnapshot {
  let network: Network
  let model: ModelDescription
  let state: TrainingState
  let optimizer: any Optimizer
  let pool: ThreadPool
  /// What is saved as the network's weights, and what it is; nil where the weights that are trained are.
  var evaluated: (weights: NetworkWeights, kind: SavedWeights?)?
  /// The weights that are trained; nil where the network has them.
  var trained: NetworkWeights?

  /// Bytes of the weights alone.
  var weightBytes: Int { MemoryLayout<Float>.stride * network.parameters.reduce(0) { $0 + $1.value.count } }

  /// Bytes of `last`.
  var lastBytes: Int {
    let remembered = network.trainedParameters.reduce(0) { $0 + $1.value.count } * optimizer.state.count
    return weightBytes * (evaluated == nil ? 1 : 2) + MemoryLayout<Float>.stride * remembered
  }

  /// A checkpoint of it; `last` has what training goes on from too.
  /// - Throws: `TrainingError.weightsOverflowed`.
  func contents(of name: CheckpointName, in run: RunFolder) throws -> CheckpointContents {
    // Of two sets of weights, the trained ones are saved in `last` alone.
    if evaluated == nil || name == .last { try refuseOverflow() }
    // Of weights that were trained on since, the last validation says nothing.
    let isValidated = if case .step = name { state.batch == 0 } else { true }
    let info = CheckpointInfo(
      path: run.path(of: name), name: name.stem, epoch: state.epochsDone, step: state.step,
      validationAccuracy: isValidated ? state.validationAccuracy : nil, savedAt: Date().formatted(.iso8601),
      weights: evaluated?.kind, score: isValidated ? state.score : nil)
    let resumable = name == .last ? (state, optimizer) : nil
    guard let evaluated else { return try Checkpoint.contents(network, model, info: info, resumable: resumable) }
    let present = NetworkWeights(of: network)
    defer { present.put(into: network) }
    evaluated.weights.put(into: network)
    try refuseOverflow()
    return try Checkpoint.contents(network, model, info: info, resumable: resumable, trained: trained ?? present)
  }

  /// The same for later, when the network has been trained further. Nothing is copied.
  /// - Throws: `TrainingError.weightsOverflowed`, where a parameter that is trained is too large.
  func keepingWeights() throws -> TrainingSnapshot {
    try refuseOverflow(among: network.trainedParameters.map { ($0.name, $0.value) })
    var kept = self
    if evaluated == nil { kept.evaluated = (NetworkWeights(of: network), nil) }
    return kept
  }

  /// A finite gradient can still make infinite weights; the next step would show it, but a save may come first.
  private func refuseOverflow() throws {
    try refuseOverflow(
      among: network.parameters.map { ($0.name, $0.value) } + network.buffers.map { ($0.name, $0.value) })
  }

  private func refuseOverflow(among arrays: [(name: String, value: Tensor)]) throws {
    for (name, value) in arrays where !Ops(pool).sumOfSquares(value).isFinite {
      throw TrainingError.weightsOverflowed(step: state.step, array: name)
    }
  }
}
