// How any image becomes the network's input, with nothing left to choose: the same in training, evaluation,
// prediction and view, and stored in every checkpoint. Random changes are in Augmentation/.

import Images
import Messages

/// The resolved form of `PreprocessingSettings`.
public struct Preprocessing: Codable, Sendable, Equatable {
  /// The side of the square input, pixels.
  public var imageSize: Int
  public var resize: Resize
  /// What fills the square beside an image that is padded; nil where none is.
  public var padColor: PadColor?
  /// What transparent pixels are laid on when a file is decoded.
  public var background: Background
  /// Of red, green and blue, on values in 0...1.
  public var mean: [Float]
  /// Of red, green and blue, on values in 0...1; positive.
  public var std: [Float]

  public enum Resize: String, Codable, Sendable {
    /// Both sides to the image size, whatever the aspect.
    case stretch
    /// The shorter side to 256/224 of the image size, then the center.
    case crop
    /// The longer side to the image size, in the middle of the square.
    case pad

    /// What settings stand for at an image size.
    public init(resolving resize: PreprocessingSettings.Resize, imageSize: Int) {
      self =
        switch resize {
        case .automatic: imageSize >= Preprocessing.automaticCropSize ? .crop : .stretch
        case .stretch: .stretch
        case .crop: .crop
        case .pad: .pad
        }
    }

    /// The setting that stands for this at every image size.
    public var setting: PreprocessingSettings.Resize {
      switch self {
      case .stretch: .stretch
      case .crop: .crop
      case .pad: .pad
      }
    }
  }

  /// From this image size on, `automatic` means `crop`.
  static let automaticCropSize = 128

  /// - Parameter padColor: black where it is nil and images are padded; without a meaning where they are not.
  public init(
    imageSize: Int, resize: Resize, padColor: PadColor? = nil, background: Background = .white, mean: [Float],
    std: [Float]
  ) {
    precondition(mean.count == 3 && std.count == 3, "an image has three channels")
    precondition(imageSize > 0, "an image has at least one pixel")
    self.imageSize = imageSize
    self.resize = resize
    self.padColor = resize == .pad ? padColor ?? .black : nil
    self.background = background
    self.mean = mean
    self.std = std
  }

  /// Fills in what the settings leave open; measures the training images if they ask for it.
  ///
  /// - Parameters:
  ///   - items: the training images to measure.
  ///   - root: the folder they lie in.
  ///   - cache: where they may be read from instead; the result does not depend on it.
  ///   - workers: threads that decode; the result does not depend on it.
  ///   - progress: see `measure`.
  ///   - isCancelled: see `measure`.
  /// - Throws: `DatasetError` for values that make no sense, or if no image decodes.
  public init(
    resolving settings: PreprocessingSettings, items: [DatasetItem], root: String, cache: ImageCache? = nil,
    workers: Int = 1, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws(DatasetError) {
    try self.init(unmeasured: settings)
    if case .trainingSet = settings.normalization {
      (mean, std) = try measure(
        items: items, source: ImageSource(root: root, cache: cache), workers: workers, progress: progress,
        isCancelled: isCancelled)
    }
  }

  /// Fills in all but what has to be measured: mean and std are then 0 and 1. An image cache depends on no more.
  /// - Throws: `DatasetError` for values that make no sense.
  public init(unmeasured settings: PreprocessingSettings) throws(DatasetError) {
    guard Settings.imageSize.range.contains(settings.imageSize) else {
      throw .invalidPreprocessing(
        reason: "the image size \(settings.imageSize) is not \(Settings.imageSize.range.requirement)")
    }
    let resize = Resize(resolving: settings.resize, imageSize: settings.imageSize)
    if let color = settings.padColor, resize != .pad {
      throw .invalidPreprocessing(
        reason:
          "--pad-color \(color) says what is beside images that are padded, and these are not: add --resize pad")
    }
    self.init(
      imageSize: settings.imageSize, resize: resize, padColor: settings.padColor, background: settings.background,
      mean: [0, 0, 0], std: [1, 1, 1])
    if case .given(let mean, let std) = settings.normalization {
      guard Self.areChannels(mean: mean, std: std) else {
        throw .invalidPreprocessing(
          reason: "mean \(mean) and std \(std) must be three numbers each, for red, green and blue: "
            + "means \(Settings.meanRange.text), stds \(Settings.stdRange.text)")
      }
      self.mean = mean
      self.std = std
    }
  }

  /// Files may hold anything: what `init` takes for granted is checked here.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    imageSize = try container.decode(Int.self, forKey: .imageSize)
    resize = try container.decode(Resize.self, forKey: .resize)
    padColor = try container.decodeIfPresent(PadColor.self, forKey: .padColor)
    background = try container.decode(Background.self, forKey: .background)
    mean = try container.decode([Float].self, forKey: .mean)
    std = try container.decode([Float].self, forKey: .std)
    func refuse(_ key: CodingKeys, _ value: String, _ needed: String) -> DecodingError {
      .dataCorruptedError(forKey: key, in: container, debugDescription: "it is \(value), and should be \(needed)")
    }
    guard Settings.imageSize.range.contains(imageSize) else {
      throw refuse(.imageSize, "\(imageSize)", Settings.imageSize.range.text)
    }
    guard (padColor != nil) == (resize == .pad) else {
      throw refuse(
        .padColor, padColor.map { "\($0)" } ?? "missing",
        resize == .pad ? "a color" : "left out, as nothing is padded")
    }
    guard mean.count == 3, mean.allSatisfy({ Settings.meanRange.contains($0) }) else {
      throw refuse(.mean, "\(mean)", "three numbers, each \(Settings.meanRange.text)")
    }
    guard std.count == 3, std.allSatisfy({ Settings.stdRange.contains($0) }) else {
      throw refuse(.std, "\(std)", "three numbers, each \(Settings.stdRange.text)")
    }
  }

