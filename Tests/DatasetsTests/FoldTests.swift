// The folds of a cross-validation.

import Messages
import TestSupport
import Testing

@testable import Datasets

@Suite struct FoldTests {
  @Test(arguments: [2, 3, 5]) func `folds have all images once, and every class evenly`(count: Int) throws {
    let paths = (0..<17).map { "cat/\($0).png" } + (0..<9).map { "dog/\($0).png" } + (0..<5).map { "owl/\($0).png" }
    let index = try groupIndex(try groupDataset(paths), SplitSettings(train: 100, validation: 0, test: 0))
    let folds = try index.folds(count, seed: 3)
    #expect(folds.allSatisfy { $0 != nil })
    for label in 0..<3 {
      let own = zip(index.items, folds).filter { $0.0.label == label }.map(\.1)
      let counts = (0..<count).map { fold in own.count { $0 == fold } }
      #expect(counts.max()! - counts.min()! <= 1, "\(counts)")
    }
    let sizes = (0..<count).map { fold in folds.count { $0 == fold } }
    #expect(sizes.max()! - sizes.min()! <= 2, "\(sizes)")
    #expect(try index.folds(count, seed: 3) == folds)
    #expect(try index.folds(count, seed: 4) != folds)
    let held = index.holdingOut(1, of: folds)
    #expect(held.items.count { $0.split == .validation } == sizes[1])
  }

  @Test func `groups stay in one fold, test images in none`() throws {
    let index = try groupIndex(
      try groupDataset(groupClips(15).map { "train/\($0)" } + ["test/cat/clip_q/1.png"]),
      SplitSettings(groups: "folder"))
    let folds = try index.folds(5, seed: 0)
    var found: [String: Set<Int>] = [:]
    for (item, fold) in zip(index.items, folds) {
      if item.split == .test {
        #expect(fold == nil)
      } else {
        found[item.group!, default: []].insert(try #require(fold))
      }
    }
    #expect(found.count == 30 && found.values.allSatisfy { $0.count == 1 })
    for label in 0..<2 {
      let own = zip(index.items, folds).filter { $0.0.label == label && $0.1 != nil }.map { $0.1! }
      for fold in 0..<5 { #expect(abs(Double(own.count { $0 == fold }) / Double(own.count) - 0.2) < 0.06) }
    }
    #expect(throws: DatasetError.self) { try index.folds(31, seed: 0) }
  }
}
