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
  /// Only how the stem comes out depends on the image's size, and that is tried both ways; and LeNet's first dense
  /// layer.
  private static func imageSize(_ name: String) -> Int { (try? Architecture(name: name).usual.imageSize) ?? 224 }

  /// - Parameter shapes: of every array but batch norm's counts, by its name without a wrapper.
  init?(_ shapes: [String: [Int]]) {
    guard shapes.count <= Self.mostArrays else { return nil }
    let blocks = (0...).prefix { $0 < Self.mostArrays && shapes["layer1.\($0).conv1.weight"] != nil }.count
    for name in Architecture.candidates(blocksInFirstStage: blocks) {
      for settings in Self.variants(name, shapes) {
        // A classifier of its own, which is left out of the comparison.
        guard let plan = try? NetworkPlan(settings, imageSize: Self.imageSize(settings.name), classes: 1) else {
          continue
        }
        let classifier = plan.classifier
        let own = plan.state.filter { !$0.name.hasPrefix(classifier + ".") }
        let others = shapes.keys.count { !$0.hasPrefix(classifier + ".") && !plan.passesOver($0) }
        guard own.count == others, own.allSatisfy({ shapes[$0.name] == $0.shape }) else { continue }
        self.settings = settings
        classes = shapes[classifier + ".weight"]?.first
        return
      }
    }
    return nil
  }

  /// Each way to build the network that makes its first convolution as wide as the file's.
  private static func variants(_ name: String, _ shapes: [String: [Int]]) -> [NetworkSettings] {
    guard let architecture = try? Architecture(name: name),
      let full = try? NetworkPlan(NetworkSettings(name: name), imageSize: imageSize(name), classes: 1),
      let first = full.state.first(where: { $0.kind == .parameter && shapes[$0.name] != nil }),
      let width = first.shape.first,
      let channels = shapes[first.name]?.first, channels > 0
    else { return [] }
    let multiplier = Double(channels) / Double(width)
    guard architecture.hasBlocks else {
      return (architecture.canBeWhitened ? [false, true] : [false]).map {
        NetworkSettings(name: name, widthMultiplier: multiplier, isWhitened: $0)
      }
    }
    let shortcuts: [Shortcut?] = architecture.hasShortcuts ? [nil] + Shortcut.allCases.map { $0 } : [nil]
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
    guard let plan = try? NetworkPlan(settings, imageSize: Self.imageSize(settings.name), classes: 1) else {
      return []
    }
    var twins: [String] = []
    if plan.settings.shortcut == .zeroPadding {
      let plain = "plain" + settings.name.drop { !$0.isNumber }
      if (try? Architecture(name: plain)) != nil { twins.append("--net \(plain) without shortcuts") }
      twins.append("--zeros end")
    }
    if plan.settings.shortcut == .zeroPadding, plan.settings.version == .v2,
      (try? Architecture.check(NetworkSettings(name: settings.name, variant: .article))) != nil
    {
      twins.append("--variant article")
    }
    if plan.settings.version == .v1_5 { twins.append("--block v1") }
    return twins
  }
}
