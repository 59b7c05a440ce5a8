// What is said about invented images: every kind of finding, its severity, its files, and when it is not made.

import Images
import Messages
import Testing

@testable import Datasets

extension DatasetReport {
  fileprivate func found(_ kind: DatasetFinding.Kind) -> [DatasetFinding] { findings.filter { $0.kind == kind } }
}

@Suite struct `Findings about duplicates` {
  private func finding(_ images: [Invented]) throws -> DatasetFinding {
    let findings = report(images + usualImages(), copies: [Array(images.indices)]).findings
      .filter { !$0.paths.isEmpty }
    try #require(findings.count == 1)
    return findings[0]
  }

  @Test func `one image in two classes is a label conflict, an error`() throws {
    let found = try finding([
      Invented(path: "train/a/1.jpg"), Invented(path: "train/a/2.jpg"),
      Invented(path: "train/b/it's.jpg", label: 1),
    ])
    #expect(found.kind == .labelConflict && found.severity == .error)
    #expect(found.paths == ["train/a/1.jpg", "train/a/2.jpg", "train/b/it's.jpg"])
    #expect(
      found.message
        == "train/a/1.jpg, train/b/it's.jpg and another are the same image in the classes \"a\" and \"b\"")
    #expect(found.advice.contains("skipline exclude '/my data' 'train/b/it'\\''s.jpg'"))
    #expect(found.advice.contains("skipline relabel '/my data' --to a 'train/b/it'\\''s.jpg'"))
  }

  @Test func `the commands that are advised take names that begin with a dash`() throws {
    let images = [Invented(path: "-dash/-rf.jpg"), Invented(path: "-x/1.jpg", label: 1)]
    let found = report(images + usualImages(), classes: ["-dash", "-x"], copies: [[0, 1]]).found(.labelConflict)
    #expect(found[0].advice.contains("skipline exclude '/my data' -- -x/1.jpg,"))
    #expect(found[0].advice.hasSuffix("skipline relabel '/my data' --to=-dash -- -x/1.jpg"))
  }

  @Test func `a label conflict across splits says both`() throws {
    let found = try finding([
      Invented(path: "test/a/1.jpg", split: .test), Invented(path: "train/b/1.jpg", label: 1),
    ])
    #expect(found.kind == .labelConflict)
    #expect(found.message.contains("in the classes \"a\" and \"b\", in train and test"))
  }

  @Test(arguments: [Split.validation, .test]) func `an image that is trained on and measured is an error`(
    other: Split
  ) throws {
    let found = try finding([Invented(path: "test/a/1.jpg", split: other), Invented(path: "train/a/1.jpg")])
    #expect(found.kind == .duplicateAcrossSplits && found.severity == .error)
    #expect(found.message == "test/a/1.jpg and train/a/1.jpg are the same image, in train and \(other.rawValue)")
    // The training copy goes: what is measured stays comparable.
    #expect(found.advice.contains("skipline exclude '/my data' train/a/1.jpg"))
  }

  @Test func `an image in validation and test is a warning`() throws {
    let found = try finding([
      Invented(path: "test/a/1.jpg", split: .test), Invented(path: "val/a/1.jpg", split: .validation),
    ])
    #expect(found.kind == .duplicateAcrossSplits && found.severity == .warning)
  }

  @Test func `copies within a class and split are a note`() throws {
    let images = (1...5).map { Invented(path: "train/a/\($0)0.jpg") }
    let found = try finding(images)
    #expect(found.kind == .duplicate && found.severity == .note)
    #expect(found.paths == images.map(\.path))
    #expect(
      found.message
        == "train/a/10.jpg, train/a/20.jpg and 3 others are the same image, in train of the class \"a\"")
    #expect(found.advice.contains("5 times"))
  }
}

@Suite struct `Findings about near duplicates` {
  /// That none of the classes' images are in some split is said too, without files.
  private func findings(_ images: [Invented]) -> [DatasetFinding] {
    let prints = images.map { _ in Fingerprint(blotches(1)) }
    return report(images + usualImages(), lookalikes: SimilarImages(among: prints)).findings
      .filter { !$0.paths.isEmpty }
  }

