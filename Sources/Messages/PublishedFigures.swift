// What others have said of a network: the error they measured with it, and how large it is by its paper. Each figure has its
// source; they are for comparisons, not for what is computed here.

/// Errors in percent, as published.
public struct PublishedError: Sendable, Equatable, Codable {
  /// Of the first guess; nil where the source does not say.
  public var top1: Double?
  /// Of the best five guesses.
  public var top5: Double?
  /// What it was measured on: `ImageNet`, `CIFAR-10`, `MNIST`.
  public var data: String
  /// Who says so, where, and how it was measured.
  public var source: String

  public init(top1: Double? = nil, top5: Double? = nil, data: String, source: String) {
    self.top1 = top1
    self.top5 = top5
    self.data = data
    self.source = source
  }
}

/// How large a network is, as published: rounded as there.
public struct PublishedSize: Sendable, Equatable, Codable {
  public var parameters: Double?
  /// For one image; papers often call them FLOPs.
  public var multiplyAdds: Double?
  /// Who says so, and where.
  public var source: String

  public init(parameters: Double? = nil, multiplyAdds: Double? = nil, source: String) {
    self.parameters = parameters
    self.multiplyAdds = multiplyAdds
    self.source = source
  }
}

/// What is known of a network in the form that it has here, with the images and classes that its paper had.
public struct PublishedFigures: Sendable, Equatable, Codable {
  /// The side of the paper's images in pixels, and its classes: those here may be others.
  public var imageSize: Int
  public var classes: Int
  public var size: PublishedSize?
  public var error: PublishedError?

  public init(imageSize: Int, classes: Int, size: PublishedSize? = nil, error: PublishedError? = nil) {
    self.imageSize = imageSize
    self.classes = classes
    self.size = size
    self.error = error
  }
}
