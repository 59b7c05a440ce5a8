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
  private let recipes: RecipeShelf
  private let decoder = ImageDecoder()
  /// The dataset that was read last: to decide about its images it need not be read again.
  private var lastReading: (path: String, reading: ScannedDataset)?

  init(
    commands: BrowsingInbox, events: Mailbox<Event>, decisions: DecisionStore, recipes: RecipeShelf = .standard
  ) {
    self.commands = commands
    self.events = events
    self.decisions = decisions
    self.recipes = recipes
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
      let settings, let imageSize, let classes, let batchSize, let threads, let workers, let freeze,
      let remembering):
      try Settings.batchSize.check(batchSize)
      try Architecture.check(settings)
      let plan = try NetworkPlan(settings, imageSize: imageSize, classes: classes)
      events.send(
        .network(
          try plan.summary(
            batchSize: batchSize, threads: threads, workers: workers, freeze: freeze, remembering: remembering)))
    case .listCheckpoints(let project):
      var found: [CheckpointInfo] = []
      var summaries: [RunSummary] = []
      for (run, data, fit) in ofThisDatasetFirst(try RunFolder.listRuns(project: project)) {
        let listing = run.checkpointListing()
        summaries.append(run.summary(of: listing.usable))
        found += listing.usable.map { checkpoint in
          var checkpoint = checkpoint
          (checkpoint.data, checkpoint.fit) = (data, fit)
          return checkpoint
        }
        for damaged in listing.damaged { events.send(.warning(damaged.reason)) }
      }
      events.send(.checkpoints(found))
      events.send(.runs(project: project, summaries))
    case .readRun(let folder):
      do {
        events.send(.runHistory(folder: folder, try RunFolder(existing: folder).history(), reason: nil))
      } catch {
        events.send(.runHistory(folder: folder, nil, reason: "\(error)"))
      }
    case .compareRuns(let folders):
      do {
        events.send(.runTable(try RunTable(folders.map { try RunFolder(existing: $0) }), reason: nil))
      } catch {
        events.send(.runTable(nil, reason: "\(error)"))
      }
    case .lab(let question):
      do { events.send(.lab(.report(try report(of: question)))) } catch {
        events.send(.lab(.failed("\(error)")))
      }
    case .recipes(let question): events.send(.recipes(answer(question)))
    case .changeRun(let change): try self.change(change)
    case .preview(let path, let side):
      var (image, reason) = picture(path, side)
      if let header = try? decoder.header(path: path) {
        image?.file = PixelImage.FileFacts(
          format: header.format.rawValue, width: header.width, height: header.height,
          bytes: try? InputFile(path: path).size)
      }
      events.send(.preview(path: path, image, reason: reason))
    case .thumbnails(let paths, let side):
      for path in paths where !commands.isClosed {
        let (image, reason) = picture(path, side)
        events.send(.thumbnail(path: path, image, reason: reason))
      }
    }
  }

  private func report(of question: LabQuestion) throws -> LabReport {
    let lab: DegradationLab
    switch question {
    case .begin(let plan):
      lab = DegradationLab(plan)
      try lab.begin()
    case .read(let name, let project):
      lab = try DegradationLab(named: name, project: project)
      try lab.requireSame(decisions: decisions, isCancelled: { [commands] in commands.isClosed })
    }
    return try lab.report()
  }

  private func answer(_ question: RecipeQuestion) -> RecipeAnswer {
    do {
      switch question {
      case .list: return .list(try recipes.list())
      case .save(let name, let settings, let replaces):
        return .saved(name: name, file: try recipes.save(settings, as: name, replaces: replaces))
      case .load(let name, let others): return .loaded(name: name, try recipes.recipe(name).settings(for: others))
      }
    } catch let error as RecipeExists {
      return .exists(name: error.name)
    } catch {
      return .failed("\(error)")
    }
  }

  private func change(_ change: RunChange) throws {
    let changed: RunFolder
    switch change {
    case .note(let folder, let text):
      changed = try RunFolder(existing: folder)
      try changed.setNote(text)
    case .rename(let folder, let name): changed = try RunFolder(existing: folder).renamed(to: name)
    case .remove(let folder): changed = try RunFolder(existing: folder).removed()
    case .restore(let folder, let path): changed = try RunFolder(existing: folder).restored(to: path)
    }
    events.send(.runChanged(change, folder: changed.path))
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

  /// A decoded file, or why there is none.
  private func picture(_ path: String, _ side: Int) -> (image: PixelImage?, reason: String?) {
    do throws(DecodingFailure) {
      let image = try decoder.decode(path: path, minimumSide: side)
      let scale = min(1, Double(side) / Double(max(image.width, image.height)))
      let small = image.resized(
        width: max(1, Int(Double(image.width) * scale)), height: max(1, Int(Double(image.height) * scale)))
      return (small, nil)
    } catch {
      return (nil, error.reason)
    }
  }
}
