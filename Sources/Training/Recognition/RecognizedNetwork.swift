// Which network of the table a file's arrays are of. Every network is compared by the names and shapes of its own plan,
// so that one that joins the table is recognized without a word here.

import Messages
import Networks
import WeightFiles

/// A network whose arrays are exactly a file's, but for its classifier.
public struct RecognizedNetwork {
  public private(set) var settings: NetworkSettings
  /// nil where the file has no classifier.
  public let classes: Int?
  let comparison: ArrayComparison
  /// Whether a graph says what shapes do not.
  fileprivate(set) var isOfGraph = false

  /// Other networks with the same arrays, as options.
  public var twins: [String] {
    guard !isOfGraph, let architecture = try? Architecture(name: settings.name) else { return [] }
    let resolved = architecture.resolved(settings, imageSize: architecture.sizeOfFiles)
    var twins: [String] = []
    if resolved.shortcut == .zeroPadding {
      let plain = "plain" + settings.name.drop { !$0.isNumber }
      if (try? Architecture(name: plain)) != nil { twins.append("--net \(plain) without shortcuts") }
      twins.append(resolved.zeroPlacement == .split ? "--zeros end" : "--zeros split")
    }
    if resolved.shortcut == .zeroPadding, resolved.version == .v2, resolved.variant == nil,
      (try? Architecture.check(NetworkSettings(name: settings.name, variant: .article))) != nil
    {
      twins.append("--variant article")
    }
    if resolved.version == .v1_5 { twins.append("--block v1") }
    if resolved.version == .v1, architecture.hasBottlenecks { twins.append("--block v1.5") }
    return twins
  }

  /// `resnet34 for 1000 classes: --net resnet34 --stem large`
  public var text: String {
    let what = classes.map { "\(settings.name) for \($0) classes" } ?? "\(settings.name) without a classifier"
    let twins = twins.isEmpty ? "" : " (or \(twins.joined(separator: ", ")), which cannot be told apart by shapes)"
    return "\(what): \((["--net", settings.name] + settings.optionWords).joined(separator: " "))\(twins)"
  }

  /// What was done to names, and what is left alone; nil for nothing.
  public var readingText: String? {
    let besides = comparison.besides
    let parts = [
      comparison.reading.text, comparison.classifierName.map { "the classifier is '\($0)'" },
      besides.isEmpty
        ? nil
        : "\(StateMismatch.listed(besides)) of the file \(besides.count == 1 ? "is" : "are") none of the network's",
      comparison.passedOver.isEmpty || settings.auxiliaryHeads == true
        ? nil
        : "\(StateMismatch.listed(comparison.passedOver)) of auxiliary heads, which only training uses, "
          + "\(comparison.passedOver.count == 1 ? "is" : "are") left out",
    ].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}

/// What a person says of the network that a file is of.
public struct NetworkRequest {
  /// nil where it is to be found.
  public let name: String?
  /// Puts what was said of its options in the place of what it has.
  private let change: (inout NetworkSettings) -> Void

  public init(name: String? = nil, change: @escaping (inout NetworkSettings) -> Void = { _ in }) {
    self.name = name
    self.change = change
  }

  /// Of a network of which everything is said.
  public init(_ settings: NetworkSettings) { self.init(name: settings.name) { $0 = settings } }

  /// The same network with what was said.
  func applied(to settings: NetworkSettings) -> NetworkSettings {
    var changed = settings
    change(&changed)
    return changed
  }
}

/// The arrays of a network of the table, whatever its options and widths are.
struct RegisteredNetwork: Sendable {
  let name: String
  /// Of its usual form.
  let arrays: Set<String>
  /// The names of its first arrays.
  let first: [String]

  private init?(_ name: String) {
    guard let architecture = try? Architecture(name: name),
      let plan = try? NetworkPlan(NetworkSettings(name: name), imageSize: architecture.sizeOfFiles, classes: 2)
    else { return nil }
    self.name = name
    let state = plan.state
    arrays = Set(state.map(\.name))
    first = state.prefix(Self.firstCount).map(\.name)
  }

  static let firstCount = 3

  /// Those with names of their own.
  static let examples = Architecture.examples.compactMap { RegisteredNetwork($0) }

  /// Names of which every network has one among its first arrays.
  static let allAnchors = Set(examples.flatMap(\.first))

