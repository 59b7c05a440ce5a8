// Measuring and predicting over several views of an image: which views, and how their outputs become one.

import Glibc
import Messages
import Networks
import Tensors

extension TestTimeAugmentation {
  /// The views of images, the images themselves first.
  ///
  /// A shift is by a sixteenth of the side, at least a pixel, half of what `--crop pad` shifts by; the edge's pixels are
  /// repeated where nothing comes after.
  /// - Parameter images: [N, size, size, 3].
  /// - Returns: as many arrays of that shape.
  func views(of images: [Float], size: Int) -> [[Float]] {
    let last = size - 1
    switch self {
    case .flip: return [images, Self.moved(images, size: size) { ($0, last - $1) }]
    case .shift:
      let by = max(1, size / 16)
      func within(_ place: Int) -> Int { min(max(place, 0), last) }
      return [
        images, Self.moved(images, size: size) { (within($0 + by), $1) },
        Self.moved(images, size: size) { (within($0 - by), $1) },
        Self.moved(images, size: size) { ($0, within($1 + by)) },
        Self.moved(images, size: size) { ($0, within($1 - by)) },
      ]
    }
  }

  /// - Parameter source: the row and column that a pixel is taken from.
  private static func moved(_ images: [Float], size: Int, source: (Int, Int) -> (Int, Int)) -> [Float] {
    let length = size * size * 3
    return [Float](unsafeUninitializedCapacity: images.count) { buffer, count in
      for image in stride(from: 0, to: images.count, by: max(1, length)) {
        for row in 0..<size {
          for column in 0..<size {
            let (fromRow, fromColumn) = source(row, column)
            let from = image + (fromRow * size + fromColumn) * 3
            for channel in 0..<3 { buffer[count + channel] = images[from + channel] }
            count += 3
          }
        }
      }
    }
  }

  /// The logarithms of the mean probabilities: log(mean over views of softmax(logits)).
  /// - Parameters:
  ///   - logits: of each view, [N, classes].
  /// - Returns: [N, classes]; NaN for an image with an output that is not finite.
  static func logMeanProbabilities(_ logits: [[Float]], classes: Int) -> [Float] {
    guard let first = logits.first else { return [] }
    var result = first
    let shift = log(Double(logits.count))
    for row in stride(from: 0, to: first.count, by: max(1, classes)) {
      let views = logits.map { view in
        let values = view[row..<(row + classes)].map { Double($0) }
        let normalizer = logSumExp(values)
        return values.map { $0 - normalizer }
      }
      let isFinite = logits.allSatisfy { $0[row..<(row + classes)].allSatisfy(\.isFinite) }
      for k in 0..<classes {
        // The least probability that a Float's logarithm can say is as good as none.
        let value = logSumExp(views.map { $0[k] }) - shift
        result[row + k] = isFinite ? Float(max(value, -Double(Float.greatestFiniteMagnitude))) : .nan
      }
    }
    return result
  }

  private static func logSumExp(_ values: [Double]) -> Double {
    let largest = values.max() ?? 0
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  }
}

extension InferenceNetwork {
  /// Logits, or with views the logarithms of the mean probabilities, which rank and measure the same way.
  /// - Parameter images: [N, size, size, 3], normalized.
  /// - Returns: [N, classes].
  func outputs(_ images: [Float], count: Int, size: Int, _ augmentation: TestTimeAugmentation?, _ pool: ThreadPool)
    -> [Float]
  {
    func logits(_ images: [Float]) -> [Float] {
      forward(Tensor([count, size, size, 3], images), pool).values
    }
    guard let augmentation else { return logits(images) }
    let views = augmentation.views(of: images, size: size).map(logits)
    return TestTimeAugmentation.logMeanProbabilities(views, classes: (views.first?.count ?? 0) / max(1, count))
  }

  /// The same, and the features of the images themselves, whatever views there are: [N, F].
  func outputsAndFeatures(
    _ images: [Float], count: Int, size: Int, _ augmentation: TestTimeAugmentation?, _ pool: ThreadPool
  ) -> (outputs: [Float], features: [Float]) {
    let value = plan.penultimate
    var features: [Float] = []
    func logits(_ images: [Float], isFirst: Bool) -> [Float] {
      let input = Tensor([count, size, size, 3], images)
      guard isFirst, value != LoweredPlan.image else { return forward(input, pool).values }
      let (logits, kept) = forward(input, keeping: value, pool)
      features = plan.pooled(kept, of: value, pool).values
      return logits.values
    }
    guard let augmentation else { return (logits(images, isFirst: true), features) }
    let views = augmentation.views(of: images, size: size).enumerated().map { logits($1, isFirst: $0 == 0) }
    return (
      TestTimeAugmentation.logMeanProbabilities(views, classes: (views.first?.count ?? 0) / max(1, count)), features
    )
  }
}

extension TestTimeAugmentationChoice {
  /// What is done for a network.
  /// - Parameters:
  ///   - mirrors: whether it was trained with mirrored images; nil where that is not known.
  ///   - checkpoint: its file.
  /// - Throws: `SettingsError` where it would not be sound, or cannot be told.
  public func resolved(mirrors: Bool?, checkpoint: String) throws -> TestTimeAugmentation? {
    switch self {
    case .none: return nil
    case .shift: return .shift
    case .flip:
      guard mirrors != false else {
        throw SettingsError(
          "--tta flip: \(checkpoint) was trained without mirrored images, of which it may see another class; use "
            + "--tta shift")
      }
      return .flip
    case .automatic:
      guard let mirrors else {
        throw SettingsError(
          "--tta auto: \(checkpoint) does not say whether it was trained with mirrored images; say --tta flip or --tta "
            + "shift")
      }
      return mirrors ? .flip : .shift
    }
  }
}

extension CheckpointLocation {
  /// Whether the run was trained with mirrored images; nil where that is not known.
  /// - Parameter description: of a file that does not describe itself.
  public func mirrors(_ description: ModelDescription? = nil) -> Bool? {
    OwnRun(of: self, description: description).record?.settings.augmentation.horizontalFlip
  }
}
