// The degradation lab (He et al. 2015, arXiv:1512.03385, sections 1 and 4): plain networks against residual ones of the
// same depths. What is to be trained, and what came out, as plain values; who trains is no matter here.

import Support

/// What is asked of a lab.
public struct LabRequest: Codable, Sendable, Equatable {
  /// Layers of the networks, shallow ones first.
  public var depths: LabDepths
  /// What was given; the rest is automatic, and chosen as the article did. With a time budget, that of all runs
  /// together.
  public var settings: TrainingSettings

  public init(depths: LabDepths, settings: TrainingSettings) {
    self.depths = depths
    self.settings = settings
  }
}

/// The depths that are compared: two at least, of one family.
public struct LabDepths: Codable, Sendable, Hashable, CustomStringConvertible {
  /// Shallow ones first.
  public let layers: [Int]

  /// The pairs that the article's figures show: of the networks for small images, and of those for large ones.
  public static let small = LabDepths(checked: [20, 56])
  public static let large = LabDepths(checked: [18, 34])
  /// All that figure 6 shows plain networks of.
  public static let all = LabDepths(checked: [20, 32, 44, 56])

  /// Whether they are of the networks for large images, plain18 and resnet18.
  public var isLarge: Bool { layers.allSatisfy(Self.isLarge) }

  private static func isLarge(_ depth: Int) -> Bool { depth == 18 || depth == 34 }
  private static let smallRange = 8...1202

  private init(checked layers: [Int]) { self.layers = layers }

  /// `20,56`
  /// - Throws: `SettingRefusal` with what would be right.
  public init(argument: String) throws(SettingRefusal) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    let layers = words.compactMap { Int($0) }.sorted()
    let fits = layers.allSatisfy { Self.smallRange.contains($0) && ($0 - 2) % 6 == 0 }
    guard layers.count == words.count, (2...8).contains(layers.count), Set(layers).count == layers.count,
      layers.allSatisfy(Self.isLarge) || fits
    else {
      throw SettingRefusal(
        "it must be two to eight different depths with commas, such as 20,56: of 8, 14, 20, 26 and so on (6n + 2), or "
          + "18,34")
    }
    self.layers = layers
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode([Int].self).map(String.init).joined(separator: ",")
    do throws(SettingRefusal) { try self.init(argument: text) } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text): \(error.reason)")
    }
  }

  public func encode(to encoder: any Encoder) throws { try layers.encode(to: encoder) }

  public var description: String { layers.map(String.init).joined(separator: ",") }

  /// Plain ones first, as the article tells it.
  public var networks: [LabNetwork] {
    [false, true].flatMap { isResidual in
      layers.map { LabNetwork(depth: $0, isResidual: isResidual, isLarge: isLarge) }
    }
  }
}

/// One network of a lab.
public struct LabNetwork: Codable, Sendable, Hashable {
  public var depth: Int
  public var isResidual: Bool
  public var isLarge: Bool

  public init(depth: Int, isResidual: Bool, isLarge: Bool) {
    self.depth = depth
    self.isResidual = isResidual
    self.isLarge = isLarge
  }

  /// `plain20`, `cifar20`, `resnet18`.
  public var name: String { (isResidual ? isLarge ? "resnet" : "cifar" : "plain") + "\(depth)" }

  /// - Parameter template: what else was said of the networks; shortcuts are the residual ones' alone.
  public func settings(like template: NetworkSettings) -> NetworkSettings {
    var network = template
    network.name = name
    if !isResidual {
      (network.shortcut, network.zeroPlacement) = (nil, .split)
    } else if isLarge, network.shortcut == nil {
      // Table 2: no parameter more than the plain twin has.
      network.shortcut = .zeroPadding
    }
    return network
  }
}

/// A lab with nothing left open. It is kept beside its runs.
public struct LabPlan: Codable, Sendable, Equatable {
  /// `lab-1`; its runs are `lab-1-plain20` and so on.
  public var name: String
  public var depths: LabDepths
  /// Of every run, but for its name and its network's. From the root.
  public var settings: TrainingSettings
  /// Seconds that were given for all runs; nil where epochs were.
  public var budget: Double?
  /// What was given of the settings, by the options: all else was chosen.
  public var given: [String]
  /// The images that it is of.
  public var fingerprint: String
  public var trainingImages: Int
  public var validationImages: Int
  public var testImages: Int
  /// Seconds that all runs will take, by a trial.
  public var seconds: Double

  public init(
    name: String, depths: LabDepths, settings: TrainingSettings, budget: Double?, given: [String],
    fingerprint: String, trainingImages: Int, validationImages: Int, testImages: Int, seconds: Double
  ) {
    self.name = name
    self.depths = depths
    self.settings = settings
    self.budget = budget
    self.given = given
    self.fingerprint = fingerprint
    self.trainingImages = trainingImages
    self.validationImages = validationImages
    self.testImages = testImages
    self.seconds = seconds
  }

  public var stepsPerEpoch: Int {
    let batch = max(1, settings.batchSize) * max(1, settings.accumulate)
    return max(1, (trainingImages + batch - 1) / batch)
  }

  public func runName(_ network: LabNetwork) -> String { "\(name)-\(network.name)" }
  public func path(_ network: LabNetwork) -> String { "\(settings.project)/\(runName(network))" }

  /// The settings of one run.
  public func settings(of network: LabNetwork) -> TrainingSettings {
    var own = settings
    own.name = runName(network)
    own.network = network.settings(like: settings.network)
    return own
  }

