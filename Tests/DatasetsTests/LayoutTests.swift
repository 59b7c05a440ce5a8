// Which folders are splits, classes, wrappers and strays: by a table of the spellings that people use, and by what is
// said where folders could be two things.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

/// A dataset's folder of empty images: only names are read.
private struct Folders {
  let folder: TemporaryFolder
  var path: String { folder.path }

  /// - Parameter images: paths; a path without an ending stands for two images in that folder.
  init(_ images: [String]) throws {
    folder = try TemporaryFolder()
    for image in images {
      if image.hasSuffix("/") {
        try folder.makeFolder(image)
      } else if [".png", ".jpg", ".md", ".txt"].contains(where: { image.hasSuffix($0) }) {
        try folder.write([0x89], to: image)
      } else {
        for number in 1...2 { try folder.write([0x89], to: "\(image)/\(number).png") }
      }
    }
  }

  /// A folder for each part, with the classes cat and dog in it.
  init(parts: [String], and others: [String] = []) throws {
    try self.init(parts.flatMap { ["\($0)/cat", "\($0)/dog"] } + others)
  }

  func read(_ folders: SplitFolders? = nil) throws(DatasetError) -> ScannedDataset {
    try ScannedDataset.read(root: path, split: SplitSettings(folders: folders))
  }

  /// The split of each folder of images; one whose images are in more than one split has none.
  func splits(_ folders: SplitFolders? = nil) throws -> [String: Split?] {
    var splits: [String: Split?] = [:]
    for item in try read(folders).items {
      let folder = item.path.split(separator: "/").dropLast().joined(separator: "/")
      if let known = splits[folder], known != item.split {
        splits[folder] = .some(nil)
      } else {
        splits[folder] = .some(item.split)
      }
    }
    return splits
  }

  func layoutFindings(_ folders: SplitFolders? = nil) throws -> [DatasetFinding] {
    try read(folders).findings.filter { $0.kind == .layout }
  }
}

private let trainingNames = [
  "train", "training", "trn", "TRAIN", "Training", "train2017", "train_2017", "Train-1", "train_01", "train.v2",
  "trainset", "training_set", "Training Set", "trainval", "train_images", "TrainImages", "tRaIn",
]
private let validationNames = [
  "val", "valid", "validate", "validation", "dev", "devel", "VAL", "Valid", "val2017", "val_2017", "Dev-1",
  "validation_set", "valset", "val_images", "ValImages",
]
private let testNames = [
  "test", "testing", "tst", "eval", "evaluation", "holdout", "hold-out", "hold_out", "HoldOut", "TEST", "Testing",
  "test2017", "Test-1", "test_01", "testset", "test_images", "TestImages",
]