  static func anchors(of state: [StateEntry]) -> Set<String> { Set(state.prefix(firstCount).map(\.name)) }

  /// All that come into question for a file.
  /// - Parameter shapes: of the file's arrays.
  static func candidates(for reading: NameReading, _ shapes: [String: [Int]]) -> [RegisteredNetwork] {
    func first(_ block: Int) -> String? { reading.stored["layer1.\(block).conv1.weight"] }
    let blocks = (0...).prefix { $0 < mostBlocks && first($0) != nil }.count
    let channels = first(0).flatMap { shapes[$0]?.first } ?? 0
    let named = Set(Architecture.examples)
    return examples
      + Architecture.candidates(blocksInFirstStage: blocks, channels: channels).filter { !named.contains($0) }
      .compactMap { RegisteredNetwork($0) }
  }

  private static let mostBlocks = 10_000

  /// Whether the names are so alike that options could make the difference.
  func mayBe(_ names: Set<String>) -> Bool {
    let common = arrays.count { names.contains($0) }
    return 2 * common >= arrays.count + names.count - common
  }
}

extension FileArrays {
  /// More arrays than any network of the table has are compared with none.
  private static let mostArrays = 10_000

  /// The first network of the table whose arrays the file has.
  /// - Parameters:
  ///   - name: the network that it is to be; nil for any.
  ///   - isRight: asked of each that fits.
  func recognized(
    as name: String? = nil, where isRight: (RecognizedNetwork) -> Bool = { _ in true }
  ) -> RecognizedNetwork? {
    guard names.count <= Self.mostArrays else { return nil }
    let wanted = name.flatMap { try? Architecture(name: $0) }
    for reading in NameReading.all(of: names, anchors: RegisteredNetwork.allAnchors) {
      let names = Set(reading.stored.keys)
      let candidates = RegisteredNetwork.candidates(for: reading, shapes).filter { network in
        network.mayBe(names) && wanted.map { $0 == (try? Architecture(name: network.name)) } != false
      }
      // A network that has these widths by its name comes before one that would be made wider or narrower.
      for isOfUsualWidth in [true, false] {
        for network in candidates {
          for form in Architecture.forms(of: network.name) {
            if let found = fitted(form, reading, isOfUsualWidth: isOfUsualWidth, isRight) { return found }
          }
        }
      }
    }
    return nil
  }

  /// The form with the widths of the file.
  private func fitted(
    _ form: NetworkSettings, _ reading: NameReading, isOfUsualWidth: Bool, _ isRight: (RecognizedNetwork) -> Bool
  ) -> RecognizedNetwork? {
    guard let architecture = try? Architecture(name: form.name) else { return nil }
    func plan(_ settings: NetworkSettings, classes: Int) -> NetworkPlan? {
      try? NetworkPlan(settings, imageSize: architecture.sizeOfFiles, classes: classes)
    }
    func compared(_ plan: NetworkPlan) -> ArrayComparison {
      ArrayComparison(plan, self, reading, policy: .ofOtherClasses)
    }
    guard let full = plan(form, classes: 1) else { return nil }
    let own = full.state.map(\.name).filter { !$0.hasPrefix(full.classifier + ".") }
    // Names first: they do not depend on widths, but for the projection of the first block.
    let common = own.count { reading.stored[$0] != nil }
    let slack = architecture.hasBlocks ? Self.projection : 0
    let others = reading.stored.keys.count { !full.passesOver($0) }
    guard own.count - common <= slack, others - common <= slack + 2 else { return nil }
    for multiplier in isOfUsualWidth ? [1] : multipliers(full.state, reading) {
      var settings = form
      settings.widthMultiplier = multiplier
      let hasOwnStem = architecture.hasBlocks && !isOfUsualWidth
      let stems: [Int?] = [nil] + (hasOwnStem ? stemWidths(full.state, reading) : [])
      for stem in stems {
        settings.stemWidth = stem
        guard let first = plan(settings, classes: 1) else { continue }
        // Other layers than the last may depend on the number of classes.
        let classes = compared(first).classifierShape?.first ?? 1
        guard let whole = plan(settings, classes: max(1, classes)) else { continue }
        let comparison = compared(whole)
        guard comparison.mismatch.isEmpty, comparison.matches > 0 else { continue }
        let found = RecognizedNetwork(
          settings: settings, classes: comparison.classifierShape?.first, comparison: comparison)
        if isRight(found) { return found }
      }
    }
    return nil
  }

