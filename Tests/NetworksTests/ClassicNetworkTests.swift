// The networks from before residual learning, and the wide residual ones for small images: counts from papers and from
// torchvision, names, and values that PyTorch computed (References/make_classic_references.py).

import Foundation
import Messages
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

@Suite struct ClassicNetworkTests {
  // MARK: Counts

  /// Parameters: torchvision's, of GoogLeNet without auxiliary classifiers; multiply-adds as PyTorch's FlopCounterMode
  /// counts them of torchvision's networks.
  static let torchvision: [PublishedCounts] = [
    ("alexnet", 61_100_840, 714_188_480), ("vgg11", 132_863_336, 7_609_090_048),
    ("vgg11_bn", 132_868_840, 7_609_090_048), ("vgg13", 133_047_848, 11_308_466_176),
    ("vgg13_bn", 133_053_736, 11_308_466_176), ("vgg16", 138_357_544, 15_470_264_320),
    ("vgg16_bn", 138_365_992, 15_470_264_320), ("vgg19", 143_667_240, 19_632_062_464),
    ("vgg19_bn", 143_678_248, 19_632_062_464), ("squeezenet1_0", 1_248_424, 818_924_576),
    ("squeezenet1_1", 1_235_496, 349_151_936), ("googlenet", 6_624_904, 1_498_376_192),
  ].map { PublishedCounts(name: $0, parameters: $1, multiplyAdds: Double($2), unit: 1, lastDigit: 1) }

  /// Zagoruyko and Komodakis 2016, table 5: 2.7 (a width of 4), 8.9, 11.0 and 36.5 million; exactly as the authors'
  /// program counts them. The multiply-adds of 28-10 are 5.2 billion in table 6's comparison of networks.
  static let wide = [
    ("wrn-16-4", 2_748_890), ("wrn-40-4", 8_949_210), ("wrn-16-8", 10_961_370), ("wrn-28-10", 36_479_194),
  ].map { PublishedCounts(name: $0, classes: 10, imageSize: 32, parameters: $1) }

  static let leNets = [
    PublishedCounts(
      name: "lenet5", classes: 10, imageSize: 32, parameters: 61_706, multiplyAdds: 416_520, unit: 1, lastDigit: 1),
    // The paper's 60,000, and the output that takes the place of its bitmaps. 25 * 6 * 28^2, 25 * 60 * 10^2, 400 * 120,
    // 120 * 84, 84 * 10.
    PublishedCounts(
      name: "lenet5-classic", classes: 10, imageSize: 32, parameters: 60_000 + 850, multiplyAdds: 326_520, unit: 1,
      lastDigit: 1),
  ]