@Suite struct `Names of split folders` {
  @Test(arguments: trainingNames, validationNames)
  func `training and validation under any usual name`(train: String, validation: String) throws {
    let folders = try Folders(parts: [train, validation])
    #expect(try folders.read().classes == ["cat", "dog"])
    #expect(
      try folders.splits() == [
        "\(train)/cat": .train, "\(train)/dog": .train, "\(validation)/cat": .validation,
        "\(validation)/dog": .validation,
      ])
  }

  @Test(arguments: trainingNames, testNames)
  func `training and test under any usual name`(train: String, test: String) throws {
    let folders = try Folders(parts: [train, test])
    let reading = try folders.read()
    #expect(reading.classes == ["cat", "dog"] && reading.splitSource == .folders)
    for item in reading.items {
      #expect((item.split == .test) == item.path.hasPrefix("\(test)/"), "\(item.path)")
    }
  }

  @Test(
    arguments: [
      ("dogs_*", ["train", "val", "test"]), ("cifar-*", ["train", "test"]), ("*_images", ["train", "val", "test"]),
      ("ILSVRC2012_img_*", ["train", "val"]), ("my photos *", ["Training", "Testing"]),
      ("*-224px", ["train", "dev"]),
      ("dev_*", ["train", "test"]), ("test.*", ["train", "val"]), ("dogs*Images", ["Train", "Test"]),
      ("été_*", ["train", "valid", "eval"]),
    ])
  func `a part of the name that all share`(pattern: String, roles: [String]) throws {
    let names = roles.map { pattern.replacingOccurrences(of: "*", with: $0) }
    let reading = try Folders(parts: names).read()
    #expect(reading.classes == ["cat", "dog"])
    #expect(Set(reading.items.map(\.split)).isSuperset(of: [.train]))
    for item in reading.items where item.path.hasPrefix("\(names[0])/") { #expect(item.split != .test) }
    for item in reading.items where item.path.hasPrefix("\(names[roles.count - 1])/") {
      #expect(item.split != .train)
    }
  }

  @Test func `eval is for validation where there is a test folder and none for validation`() throws {
    #expect(
      try Folders(parts: ["train", "eval", "test"]).splits()["eval/cat"] == .validation)
    #expect(try Folders(parts: ["train", "val", "eval"]).splits()["eval/cat"] == .test)
    #expect(throws: DatasetError.self) { try Folders(parts: ["train", "val", "eval", "test"]).read() }
  }

  @Test(arguments: [
    "contest", "latest", "interval", "carnival", "trainer", "device", "medieval", "protest", "strain",
  ])
  func `a word that only begins or ends like a role is none`(name: String) throws {
    #expect(SplitFolderName.readings(of: name).isEmpty)
    #expect(try Folders([name, "cat", "dog"]).read().classes.count == 3)
  }

  /// Names of letters, digits and signs at random: reading them ends, and none is taken for a role without its word.
  @Test func `any name can be read`() {
    var generator = SystemRandomNumberGenerator()
    let letters = Array("trainvltesdo_- .0129ÄéI京\u{301}\u{F7FF}")
    for _ in 0..<20_000 {
      let name = String((0..<Int.random(in: 0...14, using: &generator)).map { _ in letters.randomElement() ?? "x" })
      for reading in SplitFolderName.readings(of: name) {
        #expect(reading.pattern.contains("*"), "\(name)")
        #expect(name.lowercased().contains { "tvdeh".contains($0) }, "\(name)")
      }
    }
  }
}

@Suite struct `Layouts of folders` {
  @Test(arguments: [
    ["train/train", "test/test"], ["train/Train", "val/images"], ["training_set/training_set", "test"],
  ])
  func `the same folder once more inside`(parts: [String]) throws {
    let folders = try Folders(parts: parts)
    #expect(try folders.read().classes == ["cat", "dog"])
    #expect(try folders.splits()["\(parts[1])/cat"] != .train)
    #expect(try folders.layoutFindings().isEmpty)
  }

  @Test(arguments: ["archive", "archive/archive", "my data/v1/files", "testdata", "train"])
  func `one folder too many above is entered, and said`(wrapper: String) throws {
    for others in [[], ["__MACOSX/cat/1.png", "README.md"], ["docs/"]] {
      let folders = try Folders(parts: ["\(wrapper)/train", "\(wrapper)/test"], and: others)
      let reading = try folders.read()
      #expect(reading.classes == ["cat", "dog"])
      for item in reading.items {
        #expect((item.split == .test) == item.path.hasPrefix("\(wrapper)/test/"))
      }
      let notes = reading.findings.filter { $0.kind == .layout && $0.message.contains("\(wrapper)/") }
      #expect(notes.count == 1 && notes.allSatisfy { $0.severity == .note })
    }
  }