  /// By what the channels of the full network may have been multiplied: 1, frequent ratios, and the shortest numbers
  /// that round to the channels of all layers.
  private func multipliers(_ state: [StateEntry], _ reading: NameReading) -> [Double] {
    var counts: [Double: Int] = [:]
    var (all, inner) = (WidthRange(), WidthRange())
    for (place, entry) in state.enumerated() where entry.kind == .parameter {
      guard let found = reading.stored[entry.name].flatMap({ shapes[$0] }), found.count == entry.shape.count,
        let channels = found.first, channels > 0
      else { continue }
      counts[Double(channels) / Double(entry.shape[0]), default: 0] += 1
      // The stem may have a width of its own, and the outputs of bottlenecks are multiples of their inner channels.
      guard place >= RegisteredNetwork.firstCount else { continue }
      all.add(channels, of: entry.shape[0])
      if entry.shape.count == 4, entry.shape[2] * entry.shape[3] > 1 { inner.add(channels, of: entry.shape[0]) }
    }
    let frequent = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.mostRatios).map(\.key)
    let binary = frequent.filter { ($0 * 64).rounded() == $0 * 64 }
    let shortest = [all, inner].compactMap(\.shortest)
    var seen: Set<Double> = []
    return ([1] + binary + shortest + frequent).filter {
      Settings.width.range.contains($0) && seen.insert($0).inserted
    }
  }

  private static let mostRatios = 4

  /// Channels that the first convolution may have: those of the first arrays.
  private func stemWidths(_ state: [StateEntry], _ reading: NameReading) -> [Int?] {
    var seen: Set<Int> = []
    return state.prefix(Self.stemArrays).compactMap { reading.stored[$0.name].flatMap { shapes[$0]?.first } }
      .filter { Settings.stemWidth.range.contains($0) && seen.insert($0).inserted }.prefix(Self.mostRatios)
      .map(Optional.some)
  }

  private static let stemArrays = 16
  /// Arrays of a projection: a convolution and a batch norm.
  private static let projection = 5

  /// The network that the file is of, as far as it was said, and otherwise as its arrays say.
  /// - Throws: `CheckpointError.doesNotFit` where it is none of the table, or another than was said; `NetworkError` for
  ///   what cannot be said of it.
  func network(_ request: NetworkRequest) throws -> RecognizedNetwork {
    if let name = request.name { _ = try Architecture(name: name) }
    var refusal: (any Error)?
    let found = recognized(as: request.name) { found in
      let settings = request.applied(to: found.settings)
      do {
        try Architecture.check(settings)
        return fits(settings, found)
      } catch {
        refusal = refusal ?? error
        return false
      }
    }
    if var found {
      found.apply(request)
      return found
    }
    if let refusal { throw refusal }
    throw CheckpointError.doesNotFit(path: path, reason: try mismatch(request))
  }

  private func fits(_ settings: NetworkSettings, _ found: RecognizedNetwork) -> Bool {
    if settings == found.settings { return true }
    guard let architecture = try? Architecture(name: settings.name),
      let plan = try? NetworkPlan(
        settings, imageSize: architecture.sizeOfFiles, classes: max(1, found.classes ?? 1))
    else { return false }
    let reading = found.comparison.reading
    return ArrayComparison(plan, self, reading, policy: .ofOtherClasses).mismatch
      .isEmpty
  }

  /// Why the file is not of the network that was said, or of none.
  private func mismatch(_ request: NetworkRequest) throws -> String {
    let other = recognized()
    guard let name = request.name ?? other?.settings.name else { return none }
    // What was not said is as in the file, where that is of the same network.
    var base = NetworkSettings(name: name)
    let architecture = try Architecture(name: name)
    if let other {
      base.widthMultiplier = other.settings.widthMultiplier
      if try Architecture(name: other.settings.name) == architecture { base = other.settings }
    }
    let asked = request.applied(to: base)
    let plan = try NetworkPlan(asked, imageSize: architecture.sizeOfFiles, classes: max(1, other?.classes ?? 2))
    let comparisons = NameReading.all(of: names, anchors: RegisteredNetwork.anchors(of: plan.state)).map {
      ArrayComparison(plan, self, $0, policy: .ofOtherClasses)
    }
    guard let nearest = comparisons.max(by: { $0.matches < $1.matches }), !nearest.mismatch.isEmpty else {
      return none
    }
    let said = ([name] + asked.optionWords).joined(separator: " ")
    let advice =
      StateAdvice.ofHeads(plan, nearest.mismatch) ?? other.map { "it looks like \($0.text)" }
      ?? StateAdvice(plan, self, nearest).text
    return nearest.mismatch.text(network: said) + "; " + advice
  }