  @Test(arguments: torchvision + wide + leNets)
  func `parameters and multiply-adds are the published ones`(_ published: PublishedCounts) throws {
    let summary = try published.summary()
    #expect(summary.parameters == published.parameters)
    if let expected = published.multiplyAdds { #expect(Double(summary.multiplyAdds) == expected) }
  }

  /// LeCun et al. 1998, section II.B: trainable parameters layer by layer.
  @Test func `the layers of the classic LeNet have the paper's shapes and parameters`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "lenet5-classic"), imageSize: 32, classes: 10)
    let rows = plan.summary(batchSize: 1).layers.filter { $0.parameters > 0 }
    #expect(rows.map(\.name) == ["c1", "s2", "c3", "s4", "c5", "f6", "output"])
    #expect(rows.map(\.parameters) == [156, 12, 1516, 32, 48_120, 10_164, 850])
    #expect(rows.prefix(5).map(\.output.height) == [28, 14, 10, 5, 1])
    #expect(rows.prefix(5).map(\.output.channels) == [6, 6, 16, 16, 120])
    #expect(LeNet.connections.reduce(0) { $0 + $1.count } == 60)
    #expect(LeNet.connections(from: 6, to: 16) == LeNet.connections)
    #expect(LeNet.connections(from: 12, to: 32)[0] == [0, 1, 2, 3, 4, 5])
  }

  @Test(arguments: [
    ("alexnet", 8), ("vgg11", 11), ("vgg13_bn", 13), ("vgg16", 16), ("vgg19", 19), ("googlenet", 22),
    ("squeezenet1_0", 18), ("lenet5", 5), ("resnet50", 50), ("plain34", 34), ("cifar1202", 1202), ("resnet9", 9),
  ])
  func `a network is as deep as its paper says`(name: String, layers: Int) throws {
    let usual = try Architecture(name: name).usual
    let plan = try NetworkPlan(
      NetworkSettings(name: name), imageSize: usual.imageSize, classes: usual.classes)
    #expect(plan.depth == layers)
  }

  // MARK: Names

  @Test(arguments: [
    ("alexnet", 16.0, 16), ("vgg11", 16, 22), ("vgg11_bn", 16, 62), ("vgg13", 16, 26), ("vgg13_bn", 16, 76),
    ("vgg16", 16, 32), ("vgg16_bn", 16, 97), ("squeezenet1_0", 16, 52), ("squeezenet1_1", 16, 52),
    ("googlenet", 8, 344), ("wrn-16-8", 16, 83), ("wrn-28-10", 16, 155),
  ])
  func `names and shapes are torchvision's, or those of a twin in PyTorch`(
    name: String, divisor: Double, entries: Int
  ) throws {
    let text = try String(contentsOf: referenceURL("classic-names.txt"), encoding: .utf8)
    let theirs = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }.filter {
      $0[0] == name
    }
    let state = try NetworkPlan(NetworkSettings(name: name), imageSize: 224, classes: 1000).state
    let shapes = Dictionary(
      uniqueKeysWithValues: state.map { ($0.name, $0.shape.map(String.init).joined(separator: "x")) })
    let expected = Dictionary(
      uniqueKeysWithValues: theirs.filter { !$0[1].hasSuffix("num_batches_tracked") }.map { ($0[1], $0[2]) })
    #expect(theirs.count == entries)
    #expect(shapes == expected)
    // And in their order, as a network has them; narrow, so that it is made at once.
    let narrow = Network(
      try NetworkPlan(
        NetworkSettings(name: name, widthMultiplier: 1 / divisor), imageSize: 224, classes: 1000), seed: 0)
    #expect(
      narrow.parameters.map(\.name)
        == theirs.map { $0[1] }.filter { $0.hasSuffix(".weight") || $0.hasSuffix(".bias") })
  }

  // MARK: Values

  struct Parity: Sendable, CustomTestStringConvertible {
    var file: String
    var settings: NetworkSettings
    var images: Int
    var side: Int
    /// Bounds, relative to the largest logit and to the norm of a gradient.
    var logits: Double
    var gradients: Double
    var testDescription: String { file }
  }

  private static func parity(
    _ name: String, divisor: Int = 1, _ images: Int, _ side: Int, _ logits: Double, _ gradients: Double
  ) -> Parity {
    let hasDropout = !name.hasPrefix("lenet") && !name.hasPrefix("wrn")
    return Parity(
      file: divisor == 1 ? name : "\(name)@\(divisor)",
      settings: NetworkSettings(
        name: name, widthMultiplier: 1 / Double(divisor), dropout: hasDropout ? 0 : nil),
      images: images, side: side, logits: logits, gradients: gradients)
  }

  /// GoogLeNet with its auxiliary heads.
  private static let headed = Parity(
    file: "googlenet-aux@8",
    settings: NetworkSettings(name: "googlenet", widthMultiplier: 1.0 / 8, dropout: 0, auxiliaryHeads: true),
    images: 3, side: 62, logits: 2e-4, gradients: 4e-3)

  // PyTorch's own single precision differs by 1e-7 to 7e-7 in logits and 2e-7 to 1e-6 in gradients where there is no
  // batch norm; with it by 2e-6 and 1.4e-5 (vgg13_bn), and by 5e-5 and 1e-4 in the nearly sixty of GoogLeNet (4e-4 with auxiliary heads).
  static let parities = [
    parity("alexnet", divisor: 16, 2, 96, 2e-6, 4e-6), parity("vgg11", divisor: 16, 2, 40, 2e-6, 4e-6),
    parity("vgg13_bn", divisor: 16, 4, 32, 1e-5, 1e-4),
    parity("squeezenet1_0", divisor: 8, 2, 60, 2e-6, 4e-6), parity("squeezenet1_1", divisor: 8, 2, 50, 2e-6, 4e-6),
    parity("googlenet", divisor: 8, 3, 62, 2e-4, 1e-3), headed, parity("wrn-10-2", 4, 16, 2e-6, 5e-6),
    parity("lenet5", 2, 32, 2e-6, 4e-6), parity("lenet5-classic", 2, 32, 2e-6, 4e-6),
  ]

  @Test(arguments: parities)
  func `logits, loss and gradients are PyTorch's`(_ c: Parity) throws {
    let reference = try ReferenceFile(c.file)
    let plan = try NetworkPlan(c.settings, imageSize: c.side, classes: 10)
    // The fastest convolutions are some times less exact.
    for (convolutions, share) in [(ConvolutionAlgorithms.direct, 1.0), (.fastest, 5)] {
      let network = Network(plan, seed: 0, convolutions: convolutions)
      ReferenceNumbers.fill(network)
      let pool = ThreadPool(threads: 2)
      let images = ReferenceNumbers.images(c.images, side: c.side)
      let shape = [c.images, 10]
      let inference = Deviation.largest(
        network.forward(images, Pass(.inference, pool)), from: try reference.tensor("logits-eval", shape))
      #expect(inference <= 2e-6 * share)
      let (logits, heads) = network.forwardWithHeads(images, Pass(.training, pool))
      let training = Deviation.largest(logits, from: try reference.tensor("logits-train", shape))
      #expect(training <= c.logits * share)
      func loss(_ logits: Tensor) -> SoftmaxCrossEntropy {
        Ops(pool).softmaxCrossEntropy(logits: logits, labels: ReferenceNumbers.labels(c.images, classes: 10))
      }
      let result = loss(logits)
      let headGradients = heads.map { head in
        var gradient = loss(head).gradient
        Ops(pool).scale(&gradient, by: 0.3)
        return gradient
      }
      #expect(abs(result.loss - (try reference.value("loss"))) <= c.logits * share * result.loss)
      network.backward(result.gradient, heads: headGradients, Pass(.training, pool))
      let gradients = try Self.gradientDifference(network, reference)
      #expect(gradients <= c.gradients * share)
      print(
        "\(c.file), \(convolutions): logits \(brief(inference)) in inference, \(brief(training)) in training; "
          + "gradients \(brief(gradients))")
    }
  }

  /// The largest difference of a gradient's norm or of its dot product with its probe, relative to the norm, or to a
  /// hundredth of the largest norm: a bias before a batch norm has no gradient but rounding.
  private static func gradientDifference(_ network: Network, _ reference: ReferenceFile) throws -> Double {
    let prefix = "gradient-summary:"
    #expect(
      Set(reference.names.filter { $0.hasPrefix(prefix) }) == Set(network.parameters.map { prefix + $0.name }))
    let rows = try network.parameters.map { parameter in
      let values = NaiveTensor(parameter.gradient)
      let probe = NaiveTensor(parameter.innerOrder(ReferenceNumbers.probe(of: parameter))).values
      return (
        expected: try reference.values(prefix + parameter.name).map(Double.init),
        found: [values.norm, values.dot(probe)]
      )
    }
    let floor = 0.01 * (rows.map { $0.expected[0] }.max() ?? 0)
    return rows.reduce(0) { largest, row in
      let scale = max(row.expected[0], floor)
      return zip(row.expected, row.found).reduce(largest) { largest, pair in
        let difference = abs(pair.0 - pair.1) / scale
        return difference.isNaN ? .infinity : max(largest, difference)
      }
    }
  }

  // MARK: Layers

  static let layers: [LayerCase] = [
    LayerCase(
      name: "max pool 3x3/2 in ceil mode, even map", layers: [.maxPool(kernel: 3, stride: 2, ceilMode: true)],
      input: [2, 6, 8, 3]),
    LayerCase(
      name: "max pool 3x3/2 in ceil mode, odd map", layers: [.maxPool(kernel: 3, stride: 2, ceilMode: true)],
      input: [2, 7, 5, 3]),
    LayerCase(
      name: "max pool 2x2/2 in ceil mode", layers: [.maxPool(kernel: 2, stride: 2, ceilMode: true)],
      input: [1, 5, 3, 17]),
    LayerCase(
      name: "max pool 3x3/2 in ceil mode of fewer pixels than a window",
      layers: [.maxPool(kernel: 3, stride: 2, ceilMode: true)], input: [2, 2, 2, 3]),
    LayerCase(
      name: "max pool 3x3/1 padding 1 in ceil mode",
      layers: [.maxPool(kernel: 3, stride: 1, padding: 1, ceilMode: true)], input: [1, 4, 5, 2]),
    LayerCase(
      name: "max pool 2x2/2 padding 1 in ceil mode, whose last window would begin behind the map",
      layers: [.maxPool(kernel: 2, stride: 2, padding: 1, ceilMode: true)], input: [1, 4, 5, 2]),
    LayerCase(
      name: "batch norm with another epsilon", layers: [.batchNorm(name: "bn", epsilon: 0.1)], input: [3, 4, 4, 5]),
    LayerCase(name: "scaled tanh", layers: [.scaledTanh], input: [2, 3, 4, 5]),
    LayerCase(
      name: "scaled tanh after a convolution",
      layers: [.convolution(name: "a", outputs: 3, kernel: 3, bias: true), .scaledTanh, .scaledTanh],
      input: [2, 5, 4, 2]),
    LayerCase(name: "subsampling", layers: [.subsampling(name: "s", kernel: 2)], input: [2, 4, 6, 3]),
    LayerCase(
      name: "subsampling with a remainder", layers: [.subsampling(name: "s", kernel: 3)], input: [2, 7, 5, 3]),
    LayerCase(
      name: "sparse convolution",
      layers: [.sparseConvolution(name: "c", kernel: 3, sources: [[0, 2], [1], [0, 1, 2], [2]])],
      input: [2, 5, 6, 3]),
    LayerCase(name: "luma", layers: [.luma], input: [2, 4, 3, 3]),
    LayerCase(name: "luma of gray", layers: [.luma], input: [2, 4, 3, 1]),
  ]

  @Test(arguments: layers)
  func `a layer and its gradient`(_ c: LayerCase) {
    expectAgreement(c, output: 1.5e-6, gradient: 2e-6)
  }

  @Test(arguments: ["lenet5-classic", "lenet5", "wrn-10-1", "alexnet", "squeezenet1_1", "googlenet"])
  func `a whole network and its gradients`(name: String) throws {
    let side = name == "alexnet" ? 64 : name.hasPrefix("wrn") ? 8 : 32
    let width = name.hasPrefix("lenet") ? 0.5 : name.hasPrefix("wrn") ? 0.25 : 1.0 / 32
    let plan = try NetworkPlan(
      NetworkSettings(name: name, widthMultiplier: width), imageSize: side, classes: 3)
    let normed = name == "googlenet" || name.hasPrefix("wrn")
    expectAgreement(
      LayerCase(
        name: name, layers: plan.layers, input: [3, side, side, 3], sampling: .directionAndElements(1)),
      output: normed ? 5e-5 : 2e-6, gradient: normed ? 5e-4 : 4e-6)
  }

  @Test func `scaled tanh is 1 at 1, and the gray of a gray is itself`() {
    let pass = Pass(.inference, ThreadPool(threads: 1))
    let squashed = ScaledTanhLayer().forward(Tensor([3], [-1, 0, 1]), pass).values
    #expect(abs(squashed[2] - 1) < 1e-4 && squashed[1] == 0 && abs(squashed[0] + 1) < 1e-4)
    let gray = LumaLayer().forward(Tensor([1, 1, 2, 3], [0.5, 0.5, 0.5, -2, -2, -2]), pass)
    #expect(gray.shape == [1, 1, 2, 1])
    #expect(abs(gray[0] - 0.5) < 1e-6 && abs(gray[1] + 2) < 1e-6)
  }

  @Test func `what a sparse convolution does not read stays zero, whatever an optimizer does`() throws {
    let network = Network(
      try NetworkPlan(NetworkSettings(name: "lenet5-classic"), imageSize: 32, classes: 3), seed: 1)
    let weight = try #require(network.parameters.first { $0.name == "c3.weight" })
    #expect(weight.fileShape == [16, 6, 5, 5])
    let pass = Pass(.training, ThreadPool(threads: 2))
    for _ in 0..<2 {
      weight.value = Tensor(weight.value.shape) { _ in 0.01 }
      let logits = network.forward(ReferenceNumbers.images(2, side: 32), pass)
      network.backward(pass.ops.softmaxCrossEntropy(logits: logits, labels: [0, 2]).gradient, pass)
    }
    let (values, gradient) = (weight.fileOrder(weight.value), weight.fileOrder(weight.gradient))
    for output in 0..<16 {
      for input in 0..<6 {
        let place = (output * 6 + input) * 25
        let isRead = LeNet.connections[output].contains(input)
        #expect(values[place..<place + 25].allSatisfy { $0 == (isRead ? 0.01 : 0) })
        #expect(gradient[place..<place + 25].contains { $0 != 0 } == isRead)
      }
    }
  }

  // MARK: Options

  @Test func `dropout is the network's own unless another rate is given`() throws {
    func rates(_ name: String, _ dropout: Double? = nil) throws -> [Double] {
      try NetworkPlan(NetworkSettings(name: name, dropout: dropout), imageSize: 64, classes: 5).lowered.operations
        .compactMap { if case .dropout(let rate) = $0.kind { rate } else { nil } }
    }
    #expect(try rates("vgg16") == [0.5, 0.5] && rates("alexnet") == [0.5, 0.5])
    #expect(try rates("googlenet") == [0.2] && rates("squeezenet1_1") == [0.5])
    #expect(try rates("wrn-16-4").isEmpty && rates("wrn-16-4", 0.3) == [Double](repeating: 0.3, count: 6))
    #expect(try rates("vgg16", 0.25) == [0.25, 0.25] && rates("vgg16", 0).isEmpty)
    for (settings, said) in [
      (NetworkSettings(name: "resnet18", dropout: 0.1), "--dropout 0.1 means nothing for resnet18"),
      (NetworkSettings(name: "lenet5", dropout: 0), "--dropout 0.0 means nothing for lenet5"),
      (NetworkSettings(name: "wrn-16-4", version: .v1, dropout: 0.3), "v2 alone"),
      (NetworkSettings(name: "googlenet", stem: .small), "--stem small means nothing for googlenet"),
      (NetworkSettings(name: "alexnet", dropPath: 0.1), "--drop-path 0.1 means nothing for alexnet"),
    ] {
      let error = #expect(throws: NetworkError.self) { try Architecture.check(settings) }
      #expect(error?.description.contains(said) == true, "\(String(describing: error))")
    }
    try Architecture.check(NetworkSettings(name: "wrn-16-4", dropout: 0.3))
    #expect(throws: NetworkError.self) { try rates("vgg16", 1) }
  }

  @Test(arguments: [
    "vgg12", "vgg16_", "vgg_bn", "wrn-28", "wrn-27-10", "wrn-28-0", "wrn-28-010", "wrn-4-1",
    "wrn-106-2", "wrn-28-33", "wrn-28-10-1", "lenet", "lenet5_classic", "squeezenet", "googlenet1", "alexnet2",
  ])
  func `names beside those of a family are unknown`(name: String) {
    #expect(throws: NetworkError.unknownName(name)) { try Architecture(name: name) }
  }

  @Test func `the smallest images that torchvision takes are the smallest here`() throws {
    for (name, side) in [("alexnet", 63), ("vgg16", 32), ("squeezenet1_0", 21), ("squeezenet1_1", 17)] {
      _ = try NetworkPlan(NetworkSettings(name: name), imageSize: side, classes: 10)
      #expect(throws: NetworkError.self, "\(name) at \(side - 1) pixels") {
        try NetworkPlan(NetworkSettings(name: name), imageSize: side - 1, classes: 10)
      }
    }
  }

  @Test func `a published error is of the network as it was published alone`() throws {
    func error(_ settings: NetworkSettings, _ imageSize: Int = 224, _ classes: Int = 1000) throws -> PublishedError?
    {
      try NetworkPlan(settings, imageSize: imageSize, classes: classes).publishedError
    }
    // He et al. 2015, table 3, and Simonyan and Zisserman 2014, table 3.
    #expect(try error(NetworkSettings(name: "resnet50"))?.top1 == 22.85)
    #expect(try error(NetworkSettings(name: "resnet34", shortcut: .zeroPadding))?.top5 == 7.76)
    #expect(try error(NetworkSettings(name: "plain34"))?.top1 == 28.54)
    #expect(try error(NetworkSettings(name: "vgg19"))?.top5 == 8.0)
    #expect(try error(NetworkSettings(name: "googlenet"))?.top5 == 10.47)
    #expect(try error(NetworkSettings(name: "cifar110"), 32, 10)?.data == "CIFAR-10")
    #expect(try error(NetworkSettings(name: "wrn-28-10"), 32, 10)?.top1 == 4)
    #expect(try error(NetworkSettings(name: "resnet50", widthMultiplier: 0.5)) == nil)
    #expect(try error(NetworkSettings(name: "resnet50", version: .v2)) == nil)
    #expect(try error(NetworkSettings(name: "resnet50"), 128) == nil)
    #expect(try error(NetworkSettings(name: "vgg19"), 224, 10) == nil)
    for name in Architecture.examples {
      let usual = try Architecture(name: name).usual
      let published = try error(NetworkSettings(name: name), usual.imageSize, usual.classes)
      for value in [published?.top1, published?.top5] { #expect(value.map { (0.5...60).contains($0) } ?? true) }
      #expect(published.map { $0.source.contains { $0.isNumber } } ?? true)
    }
  }

  @Test func `files of GoogLeNet may have the arrays of its auxiliary classifiers`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "googlenet"), imageSize: 224, classes: 1000)
    #expect(plan.passesOver("aux1.conv.conv.weight") && plan.passesOver("aux2.fc2.bias"))
    #expect(!plan.passesOver("fc.weight") && !plan.passesOver("aux3.fc.weight"))
    #expect(try !NetworkPlan(NetworkSettings(name: "vgg16"), imageSize: 224, classes: 10).passesOver("aux1.x"))
    let headed = try NetworkPlan(
      NetworkSettings(name: "googlenet", auxiliaryHeads: true), imageSize: 224, classes: 1000)
    #expect(!headed.passesOver("aux1.conv.conv.weight"))
    #expect(plan.classifier == "fc" && headed.classifier == "fc")
    #expect(
      try NetworkPlan(NetworkSettings(name: "squeezenet1_1"), imageSize: 64, classes: 10).classifier
        == "classifier.1")
  }
}
