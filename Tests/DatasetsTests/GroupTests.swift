// Groups of images that no split parts.

import Messages
import Support
import TestSupport
import Testing

@testable import Datasets

/// A folder with the images that paths name, all of them the same picture.
func groupDataset(_ paths: [String]) throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  let file = PNGFile.rgb(PixelImage(width: 2, height: 2, pixels: Array(repeating: 9, count: 12)))
  for path in paths { try folder.write(file, to: "data/\(path)") }
  return folder
}

func groupIndex(
  _ folder: TemporaryFolder, _ settings: SplitSettings, recorded: RecordedSplits? = nil
) throws -> DatasetIndex {
  try ScannedDataset.read(root: folder.file("data"), split: settings, recorded: recorded).index()
}

/// Clips of some frames in each of two classes.
func groupClips(_ count: Int, frames: (Int) -> Int = { 3 + $0 % 4 }) -> [String] {
  ["cat", "dog"].flatMap { name in
    (0..<count).flatMap { clip in (0..<frames(clip)).map { "\(name)/clip_\(name)\(clip)/\($0).png" } }
  }
}

@Suite struct GroupTests {
  private func splits(_ index: DatasetIndex) -> [String: Set<Split>] {
    var splits: [String: Set<Split>] = [:]
    for item in index.items { if let group = item.group { splits[group, default: []].insert(item.split) } }
    return splits
  }

  @Test(arguments: ["folder", "clip_([a-z0-9]+)"]) func `no group is parted, and shares are nearly kept`(
    rule: String
  ) throws {
    let folder = try groupDataset(groupClips(40))
    let plain = try groupIndex(folder, SplitSettings())
    let grouped = try groupIndex(folder, SplitSettings(groups: rule))
    #expect(splits(grouped).count == 80)
    #expect(splits(grouped).values.allSatisfy { $0.count == 1 })
    let parted = Dictionary(grouping: plain.items, by: { $0.path.split(separator: "/")[1] }).values.count {
      Set($0.map(\.split)).count > 1
    }
    #expect(parted > 20, "one by one they are")
    for label in 0..<2 {
      let own = grouped.items.filter { $0.label == label }
      for (split, share) in [(Split.train, 0.8), (.validation, 0.1), (.test, 0.1)] {
        let found = Double(own.count { $0.split == split }) / Double(own.count)
        #expect(abs(found - share) < 0.05, "\(label) \(split) \(found)")
      }
    }
    #expect(grouped.findings.contains { $0.kind == .groups && $0.message.contains("in 80 groups") })
    #expect(!grouped.findings.contains { $0.kind == .groupAcrossSplits })
    // Added images follow their group.
    try folder.write(
      PNGFile.rgb(PixelImage(width: 2, height: 2, pixels: Array(repeating: 9, count: 12))),
      to: "data/cat/clip_cat7/99.png")
    let more = try groupIndex(folder, SplitSettings(groups: rule))
    #expect(splits(more).values.allSatisfy { $0.count == 1 })
  }

  @Test func `a patient with pictures in two classes goes to one split`() throws {
    let folder = try groupDataset(
      (0..<30).flatMap { ["ill/p\($0)-a.png", "well/p\($0)-b.png", "well/p\($0)-c.png"] })
    let index = try groupIndex(folder, SplitSettings(train: 60, validation: 20, test: 20, groups: "(p\\d+)"))
    #expect(splits(index).count == 30 && splits(index).values.allSatisfy { $0.count == 1 })
    #expect(Set(index.items.map(\.split)) == Set(Split.allCases))
  }

  @Test func `few groups are spread over all splits, training first`() throws {
    for count in 1...6 {
      let index = try groupIndex(try groupDataset(groupClips(count) { _ in 5 }), SplitSettings(groups: "folder"))
      for label in 0..<2 {
        let own = Set(index.items.filter { $0.label == label }.map(\.split))
        #expect(own.contains(.train) && own.count == min(3, count), "\(count) \(own)")
      }
    }
  }

  @Test(arguments: ["ab", "ba", "xy", "qz", "kk"]) func `of two groups the larger one is for training`(
    names: String
  ) throws {
    let (one, other) = (names.first!, names.last!)
    let paths = ["cat", "dog"].flatMap { name in
      (0..<9).map { "\(name)/\(one)1_\($0).png" } + (0..<3).map { "\(name)/\(other)2_\($0).png" }
    }
    let index = try groupIndex(try groupDataset(paths), SplitSettings(groups: "/(.\\d)_"))
    #expect(index.items.filter { $0.split == .train }.count == 18)
  }

  @Test func `images that the pattern does not match stand alone, and where it matches none that is an error`()
    throws
  {
    let folder = try groupDataset(
      (0..<20).map { "cat/\($0 < 5 ? "clip_1-" : "x")\($0).png" } + ["dog/1.png", "dog/2.png"])
    let grouped = try groupIndex(folder, SplitSettings(groups: "clip_(\\d+)"))
    #expect(splits(grouped).count == 1 && splits(grouped)["1"]?.count == 1)
    let note = try #require(grouped.findings.first { $0.kind == .groups })
    #expect(note.message.contains("5 of the 22 images are in 1 groups") && note.message.contains("17 stand alone"))
    for rule in ["film_(\\d+)", "folder"] {
      let error = #expect(throws: DatasetError.self) { try groupIndex(folder, SplitSettings(groups: rule)) }
      #expect("\(error!)".contains("--group-by"))
    }
    #expect(throws: DatasetError.self) { try groupIndex(folder, SplitSettings(groups: "clip_")) }
    // A run's images were divided when it began.
    let recorded = RecordedSplits(grouped.items.map { ($0.path, .train) })
    let resumed = try groupIndex(folder, SplitSettings(groups: "film_(\\d+)"), recorded: recorded)
    #expect(resumed.items.allSatisfy { $0.split == .train })
  }

  @Test func `validation images are taken out of a folder of training images by groups`() throws {
    let folder = try groupDataset(
      groupClips(12).map { "train/\($0)" } + ["test/cat/clip_z/1.png", "test/dog/clip_y/1.png"])
    let index = try groupIndex(folder, SplitSettings(groups: "folder"))
    #expect(splits(index).values.allSatisfy { $0.count == 1 })
    #expect(index.items.count { $0.split == .test } == 2)
    for label in 0..<2 { #expect(index.items.contains { $0.label == label && $0.split == .validation }) }
  }

  @Test func `groups that folders have parted are told`() throws {
    let folder = try groupDataset([
      "train/cat/a1.png", "test/cat/a2.png", "train/dog/b1.png", "test/dog/c1.png", "val/dog/d1.png",
    ])
    let index = try groupIndex(folder, SplitSettings(groups: "([a-d])\\d"))
    let leak = try #require(index.findings.first { $0.kind == .groupAcrossSplits })
    #expect(leak.severity == .warning && leak.message.contains("a (train 1, test 1)"))
    #expect(Set(leak.paths) == ["train/cat/a1.png", "test/cat/a2.png"])
  }

  @Test func `new images of a run go where the run has their group`() throws {
    let folder = try groupDataset(groupClips(8))
    let before = try groupIndex(folder, SplitSettings(groups: "folder"))
    let turned = RecordedSplits(before.items.filter { !$0.path.hasSuffix("/0.png") }.map { ($0.path, .test) })
    let after = try groupIndex(folder, SplitSettings(groups: "folder"), recorded: turned)
    #expect(after.items.allSatisfy { $0.split == .test })
  }
}
