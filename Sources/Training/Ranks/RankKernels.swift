// By which vector kernels ranks compute whose processors are not alike: other kernels add in another order, and give other
// last digits.

import Ranks
import Tensors

enum RankKernels {
  /// Has all ranks compute by the best kernels that each of them has. To be called on all, before anything is computed.
  /// - Parameters:
  ///   - levels: of this rank, the best first.
  ///   - choose: has this rank compute by a level; nil, or why it cannot.
  /// - Throws: `RankFailure`, the same on all ranks, where they have none in common; where one cannot choose it, its
  ///   own.
  static func agree(
    _ communicator: any Communicator, levels: [String] = Kernels.usableLevels,
    choose: (String) -> String? = Kernels.choose
  ) throws(RankFailure) {
    let own = communicator.machine + "\n" + levels.joined(separator: "\n")
    let all = try communicator.allGather(Array(own.utf8)).map {
      String(decoding: $0, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
    guard let level = Kernels.common(all.map { Array($0.dropFirst()) }) else {
      throw RankFailure(
        "--common-kernels: no vector kernels are those of all ranks: "
          + all.enumerated().map { rank, words in
            "rank \(rank) (\(words[0])) has \(words.dropFirst().joined(separator: ", "))"
          }.joined(separator: "; "))
    }
    if let fault = choose(level) {
      throw RankFailure("--common-kernels: rank \(communicator.rank) cannot compute by \(level): \(fault)")
    }
  }
}
