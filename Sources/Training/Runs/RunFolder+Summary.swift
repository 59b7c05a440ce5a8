// A run as a list of runs shows it. Hundreds of runs are listed at once, so nothing of any size is read.

import Files
import FoundationEssentials
import Glibc
import Messages
import Support

extension RunFolder {
  /// What can be told of the run from its folder; a run that cannot be read says so in it.
  /// - Parameter checkpoints: of the run, where they were listed already.
  public func summary(of checkpoints: [CheckpointInfo]? = nil) -> RunSummary {
    let checkpoints = checkpoints ?? checkpointListing().usable
    var summary = RunSummary(folder: path, state: .resumable)
    let record: RunRecord?
    do {
      _ = try RunFolder(existing: path)
      record = try self.record()
    } catch {
      (record, summary.problem) = (nil, "\(error)")
    }
    let progress = progress(of: checkpoints, record)
    (summary.epoch, summary.step, summary.best) = (progress.epoch, progress.step, progress.best)
    if let record {
      summary.network = record.settings.network.name
      let options = record.settings.network.optionWords.joined(separator: " ")
      summary.networkOptions = options.isEmpty ? nil : options
      (summary.data, summary.epochs) = (record.settings.data, record.settings.epochs)
      (summary.created, summary.initialWeights) = (record.created, record.settings.initialWeights)
    }
    summary.changed = checkpoints.map(\.savedAt).max() ?? summary.created
    summary.age = summary.changed.flatMap { try? Date($0, strategy: .iso8601) }.map {
      max(0, -$0.timeIntervalSinceNow)
    }
    summary.test = lastTestResult()
    summary.note = note
    summary.process = RunLock.holder(of: self)
    let isDone = record.map { progress.epoch >= $0.settings.epochs && !progress.wasCutShort } ?? false
    summary.state =
      summary.process != nil ? .inUse : summary.problem != nil ? .unreadable : isDone ? .finished : .resumable
    return summary
  }

  // MARK: Its last test result

  /// Of the evaluations of the run's own test images, the one that was written last.
  private func lastTestResult() -> RunSummary.TestResult? {
    let ending = "-test.json"
    let names = ((try? Folder.names(in: evaluationsPath)) ?? []).filter { $0.hasSuffix(ending) }
    let dated = names.compactMap { name in modified("\(evaluationsPath)/\(name)").map { (name: name, date: $0) } }
    guard let newest = dated.max(by: { $0.date < $1.date }) else { return nil }
    return top1(in: "\(evaluationsPath)/\(newest.name)").map {
      RunSummary.TestResult(checkpoint: String(newest.name.dropLast(ending.count)), top1: $0)
    }
  }

  /// Nanoseconds since 1970; nil where there is no such file.
  private func modified(_ path: String) -> Int? {
    var status = stat()
    guard path.withPathCString({ stat($0, &status) }) == 0 else { return nil }
    return Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
  }

  /// Keys are sorted, so that it stands behind the long lists, near the end.
  private func top1(in path: String) -> Double? {
    struct Figure: Decodable { var top1: Double }
    let mark = "\n  \"top1\" : "
    if let file = try? InputFile(path: path) {
      let count = min(file.size, 16 << 10)
      var bytes = [UInt8](repeating: 0, count: count)
      if let received = try? file.read(into: &bytes, count: count, at: file.size - count) {
        let text = String(decoding: bytes.prefix(received), as: UTF8.self)
        if let place = text.firstRange(of: mark),
          let value = Double(text[place.upperBound...].prefix { !",\n".contains($0) }), (0...1).contains(value)
        {
          return value
        }
      }
    }
    return (try? RunJSON.read(Figure.self, path: path, bound: SizeBound.evaluation))?.top1
  }

  // MARK: Its note

  /// Where what somebody wrote about the run is kept.
  public var notePath: String { path + "/note.txt" }

  /// What somebody wrote about the run; nil for nothing.
  public var note: String? {
    guard let bytes = try? InputFile.contents(of: notePath, bound: 64 << 10) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self).trimmed
    return text.isEmpty ? nil : text
  }

  /// Keeps what somebody writes about the run; an empty text takes it away.
  /// - Throws: `FileOperationError`.
  public func setNote(_ text: String) throws {
    try AtomicFile.write(Data((text.trimmed + "\n").utf8), to: notePath)
  }
}

extension String {
  fileprivate var trimmed: String {
    let isSpace: (Character) -> Bool = { $0.isWhitespace }
    return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }
}