  @Test func `a wrapper of plain classes is entered where it is alone, and named where it is not`() throws {
    let alone = try Folders(["archive/cat", "archive/dog"])
    #expect(try alone.read().classes == ["cat", "dog"])
    let beside = try Folders(["archive/cat", "archive/dog", "notes/"])
    #expect {
      try beside.read()
    } throws: { "\($0)".contains("\(beside.path)/archive") }
    // A class with sub-folders, and nothing else.
    let single = try Folders(["cat/a"])
    #expect(throws: DatasetError.tooFewClasses(path: single.path, only: "cat")) { try single.read() }
  }

  @Test func `a wrapper beside other images is entered, and these are named`() throws {
    let folders = try Folders(parts: ["archive/train", "archive/test"], and: ["statistics"])
    #expect(try folders.read().classes == ["cat", "dog"])
    let warning = try #require(try folders.layoutFindings().first { $0.severity == .warning })
    #expect(warning.message.contains("statistics/") && warning.message.contains("2 images"))
  }

  @Test func `several datasets side by side are refused by name`() throws {
    let folders = try Folders(parts: ["v1/train", "v1/test", "v2/train", "v2/test"])
    #expect {
      try folders.read()
    } throws: { "\($0)".contains("v1/ and v2/") && "\($0)".contains("\(folders.path)/v1") }
    let mixed = try Folders(parts: ["dogs_train", "dogs_test", "cars_train", "cars_test"])
    #expect {
      try mixed.read()
    } throws: { "\($0)".contains("--train cars_train --test cars_test") }
  }

  @Test func `a stray folder beside train is left out and named, with a warning where it holds images`() throws {
    let folders = try Folders(parts: ["train"], and: ["extra", "empty/", "doc/readme.md"])
    #expect(try folders.read().classes == ["cat", "dog"])
    let findings = try folders.layoutFindings()
    #expect(findings.map(\.severity) == [.warning, .note])
    #expect(findings[0].message.contains("extra/ with 2 images"))
    #expect(findings[1].message.contains("doc/, empty/"))
    let like = try Folders(parts: ["train", "night"])
    #expect(try like.layoutFindings().first?.advice.contains("--test night") == true)
    let plain = try Folders(parts: ["train", "test"], and: ["notes/a.txt", "samples", "samples2"])
    #expect(try plain.layoutFindings().count { $0.severity == .warning } == 2)
  }

  @Test func `another spelling is taken where it has the classes of the others`() throws {
    #expect(try Folders(parts: ["train", "cifar-test"]).splits()["cifar-test/cat"] == .test)
  }

  @Test func `splits within classes`() throws {
    let folders = try Folders(["cat/train", "cat/test", "dog/train", "dog/test", "emu/train"])
    #expect(try folders.read().classes == ["cat", "dog", "emu"])
    for (folder, split) in try folders.splits() {
      #expect((split == .test) == folder.hasSuffix("/test"))
    }
    let mixed = try Folders(["cat/train", "cat/test", "dog"])
    #expect(throws: DatasetError.self) { try mixed.read() }
  }

  @Test func `a test set without labels is left out with a warning`() throws {
    let folders = try Folders(parts: ["train"], and: ["test"])
    #expect(try folders.read().classes == ["cat", "dog"])
    let finding = try #require(try folders.layoutFindings().first)
    #expect(finding.severity == .warning && finding.message.contains("2 images that lie in test/ directly"))
  }

  @Test func `an empty split is told, and validation images then come out of train`() throws {
    let folders = try Folders(parts: ["train"], and: (0..<40).map { "train/cat/x\($0).png" } + ["val/"])
    #expect(try folders.read().items.contains { $0.split == .validation })
    #expect(try folders.layoutFindings().map(\.subject) == ["val"])
  }

  @Test(arguments: [["train"], ["train", "test"], ["train/train"], ["Training", "val"]])
  func `images directly in train are a clear error`(names: [String]) throws {
    let folders = try Folders(names)
    #expect {
      try folders.read()
    } throws: { "\($0)".contains("directly, not in class folders") && "\($0)".contains("\(names[0])/CLASS/") }
  }

  @Test func `classes may be called like splits where their content says so`() throws {
    #expect(try Folders(["train", "car", "bus"]).read().classes == ["bus", "car", "train"])
    #expect(try Folders(["train", "car", "bus"]).layoutFindings().map(\.subject) == ["train"])
    #expect(try Folders(["steam_train", "diesel_train"]).read().classes.count == 2)
    #expect(try Folders(["crash_test", "car", "bus"]).read().classes.count == 3)
    #expect(try Folders(["valid", "invalid"]).read().classes == ["invalid", "valid"])
    #expect(try Folders(["valid", "invalid"]).layoutFindings().map(\.severity) == [.warning])
    #expect(
      try Folders(["train/train", "train/car", "test/train", "test/car"]).read().classes == ["car", "train"])
  }

  @Test(arguments: [
    (["train", "car"], "--train train"), (["test", "cat", "dog"], "--test test"),
    (["dev", "ops"], "--train ."), (["valid/cat", "invalid"], "--train ."),
    (["cat", "dog", "test/cat", "test/dog"], "--train . --test test"),
    (["photos/cat", "photos/dog", "test/cat", "test/dog"], "--train photos --test test"),
    (["train/cat", "train/dog", "car", "bus"], "--train train"),
    (["train/cat", "train/dog", "cat", "dog"], "--train train"),
    (["train/a", "train/b", "test/a", "testing/a"], "--test test"),
    (["train1/a", "train1/b", "train2/a"], "--train train1"),
    (
      ["training/train/a", "training/val/a", "testing/a"],
      "--train training/train --val training/val --test testing"
    ),
    (["cat", "dog", "val/cat", "val/dog", "test/cat"], "--train . --val val --test test"),
  ])
  func `what could be two things is refused with the way to say it`(images: [String], option: String) throws {
    let folders = try Folders(images)
    #expect {
      try folders.read()
    } throws: { error in
      guard case DatasetError.unclearLayout = error else { return false }
      return "\(error)".contains(option)
    }
  }

  @Test(arguments: [
    (["fold0", "fold1"], "--train FOLDER"), (["learn", "prove"], "--train learn --test prove"),
    (["Tr", "Te", "Va"], "--train Tr --val Va --test Te"),
    (["tra", "tes", "vali"], "--train tra --val vali --test tes"),
    (["entrenamiento", "prueba"], "--train entrenamiento --test prueba"),
    (["retrain", "detest"], "--train FOLDER"),
    (["day", "night"], "--train FOLDER"), (["2019", "2020", "2021"], "--train FOLDER"),
  ])
  func `folders of the same folders may be splits or classes, and are refused`(parts: [String], option: String)
    throws
  {
    for folders in [try Folders(parts: parts), try Folders(parts: parts, and: ["\(parts[0])/bird"])] {
      #expect {
        try folders.read()
      } throws: { error in
        guard case DatasetError.unclearLayout = error else { return false }
        return "\(error)".contains(option) && "\(error)".contains("--train .")
      }
      #expect(try folders.read(SplitFolders(train: ".")).classes.count == parts.count)
    }
    // A folder too many above, and how to say it there.
    let deeper = try Folders(parts: parts.map { "data/\($0)" })
    #expect { try deeper.read() } throws: {
      option == "--train FOLDER" || "\($0)".contains("--train data/\(parts[0])")
    }
    // Images in them directly make classes of them.
    let classes = try Folders(parts.flatMap { [$0, "\($0)/cat", "\($0)/dog"] })
    #expect(try classes.read().classes.count == parts.count)
  }

  @Test func `splits within classes are no spellings of one name`() throws {
    for parts in [["train", "test"], ["train", "val", "test"]] {
      let images = ["disc", "star"].flatMap { name in parts.map { "\(name)/\($0)" } }
      #expect(try Folders(images).read().findings.filter { $0.kind == .mergedClass }.isEmpty)
    }
    let spelled = try Folders(["caf\u{e9}", "cafe\u{301}", "tea"]).read().findings.filter {
      $0.kind == .mergedClass
    }
    #expect(spelled.count == 1)
  }

  @Test func `folders of the same folders are told to be taken for classes`() throws {
    for (images, option) in [
      (["day", "day/cat", "day/dog", "night/cat", "night/dog"], "--train day --test night"),
      (["cat", "dog", "exam/cat", "exam/dog"], "--train . --test exam"),
    ] {
      let findings = try Folders(images).layoutFindings()
      #expect(findings.map(\.severity) == [.warning])
      #expect(findings.first?.advice.contains(option) == true)
    }
    #expect(try Folders(["cat/a", "cat/b", "dog/a"]).layoutFindings().isEmpty)
  }

  @Test func `a split among the classes of another is no class`() throws {
    let folders = try Folders(parts: ["train", "train/val", "test"])
    #expect(try folders.read().classes == ["cat", "dog"])
    #expect(try folders.layoutFindings().first?.subject == "train/val")
    #expect(
      try folders.splits(SplitFolders(train: "train", validation: "train/val"))["train/val/cat"] == .validation)
  }
}