  @Test func `across splits is a warning`() {
    let found = findings([Invented(path: "test/a/1.jpg", split: .test), Invented(path: "train/a/9.jpg")])
    #expect(found.map(\.kind) == [.nearDuplicateAcrossSplits] && found[0].severity == .warning)
    #expect(found[0].message == "test/a/1.jpg and train/a/9.jpg are nearly the same image, in train and test")
    #expect(found[0].advice.contains("exclude '/my data' train/a/9.jpg"))
  }

  @Test func `across classes is a warning that asks for a look`() {
    let found = findings([Invented(path: "train/a/1.jpg"), Invented(path: "train/b/9.jpg", label: 1)])
    #expect(found.map(\.kind) == [.nearDuplicate] && found[0].severity == .warning)
    #expect(found[0].message.hasSuffix("nearly the same image in the classes \"a\" and \"b\""))
    #expect(found[0].advice.contains("look at them"))
  }

  @Test func `across classes and splits says both`() {
    let found = findings([
      Invented(path: "train/a/1.jpg"), Invented(path: "test/b/9.jpg", label: 1, split: .test),
    ])
    #expect(found.map(\.kind) == [.nearDuplicateAcrossSplits] && found[0].severity == .warning)
    #expect(found[0].message.hasSuffix("in the classes \"a\" and \"b\", in train and test"))
  }

  @Test func `within a class and split is a note`() {
    let found = findings([Invented(path: "train/a/1.jpg"), Invented(path: "train/a/2.jpg")])
    #expect(found.map(\.kind) == [.nearDuplicate] && found[0].severity == .note)
  }

  @Test func `copies of a look-alike belong to the group`() {
    let images = [
      Invented(path: "train/a/1.jpg"), Invented(path: "train/a/2.jpg"),
      Invented(path: "test/a/1.jpg", split: .test),
    ]
    let similar = SimilarImages(among: [Fingerprint(blotches(1)), Fingerprint(blotches(1)), nil])
    let found = report(images + usualImages(), copies: [[0, 2]], lookalikes: similar).found(
      .nearDuplicateAcrossSplits)
    #expect(found.map(\.paths) == [["train/a/1.jpg", "train/a/2.jpg", "test/a/1.jpg"]])
  }
}

@Suite struct `Findings about sizes` {
  private func found(_ images: [Invented]) -> [DatasetFinding] { report(images).found(.unusualSize) }

  @Test func `a few images far larger than the rest are named with their size`() {
    let large = (1...4).map { Invented(path: "train/0/large\($0).jpg", width: 3024, height: 3024) }
    let found = found(usualImages() + large)
    #expect(found.count == 1 && found[0].severity == .warning)
    #expect(found[0].paths == large.map(\.path))
    #expect(
      found[0].message
        == "4 images have sides more than 4 times the usual 100 pixels: train/0/large1.jpg (3024x3024), "
        + "train/0/large2.jpg (3024x3024), train/0/large3.jpg (3024x3024) and 1 more")
  }

  @Test func `many of another size are part of the set`() {
    let large = (1...5).map { Invented(path: "train/0/large\($0).jpg", width: 3024, height: 3024) }
    #expect(found(usualImages() + large).isEmpty)
  }

  @Test func `four times is not far yet`() {
    #expect(found(usualImages() + [Invented(path: "x", width: 400, height: 400)]).isEmpty)
    #expect(found(usualImages() + [Invented(path: "x", width: 401, height: 401)]).count == 1)
    #expect(found(usualImages() + [Invented(path: "x", width: 25, height: 25)]).isEmpty)
    #expect(found(usualImages() + [Invented(path: "x", width: 24, height: 24)]).map(\.subject) == ["x"])
  }

  @Test func `an unusual aspect either way`() {
    for (width, height) in [(210, 50), (50, 210)] {
      let found = found(usualImages() + [Invented(path: "x", width: width, height: height)])
      #expect(found.map(\.paths) == [["x"]] && found[0].message.contains("aspect"))
    }
    // A portrait of 9:16 among landscapes of 16:9 is usual.
    let landscapes = (0..<100).map { Invented(path: "\($0)", width: 1920, height: 1080) }
    #expect(found(landscapes + [Invented(path: "x", width: 1080, height: 1920)]).isEmpty)
  }

  @Test func `images of a few pixels are named however many there are`() {
    let tiny = (0..<150).map { Invented(path: "tiny\($0)", width: 7, height: 90) }
    let found = found(usualImages() + tiny + [Invented(path: "x", width: 8, height: 8)])
    #expect(found.map(\.paths.count) == [150, 1])
    #expect(found[0].message.contains("150 images have a side of less than 8 pixels: tiny0 (7x90)"))
  }

  @Test func `nothing is said where nothing decodes`() {
    #expect(found([Invented(path: "x", failure: "it is empty")]).isEmpty)
  }
}

