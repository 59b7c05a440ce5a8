// Why a network says what it says of one image: where it looked, and what the image resembles.

/// Numbers over a picture, rows from the top.
public struct HeatMap: Codable, Sendable, Equatable {
  public var height: Int
  public var width: Int
  /// [height, width], 0...1.
  public var values: [Float]

  public init(height: Int, width: Int, values: [Float]) {
    precondition(values.count == height * width, "a heat map has a number for each place")
    self.height = height
    self.width = width
    self.values = values
  }
}

/// Where a network looked for one class.
public struct ClassHeat: Codable, Sendable, Equatable {
  /// The label of the class.
  public var label: Int
  /// What the network gives to it, 0...1.
  public var probability: Double
  /// Grad-CAM, divided by its largest value; all zeros where nothing in the image speaks for the class.
  public var map: HeatMap

  public init(label: Int, probability: Double, map: HeatMap) {
    self.label = label
    self.probability = probability
    self.map = map
  }
}

/// Where a network looked in one image.
public struct Explanation: Codable, Sendable, Equatable {
  public var checkpoint: String
  public var path: String
  public var classes: [String]
  /// The most probable classes, the predicted one first.
  public var top: [ClassProbability]
  /// What the network saw: the image resized and cropped as it is for the network, and what the maps lie over.
  public var seen: PixelImage
  /// The predicted class first, then those that were asked for.
  public var heats: [ClassHeat]

  public init(
    checkpoint: String, path: String, classes: [String], top: [ClassProbability], seen: PixelImage,
    heats: [ClassHeat]
  ) {
    self.checkpoint = checkpoint
    self.path = path
    self.classes = classes
    self.top = top
    self.seen = seen
    self.heats = heats
  }
}

/// An image that resembles another one to a network.
public struct SimilarImage: Codable, Sendable, Equatable {
  /// Below the dataset's folder, or a file's path.
  public var path: String
  /// The cosine of the angle between both images' features, -1...1.
  public var similarity: Double
  /// Its class; nil where that is not known.
  public var className: String?
  public var split: Split?

  public init(path: String, similarity: Double, className: String? = nil, split: Split? = nil) {
    self.path = path
    self.similarity = similarity
    self.className = className
    self.split = split
  }
}
