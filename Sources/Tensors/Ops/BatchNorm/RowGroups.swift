// How the work on a matrix is cut for the kernels of batch norm.

import CKernels

/// A matrix [rows, C] cut into shards of whole groups of rows, as the kernels of batch norm want them.
struct RowGroups: Sendable {
  let total: Int
  let shards: Int
  private let group: Int
  private let groups: Int
  private let wordsInGroup: Int

  init(count: Int, channels: Int) {
    total = count / channels
    group = ck_norm_group(channels)
    groups = (total + group - 1) / group
    shards = min(WorkerPool.standardShards, groups)
    wordsInGroup = ck_norm_mask_words(channels)
  }

  func rows(_ shard: Int) -> Range<Int> {
    let range = WorkerPool.range(shard, of: shards, count: groups)
    return (range.lowerBound * group)..<min(total, range.upperBound * group)
  }

  /// Words of a mask of the whole matrix, and where those of a shard begin.
  var maskWords: Int { groups * wordsInGroup }
  func firstMaskWord(_ shard: Int) -> Int {
    WorkerPool.range(shard, of: shards, count: groups).lowerBound * wordsInGroup
  }
}
