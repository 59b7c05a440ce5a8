// How the work on a matrix is cut for the kernels of batch norm.

import CKernels

/// A matrix [rows, C] cut into chunks of whole groups of rows, as the kernels of batch norm want them.
struct RowGroups: Sendable {
  let total: Int
  let chunks: Int
  private let group: Int
  private let groups: Int
  private let wordsInGroup: Int

  init(count: Int, channels: Int) {
    total = count / channels
    group = ck_batchnorm_group(channels)
    groups = (total + group - 1) / group
    chunks = min(ThreadPool.standardChunks, groups)
    wordsInGroup = ck_batchnorm_mask_words(channels)
  }

  func rows(_ chunk: Int) -> Range<Int> {
    let range = ThreadPool.range(chunk, of: chunks, count: groups)
    return (range.lowerBound * group)..<min(total, range.upperBound * group)
  }

  /// Words of a mask of the whole matrix, and where those of a chunk begin.
  var maskWords: Int { groups * wordsInGroup }
  func firstMaskWord(_ chunk: Int) -> Int {
    ThreadPool.range(chunk, of: chunks, count: groups).lowerBound * wordsInGroup
  }
}
