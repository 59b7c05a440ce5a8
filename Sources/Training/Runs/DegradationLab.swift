// The degradation lab: a plain and a residual network of each depth, trained with one seed, one order of images and the
// same settings, as the article compares them (He et al. 2015, arXiv:1512.03385, figures 1, 4 and 6). Each is a run like
// any other; asked for again, what is there is kept and what is unfinished goes on.

import Datasets
import Files
import FoundationEssentials
import Messages
import Networks
import Support
import Tensors

/// The runs of a lab.
///
///     PROJECT/lab-1/lab.json     what is compared, and with which settings
///     PROJECT/lab-1-plain20/     the first run
public struct DegradationLab: Sendable {
  public let plan: LabPlan

  public init(_ plan: LabPlan) { self.plan = plan }

  /// What is kept.
  private struct Document: Codable {
    static let currentFormat = 1

    var format = Document.currentFormat
    var plan: LabPlan
  }

  /// What holds where no time was given, seconds: as long as one waits for an answer.
  public static let usualBudget = 600.0

  /// Options that runs of several networks, or of one length, have no use for.
  public static let refused: [any SettingRow] = [
    Settings.network, Settings.weights, Settings.classes, Settings.classOrder, Settings.freeze, Settings.patience,
    Settings.time,
  ]

  // MARK: Finding and keeping

  private static func path(_ name: String, in project: String) -> String { "\(project)/\(name)/lab.json" }

  /// The labs of a project, in natural order of their names.
  /// - Throws: `FileOperationError`.
  public static func names(project: String) throws -> [String] {
    guard try FilePath.kind(of: project) != nil else { return [] }
    return try Folder.names(in: project).filter { FilePath.isFolder(path($0, in: project)) == false }
      .sorted { NaturalOrder.precedes($0, $1) }
  }

  /// A lab that was begun.
  /// - Throws: `SettingsError` for one that is not there, naming those that are; `RunFolderError.unreadable`.
  public init(named name: String, project: String) throws {
    let project = FilePath.absolute(project)
    let path = Self.path(name, in: project)
    guard RunName.refusal(name) == nil, try FilePath.kind(of: path) != nil else {
      let names = try Self.names(project: project)
      throw SettingsError(
        "there is no lab \(name) in \(project); "
          + (names.isEmpty
            ? "none was begun there: skipline lab DATA" : "there are \(names.joined(separator: ", "))"))
    }
    struct Format: Decodable { var format: Int }
    let format = try RunJSON.read(Format.self, path: path).format
    guard format == Document.currentFormat else {
      throw RunFolderError.unreadable(
        path: path, reason: "it has format \(format), and this version reads format \(Document.currentFormat)")
    }
    var plan = try RunJSON.read(Document.self, path: path).plan
    do { try plan.settings.checkNumbers(at: "plan.settings") } catch {
      throw RunFolderError.unreadable(path: path, reason: "\(error)")
    }
    // Both may have been moved or renamed.
    (plan.name, plan.settings.project) = (name, project)
    self.init(plan)
  }

  /// The lab that is asked for where there is one already: the newest with the same data, depths and options.
  /// - Throws: `SettingsError` where the name that is asked for is of another one.
  public static func find(_ asked: LabRequest) throws -> DegradationLab? {
    let request = absolute(asked)
    let project = FilePath.absolute(request.settings.project)
    if let name = request.settings.name {
      guard try names(project: project).contains(name) else { return nil }
      let lab = try DegradationLab(named: name, project: project)
      let differing = lab.differences(from: request)
      guard differing.isEmpty else {
        throw SettingsError(
          "the lab \(name) was begun with other settings (\(differing.joined(separator: ", "))); give those, or begin "
            + "anew with another --name")
      }
      return lab
    }
    return try names(project: project).reversed().lazy
      .compactMap { try? DegradationLab(named: $0, project: project) }
      .first { $0.differences(from: request).isEmpty }
  }

