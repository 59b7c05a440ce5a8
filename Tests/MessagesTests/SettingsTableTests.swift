// The table of settings: every row is what it says it is. That each has an option is a test of the program.

import Foundation
import Messages
import TestSupport
import Testing

@Suite struct `Table of settings` {
  /// Nothing in it is as usual.
  static let unusual: TrainingSettings = {
    var settings = TrainingSettings.unusual
    settings.split.lists = "lists"
    settings.split.folders = SplitFolders(train: "day", validation: "dusk", test: "night")
    settings.initialClasses = .order(.alphabetical)
    return settings
  }()

  /// Each number and text of settings as JSON, by its path.
  private func leaves(_ settings: TrainingSettings) throws -> [String: String] {
    var found: [String: String] = [:]
    func walk(_ value: Any, _ path: String) {
      if let object = value as? [String: Any], !object.isEmpty {
        for (key, value) in object { walk(value, path.isEmpty ? key : "\(path).\(key)") }
      } else {
        found[path] = "\(value)"
      }
    }
    walk(try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings)), "")
    return found
  }

  @Test func `no two rows have one option, one place in a record or one label`() {
    for names in [Settings.all.map(\.option), Settings.all.map(\.key), Settings.all.compactMap(\.field?.label)] {
      #expect(Set(names).count == names.count)
    }
    #expect(Settings.all.allSatisfy { !$0.help.isEmpty })
  }

  @Test(arguments: Settings.all.map(\.option))
  func `a row changes what is at its place in a record, and nothing else`(option: String) throws {
    let row = try #require(Settings.all.first { $0.option == option })
    var from = Self.unusual
    if option == "classes" { from.initialClasses = .names(["Rose, red", "a \"b\""]) }
    var settings = TrainingSettings(data: "my images", network: NetworkSettings(name: "cifar20"))
    if option == "recipe" { settings.automatic = .all }
    // Deviations go with means.
    settings.preprocessing.normalization = .given(mean: [0, 0, 0], std: [1, 1, 1])
    let before = try leaves(settings)
    try row.put(try #require(row.text(in: from)), in: &settings)
    #expect(row.text(in: settings) == row.text(in: from))
    let after = try leaves(settings)
    let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
    #expect(!changed.isEmpty)
    for path in changed {
      #expect(path == row.key || path.hasPrefix(row.key + ".") || row.key.hasPrefix(path + "."), "\(path)")
    }
    guard row.mayBeUnset else { return }
    row.unset(in: &settings)
    #expect(row.text(in: settings) == nil)
  }

  @Test func `together the rows are all of the settings but the data`() throws {
    var settings = TrainingSettings(data: "my images", network: NetworkSettings(name: "cifar20"))
    for row in Settings.all where row.option != "classes" {
      try row.put(try #require(row.text(in: Self.unusual)), in: &settings)
    }
    #expect(settings == Self.unusual)
    let keys = Settings.all.map(\.key)
    for path in try leaves(Self.unusual).keys where path != "data" {
      #expect(keys.contains { path == $0 || path.hasPrefix($0 + ".") }, "\(path) is in no row")
    }
  }

  @Test func `what a resumed run may change is changed, and the peak rate is left where the run stands`() {
    let changes = ResumeChanges(
      epochs: 9, timeBudget: 8, patience: 0, learningRate: 0.5, threads: 7, workers: 6, saveMinutes: 5.5,
      divergence: .lower, ignoresMemory: true, acceptsErrors: true)
    let changed = changes.applied(to: Self.unusual)
    var expected = Self.unusual
    (expected.epochs, expected.timeBudget, expected.earlyStoppingPatience) = (9, 8, nil)
    // Epochs that somebody chose take the place of a time.
    expected.budget = nil
    (expected.threads, expected.workers) = (7, 6)
    (expected.safety.saveMinutes, expected.safety.divergence) = (5.5, .lower)
    #expect(changed == expected)
    #expect(ResumeChanges().applied(to: Self.unusual) == Self.unusual)
    #expect(throws: OutOfRange.self) { try ResumeChanges(learningRate: .nan).checkNumbers() }
    #expect(throws: OutOfRange.self) { try ResumeChanges(workers: 0).checkNumbers() }
    #expect(Settings.all.filter(\.isChangeable).count == 10)
  }

  @Test(arguments: [".x", "-x", "a/b", "", "/"])
  func `a run's name is refused wherever it is given`(name: String) {
    var settings = Settings.usual
    #expect(throws: SettingRefusal.self) { try Settings.name.put(name, in: &settings) }
    #expect(settings.name == nil)
  }
}
