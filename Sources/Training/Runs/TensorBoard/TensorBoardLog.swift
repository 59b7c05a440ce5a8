// What a run measures as TensorBoard's event files, beside metrics.jsonl and cut back with it. Each process that trains
// the run, and each way back, begins a file of its own: a TensorBoard that is open has read the old one to an end that is
// no more, goes on with the new one, and forgets of the old what the new one has again.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Messages
import Protobuf

/// The growing event files of a run: `events.out.tfevents.000001.skipline` and so on, in its folder.
final class TensorBoardLog {
  private let folder: String
  private let calls: FileCalls
  private let onFailure: (String) -> Void
  private var file: OutputFile?
  private var hasFailed = false
  private let now: () -> Double

  private static let prefix = "events.out.tfevents."
  private static let ending = ".skipline"

  /// - Parameters:
  ///   - folder: the run's.
  ///   - now: seconds since 1970.
  ///   - onFailure: called once, with what happened, when an event is lost for the first time.
  init(
    folder: String, calls: FileCalls = .system, now: @escaping () -> Double = { Date().timeIntervalSince1970 },
    onFailure: @escaping (String) -> Void
  ) {
    self.folder = folder
    self.calls = calls
    self.now = now
    self.onFailure = onFailure
  }

  /// Appends a step's metrics: `train/loss` and so on. Never fails: an event that cannot be written is lost and
  /// `onFailure` told.
  func append(_ step: StepMetrics) {
    // How long the rest will take was measured of nothing.
    let metrics = Metric.ofSteps.filter { $0 != .secondsLeft }
    append(step: step.step, metrics.compactMap { Self.scalar("train", $0, step[$0]) })
  }

  /// Appends an epoch's metrics, `epoch/trainLoss`, `validation/top1`, and what else there is to see of it.
  func append(_ epoch: EpochMetrics, _ more: [SummaryValue]) {
    // Where a file could not be written the disk may have room by now.
    hasFailed = false
    var values = [SummaryValue(SummaryEvent.epochTag, .scalar(Float(epoch.epoch)))]
    values += Metric.ofEpochs.compactMap { Self.scalar("epoch", $0, epoch[$0]) }
    if let validation = epoch.validation {
      values += Metric.ofValidations.compactMap { Self.scalar("validation", $0, validation[$0]) }
    }
    append(step: epoch.step, values + more)
  }

  /// Appends what the layers are like.
  func append(_ layers: LayerStatistics) { append(step: layers.step, layers.summaryValues) }

  static func scalar(_ group: String, _ metric: Metric, _ value: Double?) -> SummaryValue? {
    value.map { SummaryValue("\(group)/\(metric.key)", .scalar(Float($0))) }
  }

  private var isTold = false

  private func append(step: Int, _ values: [SummaryValue]) {
    guard !hasFailed else { return }
    do throws(FileOperationError) {
      if file == nil { file = try begin() }
      try file?.append(TFRecord.record(SummaryEvent.message(time: now(), step: step, values)))
    } catch {
      // Behind a torn record nothing more can be read: the next file is another one.
      file = nil
      hasFailed = true
      if !isTold { onFailure("events for TensorBoard are being lost, training goes on: \(error)") }
      isTold = true
    }
  }

  private func begin() throws(FileOperationError) -> OutputFile {
    var number = (Self.parts(in: folder).last?.number ?? 0) + 1
    while true {
      do throws(FileOperationError) {
        let file = try OutputFile(creating: Self.path(number, in: folder), calls: calls)
        try file.append(TFRecord.record(SummaryEvent.version(time: now())))
        return file
      } catch {
        guard error.code == EEXIST else { throw error }
        number += 1
      }
    }
  }

  /// Puts the events so far on disk. Where that fails they are as lost as those that could not be written.
  func sync() { try? file?.sync() }

  // MARK: Going back

