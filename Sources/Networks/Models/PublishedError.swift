// What others measured with a network, and how large it is by its paper, each figure with its source.

import Messages

extension PublishedError {
  static func imageNet(top1: Double? = nil, top5: Double? = nil, _ source: String) -> PublishedError {
    PublishedError(top1: top1, top5: top5, data: "ImageNet", source: source)
  }

  static func cifar10(_ top1: Double, _ source: String) -> PublishedError {
    PublishedError(top1: top1, top5: nil, data: "CIFAR-10", source: source)
  }

  /// From the accuracies, in percent, that torchvision states of its weights `IMAGENET1K_V1`, with one crop.
  static func torchvision(top1: Double, top5: Double) -> PublishedError {
    func error(_ accuracy: Double) -> Double { ((100 - accuracy) * 1000).rounded() / 1000 }
    return .imageNet(
      top1: error(top1), top5: error(top5), "torchvision, weights IMAGENET1K_V1, one crop")
  }
}

extension NetworkPlan {
  /// What others measured with this network, as it is usually built and with the input and the classes of that
  /// measurement; nil for any other form of it, and where nothing is known.
  public var publishedError: PublishedError? {
    guard let network = try? Architecture(name: settings.name).network, settings.widthMultiplier == 1,
      settings.head == .standard, settings.dropPath == 0, !settings.isWhitened,
      input.height == network.usual.imageSize, classes == network.usual.classes
    else { return nil }
    return network.publishedError(settings)
  }

  /// What others say of this network as it is usually built, whatever its input and classes are here; nil for any other
  /// form of it, and where nothing is known.
  public var publishedFigures: PublishedFigures? {
    guard let network = try? Architecture(name: settings.name).network, settings.widthMultiplier == 1,
      settings.stemWidth == nil, settings.head == .standard, settings.dropPath == 0, !settings.isWhitened
    else { return nil }
    let figures = PublishedFigures(
      imageSize: network.usual.imageSize, classes: network.usual.classes, size: network.publishedSize(settings),
      error: network.publishedError(settings))
    return figures.size == nil && figures.error == nil ? nil : figures
  }
}
