// What a step takes on many machines: arithmetic on what a step of one takes, the bytes of its gradients, and a network
// of stated speed. Nothing is measured here, and no machine is asked.

import Networks

/// The links between machines, each of which has one rank.
public struct RankNetwork: Sendable, Equatable {
  /// Of a machine's link, each way at once, in bytes a second.
  public var bandwidth: Double
  /// Seconds until the first byte of a message has arrived.
  public var latency: Double

  public init(bandwidth: Double, latency: Double) {
    self.bandwidth = bandwidth
    self.latency = latency
  }
}

/// A run's step on one rank, and how it is exchanged.
///
/// Each rank has a replica of `batch` images, so the step of K ranks has K times as many. Their gradients are summed in
/// slices: each rank sends every other its part of the other's slice, adds up its own, and sends the sums to all. So
/// (K - 1) / K of the bytes go out of each rank, and in, twice, as with a ring allreduce (Patarasuk and Yuan 2009,
/// "Bandwidth optimal all-reduce algorithms for clusters of workstations", section 3). Layers are gathered to buckets
/// in the order in which the backward pass leaves them; a bucket is on its way as soon as it is full (Li et al. 2020,
/// arXiv:2006.15704, section 3.2.3), one after another.
public struct ScalingModel: Sendable {
  /// What a layer adds to a step, in the order of the forward pass.
  public struct Layer: Sendable, Equatable {
    /// Of its gradients.
    public var bytes: Int
    /// Its share of the backward pass, in any unit.
    public var work: Double

    public init(bytes: Int, work: Double) {
      self.bytes = bytes
      self.work = work
    }
  }

  /// Images of a rank's step.
  public var batch: Int
  /// Seconds of a rank's step without its last backward pass, and of that; as measured on one.
  public var otherSeconds: Double
  public var backwardSeconds: Double
  public var layers: [Layer]
  /// Bytes a second of gradients that a rank adds to others.
  public var additionSpeed: Double
  /// Bytes from which on a bucket is sent.
  public var bucketBytes = Self.usualBucket
  /// Seconds of a processor for each message, sent and received.
  public var messageSeconds = Self.usualMessageSeconds

  public static let usualBucket = 4 << 20
  /// Measured with Open MPI over TCP: Benchmarks/NOTES.md.
  public static let usualMessageSeconds = 5e-6

  public init(
    batch: Int, otherSeconds: Double, backwardSeconds: Double, layers: [Layer], additionSpeed: Double
  ) {
    self.batch = batch
    self.otherSeconds = otherSeconds
    self.backwardSeconds = backwardSeconds
    self.layers = layers
    self.additionSpeed = additionSpeed
  }

  /// Of all layers.
  public var gradientBytes: Int { layers.reduce(0) { $0 + $1.bytes } }

  /// A bucket: its bytes, and the share of the backward pass after which it is full.
  struct Bucket: Equatable {
    var bytes: Int
    var readyAt: Double
  }

  /// In the order in which they are sent.
  var buckets: [Bucket] {
    let all = layers.reduce(0) { $0 + $1.work }
    var (buckets, bytes, done): ([Bucket], Int, Double) = ([], 0, 0)
    for layer in layers.reversed() {
      done += layer.work
      bytes += layer.bytes
      guard bytes >= bucketBytes else { continue }
      buckets.append(Bucket(bytes: bytes, readyAt: all > 0 ? done / all : 1))
      bytes = 0
    }
    if bytes > 0 { buckets.append(Bucket(bytes: bytes, readyAt: 1)) }
    return buckets
  }

  /// Seconds from handing over this rank's gradients to having the sums of all, with nothing else under way.
  public func exchangeSeconds(bytes: Int, ranks: Int, network: RankNetwork) -> Double {
    guard ranks > 1 else { return 0 }
    let others = Double(ranks - 1)
    let moved = Double(bytes) * others / Double(ranks)
    // To the owners of slices and back to all; between the two, the owner adds up its slice.
    return 2 * (moved / network.bandwidth + network.latency + others * messageSeconds) + moved / additionSpeed
  }

  /// What ranks agree on in each step: two words to all, by a tree.
  func agreementSeconds(ranks: Int, network: RankNetwork) -> Double {
    var (depth, reached) = (0, 1)
    while reached < ranks {
      reached *= 2
      depth += 1
    }
    return 2 * Double(depth) * (network.latency + messageSeconds)
  }

