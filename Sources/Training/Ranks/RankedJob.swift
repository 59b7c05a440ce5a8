// A run that several ranks train together: rank 0 starts or resumes it as any other, the others prepare the same from
// what it says, and before the first step all make sure that they are about to compute the same thing.

import Datasets
import Messages
import Ranks
import Tensors

extension TrainingJob {
  /// The job of rank 0 on every rank.
  ///
  ///     let job = try TrainingJob.together(communicator) { try TrainingJob.new(settings, commandLine: []) }
  ///     let outcome = try job.train(hooks: hooks)    // those of rank 0 are heard
  ///
  /// - Parameters:
  ///   - usesCommonKernels: of rank 0: whether ranks with other vector kernels compute by the best that all have, rather
  ///     than being refused.
  ///   - decisions, caches, progress, isCancelled: see `RunSetup`; for the ranks that prepare what rank 0 says.
  ///   - lead: makes the job; called on rank 0.
  /// - Throws: what `lead` throws, on rank 0; `RankFailure` where another rank cannot do it, or is about to compute
  ///   something else.
  public static func together(
    _ communicator: any Communicator, usesCommonKernels: Bool = false, decisions: DecisionStore = .standard,
    caches: ImageCacheFolder? = .user,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false },
    lead: () throws -> TrainingJob
  ) throws -> TrainingJob {
    guard communicator.size > 1 else { return try lead() }
    let consensus = try Consensus(communicator)
    do {
      if try consensus.decide({ usesCommonKernels }) { try RankKernels.agree(communicator) }
      var own: TrainingJob?
      let order = try consensus.decide {
        let job = try lead()
        try job.setup.settings.checkRanks(communicator.size)
        own = job
        return try RunOrder(job)
      }
      var job = try consensus.together {
        try own
          ?? order.job(
            ranks: communicator.size, decisions: decisions, caches: caches, progress: progress,
            isCancelled: isCancelled)
      }
      job.communicator = communicator
      let agreement = try consensus.together { try RankAgreement(communicator, job, order) }
      try RankAgreement.require(agreement, communicator, data: job.setup.settings.data)
      return job
    } catch {
      consensus.abandon(error)
      throw error
    }
  }
}

extension TrainingSettings {
  /// With a replica for each rank, where nobody said how many.
  public func onRanks(_ count: Int) -> TrainingSettings {
    var settings = self
    if count > 1, replicas == nil { settings.replicas = count }
    return settings
  }

  /// - Throws: `SettingsError` where some of so many ranks would have nothing to do.
  func checkRanks(_ count: Int) throws {
    guard count > replicaCount else { return }
    let own = replicaCount == 1 ? "has one replica" : "has \(replicaCount) replicas"
    throw SettingsError(
      "the run \(own), and there are \(count) ranks: start it on \(replicaCount == 1 ? "one" : "\(replicaCount) at most")"
        + ", or a new run with --replicas \(count)")
  }
}

/// What rank 0 has the others prepare.
struct RunOrder: Codable {
  var settings: TrainingSettings
  var preprocessing: Preprocessing
  var recipe: RecipeReport?
  /// The run's folder, which the others only name.
  var run: String
  /// As in images.txt.
  var images: String
  var savedStep: Int
  var version: String
  var kernels: String

  init(_ job: TrainingJob) throws {
    savedStep = try job.savedStep()
    settings = job.setup.settings
    preprocessing = job.setup.model.preprocessing
    recipe = job.setup.recipe
    run = job.run.path
    images = ImageManifest(of: job.setup.index).text
    version = Skipline.version
    kernels = Kernels.description
  }

  /// The job on a rank that writes nothing: the images divided as rank 0 has them.
  /// - Parameter ranks: how many train it.
  func job(
    ranks: Int, decisions: DecisionStore, caches: ImageCacheFolder?,
    progress: @Sendable (PreparationProgress) -> Void,
    isCancelled: @Sendable () -> Bool
  ) throws -> TrainingJob {
    let setup = try RunSetup(
      settings, ranks: ranks, preprocessing: preprocessing, recipe: recipe,
      recorded: try ImageManifest(text: images).recordedSplits(), decisions: decisions, caches: caches,
      progress: progress, isCancelled: isCancelled)
    var job = TrainingJob(setup: setup, run: RunFolder(moved: run), resuming: nil, lock: nil)
    job.toldStep = savedStep
    return job
  }
}

/// Whether all ranks are about to compute the same.
struct RankAgreement: Codable, Equatable {
  var machine: String
  var version: String
  var kernels: String
  /// How this rank's images differ from rank 0's; nil where they do not.
  var images: String?

  init(machine: String, version: String, kernels: String, images: String?) {
    (self.machine, self.version, self.kernels, self.images) = (machine, version, kernels, images)
  }

  init(_ communicator: any Communicator, _ job: TrainingJob, _ order: RunOrder) throws {
    machine = communicator.machine
    version = Skipline.version
    kernels = Kernels.description
    images = try ImageManifest(text: order.images).changes(to: ImageManifest(of: job.setup.index))?.text
  }

  /// - Throws: `RankFailure`, the same on all ranks.
  static func require(_ own: RankAgreement, _ communicator: any Communicator, data: String) throws {
    let all = try communicator.allGather(Array(RunJSON.line(own).utf8)).map {
      try RunJSON.decode(RankAgreement.self, from: .init($0))
    }
    if let difference = difference(all, data: data) { throw RankFailure(difference) }
  }

  /// What the first rank that differs from rank 0 has otherwise; nil where all have the same.
  static func difference(_ all: [RankAgreement], data: String) -> String? {
    guard let first = all.first else { return nil }
    for (rank, other) in all.enumerated() {
      let who = "rank \(rank) (\(other.machine))"
      if other.version != first.version {
        return "\(who) runs Skipline \(other.version), and rank 0 (\(first.machine)) \(first.version): "
          + "the same program has to run on all machines"
      }
      if other.kernels != first.kernels {
        return
          "\(who) computes by \(other.kernels), and rank 0 (\(first.machine)) by \(first.kernels), which gives "
          + "other last digits: use --common-kernels, by which all compute as the least of them can"
      }
      if let images = other.images {
        return "the images in \(data) are not the same on \(who) as on rank 0 (\(first.machine)): \(images); "
          + "copy them anew, or use a folder that all machines share"
      }
    }
    return nil
  }
}