@Suite struct `Named split folders` {
  @Test func `what was unclear is clear by name`() throws {
    let folders = try Folders(parts: ["day", "night", "test1", "test2"])
    let splits = try folders.splits(
      SplitFolders(train: "day", validation: "./night/", test: "\(folders.path)/test2"))
    #expect(splits["day/cat"] == .train && splits["night/dog"] == .validation && splits["test2/cat"] == .test)
    #expect(splits["test1/cat"] == nil)
    let stray = try folders.layoutFindings(SplitFolders(train: "day", validation: "night", test: "test2"))
    #expect(stray.map(\.subject) == ["test1"])
  }

  @Test func `those that are not named are found by their names`() throws {
    let folders = try Folders(parts: ["day", "val", "eval"])
    let splits = try folders.splits(SplitFolders(train: "day"))
    #expect(splits["val/cat"] == .validation && splits["eval/cat"] == .test && splits["day/cat"] == .train)
  }

  @Test func `the dataset's own folder holds the classes`() throws {
    let folders = try Folders(["cat", "dog", "exam/cat", "exam/dog", "train", "sets/final/cat"])
    let splits = try folders.splits(SplitFolders(train: ".", test: "exam"))
    #expect(splits["exam/cat"] == .test && splits["cat"] != .test)
    let all = try folders.read(SplitFolders(train: "."))
    #expect(all.classes == ["cat", "dog", "exam", "sets", "train"])
    #expect(try folders.read(SplitFolders(train: ".", test: "sets/final")).classes.contains("sets") == false)
    #expect(Set(try folders.read(SplitFolders(test: ".")).items.map(\.split)) == [.test])
  }

