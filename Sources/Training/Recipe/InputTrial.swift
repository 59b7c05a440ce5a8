// What input the weights of another program expect, where nobody says: images are put in as each of the usual programs
// would, and the input counts by whose features a classifier tells training images apart best.

import Datasets
import Glibc
import Messages
import Networks
import Tensors

/// A short trial of weights on training images.
struct InputTrial {
  /// How a program that many weights come from puts pixels in.
  struct Convention {
    /// What the pixels then are.
    let name: String
    let mean: [Float]
    let std: [Float]
  }

  /// The usual one first: another has to be clearly better.
  static let conventions = [
    Convention(name: "ImageNet's mean and deviation", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]),
    Convention(name: "-1 to 1", mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]),
    Convention(name: "0 to 1", mean: [0, 0, 0], std: [1, 1, 1]),
    // Caffe's and Keras' ResNets: bytes, less the means of red, green and blue.
    Convention(
      name: "0 to 255 less ImageNet's mean", mean: [0.482, 0.459, 0.408],
      std: [Float](repeating: 1 / 255, count: 3)),
  ]

  /// What was found.
  struct Finding: Equatable {
    /// Among the conventions.
    var place: Int
    /// Of each convention, images told apart.
    var right: [Int]
    var images: Int

    var mean: [Float] { InputTrial.conventions[place].mean }
    var std: [Float] { InputTrial.conventions[place].std }

    /// The reason, for the recipe.
    var reason: String {
      func share(_ place: Int) -> String { "\(Int((100 * Double(right[place]) / Double(images)).rounded())) %" }
      let std = Settings.mean.kind.text(of: Channels(values: std))
      let input = "std \(std): \(InputTrial.conventions[place].name)"
      guard place > 0 else {
        return "\(input), as usual; no other input tells \(images) training images apart clearly better"
      }
      return "\(input) tells \(share(place)) of \(images) training images apart, "
        + "\(InputTrial.conventions[0].name) \(share(0))"
    }
  }

  /// So many images are looked at, of so many classes.
  static let mostImages = 128
  static let mostClasses = 16
  /// Larger images tell no more of what input weights expect.
  static let largestSide = 128

  /// - Parameters:
  ///   - plan: of the network, at the size of the run's images.
  ///   - state: the weights.
  ///   - preprocessing: the run's; its mean and deviation do not matter.
  /// - Returns: nil where it cannot be told: there are too few images, or no convention is better than chance.
  /// - Throws: `NetworkError` for a network that does not take such images.
  static func find(
    _ plan: NetworkPlan, _ state: StoredState, index: DatasetIndex, preprocessing: PreprocessingSettings,
    pool: ThreadPool
  ) throws -> Finding? {
    let (items, labels, classes) = sample(index)
    guard classes > 1, items.count >= 4 * classes else { return nil }
    let side = min(plan.input.height, largestSide)
    let backbone = try NetworkPlan(plan.settings, imageSize: side, classes: plan.classes)
      .freezing(FreezeSettings.backbone)
    let network = Network(backbone, seed: 0)
    network.load(state)
    var unnormalized = preprocessing
    unnormalized.imageSize = side
    unnormalized.normalization = .given(mean: [0, 0, 0], std: [1, 1, 1])
    let loader = BatchLoader(
      items: items, root: index.root,
      preprocessing: try Preprocessing(resolving: unnormalized, items: [], root: ""),
      batchSize: 32, mode: .evaluation, workers: pool.threads)
    let width = backbone.features.count
    var features = [[Float]](repeating: [], count: conventions.count)
    var seen: [Int] = []
    let pass = Pass(.inference, pool)
    for batch in loader.epoch() {
      seen += batch.items.map { labels[$0] }
      for (place, convention) in conventions.enumerated() {
        var images = batch.images
        for i in images.indices {
          images[i] = (images[i] - convention.mean[i % 3]) / convention.std[i % 3]
        }
        features[place] += network.features(Tensor([batch.labels.count, side, side, 3], images), pass).values
      }
    }
    guard seen.count >= 4 * classes else { return nil }
    let answers = features.map { LeaveOneOut(features: $0, width: width, labels: seen, classes: classes).isRight }
    return choose(answers)
  }

  /// The convention that is better than the usual one by twice the deviation of chance, and the best of those; else the
  /// usual one.
  /// - Parameter answers: of each convention, whether each image was told apart.
  static func choose(_ answers: [[Bool]]) -> Finding? {
    let right = answers.map { $0.count { $0 } }
    guard let usual = answers.first, let best = right.indices.max(by: { right[$0] < right[$1] }), right[best] > 0
    else { return nil }
    let (gained, lost) = zip(answers[best], usual).reduce(into: (0, 0)) { counts, pair in
      if pair.0 != pair.1 { pair.0 ? (counts.0 += 1) : (counts.1 += 1) }
    }
    let isClear = Double(gained - lost) > 2 * Double(gained + lost).squareRoot()
    return Finding(place: isClear ? best : 0, right: right, images: usual.count)
  }

  /// Training images of some classes at even distances, as many of each.
  private static func sample(_ index: DatasetIndex) -> (items: [DatasetItem], labels: [Int], classes: Int) {
    var byClass = [[DatasetItem]](repeating: [], count: index.classes.count)
    for item in index.items(in: .train) { byClass[item.label].append(item) }
    let present = byClass.filter { $0.count > 1 }
    let classes = min(present.count, mostClasses)
    var (items, labels): ([DatasetItem], [Int]) = ([], [])
    for label in 0..<classes {
      let images = present[label * present.count / classes]
      let count = min(images.count, mostImages / classes)
      for i in 0..<count {
        items.append(images[i * images.count / count])
        labels.append(label)
      }
    }
    return (items, labels, classes)
  }
}

