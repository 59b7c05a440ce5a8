// Views of one image whose probabilities are averaged when it is measured or predicted.

/// Over which views of an image a network's probabilities are averaged (Krizhevsky et al. 2012, "ImageNet classification
/// with deep convolutional neural networks", section 4.1).
public enum TestTimeAugmentation: String, Codable, Sendable, CaseIterable {
  /// The image and its mirror image.
  case flip
  /// The image as it is and shifted a little up, down, left and right.
  case shift

  /// In words.
  public var text: String {
    switch self {
    case .flip: "averaged over image and mirror image"
    case .shift: "averaged over the image and four shifts of it"
    }
  }
}

/// What can be asked for.
public enum TestTimeAugmentationChoice: String, Codable, Sendable, CaseIterable {
  /// The image alone.
  case none
  case flip
  case shift
  /// `flip` for networks that were trained with mirroring, `shift` for others.
  case automatic = "auto"
}
