// The options of `plan` about many machines, and the tables that answer them.

import ArgumentParser
import Canvas
import Messages
import Support
import Training

/// `--ranks 2,4,8 --network 1G,10G --latency 50us`.
struct ScalingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also say what steps would take on so many machines like this one, such as 2,4,8,16,64.", valueName: "counts"),
    transform: Self.ranks) var ranks: [Int] = []
  @Option(
    help: ArgumentHelp(
      "With --ranks: bits a second of each machine's link, such as 10G; several, with commas. (default: 1G,10G,100G)",
      valueName: "speeds"), transform: Self.speeds) var network: [LinkSpeed] = []
  @Option(
    help: ArgumentHelp(
      "With --ranks: how long a message takes, such as 50us or 1ms. (default: 50us)", valueName: "time"),
    transform: Self.latency) var latency: Double?

  func validate() throws {
    guard ranks.isEmpty else { return }
    if !network.isEmpty { throw ValidationError("--network goes with --ranks") }
    if latency != nil { throw ValidationError("--latency goes with --ranks") }
  }

  /// A link's speed as it was written.
  struct LinkSpeed: Equatable {
    var text: String
    var bitsPerSecond: Double
  }

  static let usualSpeeds = ["1G", "10G", "100G"]
  static let usualLatency = 50e-6

  /// - Throws: what the planner throws.
  func estimates(of plan: RunPlan, by planner: RunPlanner) throws -> [ScalingTable] {
    guard !ranks.isEmpty else { return [] }
    let speeds = try network.isEmpty ? Self.usualSpeeds.map { try Self.speed($0) } : network
    let latency = latency ?? Self.usualLatency
    let steps = try planner.scaling(
      of: plan, ranks: ranks,
      networks: speeds.map { RankNetwork(bandwidth: $0.bitsPerSecond / 8, latency: latency) })
    return zip(speeds, steps).map {
      ScalingTable(network: $0.text, bitsPerSecond: $0.bitsPerSecond, latency: latency, steps: $1)
    }
  }

  // MARK: Words

  private static func ranks(_ text: String) throws -> [Int] {
    try parts(text).map { part in
      do throws(OutOfRange) { return try Limits.ranks.parse(part) } catch {
        throw Unfitting("\(part) must be \(error.requirement)")
      }
    }
  }

  private static func speeds(_ text: String) throws -> [LinkSpeed] { try parts(text).map(speed) }

  private static func speed(_ text: String) throws -> LinkSpeed {
    let factors: [Character: Double] = ["k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12]
    let factor = text.last.flatMap { factors[Character($0.lowercased())] }
    guard let number = Double(factor == nil ? text[...] : text.dropLast()),
      Limits.bandwidth.range.contains(number * (factor ?? 1))
    else { throw Unfitting("\(text) must be bits a second, such as 100M, 1G or 25G") }
    return LinkSpeed(text: text, bitsPerSecond: number * (factor ?? 1))
  }

  private static func latency(_ text: String) throws -> Double {
    let units = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]
    for (unit, seconds) in units where text.hasSuffix(unit) {
      guard let number = Double(text.dropLast(unit.count)), Limits.latency.range.contains(number * seconds) else {
        break
      }
      return number * seconds
    }
    throw Unfitting(
      "it must be a time of at most \(plainNumber(Limits.latency.range.upper)) s, such as 50us or 1ms")
  }

  private static func parts(_ text: String) throws -> [String] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !parts.contains("") else { throw Unfitting("between commas there must be something") }
    return parts
  }
}

/// What steps take with one network.
struct ScalingTable: Encodable {
  /// As it was given.
  var network: String
  var bitsPerSecond: Double
  var latency: Double
  var steps: [ScaledStep]

  /// The network's line, and a table.
  var lines: [String] {
    let rows = steps.map { step in
      [
        "\(step.ranks)", Format.count(step.batch), Format.interval(step.seconds),
        Format.interval(step.exchangeSeconds),
        Format.percent(step.hiddenShare), Format.speed(step.imagesPerSecond), Format.percent(step.efficiency),
      ]
    }
    return ["\(network)bit/s, \(Format.interval(latency)) a message:"]
      + Console.table([["ranks", "batch", "a step", "exchange", "hidden", "images/s", "efficiency"]] + rows)
  }
}
