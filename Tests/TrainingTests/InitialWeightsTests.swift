// What a new run takes from a file of weights: the classifier by the names of the classes, never by their number alone;
// and run.json, which has to agree with the checkpoint beside it.

import Datasets
import Foundation
import Messages
import Networks
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct InitialWeightsTests {
  private let folder: TemporaryFolder
  private let plan: NetworkPlan
  private let source: Network

  init() throws {
    folder = try TemporaryFolder()
    plan = try Specimen.cifar.plan()
    source = try Specimen.network(Specimen.cifar)
  }

  /// A file that knows its classes.
  private func own(_ classes: [String]) throws -> InitialWeights {
    let path = folder.file("own.safetensors")
    var model = Specimen.cifar
    model.classes = classes
    try Checkpoint.save(source, model, info: Specimen.info(path))
    return try InitialWeights(path)
  }

  /// The same file of another program.
  private func foreign() throws -> InitialWeights {
    let path = folder.file("foreign.safetensors")
    try Safetensors.write(source.stateArrays(), metadata: [:], to: path)
    return try InitialWeights(path)
  }

  private func rows(_ network: Network, of name: String) throws -> [[Float]] {
    let array = try #require(network.stateArrays().first { $0.name == name })
    guard case .float32(let values) = array.values else { return [] }
    let width = values.count / array.shape[0]
    return (0..<array.shape[0]).map { Array(values[($0 * width)..<(($0 + 1) * width)]) }
  }

  private func load(
    _ weights: InitialWeights, _ classes: [String], _ naming: LabelNaming? = nil
  ) throws -> (InitialWeights.Classifier, Network) {
    let network = Network(plan, seed: 77)
    return (try weights.load(into: network, classes: classes, naming: naming), network)
  }

  @Test func `the same classes in another order keep the classifier, row by row`() throws {
    let (classifier, network) = try load(try own(["a", "b", "c"]), ["c", "a", "b"])
    #expect(classifier == .kept(rows: [2, 0, 1]))
    for name in ["fc.weight", "fc.bias"] {
      let before = try rows(source, of: name)
      #expect(try rows(network, of: name) == [before[2], before[0], before[1]])
    }
  }

  @Test func `the same classes in the same order keep it as it is`() throws {
    let (classifier, network) = try load(try own(["a", "b", "c"]), ["a", "b", "c"])
    #expect(classifier == .kept(rows: nil))
    #expect(network.stateArrays() == source.stateArrays())
  }

  @Test(arguments: [["x", "y", "z"], ["A", "B", "C"]])
  func `as many other classes begin a new one, and it is told`(classes: [String]) throws {
    let (classifier, network) = try load(try own(["a", "b", "c"]), classes)
    guard case .begun(let reason) = classifier else {
      Issue.record("the classifier of other classes was kept")
      return
    }
    #expect(reason.contains("a, b, c") && classifier.note(plan)?.contains("random weights") == true)
    #expect(try rows(network, of: "fc.weight") == rows(Network(plan, seed: 77), of: "fc.weight"))
    #expect(try rows(network, of: "conv1.weight") == rows(source, of: "conv1.weight"))
  }

  @Test(arguments: [["b", "x", "a"], ["a", "b", "c", "d"], ["c", "a"], ["y", "c"]])
  func `the rows of classes that are known are carried over, and the others begin anew`(classes: [String]) throws {
    let known = ["a", "b", "c"]
    let weights = try own(known)
    let network = Network(try NetworkPlan(Specimen.cifar.network, imageSize: 8, classes: classes.count), seed: 77)
    let fresh = Network(network.plan, seed: 77)
    let classifier = try weights.load(into: network, classes: classes, naming: nil)
    let places = classes.map { known.firstIndex(of: $0) }
    #expect(classifier == .partly(rows: places))
    let note = try #require(classifier.note(network.plan))
    #expect(note.hasPrefix("\(places.count { $0 != nil }) of the \(classes.count) classes"), "\(note)")
    for name in ["fc.weight", "fc.bias"] {
      let (found, before, own) = (
        try rows(network, of: name), try rows(source, of: name), try rows(fresh, of: name)
      )
      for (row, place) in places.enumerated() {
        #expect(found[row] == place.map { before[$0] } ?? own[row], "\(name) of \(classes[row])")
      }
    }
    #expect(try rows(network, of: "conv1.weight") == rows(source, of: "conv1.weight"))
  }

  @Test func `a file that does not know its classes keeps a classifier only if that is said`() throws {
    let weights = try foreign()
    let classes = ["1", "2", "10"]
    guard case .begun(let reason) = try load(weights, classes).0 else {
      Issue.record("the order of classes was guessed")
      return
    }
    #expect(reason.contains("--class-order"))
    #expect(try load(weights, classes, .order(.natural)).0 == .kept(rows: nil))
    #expect(try load(weights, classes, .order(.alphabetical)).0 == .kept(rows: [0, 2, 1]))
    #expect(try load(weights, classes, .names(["10", "1", "2"])).0 == .kept(rows: [1, 2, 0]))
    guard case .begun = try load(weights, classes, .names(["x", "y", "z"])).0 else {
      Issue.record("the classifier of other classes was kept")
      return
    }
  }

  @Test func `what is said and cannot be is an error`() throws {
    let weights = try foreign()
    for (classes, naming) in [
      (["a", "b"], LabelNaming.order(.natural)), (["a", "b", "c"], .names(["a", "b"])),
    ] {
      let plan = try NetworkPlan(Specimen.cifar.network, imageSize: 8, classes: classes.count)
      #expect(throws: SettingsError.self) { try weights.check(plan, classes: classes, naming: naming) }
    }
    let own = try own(["a", "b", "c"])
    #expect(throws: SettingsError.self) {
      try own.check(plan, classes: ["a", "b", "c"], naming: .order(.natural))
    }
  }

  @Test(arguments: [
    NetworkSettings(name: "cifar14", widthMultiplier: 0.25),
    NetworkSettings(name: "cifar8", zeroPlacement: .end, widthMultiplier: 0.25),
    NetworkSettings(name: "plain8", widthMultiplier: 0.25),
  ])
  func `another network than the file says is refused, also where the shapes would fit`(
    network: NetworkSettings
  ) throws {
    let weights = try own(["a", "b", "c"])
    let other = try NetworkPlan(network, imageSize: 8, classes: 3)
    let error = #expect(throws: CheckpointError.self) {
      try weights.check(other, classes: ["a", "b", "c"], naming: nil)
    }
    #expect(error?.description.contains("cifar8") == true)
  }

  @Test(arguments: [
    ("classes", #"["c","a","b"]"#), ("class_to_idx", #"{"a":1,"b":2,"c":0}"#),
    ("id2label", #"{"0":"c","2":"b","1":"a"}"#), ("labels", "c, a, b"),
  ])
  func `a file of another program may name its classes`(key: String, text: String) throws {
    let path = folder.file("named.safetensors")
    try Safetensors.write(source.stateArrays(), metadata: [key: text], to: path)
    #expect(try load(InitialWeights(path), ["a", "b", "c"]).0 == .kept(rows: [1, 2, 0]))
    let model = ForeignModel(network: NetworkRequest(Specimen.cifar.network), imageSize: 8)
    #expect(try model.description(of: path, data: nil).classes == ["c", "a", "b"])
  }

  @Test(arguments: [
    ("classes", #"["c","a"]"#), ("class_to_idx", #"{"a":1,"b":2,"c":3}"#), ("labels", "a,b,b"),
    ("names", "{\"a\":[]}"),
  ])
  func `what names other classes than a file has names none`(key: String, text: String) throws {
    let path = folder.file("named.safetensors")
    try Safetensors.write(source.stateArrays(), metadata: [key: text], to: path)
    let model = ForeignModel(network: NetworkRequest(Specimen.cifar.network), imageSize: 8)
    #expect(throws: SettingsError.self) { try model.description(of: path, data: nil) }
  }

  // MARK: A file that is described by its user

  @Test func `the order of classes is asked for where it is not known`() throws {
    let weights = try foreign().path
    let data = folder.file("numbered")
    for name in ["1", "2", "10"] { try folder.write(PNGFile.any, to: "numbered/train/\(name)/a.png") }
    var model = ForeignModel(network: NetworkRequest(Specimen.cifar.network), imageSize: 8)
    let error = #expect(throws: SettingsError.self) { try model.description(of: weights, data: data) }
    let text = error?.description ?? ""
    #expect(text.contains("1, 2, 10") && text.contains("1, 10, 2") && text.contains("--class-order"), "\(text)")
    model.naming = .order(.alphabetical)
    #expect(try model.description(of: weights, data: data).classes == ["1", "10", "2"])
    model.naming = .order(.natural)
    #expect(try model.description(of: weights, data: data).classes == ["1", "2", "10"])
    model.naming = .names(["10", "2", "1"])
    #expect(try model.description(of: weights, data: nil).classes == ["10", "2", "1"])
    model.naming = nil
    #expect(throws: SettingsError.self) { try model.description(of: weights, data: nil) }
  }

  @Test func `an accented letter of a folder's name is sorted as it is on disk`() throws {
    let weights = try foreign().path
    var model = ForeignModel(network: NetworkRequest(Specimen.cifar.network), imageSize: 8)
    func classes(_ names: [String], _ root: String) throws -> [String] {
      for name in names { try folder.write(PNGFile.any, to: "\(root)/train/\(name)/a.png") }
      return try model.description(of: weights, data: folder.file(root)).classes
    }
    let apart = ["cafe", "cafe\u{301}", "caff"]
    #expect(throws: SettingsError.self) { try classes(apart, "apart") }
    model.naming = .order(.alphabetical)
    #expect(try classes(apart, "apart") == ["cafe", "caf\u{e9}", "caff"])
    #expect(try classes(["cafe", "caf\u{e9}", "caff"], "whole") == ["cafe", "caff", "caf\u{e9}"])
    let error = #expect(throws: SettingsError.self) { try classes(["\u{e9}", "e\u{301}", "f"], "both") }
    #expect(error?.description.contains("as many classes") == true)
    let index = try DatasetIndex.open(root: folder.file("apart"), split: SplitSettings())
    #expect(try index.resolved(.order(.alphabetical)) == .names(["cafe", "caf\u{e9}", "caff"]))
    #expect(try index.resolved(.order(.natural)) == .order(.natural))
  }

  @Test(arguments: [["a", "B", "c"], ["img9", "img10", "img11"], ["a2", "a3", "a10"], ["Ä", "z", "A"]])
  func `names whose two orders differ are asked about, others not`(names: [String]) throws {
    let data = folder.file("data")
    for name in names { try folder.write(PNGFile.any, to: "data/train/\(name)/a.png") }
    let classes = try DatasetIndex.open(root: data, split: SplitSettings()).classes
    let model = ForeignModel(network: NetworkRequest(Specimen.cifar.network), imageSize: 8)
    let weights = try foreign().path
    if ClassOrder.alphabetical.ordered(classes) == classes {
      #expect(try model.description(of: weights, data: data).classes == classes)
    } else {
      #expect(throws: SettingsError.self) { try model.description(of: weights, data: data) }
    }
  }

  @Test func `a file that describes itself is believed, and contradicting it is an error`() throws {
    let path = try own(["a", "b", "c"]).path
    var model = ForeignModel(network: NetworkRequest(Specimen.cifar.network), imageSize: 8)
    #expect(try model.description(of: path, data: nil).classes == ["a", "b", "c"])
    model.imageSize = 16
    #expect(throws: SettingsError.self) { try model.description(of: path, data: nil) }
    model.imageSize = nil
    model.naming = .names(["c", "b", "a"])
    #expect(throws: SettingsError.self) { try model.description(of: path, data: nil) }
    model.naming = nil
    model.network = NetworkRequest(name: "plain8")
    #expect(throws: SettingsError.self) { try model.description(of: path, data: nil) }
  }

  // MARK: run.json

  @Test func `a run.json that does not agree with its checkpoint is refused by the key`() throws {
    let project = try ToyProject()
    let run = try project.train(project.settings(epochs: 1)).run
    let record = try run.record()
    let changes: [(String, (inout RunRecord) -> Void)] = [
      ("settings.preprocessing.imageSize", { $0.settings.preprocessing.imageSize = 16 }),
      (
        "model.preprocessing.imageSize",
        {
          $0.settings.preprocessing.imageSize = 16
          $0.model.preprocessing.imageSize = 16
        }
      ),
      ("model.preprocessing", { $0.model.preprocessing.mean[0] += 0.25 }),
      ("settings.network", { $0.settings.network.name = "cifar14" }),
      (
        "model.network",
        {
          $0.settings.network.name = "cifar14"
          $0.model.network.name = "cifar14"
        }
      ),
      ("model.classes", { $0.model.classes.swapAt(0, 1) }),
    ]
    for (key, change) in changes {
      var edited = record
      change(&edited)
      try run.save(edited)
      let error = #expect(throws: RunFolderError.self) {
        try TrainingJob.resumed(folder: run.path, caches: project.caches)
      }
      #expect(error?.description.contains("\"\(key)\"") == true, "\(String(describing: error)) for \(key)")
    }
    try run.save(record)
    _ = try TrainingJob.resumed(folder: run.path, caches: project.caches)
  }

  @Test(arguments: [
    (#""batchSize" : 4"#, #""batchSize" : 2.5"#, "settings.batchSize"),
    (#""batchSize" : 4"#, #""batchSize" : 1e300"#, "settings.batchSize"),
    (#""batchSize" : 4"#, #""batchSize" : "4""#, "settings.batchSize"),
    (#""seed" : 1"#, #""seed" : -1"#, "settings.seed"), (#""seed" : 1"#, #""seed" : null"#, "settings.seed"),
    (#""epochs" : 1"#, #""epochs" : 99999999999999999999"#, "settings.epochs"),
    (#""name" : "cifar8""#, #""name" : "resnet19""#, "network"),
    (#""resize" : "stretch""#, #""resize" : "zoom""#, "model.preprocessing.resize"),
    (#""blue","#, #"5,"#, "model.classes[0]"), (#""shortcut" : "A""#, #""shortcut" : "Z""#, "network.shortcut"),
    (#""format" : 3"#, #""format" : 0"#, "format"),
  ])
  func `an odd value in run.json is named by its key`(text: String, odd: String, key: String) throws {
    let project = try ToyProject()
    let run = try project.train(project.settings(epochs: 1)).run
    let whole = try String(contentsOfFile: run.recordPath, encoding: .utf8)
    try #require(whole.contains(text), "\(whole)")
    try Data(whole.replacing(text, with: odd).utf8).write(to: URL(fileURLWithPath: run.recordPath))
    let error = #expect(throws: RunFolderError.self) {
      try TrainingJob.resumed(folder: run.path, caches: project.caches)
    }
    let message = error?.description ?? ""
    #expect(message.contains(run.recordPath) && message.contains(key), "\(message)")
  }

  @Test func `a run stands for its best checkpoint, and run.json names that file`() throws {
    let project = try ToyProject()
    let first = try project.train(project.settings(epochs: 1) { $0.name = "first" }).run
    let second = try project.train(
      project.settings(epochs: 1) {
        $0.name = "second"
        $0.initialWeights = first.path
      }
    ).run
    #expect(try second.record().settings.initialWeights == first.path(of: .best))
  }

  @Test func `an evaluation takes fewer images at a time where memory is short, and none where not one fits`()
    throws
  {
    let path = folder.file("own.safetensors")
    try Checkpoint.save(source, Specimen.cifar, info: Specimen.info(path))
    let model = try Checkpoint.load(path: path)
    func batch(_ bytes: Int, fixed: Bool = false) throws -> Int {
      try model.batch(
        upTo: 64, isFixed: fixed, threads: 1, limits: [MemoryLimit(bytes: bytes, source: .controlGroup)])
    }
    #expect(try batch(1 << 40) == 64)
    let floor = MemoryCheck.base + MemoryCheck.touched
    let some = try batch(floor + (200 << 10))
    #expect((1..<64).contains(some))
    #expect(throws: MemoryShortage.self) { try batch(floor + (200 << 10), fixed: true) }
    #expect(throws: MemoryShortage.self) { try batch(1 << 20) }
  }
}