  /// With paths as a lab keeps them.
  private static func absolute(_ request: LabRequest) -> LabRequest {
    var own = request
    own.settings.data = FilePath.absolute(request.settings.data)
    own.settings.project = FilePath.absolute(request.settings.project)
    own.settings.split.lists = request.settings.split.lists.map(FilePath.absolute)
    return own
  }

  /// The options in which a request differs; what neither of the two says is the same.
  private func differences(from request: LabRequest) -> [String] {
    let settings = request.settings
    let asked = Self.given(settings)
    let kept = Set(plan.given)
    var differing = Settings.all.filter { row in
      guard !SeriesRun.free.contains(row.key), !Self.places.contains(row.option) else { return false }
      if asked.contains(row.option) != kept.contains(row.option) { return true }
      return asked.contains(row.option) && row.text(in: settings) != row.text(in: plan.settings)
    }.map { "--\($0.option)" }
    if settings.budget != plan.budget { differing.append("--budget") }
    if request.depths != plan.depths { differing.append("--nets") }
    if FilePath.real(settings.data) != FilePath.real(plan.settings.data) { differing.append("DATA") }
    return differing
  }

  /// What is compared by itself, or is no setting of training.
  private static let places: Set<String> = [
    Settings.name.option, Settings.project.option, Settings.network.option, Settings.budget.option,
    Settings.recipe.option,
  ]

  /// The options of settings that are not left open.
  private static func given(_ settings: TrainingSettings) -> Set<String> {
    Set(Settings.all.filter { !settings.automatic.contains($0.option) }.map(\.option))
  }

  /// The same, computed as these settings say where that does not change what comes out.
  public func computing(like settings: TrainingSettings) -> DegradationLab {
    var own = plan
    own.settings.threads = settings.threads ?? plan.settings.threads
    own.settings.safety.ignoresMemory = settings.safety.ignoresMemory
    own.settings.safety.acceptsErrors = settings.safety.acceptsErrors
    return DegradationLab(own)
  }

  /// Keeps what is to be done, so that it can go on.
  /// - Throws: `FileOperationError`; `SettingsError` or `RunFolderError` where runs of its names are there.
  public func begin() throws {
    let folder = "\(plan.settings.project)/\(plan.name)"
    guard try FilePath.kind(of: "\(folder)/run.json") == nil else { throw RunFolderError.exists(path: folder) }
    for network in plan.depths.networks { try run(network).requireSame() }
    try Folder.make(plan.settings.project)
    try Folder.make(folder)
    try AtomicFile.write(try RunJSON.document(Document(plan: plan)), to: "\(folder)/lab.json")
  }

  // MARK: Planning

