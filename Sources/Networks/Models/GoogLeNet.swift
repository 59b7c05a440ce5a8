// GoogLeNet, also called Inception v1, with batch norm.

import Messages

/// googlenet: nine blocks of four branches that look at the map with different kernels, their channels put side by
/// side. Layers and names are torchvision's: a batch norm after each convolution, a 3x3 where the paper has a 5x5, pools
/// that round up, and no local response normalization. The paper's two auxiliary classifiers (section 5), which help in
/// training alone, are there if asked: behind 4a and 4d, with a 4x4 grid of means of any map, as torchvision has them.
struct GoogLeNet: NetworkFamily {
  static let paper =
    "Szegedy et al. 2014, \"Going deeper with convolutions\", arXiv:1409.4842, table 1; batch norm: Ioffe and Szegedy "
    + "2015, arXiv:1502.03167"
  static let examples = ["googlenet"]
  static let overview = "googlenet"

  init?(name: String) {
    guard Self.examples.contains(name) else { return nil }
  }

  var dropout: Double? { 0.2 }
  var auxiliaryHeads: [String] { ["aux1", "aux2"] }

  /// (x - mean) / std times std / 0.5, plus (mean - 0.5) / 0.5, is (x - 0.5) / 0.5.
  var inputNote: String? {
    "torchvision's own weights of googlenet expect --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5 (its transform_input changes the "
      + "normalization in the network)"
  }

  /// Added to the variance in batch norm: ten times what others add.
  private static let epsilon = 0.001

  /// A row of table 1.
  private struct Block {
    var name: String
    var one: Int
    var threeReduced: Int
    var three: Int
    var fiveReduced: Int
    var five: Int
    var pooled: Int

    init(
      _ name: String, _ one: Int, _ threeReduced: Int, _ three: Int, _ fiveReduced: Int, _ five: Int, _ pooled: Int
    ) {
      (self.name, self.one, self.threeReduced, self.three) = (name, one, threeReduced, three)
      (self.fiveReduced, self.five, self.pooled) = (fiveReduced, five, pooled)
    }
  }

  private static let stages = [
    [Block("3a", 64, 96, 128, 16, 32, 32), Block("3b", 128, 128, 192, 32, 96, 64)],
    [
      Block("4a", 192, 96, 208, 16, 48, 64), Block("4b", 160, 112, 224, 24, 64, 64),
      Block("4c", 128, 128, 256, 24, 64, 64), Block("4d", 112, 144, 288, 32, 64, 64),
      Block("4e", 256, 160, 320, 32, 128, 128),
    ],
    [Block("5a", 256, 160, 320, 32, 128, 128), Block("5b", 384, 192, 384, 48, 128, 128)],
  ]

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    func pool(_ kernel: Int) -> LayerPlan { .maxPool(kernel: kernel, stride: 2, ceilMode: true) }
    let stages = Self.stages.map { $0.flatMap { [block(plan, $0)] + head(plan, after: $0) } }
    return unit(plan, "conv1", 64, 7, stride: 2) + [pool(3)] + unit(plan, "conv2", 64, 1)
      + unit(plan, "conv3", 192, 3) + [pool(3)] + stages[0] + [pool(3)] + stages[1] + [pool(2)] + stages[2]
      + [.averagePool(side: 1), .flatten] + (plan.settings.head == .standard ? plan.dropout() : [])
      + plan.classifier("fc")
  }

  /// Convolution, batch norm, ReLU.
  private func unit(
    _ plan: PlanBuilder, _ name: String, _ channels: Int, _ kernel: Int, stride: Int = 1
  ) -> [LayerPlan] {
    [
      plan.convolution(name + ".conv", plan.width(channels), kernel, stride: stride),
      .batchNorm(name: name + ".bn", epsilon: Self.epsilon), .relu,
    ]
  }

  /// The auxiliary classifier behind a block that has one.
  private func head(_ plan: PlanBuilder, after block: Block) -> [LayerPlan] {
    guard plan.settings.auxiliaryHeads == true, let place = Self.headed.firstIndex(of: block.name) else {
      return []
    }
    let name = auxiliaryHeads[place]
    return [
      .auxiliaryHead(
        name: name,
        [.averagePool(side: 4)] + unit(plan, name + ".conv", 128, 1) + [
          .flatten, .dense(name: name + ".fc1", outputs: plan.width(1024)), .relu,
        ] + (plan.settings.dropout == 0 ? [] : [.dropout(rate: 0.7)])
          + [.dense(name: name + ".fc2", outputs: plan.classes)])
    ]
  }

  /// The blocks that auxiliary classifiers read.
  private static let headed = ["4a", "4d"]

  private func block(_ plan: PlanBuilder, _ block: Block) -> LayerPlan {
    let name = "inception" + block.name
    let pool = LayerPlan.maxPool(kernel: 3, stride: 1, padding: 1, ceilMode: true)
    return .block(
      name: name,
      [
        .branches(
          name: name + ".concat",
          [
            unit(plan, name + ".branch1", block.one, 1),
            unit(plan, name + ".branch2.0", block.threeReduced, 1)
              + unit(plan, name + ".branch2.1", block.three, 3),
            unit(plan, name + ".branch3.0", block.fiveReduced, 1) + unit(plan, name + ".branch3.1", block.five, 3),
            [pool] + unit(plan, name + ".branch4.1", block.pooled, 1),
          ], joined: .concatenation)
      ])
  }

  /// The paper's network has no batch norm (10.07 % top-5 with one crop, table 3); these are torchvision's weights.
  func publishedError(_ settings: NetworkSettings) -> PublishedError? { .torchvision(top1: 69.778, top5: 89.530) }
}
