// What all ranks have in common where rank 0 alone has read it from a file.

import Messages
import Networks
import Ranks
import Tensors

extension Learner {
  /// Puts all ranks to where rank 0's learner is: weights, statistics, and what is remembered besides.
  /// - Parameter state: where training stands, on all ranks.
  /// - Throws: `RankFailure`.
  func spread(_ state: TrainingState) throws {
    guard !consensus.isAlone else { return }
    if watchedRanks.machines.isEmpty {
      let communicator = consensus.communicator
      watchedRanks.machines = try communicator.allGather(Array(communicator.machine.utf8)).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    // Rank 0 is in it already.
    if !consensus.leads { enterPhase(epochsDone: state.epochsDone) }
    let tracked = try consensus.decide { network.batchNorms.map(\.batchesTracked) }
    for (norm, count) in zip(network.batchNorms, tracked) { norm.batchesTracked = count }
    for parameter in network.parameters { try spread(&parameter.value) }
    for buffer in network.buffers { try spread(&buffer.value) }
    for index in optimizer.state.indices {
      for place in optimizer.state[index].tensors.indices { try spread(&optimizer.state[index].tensors[place]) }
    }
    guard var weights = average?.weights else { return }
    for index in weights.parameters.indices { try spread(&weights.parameters[index]) }
    for index in weights.buffers.indices { try spread(&weights.buffers[index]) }
    average?.set(weights)
  }

  private func spread(_ tensor: inout Tensor) throws(RankFailure) {
    let bytes = try consensus.communicator.broadcast(consensus.leads ? tensor.bytes : [])
    guard consensus.leads || tensor.take(bytes: bytes) else {
      throw RankFailure(unreadable: "its weights", rank: 0)
    }
  }
}
