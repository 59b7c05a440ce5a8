// run.json: what a run was started with, or resumed with where that was changed. Everything that is needed to start the
// same run again and to tell whether its data are still the same; nothing that changes while it runs.

import Datasets
import Files
import FoundationEssentials
import Messages
import Networks
import WeightFiles

/// The record of a run, written when it starts and when it is resumed with other settings.
public struct RunRecord: Codable, Sendable, Equatable {
  /// The version of this record's layout: the only one that this program writes, and reads.
  public static let currentFormat = 3

  public var format: Int
  /// The version of Skipline that wrote it.
  public var skipline: String
  /// ISO 8601, UTC.
  public var created: String
  /// The command that started the run, word by word; empty for the workbench.
  public var commandLine: [String]
  public var settings: TrainingSettings
  /// What of the settings was left to the recipe, what it chose and why; nil where nothing was.
  public var recipe: RecipeReport?
  /// The network with every default filled in, the classes in the order of the labels, the preprocessing.
  public var model: ModelDescription
  /// Identifies the images and how they were divided; another one at resume means that the data changed.
  public var splitFingerprint: String

  public init(
    skipline: String, created: Date, commandLine: [String], settings: TrainingSettings,
    recipe: RecipeReport? = nil, model: ModelDescription, splitFingerprint: String
  ) {
    format = Self.currentFormat
    self.skipline = skipline
    self.created = created.formatted(.iso8601)
    self.commandLine = commandLine
    self.settings = settings
    self.recipe = recipe
    self.model = model
    self.splitFingerprint = splitFingerprint
  }
}

extension RunRecord {
  /// - Throws: `OutOfRange` for a number that no run could have been started with.
  func checkNumbers() throws(OutOfRange) {
    try settings.checkNumbers(at: "settings")
    let split = settings.split
    guard split.train + split.validation + split.test == 100 else {
      throw OutOfRange(
        place: "settings.split", value: "\(split.train)/\(split.validation)/\(split.test)",
        requirement: "percentages that add up to 100")
    }
  }
}

extension RunFolder {
  /// Writes `run.json`, atomically.
  /// - Throws: `FileOperationError`.
  public func save(_ record: RunRecord) throws {
    try AtomicFile.write(try RunJSON.document(record), to: recordPath)
  }

  /// Reads `run.json`.
  /// - Throws: `RunFolderError.unreadable`, also for a record that an earlier or later version of Skipline wrote.
  public func record() throws -> RunRecord {
    struct Format: Decodable { var format: Int }
    let format = try RunJSON.read(Format.self, path: recordPath).format
    guard format == RunRecord.currentFormat else {
      throw RunFolderError.unreadable(
        path: recordPath,
        reason:
          "it has format \(format), of \(format < RunRecord.currentFormat ? "an earlier" : "a later") version of "
          + "Skipline, and this version reads format \(RunRecord.currentFormat) only; use that version, or train again"
      )
    }
    let record = try RunJSON.read(RunRecord.self, path: recordPath)
    do { try record.checkNumbers() } catch {
      throw RunFolderError.unreadable(path: recordPath, reason: "\(error)")
    }
    return record
  }
}

extension RunFolder {
  /// Compares what a record says about the network with itself, and with what the run's `last` checkpoint says.
  /// - Throws: `RunFolderError.unreadable` where they do not agree; `CheckpointError` or `SafetensorsError` for a
  ///   checkpoint that cannot be read.
  func checkModel(_ record: RunRecord) throws {
    func refuse(_ key: String, _ value: String, _ other: String) -> RunFolderError {
      .unreadable(path: recordPath, reason: "\"\(key)\" is \(value), and \(other)")
    }
    let (settings, model) = (record.settings, record.model)
    let size = model.preprocessing.imageSize
    guard settings.preprocessing.imageSize == size else {
      throw refuse(
        "settings.preprocessing.imageSize", "\(settings.preprocessing.imageSize)",
        "\"model.preprocessing.imageSize\" is \(size)")
    }
    func plan(_ key: String, _ network: NetworkSettings) throws -> NetworkPlan {
      do {
        return try NetworkPlan(network, imageSize: size, classes: model.classes.count)
      } catch let error as NetworkError {
        throw RunFolderError.unreadable(path: recordPath, reason: "in \(key): \(error)")
      }
    }
    guard !model.classes.isEmpty else {
      throw RunFolderError.unreadable(path: recordPath, reason: "in model.classes: there is none")
    }
    let own = try plan("model.network", model.network).settings
    let asked = try plan("settings.network", settings.network).settings
    guard asked == own else {
      throw refuse(
        "settings.network", asked.name + asked.optionText, "\"model.network\" is \(own.name)\(own.optionText)")
    }
    guard FilePath.isFolder(path(of: .last)) != nil else { return }
    let saved: ModelDescription
    do {
      guard let found = try Checkpoint.model(path: path(of: .last)) else { return }
      saved = found
    } catch is SafetensorsError {
      // Restoring it tells what there is instead.
      return
    }
    let name = "last.safetensors"
    guard saved.preprocessing == model.preprocessing else {
      let differs = saved.preprocessing.imageSize != size
      throw refuse(
        differs ? "model.preprocessing.imageSize" : "model.preprocessing",
        differs ? "\(size)" : "another one",
        "\(name) was trained with \(differs ? "\(saved.preprocessing.imageSize)" : saved.preprocessing.text)")
    }
    let trained = try saved.plan().settings
    guard trained == own else {
      throw refuse("model.network", own.name + own.optionText, "\(name) is \(trained.name)\(trained.optionText)")
    }
    guard saved.classes == model.classes else {
      throw refuse("model.classes", "another list", "\(name) knows \(saved.classes.joined(separator: ", "))")
    }
  }
}

extension Preprocessing {
  /// `image size 64, crop, mean 0.5,0.4,0.3, std 0.2,0.3,0.25`
  public var text: String {
    func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    let padding = padColor.map { " with \($0)" } ?? ""
    return "image size \(imageSize), \(resize.rawValue)\(padding), mean \(list(mean)), std \(list(std))"
  }
}
