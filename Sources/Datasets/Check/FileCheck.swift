// What looking into every file of a dataset found, as numbers and groups. What there is to say about it is in the
// files Findings+*.swift, how it was found in DatasetIndex+Inspection.swift.

/// The result of `DatasetIndex.checkFiles`; hand it to `DatasetIndex.report(fileCheck:)` of the same index.
public struct FileCheck: Sendable, Equatable {
  /// One for each of the index's `items`, in their order.
  let facts: [ImageFacts]
  /// Indices in `items` of files with the same bytes, each group ascending, in order of the first. Files that do not
  /// decode are in none.
  let copies: [[Int]]
  /// Indices in `items` of pictures that look the same but are not the same file. Of identical files only the first is
  /// in it.
  let lookalikes: SimilarImages

  init(facts: [ImageFacts], copies: [[Int]] = [], lookalikes: SimilarImages = SimilarImages()) {
    self.facts = facts
    self.copies = copies
    self.lookalikes = lookalikes
  }

  /// What makes two images near duplicates, for people.
  public static let nearDuplicateRule =
    "64-bit difference hashes (9x8) at most \(SimilarImages.hashLimit) bits apart, 18x16 gray versions within "
    + "\(Int((100 * SimilarImages.differenceLimit).rounded()))% of their contrast"
}