/// Ridge regression of classes on features, and what it says of each image when it has not seen it, in closed form:
/// with K the products of the features and A = K + lambda I, leaving out image i changes its residual to
/// (A^-1 y)_i / (A^-1)_ii (Rifkin and Lippert 2007, MIT-CSAIL-TR-2007-025, section 3).
struct LeaveOneOut {
  /// Of each image, whether its own class comes first.
  let isRight: [Bool]

  /// - Parameters:
  ///   - features: [labels.count, width]; where one is not finite, nothing is told apart.
  ///   - labels: 0..<classes.
  init(features: [Float], width: Int, labels: [Int], classes: Int) {
    let images = labels.count
    guard images > 1, features.allSatisfy(\.isFinite) else {
      isRight = labels.map { _ in false }
      return
    }
    let centered = Self.standardized(features, width: width, images: images)
    var kernel = [Double](repeating: 0, count: images * images)
    for i in 0..<images {
      for j in 0...i {
        var sum = 0.0
        for k in 0..<width { sum += centered[i * width + k] * centered[j * width + k] }
        // A feature that is always 1 stands for the bias.
        kernel[i * images + j] = sum / Double(width) + 1
        kernel[j * images + i] = kernel[i * images + j]
      }
    }
    let trace = (0..<images).reduce(0) { $0 + kernel[$1 * images + $1] }
    for i in 0..<images { kernel[i * images + i] += Self.ridge * trace / Double(images) + 1e-9 }
    guard let inverse = Self.inverse(kernel, images) else {
      isRight = labels.map { _ in false }
      return
    }
    isRight = (0..<images).map { i in
      var scores = (0..<classes).map { label in
        var alpha = 0.0
        for j in 0..<images { alpha += inverse[i * images + j] * (labels[j] == label ? 1 : 0) }
        return (labels[i] == label ? 1 : 0) - alpha / inverse[i * images + i]
      }
      let own = scores[labels[i]]
      scores[labels[i]] = -.infinity
      return own > (scores.max() ?? 0)
    }
  }

  /// Lambda, as a share of the mean of K's diagonal.
  private static let ridge = 0.1

  /// Each feature with mean 0 and deviation 1; one that does not change is 0.
  private static func standardized(_ features: [Float], width: Int, images: Int) -> [Double] {
    var standardized = features.map(Double.init)
    for k in 0..<width {
      var (sum, squares) = (0.0, 0.0)
      for i in 0..<images { sum += standardized[i * width + k] }
      let mean = sum / Double(images)
      for i in 0..<images {
        standardized[i * width + k] -= mean
        squares += standardized[i * width + k] * standardized[i * width + k]
      }
      let deviation = (squares / Double(images)).squareRoot()
      let factor = deviation > 1e-6 * max(1e-30, abs(mean)) ? 1 / deviation : 0
      for i in 0..<images { standardized[i * width + k] *= factor }
    }
    return standardized
  }

  /// Gauss-Jordan, for a matrix that is symmetric and positive definite, so that no pivot needs to be sought.
  /// - Returns: nil where it is not.
  private static func inverse(_ matrix: [Double], _ n: Int) -> [Double]? {
    var left = matrix
    var right = [Double](repeating: 0, count: n * n)
    for i in 0..<n { right[i * n + i] = 1 }
    for pivot in 0..<n {
      let value = left[pivot * n + pivot]
      guard value > 0, value.isFinite else { return nil }
      for k in 0..<n {
        left[pivot * n + k] /= value
        right[pivot * n + k] /= value
      }
      for row in 0..<n where row != pivot {
        let factor = left[row * n + pivot]
        guard factor != 0 else { continue }
        for k in 0..<n {
          left[row * n + k] -= factor * left[pivot * n + k]
          right[row * n + k] -= factor * right[pivot * n + k]
        }
      }
    }
    return right
  }
}
