// A cross-validation: as many runs as there are folds, each measured on the fold that it was not trained on. A fold is a
// run like any other, with lists that say which images it has; asked for again, what is there is kept and what is
// unfinished goes on.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Messages
import Support

/// The runs of a cross-validation.
///
///     PROJECT/NAME-folds/fold1/     train.txt, val.txt and test.txt of the first run
///     PROJECT/NAME-fold1/           the first run
public struct CrossValidation {
  /// What a fold came to.
  public struct FoldResult: Codable, Sendable, Equatable {
    /// From 1.
    public var fold: Int
    public var run: String
    /// The epoch whose figures these are.
    public var epoch: Int
    /// Of the images that were held out; nil where the outputs for some were not finite.
    public var loss: Double?
    public var top1: Double?
    public var balancedAccuracy: Double?
    public var macroF1: Double?
  }

  /// Where a fold stands.
  public typealias State = SeriesRun.State

  /// Which epoch's figures count.
  public enum Epoch: String, Codable, Sendable, CaseIterable {
    /// The last one: nothing about the images held out was chosen by them.
    case last
    /// The best one by the run's metric, which flatters a little.
    case best
  }

  /// Of every fold, but for the name and the lists.
  public let settings: TrainingSettings
  public let name: String
  public let folds: Int
  /// Images that are divided into folds, and test images, which are left out.
  public let images: Int
  public let testImages: Int
  /// What to know beforehand.
  public let notes: [String]
  public let findings: [DatasetFinding]

  /// Reads the data, makes the folds and writes their lists.
  /// - Parameters:
  ///   - settings: from the root; with a name.
  ///   - isDivided: whether the settings' shares were asked for: then their test images are left out; else all images of
  ///     data without folders are in a fold.
  /// - Throws: `DatasetError`, `SettingsError` where runs of that name are of other settings or images,
  ///   `FileOperationError`; `CancellationError`.
  public init(
    _ settings: TrainingSettings, folds: Int, isDivided: Bool, decisions: DecisionStore = .standard,
    isCancelled: () -> Bool = { false }
  ) throws {
    let settings = try Self.recorded(settings)
    let name = settings.name ?? "\(settings.network.name)-cv"
    guard RunName.refusal(name) == nil else { throw RunFolderError.badName(name) }
    try ProjectFolder.require(settings.project, outside: settings.data)
    let index = try Self.index(settings, isDivided: isDivided, decisions: decisions, isCancelled: isCancelled)
    if !settings.safety.acceptsErrors { try UnacceptedErrors.check(index) }
    let divided = try index.folds(folds, seed: settings.seed)
    self.init(settings, name: name, folds: folds, index)
    for fold in 1...folds { try run(fold).requireSame() }
    // What was excluded would else be in no list, as if forgotten.
    try writeLists((0..<folds).map { index.holdingOut($0, of: divided).splitLists(withExcluded: true) })
  }

  private init(_ settings: TrainingSettings, name: String, folds: Int, _ index: DatasetIndex) {
    self.settings = settings
    self.name = name
    self.folds = folds
    findings = index.findings.filter { ![.missingInSplit, .fewTrainingImages, .splitRatio].contains($0.kind) }
    testImages = index.items.count { $0.split == .test }
    images = index.items.count - testImages
    let rare = index.rareClasses(folds: folds)
    let what = settings.split.groups == nil ? "images" : "groups"
    notes =
      rare.isEmpty
      ? []
      : [
        "\(rare.count == 1 ? "a class has" : "\(rare.count) classes have") fewer \(what) than there are folds, so that "
          + "some are validated without: \(rare.prefix(5).joined(separator: ", "))\(rare.count > 5 ? ", ..." : "")"
      ]
  }

  /// The settings as a run's record has them.
  private static func recorded(_ settings: TrainingSettings) throws -> TrainingSettings {
    var settings = settings
    settings.data = FilePath.absolute(settings.data)
    settings.project = FilePath.absolute(settings.project)
    if let lists = settings.split.lists { settings.split.lists = FilePath.absolute(lists) }
    if let weights = settings.initialWeights {
      settings.initialWeights = FilePath.absolute(try InitialWeights(weights).path)
    }
    return settings
  }

