// The table of networks against the papers' and torchvision's numbers: parameters, multiply-adds, shapes.

import Messages
import Testing

@testable import Networks

/// What the sources say about one network: parameters, and multiply-adds in units of 10^9 or 10^6 as printed there.
struct PublishedCounts: Sendable, CustomTestStringConvertible {
  var name: String
  var shortcut: Shortcut?
  var version: BlockVersion?
  var variant: NetworkVariant?
  var classes = 1000
  var imageSize = 224
  var parameters: Int
  var multiplyAdds: Double?
  /// What the multiply-adds are printed in, and the size of their last digit.
  var unit = 1e9
  var lastDigit = 0.001

  var testDescription: String {
    [name, variant?.rawValue, shortcut?.rawValue, version?.rawValue, "\(classes) classes"].compactMap { $0 }.joined(
      separator: " ")
  }

  func summary() throws -> NetworkSummary {
    try NetworkPlan(
      NetworkSettings(name: name, shortcut: shortcut, version: version, variant: variant), imageSize: imageSize,
      classes: classes
    ).summary(batchSize: 1)
  }
}

@Suite struct ArchitectureTests {
  /// He et al. 2015 (arXiv:1512.03385), table 1 and section 3.3, at 224 pixels; with shortcut B, torchvision's.
  static let resNets: [PublishedCounts] = {
    typealias Row = (
      depth: Int, b: Int, a: Int, c: Int, tenClasses: Int, billions: Double, strideInFirst: Double
    )
    let rows: [Row] = [
      (18, 11_689_512, 11_515_688, 12_043_816, 11_181_642, 1.814, 1.814),
      (34, 21_797_672, 21_623_848, 22_716_840, 21_289_802, 3.664, 3.664),
      (50, 25_557_032, 22_780_456, 40_128_552, 23_528_522, 4.089, 3.858),
      (101, 44_549_160, 41_772_584, 76_981_288, 42_520_650, 7.801, 7.570),
      (152, 60_192_808, 57_416_232, 107_335_720, 58_164_298, 11.514, 11.282),
    ]
    return rows.flatMap { row in
      let name = "resnet\(row.depth)"
      return [
        PublishedCounts(name: name, parameters: row.b, multiplyAdds: row.billions),
        PublishedCounts(name: name, version: .v1, parameters: row.b, multiplyAdds: row.strideInFirst),
        PublishedCounts(name: name, version: .v1_5, parameters: row.b, multiplyAdds: row.billions),
        PublishedCounts(name: name, shortcut: .zeroPadding, parameters: row.a),
        PublishedCounts(name: name, shortcut: .projectionAlways, parameters: row.c),
        PublishedCounts(name: name, classes: 10, parameters: row.tenClasses),
      ]
    }
  }()

  /// The article's networks, by a twin in PyTorch (`ArticleResNet` in References/reference_tools.py). They have as many
  /// parameters as the paper's with shortcut A: the norms before the convolutions are as wide together as those behind.
  static let articleNets = [
    PublishedCounts(name: "resnet50", variant: .article, parameters: 22_780_456, multiplyAdds: 3.122593792),
    PublishedCounts(name: "resnet101", variant: .article, parameters: 41_772_584, multiplyAdds: 6.834814976),
    PublishedCounts(name: "resnet152", variant: .article, parameters: 57_416_232, multiplyAdds: 10.547036160),
  ].map {
    var exact = $0
    exact.lastDigit = 1e-9
    return exact
  }

  /// The plain twins have the parameters of option A; so have its multiply-adds.
  static let plainNets = [
    PublishedCounts(name: "plain18", parameters: 11_515_688, multiplyAdds: 1.795),
    PublishedCounts(name: "plain34", parameters: 21_623_848, multiplyAdds: 3.644),
    PublishedCounts(name: "resnet18", shortcut: .zeroPadding, parameters: 11_515_688, multiplyAdds: 1.795),
    PublishedCounts(name: "resnet34", shortcut: .zeroPadding, parameters: 21_623_848, multiplyAdds: 3.644),
  ]

