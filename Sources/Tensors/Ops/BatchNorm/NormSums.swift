// What batch norms add up over images that are not in one tensor: parts of a batch that go through networks of their own,
// on one machine or several. Each sum is a value that can be sent, and two are added in the order that whoever adds
// them decides.

/// A sum over rows, for each of C channels.
public protocol NormSum: Sendable {
  /// Of no rows.
  init(channels: Int)
  /// As `numbers` has them; so many that C is known from them.
  init(numbers: [Double])
  /// 1 + 2 * C.
  var numbers: [Double] { get }
  /// Adds what comes after it.
  mutating func add(_ next: Self)
}

/// Mean and squared deviations of rows.
public struct MomentSum: NormSum, Equatable {
  public private(set) var rows: Double
  /// [C].
  public private(set) var mean: [Double]
  /// Of the deviations from the mean, [C].
  private var squares: [Double]

  public init(channels: Int) {
    (rows, mean, squares) = (0, [Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
  }

  public init(numbers: [Double]) {
    let channels = (numbers.count - 1) / 2
    (rows, mean) = (numbers[0], Array(numbers[1..<(1 + channels)]))
    squares = Array(numbers[(1 + channels)...])
  }

  fileprivate init(rows: Double, mean: [Double], variance: [Double]) {
    (self.rows, self.mean, squares) = (rows, mean, variance.map { $0 * rows })
  }

  public var numbers: [Double] { [rows] + mean + squares }

  /// Biased, [C].
  public var variance: [Double] { squares.map { $0 / max(1, rows) } }

  /// Chan, Golub and LeVeque 1979.
  public mutating func add(_ next: MomentSum) {
    guard next.rows > 0 else { return }
    guard rows > 0 else { return self = next }
    let share = next.rows / (rows + next.rows)
    for c in mean.indices {
      let difference = next.mean[c] - mean[c]
      mean[c] += difference * share
      squares[c] += next.squares[c] + difference * difference * rows * share
    }
    rows += next.rows
  }
}

/// The sums of the way back: over rows, of g and of g * (x - mean), where g is the gradient behind the ReLU.
public struct NormGradientSum: NormSum, Equatable {
  public private(set) var rows: Double
  /// [C].
  private(set) var gradients: [Double]
  private(set) var products: [Double]

  public init(channels: Int) {
    (rows, gradients) = (0, [Double](repeating: 0, count: channels))
    products = gradients
  }

  public init(numbers: [Double]) {
    let channels = (numbers.count - 1) / 2
    (rows, gradients) = (numbers[0], Array(numbers[1..<(1 + channels)]))
    products = Array(numbers[(1 + channels)...])
  }

  init(rows: Double, gradients: [Double], products: [Double]) {
    (self.rows, self.gradients, self.products) = (rows, gradients, products)
  }

  public var numbers: [Double] { [rows] + gradients + products }

  public mutating func add(_ next: NormGradientSum) {
    rows += next.rows
    for c in gradients.indices {
      gradients[c] += next.gradients[c]
      products[c] += next.products[c]
    }
  }
}

extension ChannelMoments {
  /// The moments that were gathered.
  public var sum: MomentSum { MomentSum(rows: Double(rows), mean: mean, variance: variance) }
}

extension Ops {
  /// As `moveRunning(mean:variance:by:toward:)`, toward the moments of several parts; of no rows, nothing is moved.
  public func moveRunning(mean: inout Tensor, variance: inout Tensor, by momentum: Double, toward sum: MomentSum) {
    guard sum.rows > 0 else { return }
    let (means, variances) = (sum.mean, sum.variance)
    let unbiased = sum.rows / max(1, sum.rows - 1)
    mean.write { for c in means.indices { $0[c] = Float((1 - momentum) * Double($0[c]) + momentum * means[c]) } }
    variance.write {
      for c in variances.indices {
        $0[c] = Float((1 - momentum) * Double($0[c]) + momentum * variances[c] * unbiased)
      }
    }
  }
}