@Suite struct `Findings about classes` {
  private func findings(_ images: [Invented], classes: [String] = ["a", "b"]) -> [DatasetFinding] {
    DatasetIndex.balanceFindings(classes: classes, items: images.map(\.item))
  }

  @Test func `a class that is tested but never trained on is an error`() {
    let found = findings(
      usualImages(classes: 1) + [
        Invented(path: "t", split: .test), Invented(path: "u", label: 1, split: .test),
        Invented(path: "v", label: 1, split: .validation), Invented(path: "w", split: .validation),
      ])
    #expect(found.map(\.kind) == [.missingInSplit] && found[0].severity == .error)
    #expect(found[0].message == "the class \"b\" has no training images, but 2 in val and test")
  }

  @Test func `a class that is trained on but not tested is a warning`() {
    let found = findings(usualImages() + [Invented(path: "t", split: .test)])
    #expect(found.map(\.kind) == [.missingInSplit] && found[0].severity == .warning && found[0].subject == "b")
    #expect(found[0].message.contains("no images in test"))
    #expect(findings(usualImages()).isEmpty, "a split without any images is missed by nobody")
  }

  @Test func `without training images there is one error`() {
    let found = findings(usualImages(split: .test))
    #expect(found.map(\.kind) == [.missingInSplit] && found[0].severity == .error)
    #expect(found[0].message == "there are no training images")
  }

  @Test func `a class is judged by the images that decode`() {
    let images =
      usualImages(classes: 1) + (0..<90).map { Invented(path: "b\($0)", label: 1, failure: $0 < 11 ? "cut" : nil) }
    let found = report(images)
    #expect(found.found(.undecodable).count == 11)
    #expect(found.found(.fewTrainingImages).map(\.message) == ["the class \"b\" has 79 training images"])
    #expect(found.classes[1].counts.train == 90, "counts are of files")
  }

  @Test func `a class without any image that decodes is an error`() {
    let images = usualImages(classes: 1) + [Invented(path: "b/1.jpg", label: 1, failure: "it is empty")]
    let found = report(images).findings
    #expect(found.map(\.kind) == [.undecodable, .emptyClass] && found.allSatisfy { $0.severity == .error })
    #expect(found[1].message == "no image of the class \"b\" can be used")
  }

  @Test func `what names alone say about classes is not said twice`() {
    let items = usualImages(10).map(\.item)
    let index = DatasetIndex(
      root: "r", classes: ["a", "b"], items: items, splitSource: .hash,
      findings: DatasetIndex.balanceFindings(classes: ["a", "b"], items: items))
    #expect(index.report().findings.count == 2)
    #expect(index.report(fileCheck: FileCheck(facts: usualImages(10).map(\.facts))).findings.count == 2)
  }
}

