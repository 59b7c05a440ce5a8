// Where the loader and the measuring of the mean find images: in the image cache or in the files. Which of the two it
// was cannot be told from what they get.

import Images
import Messages

/// The images of a dataset, in the form that training and evaluation start from.
public struct ImageSource: Sendable {
  /// The dataset's folder.
  public let root: String
  /// nil where every image is read from its file.
  public let cache: ImageCache?

  public init(root: String, cache: ImageCache? = nil) {
    self.root = root
    self.cache = cache
  }

  /// The cached form of an image; see `Preprocessing.cachedForm(of:)`.
  func cachedForm(
    of item: DatasetItem, preprocessing: Preprocessing, decoder: ImageDecoder
  ) throws(DecodingFailure) -> PixelImage {
    if let image = try cached(item, preprocessing, decoder) { return image }
    return preprocessing.cachedForm(of: try decoded(item, preprocessing, decoder))
  }

  /// The square that the network sees when it is not being trained.
  func evaluationInput(
    of item: DatasetItem, preprocessing: Preprocessing, decoder: ImageDecoder
  ) throws(DecodingFailure) -> PixelImage {
    if let image = try cached(item, preprocessing, decoder) { return preprocessing.evaluationInput(image) }
    // Not by way of the cached form, whose edges would be made only to be cut off.
    return preprocessing.evaluationInput(try decoded(item, preprocessing, decoder))
  }

  private func cached(
    _ item: DatasetItem, _ preprocessing: Preprocessing, _ decoder: ImageDecoder
  ) throws(DecodingFailure) -> PixelImage? {
    guard let cache else { return nil }
    precondition(cache.description.suits(preprocessing), "the image cache holds images for another preprocessing")
    return try cache.cachedForm(path: item.path, maximumPixels: decoder.maximumPixels)
  }

  private func decoded(
    _ item: DatasetItem, _ preprocessing: Preprocessing, _ decoder: ImageDecoder
  ) throws(DecodingFailure) -> PixelImage {
    try decoder.decode(
      path: item.absolutePath(root: root), name: item.path, minimumSide: preprocessing.minimumSide,
      background: preprocessing.background)
  }
}