  /// torchvision's, counted there; Xie et al. 2016 print 25.0 million parameters for 32x4d (table 1).
  static let widerNets = [
    PublishedCounts(name: "wide_resnet50_2", parameters: 68_883_240, multiplyAdds: 11.39802112),
    PublishedCounts(name: "wide_resnet101_2", parameters: 126_886_696, multiplyAdds: 22.753050624),
    PublishedCounts(name: "wide_resnet50_2", classes: 10, parameters: 66_854_730),
    PublishedCounts(name: "resnext50_32x4d", parameters: 25_028_904, multiplyAdds: 4.230479872),
    PublishedCounts(name: "resnext101_32x8d", parameters: 88_791_336, multiplyAdds: 16.414015488),
    PublishedCounts(name: "resnext101_64x4d", parameters: 83_455_272, multiplyAdds: 15.460270080),
    PublishedCounts(name: "resnext50_32x4d", classes: 10, parameters: 23_000_394),
    // timm's; the squeezes' multiply-adds are their weights'.
    PublishedCounts(name: "resnet18d", parameters: 11_708_744, multiplyAdds: 2.053713920),
    PublishedCounts(name: "resnet26d", parameters: 16_014_408, multiplyAdds: 2.581897216),
    PublishedCounts(name: "resnet34d", parameters: 21_816_904, multiplyAdds: 3.903401984),
    PublishedCounts(name: "resnet50d", parameters: 25_576_264, multiplyAdds: 4.328824832),
    PublishedCounts(name: "resnet101d", parameters: 44_568_392, multiplyAdds: 8.041046016),
    PublishedCounts(name: "resnet152d", parameters: 60_212_040, multiplyAdds: 11.753267200),
    PublishedCounts(name: "resnet50d", classes: 10, parameters: 23_547_754),
    PublishedCounts(name: "seresnet18", parameters: 11_779_624, multiplyAdds: 1.814073344 + 0.000088064),
    PublishedCounts(name: "seresnet34", parameters: 21_960_416, multiplyAdds: 3.663761408 + 0.000158720),
    PublishedCounts(name: "seresnet50", parameters: 28_088_024, multiplyAdds: 4.089184256 + 0.002514944),
    PublishedCounts(name: "seresnet101", parameters: 49_326_872, multiplyAdds: 7.801405440 + 0.004743168),
    PublishedCounts(name: "seresnet152", parameters: 66_821_848, multiplyAdds: 11.513626624 + 0.006578176),
    PublishedCounts(name: "seresnet18", classes: 10, parameters: 11_271_754),
  ].map {
    var exact = $0
    exact.lastDigit = 1e-9
    return exact
  }

  /// Simonyan and Zisserman 2014 (arXiv:1409.1556), table 1, column E; torchvision's for batch norm.
  static let vggNets = [
    PublishedCounts(name: "vgg19", parameters: 143_667_240, multiplyAdds: 19.632),
    PublishedCounts(name: "vgg19_bn", parameters: 143_678_248, multiplyAdds: 19.632),
    PublishedCounts(name: "vgg19", classes: 10, parameters: 139_611_210),
  ]

  /// He et al. 2015, section 4.2, ten classes at 32 pixels; table 6 gives the parameters in millions.
  static let cifarNets: [PublishedCounts] = {
    let rows = [
      (20, 269_722, 40.55, 0.01), (32, 464_154, 68.86, 0.01), (44, 658_586, 97.17, 0.01),
      (56, 853_018, 125.49, 0.01),
      (110, 1_727_962, 252.89, 0.01), (1202, 19_421_274, 2829, 1),
    ]
    return rows.flatMap { depth, parameters, millions, digit in
      ["cifar", "plain"].filter { $0 == "cifar" || depth < 1202 }.map {
        PublishedCounts(
          name: "\($0)\(depth)", classes: 10, imageSize: 32, parameters: parameters, multiplyAdds: millions,
          unit: 1e6,
          lastDigit: digit)
      }
    }
  }()

  /// The arXiv:2404.00498 authors and Page count 6.57 million without the classifier's bias; multiply-adds by hand:
  /// (27 * 64 + 4 * 9 * 64 * 128 / 4 ...) as the products of kernel, channels and pixels of the nine layers.
  static let resNet9 = [
    PublishedCounts(
      name: "resnet9", classes: 10, imageSize: 32, parameters: 6_573_130,
      multiplyAdds: Double(
        9
          * (3 * 64 * 1024 + 64 * 128 * 1024 + 2 * 128 * 128 * 256 + 128 * 256 * 256 + 256 * 512 * 64 + 2 * 512
            * 512 * 16)
          + 5120) / 1e6, unit: 1e6, lastDigit: 0.001)
  ]

