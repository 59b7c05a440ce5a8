// Networks beside each other, as `skipline summary` prints them where several are named: what each holds, takes, how
// fast it is here, and what others measured with it. What is trained and how well it learns is not compared here.

import Messages
import Networks
import Tensors

/// What a comparison says of one network.
public struct ComparedNetwork: Encodable, Sendable {
  /// With every default filled in.
  public let network: NetworkSettings
  public let input: FeatureShape
  public let classes: Int
  /// Layers with weights, one after another: the 34 of `resnet34`.
  public let layers: Int
  public let parameters: Int
  /// For one image; of convolutions and dense layers only, as the papers count.
  public let multiplyAdds: Int
  public let batchSize: Int
  /// Estimated bytes to train at `batchSize`.
  public let trainingMemory: Int
  /// nil where nothing was measured.
  public var speed: Speed?
  /// Why nothing was measured, where it should have been.
  public var obstacle: String?
  /// What others measured; nil where nothing is known of this form of the network.
  public let published: PublishedError?

  /// Images/s on this machine.
  public struct Speed: Encodable, Sendable {
    public let training: Double
    public let inference: Double
    /// Images in a step of the trial.
    public let images: Int
  }
}

/// Networks in the order in which they were named.
public struct NetworkComparison: Encodable, Sendable {
  public private(set) var networks: [ComparedNetwork] = []
  /// Threads that computed; nil where nothing was measured.
  public let threads: Int?

  /// Multiply-adds of a forward pass of the trial, more or less: large networks are tried with few images, so that a
  /// step takes seconds.
  private static let trialSize = 32e9
  private static let images = 2...32

  /// - Parameters:
  ///   - pool: what computes the trials; nil for none.
  ///   - progress: is told which network is tried next.
  /// - Throws: `NetworkError`.
  public init(
    _ plans: [NetworkPlan], batchSize: Int, pool: ThreadPool?, progress: (NetworkPlan) -> Void = { _ in }
  ) throws {
    threads = pool?.threads
    for plan in plans {
      let summary = try plan.summary(batchSize: batchSize, threads: pool?.threads, workers: 1, freeze: .none)
      var network = ComparedNetwork(
        network: plan.settings, input: plan.input, classes: plan.classes, layers: plan.depth,
        parameters: summary.parameters, multiplyAdds: summary.multiplyAdds, batchSize: batchSize,
        trainingMemory: summary.trainingMemory, published: plan.publishedError)
      if let pool {
        progress(plan)
        let images = Self.trialImages(multiplyAdds: summary.multiplyAdds, batchSize: batchSize)
        network.obstacle = Self.obstacle(plan, images: images, threads: pool.threads)
        if network.obstacle == nil { network.speed = Self.speed(plan, images: images, pool) }
      }
      networks.append(network)
    }
  }

  /// Images in a step of the trial.
  static func trialImages(multiplyAdds: Int, batchSize: Int) -> Int {
    let fitting = Int(trialSize / Double(max(1, multiplyAdds)))
    return min(max(1, batchSize), max(images.lowerBound, min(images.upperBound, fitting)))
  }

  private static func speed(_ plan: NetworkPlan, images: Int, _ pool: ThreadPool) -> ComparedNetwork.Speed {
    let cost = StepTrial(pool: pool, mostImages: images).cost(plan, batch: images, precision: .fp32)
    return .init(training: 1 / cost.training, inference: 1 / cost.inference, images: images)
  }

  /// A trial that does not fit into memory would end the program.
  private static func obstacle(_ plan: NetworkPlan, images: Int, threads: Int) -> String? {
    var settings = TrainingSettings(data: "", network: plan.settings)
    (settings.batchSize, settings.threads) = (images, threads)
    guard let (limit, needed) = MemoryCheck(plan, settings).tightest(SystemMemory.limits()), needed > limit.bytes
    else { return nil }
    return "a trial takes \(needed >> 20) MiB, and \(limit.bytes >> 20) MiB are left"
  }
}