  private static func index(
    _ settings: TrainingSettings, isDivided: Bool, decisions: DecisionStore, isCancelled: () -> Bool
  ) throws -> DatasetIndex {
    var division = settings.split
    if !isDivided { (division.train, division.validation, division.test) = (100, 0, 0) }
    do {
      return try DatasetIndex.open(
        root: settings.data, split: division, decisions: decisions, isCancelled: isCancelled)
    } catch DatasetError.cancelled {
      throw CancellationError()
    }
  }

  // MARK: Folds

  public func runName(_ fold: Int) -> String { "\(name)-fold\(fold)" }
  public func path(_ fold: Int) -> String { "\(settings.project)/\(runName(fold))" }
  private func lists(_ fold: Int) -> String { "\(settings.project)/\(name)-folds/fold\(fold)" }

  /// The settings of one run.
  /// - Parameter fold: from 1, as everywhere here.
  public func settings(_ fold: Int) -> TrainingSettings {
    var own = settings
    own.name = runName(fold)
    own.split = SplitSettings(
      lists: lists(fold), folders: settings.split.folders, groups: settings.split.groups)
    return own
  }

  private func run(_ fold: Int) -> SeriesRun { SeriesRun(settings(fold), name: runName(fold)) }

  /// - Throws: `RunFolderError` or `FileOperationError`.
  public func state(_ fold: Int) throws -> State { try run(fold).state() }

  /// The run of a fold, begun or to go on with.
  /// - Throws: as `TrainingJob.new` and `.resumed`.
  public func job(
    _ fold: Int, commandLine: [String], decisions: DecisionStore = .standard, caches: ImageCacheFolder? = .user,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws -> TrainingJob {
    try run(fold).job(
      commandLine: commandLine, decisions: decisions, caches: caches, progress: progress, isCancelled: isCancelled)
  }

  /// What a finished fold came to.
  /// - Throws: `RunFolderError` or `FileOperationError`; `SettingsError` where its metrics are gone.
  public func result(_ fold: Int, at epoch: Epoch = .last) throws -> FoldResult {
    let run = try RunFolder(existing: path(fold))
    let epochs = try run.history().run.history.filter { $0.validation != nil }
    let best = Score.place(ofBestIn: epochs.map { settings.best.score(of: $0.validation) }, by: settings.best)
    let chosen = epoch == .last ? epochs.last : best.map { epochs[$0] } ?? epochs.last
    guard let chosen, let validation = chosen.validation else {
      throw SettingsError("\(run.metricsPath) has no validated epoch: remove \(run.path) and run the command again")
    }
    let isFinite = validation.isFinite
    return FoldResult(
      fold: fold, run: run.path, epoch: chosen.epoch, loss: validation.loss, top1: isFinite ? validation.top1 : nil,
      balancedAccuracy: isFinite ? validation.balancedAccuracy : nil, macroF1: isFinite ? validation.macroF1 : nil)
  }

  // MARK: What is there already

  /// Writes the lists, unless those of runs that were begun are others.
  private func writeLists(_ folds: [[(name: String, text: String)]]) throws {
    let hasRuns = try (1...folds.count).contains { try run($0).folder() != nil }
    try Folder.make(settings.project)
    try Folder.make("\(settings.project)/\(name)-folds")
    for (place, lists) in folds.enumerated() {
      let folder = self.lists(place + 1)
      try Folder.make(folder)
      for list in lists {
        let path = "\(folder)/\(list.name)"
        let bytes = Array(list.text.utf8)
        let there =
          try FilePath.kind(of: path) == nil ? nil : InputFile.contents(of: path, bound: SizeBound.imageList)
        if there.map({ $0.elementsEqual(bytes) }) == true { continue }
        guard !hasRuns else {
          throw SettingsError(
            "the runs \(name)-fold... in \(settings.project) are of other images of \(settings.data), or of another "
              + "number of folds; begin anew with another --name")
        }
        try AtomicFile.write(Data(bytes), to: path)
      }
    }
  }
}

/// Mean and standard deviation of the folds' figures.
public struct FoldStatistics: Codable, Sendable, Equatable {
  public var mean: Double
  /// Of a sample: with one less than the number of folds.
  public var std: Double

  /// nil where some fold has no figure.
  public init?(_ values: [Double?]) {
    let found = values.compactMap { $0 }
    guard found.count == values.count, found.count > 1 else { return nil }
    mean = found.reduce(0, +) / Double(found.count)
    let center = mean
    std = (found.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(found.count - 1)).squareRoot()
  }
}