  /// A step on so many ranks.
  public func step(ranks: Int, network: RankNetwork) -> ScaledStep {
    var (exchange, end) = (0.0, 0.0)
    for bucket in buckets {
      let seconds = exchangeSeconds(bytes: bucket.bytes, ranks: ranks, network: network)
      exchange += seconds
      end = max(end, bucket.readyAt * backwardSeconds) + seconds
    }
    let exposed = max(0, end - backwardSeconds)
    let compute = otherSeconds + backwardSeconds
    let agreement = agreementSeconds(ranks: ranks, network: network)
    return ScaledStep(
      ranks: ranks, batch: batch * ranks, computeSeconds: compute, exchangeSeconds: exchange,
      hiddenShare: exchange > 0 ? max(0, 1 - exposed / exchange) : nil, seconds: compute + exposed + agreement)
  }
}

/// What a step takes on so many ranks.
public struct ScaledStep: Codable, Sendable, Equatable {
  public var ranks: Int
  /// Images of a step, of all ranks.
  public var batch: Int
  /// Of a rank, as if it were alone.
  public var computeSeconds: Double
  /// Of all exchanges of gradients, one after another.
  public var exchangeSeconds: Double
  /// How much of them passes while a rank computes; nil for a rank alone.
  public var hiddenShare: Double?
  public var seconds: Double

  public var imagesPerSecond: Double { Double(batch) / seconds }
  /// Images a second of a rank, by those of one that is alone.
  public var efficiency: Double { computeSeconds / seconds }

  enum CodingKeys: String, CodingKey {
    case ranks, batch, computeSeconds, exchangeSeconds, hiddenShare, seconds, imagesPerSecond, efficiency
  }

  public init(
    ranks: Int, batch: Int, computeSeconds: Double, exchangeSeconds: Double, hiddenShare: Double?, seconds: Double
  ) {
    self.ranks = ranks
    self.batch = batch
    self.computeSeconds = computeSeconds
    self.exchangeSeconds = exchangeSeconds
    self.hiddenShare = hiddenShare
    self.seconds = seconds
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      ranks: try values.decode(Int.self, forKey: .ranks), batch: try values.decode(Int.self, forKey: .batch),
      computeSeconds: try values.decode(Double.self, forKey: .computeSeconds),
      exchangeSeconds: try values.decode(Double.self, forKey: .exchangeSeconds),
      hiddenShare: try values.decodeIfPresent(Double.self, forKey: .hiddenShare),
      seconds: try values.decode(Double.self, forKey: .seconds))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(ranks, forKey: .ranks)
    try values.encode(batch, forKey: .batch)
    try values.encode(computeSeconds, forKey: .computeSeconds)
    try values.encode(exchangeSeconds, forKey: .exchangeSeconds)
    try values.encodeIfPresent(hiddenShare, forKey: .hiddenShare)
    try values.encode(seconds, forKey: .seconds)
    try values.encode(imagesPerSecond, forKey: .imagesPerSecond)
    try values.encode(efficiency, forKey: .efficiency)
  }
}

extension ScalingModel {
  /// - Parameters:
  ///   - cost: of an image, on one rank.
  ///   - batch: images of a replica's batch.
  ///   - rounds: batches of a step, whose gradients are added up before they are exchanged.
  ///   - additionSpeed: bytes a second.
  init(_ plan: NetworkPlan, cost: StepCost, batch: Int, rounds: Int, additionSpeed: Double) {
    let rows = plan.summary(batchSize: 1).layers
    let trained = rows.filter { $0.isTrained }
    // Two products backwards, for the weights and for the input, and one forwards: where the trial does not tell the
    // two passes apart because it was disturbed, this does.
    let forward = min(cost.inference, cost.training / 3)
    let earlier = cost.training * Double((rounds - 1) * batch)
    self.init(
      batch: rounds * batch, otherSeconds: earlier + forward * Double(batch),
      backwardSeconds: (cost.training - forward) * Double(batch),
      layers: trained.map { Layer(bytes: 4 * $0.parameters, work: Double($0.multiplyAdds)) },
      additionSpeed: additionSpeed)
  }
}
