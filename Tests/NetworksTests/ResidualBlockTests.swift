// Residual blocks of every kind, as the network builder makes them, against their naive twins.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct ResidualBlockTests {
  /// The block `name` of a small network, on a map of its own.
  private static func block(
    _ name: String, _ shortcut: Shortcut, _ version: BlockVersion, bottleneck: Bool = false,
    placement: ZeroPlacement = .split, variant: NetworkVariant? = nil, map: (height: Int, width: Int) = (4, 4),
    _ title: String
  ) -> LayerCase {
    let settings = NetworkSettings(
      name: "", shortcut: shortcut, zeroPlacement: placement, version: version, stem: .small, variant: variant)
    let plan = ResidualStages(blocks: [2, 2], widths: [3, 4], bottleneck: bottleneck)
      .layers(PlanBuilder(settings: settings, classes: 2))
    let place = plan.firstIndex { if case .block(name, _) = $0 { true } else { false } }
    guard let place,
      let before = try? LoweredPlan(
        Array(plan[..<place]), image: FeatureShape(height: 8, width: 8, channels: 3))
    else { preconditionFailure("no block \(name)") }
    return LayerCase(
      name: title, layers: [plan[place]], input: [2, map.height, map.width, before.output.channels])
  }

  static let cases: [LayerCase] = [
    block("layer1.0", .zeroPadding, .v1, "basic, identity"),
    block("layer2.0", .zeroPadding, .v1, "basic, A split"),
    block("layer2.0", .zeroPadding, .v1, placement: .end, map: (5, 3), "basic, A at the end, odd map"),
    block("layer2.0", .projection, .v1, "basic, B"),
    block("layer2.0", .projection, .v1, map: (3, 5), "basic, B, odd map"),
    block("layer1.1", .projectionAlways, .v1, "basic, C without change of shape"),
    block("layer1.1", .zeroPadding, .v2, "basic v2, identity"),
    block("layer2.0", .zeroPadding, .v2, "basic v2, A"),
    block("layer2.0", .projection, .v2, "basic v2, B"),
    block("layer1.1", .projectionAlways, .v2, "basic v2, C without change of shape"),
    block("layer1.1", .projection, .v1, bottleneck: true, "bottleneck, identity"),
    block("layer1.0", .projection, .v1, bottleneck: true, "bottleneck, B, more channels"),
    block("layer1.0", .zeroPadding, .v1, bottleneck: true, "bottleneck, A, more channels"),
    block("layer2.0", .projection, .v1, bottleneck: true, "bottleneck v1, B"),
    block("layer2.0", .projection, .v1_5, bottleneck: true, "bottleneck v1.5, B"),
    block("layer2.0", .zeroPadding, .v1_5, bottleneck: true, map: (5, 3), "bottleneck v1.5, A, odd map"),
    block("layer1.1", .projection, .v2, bottleneck: true, "bottleneck v2, identity"),
    block("layer2.0", .projection, .v2, bottleneck: true, "bottleneck v2, B"),
    block("layer1.0", .zeroPadding, .v2, bottleneck: true, variant: .article, "article, more channels"),
    block(
      "layer1.1", .zeroPadding, .v2, bottleneck: true, variant: .article, map: (5, 4), "article, a smaller map"),
  ]

  // Measured: outputs 3e-7, gradients 1.3e-6.
  @Test(arguments: cases)
  func `a block and its gradients`(_ c: LayerCase) {
    expectAgreement(c, output: 1e-6, gradient: 4e-6)
  }

  @Test func `a bottleneck strides in its first 1x1 in v1 and in its 3x3 in v1_5`() {
    func strides(_ version: BlockVersion) -> [Int] {
      let found = Self.block("layer2.0", .projection, version, bottleneck: true, "")
      let image = FeatureShape(height: found.input[1], width: found.input[2], channels: found.input[3])
      return (try? LoweredPlan(found.layers, image: image))?.operations.compactMap { operation in
        // The projection's, on the shortcut, lies deeper.
        if operation.depth == 1, case .convolution(_, _, _, let stride, _, _, _) = operation.kind {
          stride
        } else {
          nil
        }
      } ?? []
    }
    #expect(strides(.v1) == [2, 1, 1])
    #expect(strides(.v1_5) == [1, 2, 1])
    #expect(strides(.v2) == [1, 2, 1])
  }
}
