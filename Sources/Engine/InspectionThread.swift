// The engine, the thread that answers questions about a model's answers: evaluations image by image, where a network
// looked, what an image resembles, suspected labels. A question may take some seconds, for which neither a picture nor a
// training step should wait.

import Datasets
import Files
import Inspection
import Messages
import Networks
import Resources
import Support
import Synchronization
import Tensors
import Training

/// The questions that wait: of each kind about one image only the newest is still wanted.
final class InspectionInbox: Sendable {
  private let inbox = Inbox<InspectionCommand>(coalescing: { newest, next in
    switch (newest, next) {
    case (.explain, .explain), (.findSimilar, .findSimilar), (.computeFeatures, .computeFeatures),
      (.measureLayers, .measureLayers), (.drawFilters, .drawFilters), (.drawMaps, .drawMaps):
      next
    default: newest == next ? next : nil
    }
  })

  var isClosed: Bool { inbox.isClosed }
  func close() { inbox.close() }
  func offer(_ command: InspectionCommand) -> Bool { inbox.offer(command) }
  func next() -> InspectionCommand? { inbox.next(waiting: true) }
}

/// The records of the evaluations made last in this process: also those that no run's folder keeps.
final class RecordShelf: Sendable {
  private let records = Mutex<[EvaluationRecord]>([])
  private static let most = 2

  func put(_ record: EvaluationRecord) {
    records.withLock { records in
      records.removeAll { $0.table.source == record.table.source }
      records.append(record)
      if records.count > Self.most { records.removeFirst() }
    }
  }

  subscript(source: EvaluationSource) -> EvaluationRecord? {
    records.withLock { $0.last { $0.table.source == source } }
  }
}

/// The thread that inspects.
struct InspectionThread {
  let questions: InspectionInbox
  let events: Mailbox<Event>
  let shelf: RecordShelf
  private let decisions: DecisionStore
  /// The checkpoint that was used last, with what its file was then.
  private var lastModel: (path: String, stamp: FileStamp?, model: LoadedModel)?
  private var lastPool: ThreadPool?

  init(questions: InspectionInbox, events: Mailbox<Event>, shelf: RecordShelf, decisions: DecisionStore) {
    self.questions = questions
    self.events = events
    self.shelf = shelf
    self.decisions = decisions
  }

  mutating func run() {
    while let question = questions.next() {
      do {
        try answer(question)
      } catch let missing as NoRecord {
        events.send(.inspection(question, .missingEvaluation(missing.source, reason: missing.reason)))
      } catch {
        events.send(.inspection(question, .failure("\(error)")))
      }
    }
  }

  private mutating func answer(_ question: InspectionCommand) throws {
    func tell(_ answer: InspectionAnswer) { events.send(.inspection(question, answer)) }
    switch question {
    case .openEvaluation(let source):
      var table = try record(source).table
      tell(.table(table))
      // Reading the dataset takes longer than the table did: it is told again where it is of other images.
      table.staleness = staleness(of: source)
      if table.staleness != nil { tell(.table(table)) }
    case .explain(let checkpoint, let file, let classes):
      let explainer = Explainer(model: try model(checkpoint), pool: try pool())
      tell(.explanation(try explainer.explain(file, classes: classes)))
    case .findSimilar(let source, let file, let count):
      let record = try record(source)
      guard let features = record.features else {
        return tell(
          .failure("no features are kept of this evaluation: " + record.table.notes.joined(separator: "; ")))
      }
      let own = FilePath.relative(file, below: record.table.root).flatMap { record.table.row(of: $0) }
      let query =
        try own.map { try features.values($0..<$0 + 1) } ?? extractor(source.checkpoint).features(of: file)
      tell(.similarImages(try features.mostAlike(to: query, count: count, in: record.table, excluding: own)))
    case .computeFeatures(let checkpoint, let file): tell(.features(try extractor(checkpoint).features(of: file)))
    case .findLabelErrors(let sources, let inSample):
      let search = try LabelErrorSearch(
        try sources.map { try record($0) }, judgesInSample: inSample, pool: try pool())
      let found = try search.run { [events, questions] done, total in
        events.send(.inspectionProgress(question, done: done, total: total))
        return !questions.isClosed
      }
      if let found { tell(.labelErrors(found.report)) }
    case .compare(let first, let second):
      tell(.comparison(EvaluationComparison(try record(first).table, try record(second).table)))
    case .measureLayers(let checkpoint, let data):
      let job = try EvaluationJob(checkpoint: checkpoint, data: data, split: nil, batchSize: Self.layerImages)
      let report = try job.layers(
        threads: 1, decisions: decisions, preparation: { [questions] _ in !questions.isClosed })
      if let report { tell(.layers(report)) }
    case .drawFilters(let checkpoint):
      let picture = try NetworkPicture(filtersOf: try model(checkpoint))
      tell(.picture(picture.image, text: picture.text))
    case .drawMaps(let checkpoint, let file, let layer):
      let picture = try NetworkPicture(mapsOf: try model(checkpoint), for: file, layer: layer, pool: try pool())
      tell(.picture(picture.image, text: picture.text))
    case .export(let export):
      switch try EvaluationExporter.write(export) {
      case .exists: tell(.exists(file: export.file))
      case .written(let notes):
        tell(.exported(file: export.file))
        for note in notes { events.send(.warning(note)) }
      }
    }
  }

  /// Images that stand for all where layers are looked at: a batch.
  private static let layerImages = 64

  /// An evaluation of which nothing is kept.
  private struct NoRecord: Error {
    var source: EvaluationSource
    var reason: String?
  }

  private func record(_ source: EvaluationSource) throws -> EvaluationRecord {
    switch try KeptRecords.find(source) {
    case .record(let record): return record
    case .missing:
      if let record = shelf[source] { return record }
      throw NoRecord(source: source, reason: nil)
    case .unusable(let reason): throw NoRecord(source: source, reason: reason)
    }
  }

  /// Why a kept evaluation is not of what is there now; nil where it is, or that cannot be told.
  private func staleness(of source: EvaluationSource) -> String? {
    guard let record = try? record(source),
      let job = try? EvaluationJob(checkpoint: source.checkpoint, data: source.data, split: source.split),
      let now = try? job.currentProvenance(decisions: decisions, preparation: { _ in !questions.isClosed })
    else { return nil }
    return record.staleness(now)
  }

  private mutating func model(_ checkpoint: String) throws -> LoadedModel {
    let path = try CheckpointLocation(checkpoint).path
    let stamp = FileStamp(path: path)
    if let lastModel, lastModel.path == path, stamp != nil, lastModel.stamp == stamp { return lastModel.model }
    let model = try Checkpoint.load(path: path)
    lastModel = (path, stamp, model)
    return model
  }

  private mutating func extractor(_ checkpoint: String) throws -> FeatureExtractor {
    try FeatureExtractor(model: try model(checkpoint), pool: try pool())
  }

  /// One thread: the others may be training.
  private mutating func pool() throws -> ThreadPool {
    if let lastPool { return lastPool }
    let pool = try ThreadPool(reserving: 1)
    lastPool = pool
    return pool
  }
}