  @Test func `deeper folders can be named`() throws {
    let folders = try Folders(parts: ["a/b/day", "a/b/test", "c"])
    let splits = try folders.splits(SplitFolders(train: "a/b/day"))
    #expect(splits["a/b/test/cat"] == .test)
  }

  @Test(arguments: ["nothing", "", "..", "/", "/tmp", "flat", "empty", "flat/1.png"])
  func `a name that leads to no class folders is an error`(name: String) throws {
    let folders = try Folders(parts: ["day"], and: ["flat", "empty/"])
    #expect {
      try folders.read(SplitFolders(train: "day", test: name))
    } throws: { error in
      guard case DatasetError.splitFolder(.test, name, _) = error else { return false }
      return true
    }
    #expect(throws: DatasetError.self) { try folders.read(SplitFolders(train: "day", test: "day/")) }
  }

  @Test func `the settings keep them in text and file`() throws {
    let settings = SplitSettings(folders: SplitFolders(train: "a b", test: "-x"))
    #expect(settings.folderOptions == " --train 'a b' --test=-x" && settings.description == "80/10/10")
    #expect(try JSONDecoder().decode(SplitSettings.self, from: JSONEncoder().encode(settings)) == settings)
    let old = try JSONDecoder().decode(
      SplitSettings.self, from: Data(#"{"train":80,"validation":10,"test":10}"#.utf8))
    #expect(old == SplitSettings())
  }
}

@Suite struct `What programs wrote in a dataset` {
  static let outputs: [(name: String, files: [String], author: String)] = [
    ("runs", ["runs/cifar8-1/run.json", "runs/cifar8-1/checkpoints/last.safetensors"], "a run of Skipline"),
    ("cifar8-1", ["cifar8-1/checkpoints/x", "cifar8-1/evaluations/y"], "a run of Skipline"),
    ("lists", ["lists/train.txt", "lists/test.txt"], "lists of a split"),
    ("shards", ["shards/train-00000-of-00001.tfrecord", "shards/labels.txt"], "TFRecord shards"),
    ("cache", ["cache/skipline/caches/a.cache"], "caches"),
    (
      "yolo",
      ["yolo/classify/train/args.yaml", "yolo/classify/train/results.csv", "yolo/classify/train/batch.jpg"],
      "a run of Ultralytics"
    ),
    (
      "wandb", ["wandb/run-1/files/wandb-metadata.json", "wandb/run-1/files/media/a.png"],
      "a run of Weights & Biases"
    ),
    ("logs", ["logs/version_0/hparams.yaml", "logs/version_0/metrics.csv", "logs/version_0/a.png"], "Lightning"),
    ("tb", ["tb/events.out.tfevents.1.host"], "TensorBoard"),
    (
      "mlruns",
      ["mlruns/0/abc/meta.yaml", "mlruns/0/abc/artifacts/plot.png", "mlruns/0/abc/params/x"],
      "MLflow"
    ),
    ("outputs", ["outputs/2024-01-01/12-00-00/.hydra/config.yaml", "outputs/2024-01-01/12-00-00/a.png"], "Hydra"),
    ("env", ["env/pyvenv.cfg", "env/lib/matplotlib/a.png"], "a Python environment"),
    ("@eaDir", ["@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg"], "thumbnails"),
  ]

  @Test(arguments: outputs.indices)
  func `is left out and told, beside classes and beside splits`(number: Int) throws {
    let (_, files, author) = Self.outputs[number]
    for images in [["cat", "dog"], ["train/cat", "train/dog"], ["train/cat", "train/dog", "test/cat"]] {
      let plain = try Folders(images)
      let before = try plain.read()
      for file in files { try plain.folder.write([0x89], to: file) }
      let after = try plain.read()
      #expect(after.classes == before.classes && after.items == before.items)
      let told = after.findings.filter { finding in !before.findings.contains { $0 == finding } }
      #expect(told.count == 1 && told.allSatisfy { $0.severity == .note && $0.message.contains(author) }, "\(told)")
    }
    // Also in a split.
    let inner = try Folders(parts: ["train", "test"])
    let before = try inner.read()
    for file in files { try inner.folder.write([0x89], to: "train/\(file)") }
    let after = try inner.read()
    #expect(after.classes == before.classes && after.items == before.items)
  }

  @Test func `a cache that says so is none of the data, and one that only looks like it is`() throws {
    let folders = try Folders(["cat", "dog", "thumbs"])
    try folders.folder.write(Array("not a tag".utf8), to: "thumbs/CACHEDIR.TAG")
    #expect(try folders.read().classes.count == 3)
    try folders.folder.write(
      Array("Signature: 8a477f597d28d172789f06886806bc55\n# by a test\n".utf8), to: "thumbs/CACHEDIR.TAG")
    #expect(try folders.read().classes == ["cat", "dog"])
  }

  @Test func `a folder of images that is called like a program's output is data, with a word`() throws {
    for name in ["mlruns", "checkpoint", "Thumbs", "outputs"] {
      let folders = try Folders(["cat", "dog", "\(name)/deep"])
      #expect(try folders.read().classes.count == 3)
      #expect(try folders.layoutFindings().map(\.subject) == [name])
      #expect(try folders.layoutFindings(SplitFolders(train: ".")).isEmpty)
    }
  }

  @Test func `a folder of images is data whatever its name`() throws {
    #expect(try Folders(["runs", "cache", "checkpoints"]).read().classes == ["cache", "checkpoints", "runs"])
    // Images beside a run's record are somebody's images.
    let folders = try Folders(["cat", "dog", "dog/checkpoints/a.png", "dog/run.json"])
    #expect(try folders.read().classes == ["cat", "dog"])
  }
}