  /// Networks that share less are not worth naming.
  private static let leastLikeness = 0.3

  /// What it is, as far as that is known, where it is no network of the table.
  private var none: String {
    if let names = ForeignNames(names) { return names.text }
    guard !names.isEmpty else { return "it has no arrays; name another file" }
    var best: (name: String, common: Int, of: Int, share: Double)?
    for reading in NameReading.all(of: names, anchors: RegisteredNetwork.allAnchors) {
      for network in RegisteredNetwork.examples {
        let common = network.arrays.count { reading.stored[$0] != nil }
        let share = Double(common) / Double(network.arrays.count + names.count - common)
        if share > best?.share ?? 0 { best = (network.name, common, network.arrays.count, share) }
      }
    }
    let shown = names.prefix(4).map { "'\($0)'" }.joined(separator: ", ")
    guard let best, best.share >= Self.leastLikeness else {
      return "its arrays (\(shown)...) are of no network here; see skipline inspect"
    }
    if !names.contains(where: { $0.hasSuffix("running_mean") }), Self.hasNorms(best.name) {
      return
        "its norms have no running statistics, as group norm and layer norm have none, and networks here have batch "
        + "norm; \(best.name) comes nearest"
    }
    return "its arrays are of no network here; \(best.name) comes nearest, and \(best.common) of its \(best.of) "
      + "arrays are there: name it with --net to see what is missing"
  }
}

extension FileArrays {
  fileprivate static func hasNorms(_ name: String) -> Bool {
    RegisteredNetwork.examples.first { $0.name == name }?.arrays.contains { $0.hasSuffix(".running_mean") } == true
  }
}

extension WeightsOutline {
  /// The network of the table whose graph the file has, and the arrays by their place in it.
  private var graphNetwork: (settings: NetworkSettings, outline: WeightsOutline)? {
    guard graph != nil, let settings = GraphPlacement.network(self),
      let architecture = try? Architecture(name: settings.name),
      let plan = try? NetworkPlan(settings, imageSize: architecture.sizeOfFiles, classes: 1)
    else { return nil }
    let placement = try? GraphPlacement(plan, self)
    return (settings, placement.flatMap { $0 }?.outline ?? self)
  }

  /// The arrays of a graph by their place in it; the file as it is where it has none, or none of a network here.
  var placed: WeightsOutline { graphNetwork?.outline ?? self }

  /// The network that the file is of, as far as it was said, and otherwise as its arrays and its graph say.
  /// - Throws: as `FileArrays.network`.
  func network(_ request: NetworkRequest) throws -> RecognizedNetwork {
    guard let (settings, outline) = graphNetwork else { return try FileArrays(self).network(request) }
    // A graph tells what shapes do not: whether there are shortcuts, and where strides are.
    var found = try FileArrays(outline).network(
      NetworkRequest(name: request.name ?? settings.name) { network in
        if network.name == settings.name, let version = settings.version { network.version = version }
        network = request.applied(to: network)
      })
    found.isOfGraph = true
    return found
  }
}

extension RecognizedNetwork {
  fileprivate mutating func apply(_ request: NetworkRequest) { settings = request.applied(to: settings) }
}

/// The numbers that round to channels when channels of the full network are multiplied by them.
private struct WidthRange {
  private var (lower, upper) = (0.0, Double.infinity)

  mutating func add(_ found: Int, of channels: Int) {
    // One channel is what remains of fewer, too.
    lower = max(lower, found == 1 ? 0 : (Double(found) - 0.5) / Double(channels))
    upper = min(upper, (Double(found) + 0.5) / Double(channels))
  }

  /// The one of fewest digits; nil where there is none.
  var shortest: Double? {
    guard upper.isFinite, lower < upper else { return nil }
    for digits in 0..<7 {
      var scale = 1.0
      for _ in 0..<digits { scale *= 10 }
      let number = (lower * scale).rounded(.up) / scale
      if number > 0, number >= lower, number < upper { return number }
    }
    return nil
  }
}