  /// Makes a new lab of what is asked for: what is not given is as in the article, the batch as the images have it, and
  /// the epochs as many as the time has room for. Nothing is written.
  /// - Throws: `SettingsError`, `DatasetError`, `UnacceptedErrors`, `NetworkError`, `ResourceShortage`;
  ///   `CancellationError`.
  public static func planned(
    _ given: LabRequest, decisions: DecisionStore = .standard,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws -> DegradationLab {
    let request = absolute(given)
    let asked = request.settings
    try requireFit(request)
    try ProjectFolder.require(asked.project, outside: asked.data)
    let index = try RunSetup.open(asked, decisions: decisions, progress: progress, isCancelled: isCancelled)
    if !asked.safety.acceptsErrors { try UnacceptedErrors.check(index) }
    guard index.items.contains(where: { $0.split == .train }) else {
      throw SettingsError("\(asked.data) has no training images; add some, or change --split")
    }
    progress(.planning)
    let facts = try DataFacts(measuring: index, isCancelled: isCancelled)
    if isCancelled() { throw CancellationError() }
    var settings = settled(request, facts)
    let cost = try cost(request.depths, settings, facts, isCancelled: isCancelled)
    let steps = max(1, (facts.trainingImages + settings.batchSize - 1) / settings.batchSize)
    if asked.automatic.contains(Settings.epochs) {
      let room = (asked.budget ?? usualBudget) * (1 - reserve) - cost.once
      // As many steps as in the article are enough for any set.
      let most = max(1, min(mostEpochs, mostSteps / steps))
      settings.epochs = max(1, min(most, Int(max(0, room) / cost.epoch)))
    }
    if asked.automatic.contains(Settings.schedule) { settings.schedule = schedule(epochs: settings.epochs) }
    let plan = LabPlan(
      name: try settings.name ?? freeName(project: settings.project), depths: request.depths, settings: settings,
      budget: asked.automatic.contains(Settings.epochs) ? asked.budget : nil,
      given: Self.given(asked).sorted(), fingerprint: index.fingerprint, trainingImages: facts.trainingImages,
      validationImages: facts.validationImages, testImages: facts.testImages,
      seconds: cost.once + Double(settings.epochs) * cost.epoch)
    for network in request.depths.networks { try plan.settings(of: network).requireTrainable() }
    return DegradationLab(plan)
  }

  /// - Throws: `SettingsError`, `NetworkError` for what no lab can have.
  private static func requireFit(_ request: LabRequest) throws {
    let asked = request.settings
    if let name = asked.name, RunName.refusal(name) != nil { throw RunFolderError.badName(name) }
    if asked.budget != nil, !asked.automatic.contains(Settings.epochs) {
      throw SettingsError(
        asked.automatic.isEmpty
          ? "--budget goes with --recipe auto: without it nothing is fitted into a time"
          : "--budget chooses the epochs: leave one of the two out")
    }
    // Whether the networks can be built at all comes before any image is read.
    for network in request.depths.networks {
      try Architecture.check(network.settings(like: asked.network))
    }
  }

  /// Section 4.2: SGD with momentum 0.9, weight decay 0.0001, rate 0.1 for batches of 128, random crops and mirror
  /// images. A smaller batch has a smaller rate, in proportion.
  private static func settled(_ request: LabRequest, _ facts: DataFacts) -> TrainingSettings {
    let open = request.settings.automatic
    var settings = request.settings
    func choose<Kind>(_ row: Setting<Kind>, _ value: Kind.Value) {
      if open.contains(row) { row.put(value: value, in: &settings) }
    }
    choose(Settings.batchSize, min(Recipe(facts: facts).batchSize, facts.trainingImages))
    if settings.optimizer.method == .sgd {
      choose(Settings.learningRate, 0.1 * Double(settings.batchSize) / 128)
      choose(Settings.weightDecay, 0.0001)
    }
    choose(Settings.flip, facts.mirroringHarm == nil)
    choose(Settings.imageSize, min(request.depths.isLarge ? 64 : 32, max(8, facts.shorterSide)))
    settings.automatic = .none
    settings.budget = nil
    return settings
  }

  /// A tenth of the rate after half of the epochs and again after three quarters, as in section 4.2.
  static func schedule(epochs: Int) -> Schedule {
    let places = [epochs / 2 + 1, epochs * 3 / 4 + 1].filter { $0 > 1 && $0 <= epochs }
    return places.isEmpty ? .constant : .step(epochs: Array(Set(places)).sorted(), factor: 0.1)
  }

  /// Of the time, what is kept for saving and for steps that are slower than the trial's.
  private static let reserve = 0.1
  private static let mostEpochs = 200
  /// Of the article: 64,000.
  private static let mostSteps = 64_000

  /// Seconds of an epoch of all networks together, and of what is done once.
  private static func cost(
    _ depths: LabDepths, _ settings: TrainingSettings, _ facts: DataFacts, isCancelled: () -> Bool
  ) throws -> (epoch: Double, once: Double) {
    let pool = try ThreadPool(reserving: settings.threads)
    let trial = StepTrial(pool: pool, seconds: 0.2)
    var (epoch, once) = (0.0, 0.0)
    for network in depths.networks {
      if isCancelled() { throw CancellationError() }
      let plan = try NetworkPlan(
        network.settings(like: settings.network), imageSize: settings.preprocessing.imageSize,
        classes: facts.classes)
      // A trial that does not fit into memory would end the program.
      try MemoryCheck(plan, settings).require()
      let cost = trial.cost(plan, batch: settings.batchSize, precision: settings.precision)
      epoch += Double(facts.trainingImages) * cost.training + Double(facts.validationImages) * cost.inference
      once += Double(facts.testImages) * cost.inference
    }
    let images = facts.trainingImages + facts.validationImages + facts.testImages
    once += Double(images) * facts.decodingSeconds / Double(max(1, pool.threads))
    return (epoch, once)
  }

  /// `lab-1`, or the first number that neither a lab nor a run has.
  private static func freeName(project: String) throws -> String {
    let there = try FilePath.kind(of: project) == nil ? [] : Folder.names(in: project)
    var number = 1
    while there.contains(where: { $0 == "lab-\(number)" || $0.hasPrefix("lab-\(number)-") }) { number += 1 }
    return "lab-\(number)"
  }

  // MARK: Runs

  public func run(_ network: LabNetwork) -> SeriesRun {
    SeriesRun(plan.settings(of: network), name: plan.runName(network))
  }

  /// Whether the images are still those that the lab was begun on, and each run has the lab's settings.
  /// - Throws: `SettingsError` where they are not; `DatasetError`, `RunFolderError`, `FileOperationError`.
  public func requireSame(
    decisions: DecisionStore = .standard, isCancelled: @Sendable () -> Bool = { false }
  ) throws {
    for network in plan.depths.networks { try run(network).requireSame() }
    let index = try RunSetup.open(
      plan.settings, decisions: decisions, progress: { _ in }, isCancelled: isCancelled)
    guard index.fingerprint == plan.fingerprint else {
      throw SettingsError(
        "the images of \(plan.settings.data) are not those that \(plan.name) was begun on, so that its networks could not "
          + "be compared: restore them, or begin a new lab with another --name")
    }
  }

  /// Where each run stands, and what came out.
  /// - Throws: `RunFolderError` or `FileOperationError` for a run that cannot be read; `NetworkError`.
  public func report() throws -> LabReport {
    LabReport(plan: plan, rows: try plan.depths.networks.map(row))
  }

  private func row(_ network: LabNetwork) throws -> LabReport.Row {
    let run = run(network)
    let state = try run.state()
    let own = network.settings(like: plan.settings.network)
    let folder = try run.folder()
    let classes = try folder?.record().model.classes.count ?? 10
    let summary = try NetworkPlan(own, imageSize: plan.settings.preprocessing.imageSize, classes: max(1, classes))
      .summary(batchSize: 1)
    var row = LabReport.Row(
      network: network, run: run.path, state: LabReport.State(rawValue: state.rawValue) ?? .missing,
      parameters: summary.parameters)
    if let published = try Self.published(network) {
      (row.published, row.source) = (published.top1, published.source)
    }
    guard let folder else { return row }
    if let last = try folder.history().run.history.last {
      row.epoch = last.epoch
      if last.trainAccuracy.isFinite { row.trainingError = 1 - last.trainAccuracy }
      if last.trainLoss.isFinite { row.trainingLoss = last.trainLoss }
      if let validation = last.validation, validation.isFinite { row.validationError = 1 - validation.top1 }
    }
    if state == .finished, let test = try folder.evaluation(of: .last, on: .test),
      test.provenance?.checkpoint == folder.checksum(of: .last)
    {
      row.testError = 1 - test.top1
    }
    return row
  }

  /// What the article's tables say of a network, as it is there.
  static func published(_ network: LabNetwork) throws -> PublishedError? {
    try NetworkPlan(
      network.settings(like: NetworkSettings(name: "")), imageSize: network.isLarge ? 224 : 32,
      classes: network.isLarge ? 1000 : 10
    ).publishedError
  }
}