  /// Drops what came after a checkpoint, as `MetricsLog.rewind` does; torn events at the ends of files go too.
  /// - Throws: `FileOperationError`.
  func rewind(toStep step: Int, epoch: Int) throws {
    file = nil
    for part in Self.parts(in: folder) {
      try Self.cut(part.path) { $0.step <= step && $0.epoch ?? 0 <= epoch }
    }
  }

  /// Cuts a file behind the last event before the first one that is not kept, and removes one of which nothing is left.
  private static func cut(_ path: String, keep: (SummaryEvent.Place) -> Bool) throws(FileOperationError) {
    let file = try InputFile(path: path)
    var (end, kept) = (0, 0)
    try forEachEvent(in: file) { event, place in
      let place = try? SummaryEvent.Place(event)
      guard let place, keep(place) else { return false }
      if place.isSummary { kept += 1 }
      end += TFRecord.headerLength + event.count + TFRecord.footerLength
      return true
    }
    if kept == 0 {
      guard path.withPathCString({ unlink($0) }) == 0 || errno == ENOENT else {
        throw FileOperationError(path: path, step: .remove, code: errno)
      }
      return
    }
    guard end < file.size else { return }
    let descriptor = try openToAppend(path, creating: false)
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(end)) == 0 else {
      throw FileOperationError(path: path, step: .write, code: errno)
    }
  }

  /// Calls `body` with every whole event, until one is damaged or `body` answers false.
  static func forEachEvent(
    in file: InputFile, _ body: (_ event: UnsafeRawBufferPointer, _ offset: Int) -> Bool
  ) throws(FileOperationError) {
    var offset = 0
    var header = [UInt8](repeating: 0, count: TFRecord.headerLength)
    while offset + TFRecord.headerLength + TFRecord.footerLength <= file.size {
      guard try file.read(into: &header, count: header.count, at: offset) == header.count,
        let length = header.withUnsafeBytes({ TFRecord.length(header: $0) }),
        length <= UInt64(file.size - offset - TFRecord.headerLength - TFRecord.footerLength)
      else { return }
      try file.requireMemory(Int(length))
      var record = [UInt8](repeating: 0, count: Int(length) + TFRecord.footerLength)
      guard try file.read(into: &record, count: record.count, at: offset + TFRecord.headerLength) == record.count
      else { return }
      let goesOn = record.withUnsafeBytes { record in
        let data = UnsafeRawBufferPointer(rebasing: record.prefix(Int(length)))
        let footer = UnsafeRawBufferPointer(rebasing: record.suffix(TFRecord.footerLength))
        return TFRecord.isIntact(data: data, footer: footer) && body(data, offset)
      }
      guard goesOn else { return }
      offset += TFRecord.headerLength + Int(length) + TFRecord.footerLength
    }
  }

  // MARK: Files

  private static func path(_ number: Int, in folder: String) -> String {
    let digits = "\(number)"
    return "\(folder)/\(prefix)\(String(repeating: "0", count: max(0, 6 - digits.utf8.count)))\(digits)\(ending)"
  }

  /// The files of a run, the oldest first.
  static func parts(in folder: String) -> [(number: Int, path: String)] {
    let names = (try? Folder.names(in: folder)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix(prefix), name.hasSuffix(ending) else { return nil }
      return Int(name.dropFirst(prefix.count).dropLast(ending.count)).map { ($0, "\(folder)/\(name)") }
    }.sorted { $0.number < $1.number }
  }

  /// Writes values as a file of their own.
  /// - Throws: `FileOperationError`.
  static func write(_ values: [SummaryValue], step: Int, named name: String, in folder: String) throws {
    let time = Date().timeIntervalSince1970
    try AtomicFile.write(to: "\(folder)/\(prefix)\(name)\(ending)") { output in
      try output.append(TFRecord.record(SummaryEvent.version(time: time)))
      try output.append(TFRecord.record(SummaryEvent.message(time: time, step: step, values)))
    }
  }
}
