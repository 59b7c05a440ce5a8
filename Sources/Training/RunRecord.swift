// run.json: what a run was started with, or resumed with where that was changed. Everything that is needed to start the
// same run again and to tell whether its data are still the same; nothing that changes while it runs.

import Files
import Foundation
import Messages

/// The record of a run, written when it starts and when it is resumed with other settings.
public struct RunRecord: Codable, Sendable, Equatable {
  /// The version of this record's layout that this program writes.
  public static let currentFormat = 1

  public var format: Int
  /// The version of Skipline that wrote it.
  public var skipline: String
  /// ISO 8601, UTC.
  public var created: String
  /// The command that started the run, word by word; empty for the workbench.
  public var commandLine: [String]
  public var settings: TrainingSettings
  /// The network with every default filled in, the classes in the order of the labels, the preprocessing.
  public var model: ModelDescription
  /// Identifies the images and how they were divided; another one at resume means that the data changed.
  public var splitFingerprint: String

  public init(
    skipline: String, created: Date, commandLine: [String], settings: TrainingSettings, model: ModelDescription,
    splitFingerprint: String
  ) {
    format = Self.currentFormat
    self.skipline = skipline
    self.created = created.formatted(.iso8601)
    self.commandLine = commandLine
    self.settings = settings
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
  /// - Throws: `RunFolderError.unreadable`, also for a record that a later version of Skipline wrote.
  public func record() throws -> RunRecord {
    struct Format: Decodable { var format: Int }
    let format = try RunJSON.read(Format.self, path: recordPath).format
    guard (1...RunRecord.currentFormat).contains(format) else {
      throw RunFolderError.unreadable(
        path: recordPath, reason: "it has format \(format), and this version knows \(RunRecord.currentFormat)")
    }
    let record: RunRecord
    do {
      record = try RunJSON.read(RunRecord.self, path: recordPath)
    } catch let error as RunFolderError {
      guard let completed = completedRecord() else { throw error }
      record = completed
    }
    do { try record.checkNumbers() } catch {
      throw RunFolderError.unreadable(path: recordPath, reason: "\(error)")
    }
    return record
  }

  /// The record of an earlier version, with the defaults of settings that it did not have.
  private func completedRecord() -> RunRecord? {
    guard let data = try? Data(InputFile.contents(of: recordPath, bound: SizeBound.runRecord)),
      var record = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let settings = record["settings"] as? [String: Any],
      let usual = try? RunJSON.document(TrainingSettings(data: "", network: NetworkSettings(name: ""))),
      let defaults = try? JSONSerialization.jsonObject(with: usual) as? [String: Any]
    else { return nil }
    record["settings"] = defaults.merging(settings) { _, own in own }
    return (try? JSONSerialization.data(withJSONObject: record)).flatMap {
      try? RunJSON.decoder.decode(RunRecord.self, from: $0)
    }
  }
}