  private static func areChannels(mean: [Float], std: [Float]) -> Bool {
    mean.count == 3 && std.count == 3 && mean.allSatisfy(Settings.meanRange.contains)
      && std.allSatisfy(Settings.stdRange.contains)
  }

  /// What to pass to the decoder as `minimumSide`: twice what is needed, so that the decoder's coarse shrinking
  /// leaves no trace in ours. Everything that decodes for a network passes it, for the pixels to be the same.
  public var minimumSide: Int {
    switch resize {
    case .stretch, .pad: 2 * imageSize
    case .crop: 2 * shorterSide
    }
  }

  /// The shorter side before the center is cut out.
  var shorterSide: Int { Self.shorterSide(of: imageSize) }

  static func shorterSide(of imageSize: Int) -> Int { Int((Double(imageSize) * 256 / 224).rounded()) }

  /// What is kept of a decoded image between epochs, and what training and evaluation both start from: stretched or
  /// padded, the square itself; cropped, the whole image with its shorter side at 256/224 of the image size. It is
  /// never larger than the decoded image, except for the square. Whether it comes from an image cache or was made just
  /// now, it has the same bits.
  public func cachedForm(of image: PixelImage) -> PixelImage {
    if resize == .pad { return evaluationInput(image) }
    let size = cachedSize(width: image.width, height: image.height)
    return image.resized(width: size.width, height: size.height)
  }

  /// The size that the cached form of an image has.
  func cachedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    switch resize {
    case .stretch, .pad: (imageSize, imageSize)
    case .crop:
      min(width, height) <= shorterSide ? (width, height) : uncutSize(width: width, height: height)
    }
  }

  /// The size that an image has before the center is cut out; as torchvision's `Resize` rounds.
  private func uncutSize(width: Int, height: Int) -> (width: Int, height: Int) {
    let shorter = min(width, height)
    return (shorterSide * width / shorter, shorterSide * height / shorter)
  }

  /// Decodes a file and makes the square image the network sees when it is not being trained.
  /// - Throws: `DecodingFailure`, which names the file and the cause.
  public func evaluationInput(
    contentsOf path: String, decoder: ImageDecoder = ImageDecoder()
  ) throws(DecodingFailure) -> PixelImage {
    evaluationInput(try decoder.decode(path: path, minimumSide: minimumSide, background: background))
  }

  /// The square image, [imageSize, imageSize, 3], that the network sees when it is not being trained: of a decoded
  /// image or of its cached form, which give the same. Sizes and offsets are rounded as torchvision's `Resize` and
  /// `CenterCrop` do.
  public func evaluationInput(_ image: PixelImage) -> PixelImage {
    switch resize {
    case .stretch:
      return image.resized(width: imageSize, height: imageSize)
    case .pad:
      let (width, height) = fittedSize(width: image.width, height: image.height)
      return image.resized(width: width, height: height)
        .letterboxed(side: imageSize, color: padColor ?? .black)
    case .crop:
      let (width, height) = uncutSize(width: image.width, height: image.height)
      let left = Int((Double(width - imageSize) / 2).rounded(.toNearestOrEven))
      let top = Int((Double(height - imageSize) / 2).rounded(.toNearestOrEven))
      return image.resized(
        width: width, height: height, box: nil, columns: left..<(left + imageSize), rows: top..<(top + imageSize))
    }
  }

  /// Writes (value / 255 - mean) / std for each pixel and channel.
  /// - Parameters:
  ///   - image: [imageSize, imageSize, 3].
  ///   - buffer: [imageSize, imageSize, 3].
  public func normalize(_ image: PixelImage, into buffer: UnsafeMutableBufferPointer<Float>) {
    NormalizationTable(self).write(AugmentedImage(image: image, size: imageSize), into: buffer)
  }

  /// Writes an augmented image; zero where its window leaves the image.
  /// - Parameter buffer: [imageSize, imageSize, 3].
  public func normalize(_ image: AugmentedImage, into buffer: UnsafeMutableBufferPointer<Float>) {
    NormalizationTable(self).write(image, into: buffer)
  }
}
