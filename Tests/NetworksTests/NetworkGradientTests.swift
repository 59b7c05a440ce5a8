// Whole networks, from the image to the logits, as the table builds them, against their naive twins.

import Messages
import Testing

@testable import Networks

@Suite struct NetworkGradientTests {
  private static func network(
    _ settings: NetworkSettings, _ title: String, imageSize: Int, images: Int, elements: Int = 2
  ) throws -> LayerCase {
    let plan = try NetworkPlan(settings, imageSize: imageSize, classes: 3)
    return LayerCase(
      name: title, layers: plan.layers, input: [images, imageSize, imageSize, 3],
      sampling: .directionAndElements(elements))
  }

  @Test(arguments: [
    ("cifar8 A", NetworkSettings(name: "cifar8", shortcut: .zeroPadding, widthMultiplier: 0.25)),
    ("cifar8 B", NetworkSettings(name: "cifar8", shortcut: .projection, widthMultiplier: 0.25)),
    ("cifar8 C", NetworkSettings(name: "cifar8", shortcut: .projectionAlways, widthMultiplier: 0.25)),
    ("cifar14 v2", NetworkSettings(name: "cifar14", version: .v2, widthMultiplier: 0.25)),
    ("plain8", NetworkSettings(name: "plain8", widthMultiplier: 0.25)),
    ("plain8 v2", NetworkSettings(name: "plain8", version: .v2, widthMultiplier: 0.25)),
    ("cifar8, regularized head", NetworkSettings(name: "cifar8", widthMultiplier: 0.25, head: .regularized)),
  ])
  func `a network for small images`(title: String, settings: NetworkSettings) throws {
    // Measured: outputs 3.9e-7, gradients 3.6e-6.
    expectAgreement(
      try Self.network(settings, title, imageSize: 8, images: 2), output: 1.2e-6, gradient: 1.2e-5)
  }

  @Test(arguments: [
    ("resnet9", NetworkSettings(name: "resnet9", widthMultiplier: 0.0625)),
    ("resnet9 whitened", NetworkSettings(name: "resnet9", widthMultiplier: 0.0625, isWhitened: true)),
    (
      "resnet9 with everything",
      NetworkSettings(
        name: "resnet9", widthMultiplier: 0.0625, head: .regularized, isWhitened: true, dropPath: 0.5)
    ),
  ])
  func `a narrow resnet9`(title: String, settings: NetworkSettings) throws {
    // Measured at 16 pixels, where the last batch norms see three numbers: outputs 1e-5, gradients 6e-5.
    expectAgreement(
      try Self.network(settings, title, imageSize: 24, images: 3), output: 3e-5, gradient: 2e-4)
  }

  @Test(arguments: [
    ("resnet18, large stem", NetworkSettings(name: "resnet18", stem: .large, widthMultiplier: 0.0625), 32),
    ("resnet18d", NetworkSettings(name: "resnet18d", widthMultiplier: 0.0625), 64),
    ("seresnet18", NetworkSettings(name: "seresnet18", widthMultiplier: 0.0625, dropPath: 0.3), 64),
    ("plain18, small stem", NetworkSettings(name: "plain18", stem: .small, widthMultiplier: 0.0625), 8),
  ])
  func `a network for large images, narrow`(title: String, settings: NetworkSettings, imageSize: Int) throws {
    // The last stage has a pixel an image, so batch norm divides by small differences of four numbers: what comes out
    // is the rounding of whatever came before, magnified. Measured: 6e-6, 1.1e-4.
    expectAgreement(
      try Self.network(settings, title, imageSize: imageSize, images: 4, elements: 1), output: 1.2e-5,
      gradient: 3e-4)
  }

  @Test(arguments: ["vgg19", "vgg19_bn"])
  func `a narrow VGG`(name: String) throws {
    let settings = NetworkSettings(name: name, widthMultiplier: 1.0 / 64)
    // Measured: 3e-6 and 3e-5, by batch norm of a few values at the end; 5e-8 and 2e-7 without batch norm.
    expectAgreement(
      try Self.network(settings, name, imageSize: 32, images: 2, elements: 1),
      output: name == "vgg19" ? 2e-7 : 1e-5, gradient: name == "vgg19" ? 6e-7 : 1e-4)
  }
}