@Suite struct `The report of a file check` {
  @Test func `findings are in order of severity, then of kind`() {
    let images =
      [
        Invented(path: "train/a/cut.jpg", failure: "cut"), Invented(path: "train/a/1.jpg"),
        Invented(path: "test/a/1.jpg", split: .test), Invented(path: "train/a/2.jpg"),
        Invented(path: "train/a/3.jpg"), Invented(path: "train/a/x.jpg", width: 900, height: 900),
      ] + usualImages()
    let findings = report(images, copies: [[1, 2], [3, 4]]).findings
    #expect(
      findings.map(\.kind) == [.undecodable, .duplicateAcrossSplits, .unusualSize, .missingInSplit, .duplicate])
    #expect(findings.map(\.severity) == [.error, .error, .warning, .warning, .note])
    #expect(findings[0].message == "train/a/cut.jpg cannot be decoded: cut")
    #expect(findings[0].advice.contains("skipline exclude '/my data' train/a/cut.jpg"))
  }

  @Test func `every finding says what to do`() {
    let images = [
      Invented(path: "1"), Invented(path: "2", label: 1), Invented(path: "3", failure: "cut"),
      Invented(path: "4", split: .test), Invented(path: "5", width: 5, height: 5),
    ]
    for finding in report(images, copies: [[0, 1]]).findings { #expect(!finding.advice.isEmpty, "\(finding)") }
  }

  @Test func `statistics are counted and measured`() throws {
    func header(_ format: ImageFormat, _ channels: ImageHeader.Channels, _ depth: Int = 8) -> ImageHeader {
      ImageHeader(format: format, width: 30, height: 10, channels: channels, bitDepth: depth)
    }
    func sums(_ value: UInt8) -> ChannelSums {
      ChannelSums(PixelImage(width: 1, height: 1, pixels: [value, 0, 255]))
    }
    let statistics = try #require(
      report([
        Invented(path: "1", header: header(.png, .gray), sums: sums(0)),
        Invented(path: "2", header: header(.png, .gray, 16), sums: sums(102)),
        Invented(path: "3", split: .test, header: header(.png, .palette, 2), sums: sums(255)),
        Invented(path: "4", width: 20, height: 40, sums: sums(51)),
        Invented(path: "5", failure: "cut"),
      ]).statistics)
    #expect(statistics.images == 4 && statistics.undecodable == ["5"] && statistics.bytes == 50)
    #expect(statistics.width == .init(least: 20, median: 30, greatest: 30))
    #expect(statistics.height == .init(least: 10, median: 10, greatest: 40))
    #expect(statistics.aspect == .init(least: 0.5, median: 3, greatest: 3))
    #expect(statistics.commonSizes.map(\.size) == [.init(width: 30, height: 10), .init(width: 20, height: 40)])
    #expect(statistics.commonSizes.map(\.count) == [3, 1])
    #expect(statistics.formats == [.init(name: "PNG", count: 3), .init(name: "JPEG", count: 1)])
    #expect(statistics.channels.map(\.name) == ["gray", "gray, 16 bits", "palette", "rgb"])
    // Of the training images alone.
    #expect(statistics.mean == [0.2, 0, 1])
    #expect(abs(statistics.std[0] - (2.0 / 75).squareRoot()) < 1e-12 && statistics.std[1...] == [0, 0])
  }

  @Test func `the median of an even number lies between the middle two`() {
    #expect(DatasetStatistics.Spread([4, 1, 3, 2]) == .init(least: 1, median: 2.5, greatest: 4))
    #expect(DatasetStatistics.Spread([]) == .init(least: 0, median: 0, greatest: 0))
  }

  @Test func `excluded images are listed, and count nowhere else`() {
    let index = DatasetIndex(
      root: "r", classes: ["a"],
      items: [
        DatasetItem(path: "a/1.jpg", label: 0, split: .train),
        DatasetItem(path: "b/3.jpg", label: 0, split: .test, relabeledFrom: "b"),
      ],
      excluded: [DatasetItem(path: "a/2.jpg", label: 0, split: .train)], splitSource: .hash, findings: [])
    let entry = index.report().classes[0]
    #expect(entry.counts == SplitCounts(train: 1, test: 1) && entry.excluded == 1)
    #expect(entry.images.map(\.path) == ["a/1.jpg", "a/2.jpg", "b/3.jpg"])
    #expect(entry.images.map(\.decision) == [nil, .excluded, .relabeled(from: "b")])
  }
}
