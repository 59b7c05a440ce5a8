// The engine, the thread that answers what a person browses: datasets, decisions, networks, checkpoints, pictures.
// Nothing here waits for a training step.

import Datasets
import Files
import Images
import Messages
import Networks
import Resources
import Support
import Training

/// The thread that answers what a person browses.
struct BrowsingThread {
  let commands: BrowsingInbox
  let events: Mailbox<Event>
  private let decisions: DecisionStore
  private let decoder = ImageDecoder()
  /// The dataset that was read last: to decide about its images it need not be read again.
  private var lastReading: (path: String, reading: ScannedDataset)?

  init(commands: BrowsingInbox, events: Mailbox<Event>, decisions: DecisionStore) {
    self.commands = commands
    self.events = events
    self.decisions = decisions
  }

  mutating func run() {
    while let command = commands.next() {
      do {
        try answer(command)
      } catch {
        events.send(.failure("\(error)"))
      }
    }
  }

  private mutating func answer(_ command: BrowsingCommand) throws {
    switch command {
    case .openDataset(let path, let split, let checkingFiles):
      commands.beginReading()
      try open(path, split: split, checkingFiles: checkingFiles)
    case .cancelReading: events.send(.readingCancelled)
    case .decide(let data, let split, let changes): try decide(changes, data: data, split: split)
    case .describeNetwork(
      let settings, let imageSize, let classes, let batchSize, let threads, let workers, let freeze):
      try Settings.batchSize.check(batchSize)
      try Architecture.check(settings)
      let plan = try NetworkPlan(settings, imageSize: imageSize, classes: classes)
      events.send(
        .network(try plan.summary(batchSize: batchSize, threads: threads, workers: workers, freeze: freeze)))
    case .listCheckpoints(let project):
      var found: [CheckpointInfo] = []
      for (run, data, fit) in ofThisDatasetFirst(try RunFolder.listRuns(project: project)) {
        let listing = run.checkpointListing()
        found += listing.usable.map { checkpoint in
          var checkpoint = checkpoint
          (checkpoint.data, checkpoint.fit) = (data, fit)
          return checkpoint
        }
        for damaged in listing.damaged { events.send(.warning(damaged.reason)) }
      }
      events.send(.checkpoints(found))
    case .readRun(let folder):
      do {
        events.send(.runHistory(folder: folder, try RunFolder(existing: folder).history(), reason: nil))
      } catch {
        events.send(.runHistory(folder: folder, nil, reason: "\(error)"))
      }
    case .preview(let path, let side): preview(path, side)
    }
  }

  /// Runs in their order, but those first that were trained on the dataset that was read last; each with its dataset
  /// and how the one that was read fits it.
  private func ofThisDatasetFirst(_ runs: [RunFolder]) -> [(run: RunFolder, data: String?, fit: DataFit?)] {
    let open = lastReading.map { (place: FilePath.real($0.path), classes: Set($0.reading.classes)) }
    let related = runs.map { run -> (run: RunFolder, data: String?, fit: DataFit?) in
      guard let record = try? run.record() else { return (run, nil, nil) }
      guard let open else { return (run, record.settings.data, nil) }
      if FilePath.real(record.settings.data) == open.place { return (run, record.settings.data, .own) }
      let isKnown = record.model.classes.contains(where: open.classes.contains)
      return (run, record.settings.data, isKnown ? .otherData : .otherClasses)
    }
    return related.filter { $0.fit == .own } + related.filter { $0.fit != .own }
  }

  /// Reads a dataset and, to inspect it, every file of it; nothing more is told once that was cancelled.
  private mutating func open(_ path: String, split: SplitSettings, checkingFiles: Bool) throws {
    guard !commands.readingIsCancelled else { return }
    let index: DatasetIndex
    do {
      let reading = try read(path, split: split, isCancelled: { [commands] in commands.readingIsCancelled })
      index = reading.index(try decisions.find(for: reading))
    } catch DatasetError.cancelled {
      return
    }
    if commands.readingIsCancelled { return }
    events.send(.dataset(index.report()))
    // Among the findings too; but whoever opens a dataset should know whose decisions hold before looking there.
    for finding in index.findings where finding.kind == .decisionsMoved { events.send(.warning(finding.text)) }
    guard checkingFiles else { return }
    let fileCheck = index.checkFiles(
      workers: SystemProcessors.available,
      progress: { [events] done, total in events.send(.datasetProgress(.checking(done: done, total: total))) },
      isCancelled: { [commands] in commands.readingIsCancelled })
    if let fileCheck, !commands.readingIsCancelled { events.send(.dataset(index.report(fileCheck: fileCheck))) }
  }

  private mutating func read(
    _ path: String, split: SplitSettings, isCancelled: () -> Bool
  ) throws(DatasetError) -> ScannedDataset {
    let reading = try ScannedDataset.read(
      root: path, split: split, progress: { events.send(.datasetProgress($0)) }, isCancelled: isCancelled)
    lastReading = (path, reading)
    return reading
  }

  private mutating func decide(_ changes: [DecisionChange], data: String, split: SplitSettings) throws {
    let reading: ScannedDataset
    if let lastReading, lastReading.path == data, lastReading.reading.split == split {
      reading = lastReading.reading
    } else {
      do {
        reading = try read(data, split: split, isCancelled: { [commands] in commands.isClosed })
      } catch DatasetError.cancelled {
        return
      }
    }
    try decisions.update(reading) { try $0.apply(changes, to: reading) }
    events.send(.dataset(reading.index(try decisions.find(for: reading)).report()))
  }

  private func preview(_ path: String, _ side: Int) {
    do throws(DecodingFailure) {
      let image = try decoder.decode(path: path, minimumSide: side)
      let scale = min(1, Double(side) / Double(max(image.width, image.height)))
      let small = image.resized(
        width: max(1, Int(Double(image.width) * scale)), height: max(1, Int(Double(image.height) * scale)))
      events.send(.preview(path: path, small, reason: nil))
    } catch {
      events.send(.preview(path: path, nil, reason: error.reason))
    }
  }
}
