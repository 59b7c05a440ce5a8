// Which network of the table a file's arrays belong to, found by comparing shapes: for the message about a file that
// does not fit the network that was named.

import Messages
import Networks

/// A network whose arrays are exactly a file's.
struct NetworkGuess {
  let settings: NetworkSettings
  /// nil where the file has no classifier.
  let classes: Int?

  /// More arrays than any network of the table has are compared with none.
  private static let mostArrays = 10_000
  /// Only how the stem comes out depends on the image's size, and that is tried both ways.
  private static let imageSize = 224

  /// - Parameter shapes: of every array but batch norm's counts, by its name without a wrapper.
  init?(_ shapes: [String: [Int]]) {
    guard shapes.count <= Self.mostArrays, let first = shapes["conv1.weight"] ?? shapes["features.0.weight"],
      let channels = first.first, channels > 0
    else { return nil }
    let blocks = (0...).prefix { $0 < Self.mostArrays && shapes["layer1.\($0).conv1.weight"] != nil }.count
    let names = Architecture.examples + ["cifar\(6 * blocks + 2)", "plain\(6 * blocks + 2)"]
    for name in names {
      guard let architecture = try? Architecture(name: name) else { continue }
      for settings in Self.variants(name, architecture, stemChannels: channels) {
        // A classifier of its own, which is left out of the comparison.
        guard let plan = try? NetworkPlan(settings, imageSize: Self.imageSize, classes: 1) else { continue }
        let classifier = plan.classifier
        let own = plan.state.filter { !$0.name.hasPrefix(classifier + ".") }
        let others = shapes.keys.count { !$0.hasPrefix(classifier + ".") }
        guard own.count == others, own.allSatisfy({ shapes[$0.name] == $0.shape }) else { continue }
        self.settings = settings
        classes = shapes[classifier + ".weight"]?.first
        return
      }
    }
    return nil
  }

  private static func variants(
    _ name: String, _ architecture: Architecture, stemChannels: Int
  ) -> [NetworkSettings] {
    let (width, residual): (Int, Bool) =
      switch architecture {
      case .resNet(_, let residual): (64, residual)
      case .cifar(_, let residual): (16, residual)
      case .vgg19: (64, false)
      }
    let multiplier = Double(stemChannels) / Double(width)
    if case .vgg19 = architecture { return [NetworkSettings(name: name, widthMultiplier: multiplier)] }
    let shortcuts: [Shortcut?] = residual ? [nil] + Shortcut.allCases.map { $0 } : [nil]
    return shortcuts.flatMap { shortcut in
      [BlockVersion?.none, .v2].flatMap { version in
        [Stem.large, .small].map {
          NetworkSettings(
            name: name, shortcut: shortcut, version: version, stem: $0, widthMultiplier: multiplier)
        }
      }
    }
  }

  /// `resnet34 for 1000 classes: --net resnet34 --stem large`
  var text: String {
    let what = classes.map { "\(settings.name) for \($0) classes" } ?? "\(settings.name) without a classifier"
    let twins = twins.isEmpty ? "" : " (or \(twins.joined(separator: ", ")), which cannot be told apart by shapes)"
    return "\(what): \((["--net", settings.name] + settings.optionWords).joined(separator: " "))\(twins)"
  }

  /// Other networks with the same arrays.
  private var twins: [String] {
    guard let plan = try? NetworkPlan(settings, imageSize: Self.imageSize, classes: 1) else { return [] }
    var twins: [String] = []
    if plan.settings.shortcut == .zeroPadding {
      let plain = "plain" + settings.name.drop { !$0.isNumber }
      if (try? Architecture(name: plain)) != nil { twins.append("--net \(plain) without shortcuts") }
      twins.append("--zeros end")
    }
    if plan.settings.version == .v1_5 { twins.append("--block v1") }
    return twins
  }
}