  /// `20 epochs of 27 steps, batch 32, rate 0.025, 32 pixels, seed 0`
  public var text: String {
    let epochs = settings.epochs == 1 ? "1 epoch" : "\(settings.epochs.written) epochs"
    return "\(epochs) of \(stepsPerEpoch.written) steps, batch \(settings.batchSize), "
      + "rate \(settings.learningRate.written), \(settings.schedule), "
      + "\(settings.preprocessing.imageSize) pixels, seed \(settings.seed)"
  }
}

/// Where a lab stands, and what came out.
public struct LabReport: Codable, Sendable, Equatable {
  /// Where a run stands.
  public enum State: String, Codable, Sendable { case missing, unfinished, finished }

  /// One network. Errors are shares of images whose first answer is wrong.
  public struct Row: Codable, Sendable, Equatable {
    public var network: LabNetwork
    /// Its run's folder.
    public var run: String
    public var state: State
    public var parameters: Int
    public var epoch: Int
    /// Of the last epoch's steps, as the article's figures show it; nil before there is one.
    public var trainingError: Double?
    public var trainingLoss: Double?
    /// After the last epoch; nil without validation images, and where an output was not finite.
    public var validationError: Double?
    /// Of the last weights; nil where that was not measured.
    public var testError: Double?
    /// What the article's tables say of the test error, in percent, and where; nil where they do not.
    public var published: Double?
    public var source: String?

    public init(network: LabNetwork, run: String, state: State, parameters: Int, epoch: Int = 0) {
      self.network = network
      self.run = run
      self.state = state
      self.parameters = parameters
      self.epoch = epoch
    }
  }

  public var plan: LabPlan
  /// Plain ones first, shallow ones first.
  public var rows: [Row]

  public init(plan: LabPlan, rows: [Row]) {
    self.plan = plan
    self.rows = rows
  }

  /// Whether a network of it was ever trained.
  public var isBegun: Bool { rows.contains { $0.state != .missing } }
  public var isFinished: Bool { rows.allSatisfy { $0.state == .finished } }

  /// The network that is to be trained next; nil where all are.
  public var next: Row? { rows.first { $0.state != .finished } }

  // MARK: The question

  /// How the training errors of the shallowest and the deepest network compare.
  public struct Answer: Codable, Sendable, Equatable {
    public enum Verdict: String, Codable, Sendable {
      /// The deeper one has the higher error: degradation.
      case higher
      case lower
      /// The difference may be chance.
      case unclear
    }

    public var verdict: Verdict
    public var shallow: String
    public var shallowError: Double
    public var deep: String
    public var deepError: Double
  }

  /// - Parameter isResidual: of which networks.
  /// - Returns: nil where one of the two has not come to its end, or has no error.
  public func answer(isResidual: Bool) -> Answer? {
    let own = rows.filter { $0.network.isResidual == isResidual }
    guard let first = own.first, let last = own.last, first.state == .finished, last.state == .finished,
      let shallow = first.trainingError, let deep = last.trainingError, shallow.isFinite, deep.isFinite
    else { return nil }
    // Two standard errors of the difference of two shares.
    let images = Double(max(1, plan.trainingImages))
    let variance = (shallow * (1 - shallow) + deep * (1 - deep)) / images
    let margin = 2 * max(0, variance).squareRoot()
    return Answer(
      verdict: deep - shallow > margin ? .higher : shallow - deep > margin ? .lower : .unclear,
      shallow: first.network.name, shallowError: shallow, deep: last.network.name, deepError: deep)
  }

  public static let question = "Does the deeper plain net have the higher training error?"

  /// The answer in a sentence or two; nil before there is one.
  /// - Parameter percent: how a share is written.
  public func answerText(percent: (Double) -> String) -> String? {
    guard let plain = answer(isResidual: false) else { return nil }
    func both(_ answer: Answer) -> String {
      "\(answer.deep) \(percent(answer.deepError)), \(answer.shallow) \(percent(answer.shallowError))"
    }
    let first =
      switch plain.verdict {
      case .higher: "Yes: \(both(plain))."
      case .lower: "No: \(both(plain))."
      case .unclear: "It cannot be told: \(both(plain)), which may be chance."
      }
    guard let residual = answer(isResidual: true) else { return first }
    let second =
      switch residual.verdict {
      case .higher: "With shortcuts the deeper one has the higher error too: \(both(residual))."
      case .lower: "With shortcuts the deeper one has the lower error: \(both(residual))."
      case .unclear: "With shortcuts the two are as good: \(both(residual))."
      }
    return first + " " + second
  }

  /// What the article found.
  public var article: String {
    plan.depths.isLarge
      ? "The article, on ImageNet: yes for plain nets (figure 4 left, table 2), no for residual ones (figure 4 right)."
      : "The article, on CIFAR-10: yes for plain nets (figures 1 and 6 left), no for residual ones (figure 6 middle, "
        + "table 6)."
  }
}

// MARK: Between engine and screen

/// What is asked about a lab.
public enum LabQuestion: Sendable, Equatable {
  /// Keep a new one's plan, and say where it stands.
  case begin(LabPlan)
  /// Whether its images and runs are still as they were, and where it stands.
  case read(name: String, project: String)
}

/// What becomes of that.
public enum LabAnswer: Codable, Sendable, Equatable {
  /// The lab that is there already, or one to begin; or the reason why there is none.
  case planned(LabRequest, LabReport?, reason: String?)
  case report(LabReport)
  case failed(String)
}