  @Test func `resnet9 has the same layers for large images, whose last map is pooled whole`() throws {
    for side in [16, 28, 32, 64, 224] {
      let plan = try NetworkPlan(NetworkSettings(name: "resnet9"), imageSize: side, classes: 10)
      let pool = try #require(plan.lowered.operations.first { $0.kind == .globalMaxPool })
      #expect(pool.input == FeatureShape(height: side / 8, width: side / 8, channels: 512))
      #expect(plan.state.reduce(0) { $0 + ($1.kind == .parameter ? $1.shape.reduce(1, *) : 0) } == 6_573_130)
    }
    #expect(throws: NetworkError.self) {
      try NetworkPlan(NetworkSettings(name: "resnet9"), imageSize: 7, classes: 10)
    }
    let gray = try NetworkPlan(
      NetworkSettings(name: "resnet9", isWhitened: true), imageSize: 32, classes: 10, channels: 1)
    #expect(gray.state.first?.name == "whiten.weight" && gray.state.first?.shape == [8, 1, 2, 2])
  }

  @Test(arguments: resNets + articleNets + widerNets + plainNets + vggNets + cifarNets + resNet9)
  func `parameters and multiply-adds are the published ones`(_ published: PublishedCounts) throws {
    let summary = try published.summary()
    #expect(summary.parameters == published.parameters)
    if let expected = published.multiplyAdds {
      #expect(abs(Double(summary.multiplyAdds) / published.unit - expected) <= published.lastDigit * 0.5001)
    }
  }

  @Test(arguments: [20, 32, 44, 56, 110])
  func `projections add 2752 parameters to a network for small images`(depth: Int) throws {
    func parameters(_ shortcut: Shortcut) throws -> Int {
      try NetworkPlan(NetworkSettings(name: "cifar\(depth)", shortcut: shortcut), imageSize: 32, classes: 10)
        .summary(batchSize: 1).parameters
    }
    // 16 * 32 + 32 * 64 weights, two batch norms of 2 * 32 and 2 * 64.
    #expect(try parameters(.projection) - parameters(.zeroPadding) == 2752)
  }

  @Test func `VGG-19's dense layers have 86 percent of the parameters and 0_63 percent of the multiply-adds`()
    throws
  {
    let summary = try NetworkPlan(NetworkSettings(name: "vgg19"), imageSize: 224, classes: 1000)
      .summary(batchSize: 1)
    let dense = summary.layers.filter { $0.kind == .dense }
    #expect(dense.count == 3)
    let parameters = Double(dense.reduce(0) { $0 + $1.parameters }) / Double(summary.parameters)
    let multiplyAdds = Double(dense.reduce(0) { $0 + $1.multiplyAdds }) / Double(summary.multiplyAdds)
    #expect((parameters * 100).rounded() == 86)
    #expect((multiplyAdds * 10_000).rounded() == 63)
  }

  /// Table 1 of the paper: side and channels after the stem's convolution, its pool, and each stage.
  @Test(arguments: [
    (18, [64, 128, 256, 512]), (34, [64, 128, 256, 512]), (50, [256, 512, 1024, 2048]),
    (101, [256, 512, 1024, 2048]), (152, [256, 512, 1024, 2048]),
  ])
  func `stages of a network for large images`(depth: Int, channels: [Int]) throws {
    let summary = try NetworkPlan(NetworkSettings(name: "resnet\(depth)"), imageSize: 224, classes: 1000)
      .summary(batchSize: 1)
    func shape(_ side: Int, _ channels: Int) -> FeatureShape {
      FeatureShape(height: side, width: side, channels: channels)
    }
    #expect(summary.layers.first { $0.name == "conv1" }?.output == shape(112, 64))
    #expect(summary.layers.first { $0.kind == .maxPool }?.output == shape(56, 64))
    for (stage, side) in [56, 28, 14, 7].enumerated() {
      let additions = summary.layers.filter { $0.name.hasPrefix("layer\(stage + 1).") && $0.kind == .addition }
      #expect(additions.count == ResNet.table[depth]?.blocks[stage])
      #expect(additions.allSatisfy { $0.output == shape(side, channels[stage]) })
    }
    #expect(summary.layers.last?.output == shape(1, 1000))
  }

  @Test func `the article's network strides in the last block of each stage but the last one`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "resnet50", variant: .article), imageSize: 224, classes: 8)
    let strided = plan.lowered.operations.compactMap { operation -> String? in
      guard case .convolution(let name, _, _, 2, _, _, _) = operation.kind else { return nil }
      return name
    }
    #expect(strided == ["conv1", "layer1.2.conv2", "layer2.3.conv2", "layer3.5.conv2"])
    let sides = plan.lowered.operations.filter { if case .join = $0.kind { true } else { false } }.map(
      \.output.height)
    #expect(
      sides == [56, 56, 28] + [28, 28, 28, 14] + [14, 14, 14, 14, 14, 7] + [7, 7, 7],
      "sixteen blocks and their maps")
    let first = plan.lowered.operations.prefix(3).map(\.kind)
    #expect(
      first[1] == .maxPool(kernel: 3, stride: 2, padding: 1, ceilMode: false),
      "nothing between the stem and its pool")
    #expect(plan.settings.head == .regularized && plan.settings.shortcut == .zeroPadding)
    #expect(plan.lowered.operations.contains { $0.kind == .dropout(rate: 0.5) })
  }

  @Test func `stages of a network for small images`() throws {
    let summary = try NetworkPlan(NetworkSettings(name: "cifar56"), imageSize: 32, classes: 10).summary(
      batchSize: 1)
    for (stage, (side, channels)) in [(32, 16), (16, 32), (8, 64)].enumerated() {
      let additions = summary.layers.filter { $0.name.hasPrefix("layer\(stage + 1).") && $0.kind == .addition }
      #expect(additions.count == 9)
      #expect(
        additions.allSatisfy { $0.output == FeatureShape(height: side, width: side, channels: channels) })
    }
  }

  @Test(arguments: ["resnet18", "resnet34", "plain18", "cifar20", "cifar110", "vgg19", "resnet9"])
  func `a network's name is its number of layers with weights`(name: String) throws {
    let summary = try NetworkPlan(NetworkSettings(name: name, shortcut: .zeroPadding), imageSize: 64, classes: 10)
      .summary(batchSize: 1)
    let weighted = summary.layers.filter { $0.kind == .convolution || $0.kind == .dense }.count
    #expect(name.hasSuffix("\(weighted)"))
  }

  @Test(arguments: Architecture.examples)
  func `every name on offer is a network`(name: String) throws {
    let side = try Architecture(name: name).usual.imageSize
    let plan = try NetworkPlan(NetworkSettings(name: name), imageSize: side, classes: 5)
    #expect(plan.summary(batchSize: 1).layers.last?.output.channels == 5)
  }

  // MARK: The registry

  @Test func `each name belongs to one family, which names its paper`() throws {
    let names = Architecture.examples + ["cifar8", "cifar1202", "plain8", "plain1202"]
    #expect(Set(names).count == names.count)
    for name in names {
      let families = Architecture.families.filter { $0.init(name: name) != nil }
      #expect(families.count == 1, "\(name): \(families)")
      #expect(families.allSatisfy { $0.paper.contains { $0.isNumber } })
    }
    func candidates(_ blocks: Int, _ channels: Int) -> ArraySlice<String> {
      Architecture.candidates(blocksInFirstStage: blocks, channels: channels).dropFirst(Architecture.examples.count)
    }
    #expect(candidates(6, 24) == ["cifar38", "plain38"])
    #expect(candidates(3, 96) == ["cifar20", "plain20", "wrn-22-6"])
    #expect(candidates(17, 16) == ["cifar104", "plain104"], "deeper than any")
  }

  @Test func `what is usual for a network follows its family`() throws {
    func usual(_ name: String) throws -> [Int] {
      let usual = try Architecture(name: name).usual
      return [usual.imageSize, usual.classes]
    }
    for name in ["resnet18", "resnet152", "plain18", "plain34", "vgg19_bn"] {
      #expect(try usual(name) == [224, 1000])
    }
    for name in ["cifar20", "plain20", "plain110", "resnet9"] { #expect(try usual(name) == [32, 10]) }
    #expect(try Architecture(name: "plain18") != Architecture(name: "plain34"))
    #expect(
      try Architecture(name: "plain20") != Architecture(name: "cifar20"), "another family with the same stages")
    #expect(try !Architecture(name: "plain20").hasShortcuts && Architecture(name: "plain20").hasBlocks)
    #expect(try !Architecture(name: "vgg19").hasBlocks)
  }
}
