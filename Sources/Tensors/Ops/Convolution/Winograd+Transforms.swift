// What Winograd's algorithm transforms to what, and which of the planes that come of it are multiplied, by kind of
// convolution.

import CKernels

extension Winograd {
  /// The transforms of a pass.
  enum Transforms: Sendable, Hashable {
    case f2, f4, strided
    /// Those that make a strided convolution's gradient by its input.
    case stridedGradient

    init(_ tile: Tile) {
      switch tile {
      case .f2: self = .f2
      case .f4: self = .f4
      case .strided: self = .strided
      }
    }

    /// CKernels' number of them.
    var form: Int32 {
      switch self {
      case .f2: Int32(CK_WINOGRAD_F2)
      case .f4: Int32(CK_WINOGRAD_F4)
      case .strided: Int32(CK_WINOGRAD_STRIDED)
      case .stridedGradient: Int32(CK_WINOGRAD_STRIDED_GRADIENT)
      }
    }

    /// Of a tile of results, pixels.
    var side: Int {
      switch self {
      case .f2, .strided: 2
      case .f4, .stridedGradient: 4
      }
    }

    /// Planes of a transformed input.
    var inputPlaneCount: Int {
      switch self {
      case .f2, .stridedGradient: 16
      case .f4: 36
      case .strided: 25
      }
    }

    /// Planes of a transformed filter, or of its gradient.
    var filterPlaneCount: Int {
      switch self {
      case .f2: 16
      case .f4: 36
      case .strided, .stridedGradient: 25
      }
    }

    /// Planes of what becomes results, or of a transformed gradient by them.
    var sumPlaneCount: Int {
      switch self {
      case .f2: 16
      case .f4: 36
      case .strided: 9
      case .stridedGradient: 25
      }
    }

    /// The products that make results.
    var products: [Product] {
      switch self {
      case .f2: Product.each16
      case .f4: Product.each36
      case .strided: Product.strided
      case .stridedGradient: Product.stridedGradient
      }
    }

    /// The products that make a gradient by the filter.
    var filterProducts: [Product] {
      switch self {
      case .f2: Product.each16
      case .f4: Product.each36
      case .strided: Product.stridedFilterGradient
      case .stridedGradient: preconditionFailure("a gradient by the filter is of the convolution itself")
      }
    }
  }

  /// A product of planes: of which ones, and into which.
  struct Product: Sendable {
    var left: Int
    var right: Int
    var result: Int
    /// Neighboring planes of both sides that are multiplied and added up.
    var terms = 1

    fileprivate static let each16 = (0..<16).map { Product(left: $0, right: $0, result: $0) }
    fileprivate static let each36 = (0..<36).map { Product(left: $0, right: $0, result: $0) }

    /// Of the five numbers that a strided convolution makes of pixels or taps in one direction, those of each of three
    /// products; see CKernels.
    private static let numbers = [0..<2, 2..<3, 3..<5]
    /// The gradient by four pixels is made of d0 - d1, d1, d2 - d1 and d0, d being the output's gradient: which of them
    /// each of the taps' five numbers, g0, g1, g0 + g2, g2 and g1 of the turned filter, is multiplied with.
    private static let gradients = [0, 3, 1, 2, 1]

    private static func plane(_ i: Int, _ j: Int) -> Int { Int(ck_winograd_strided_order(Int32(i), Int32(j))) }

    fileprivate static let strided = numbers.indices.flatMap { row in
      numbers.indices.map { column in
        let first = plane(numbers[row].lowerBound, numbers[column].lowerBound)
        return Product(
          left: first, right: first, result: 3 * row + column,
          terms: numbers[row].count * numbers[column].count)
      }
    }

    fileprivate static let stridedGradient = (0..<25).map { place in
      let (i, j) = place.quotientAndRemainder(dividingBy: 5)
      return Product(left: 4 * gradients[i] + gradients[j], right: plane(i, j), result: plane(i, j))
    }

    fileprivate static let stridedFilterGradient = strided.flatMap { product in
      (product.left..<(product.left + product.terms)).map {
        Product(left: $0, right: product.result, result: $0)
      }
    }
  }
}
