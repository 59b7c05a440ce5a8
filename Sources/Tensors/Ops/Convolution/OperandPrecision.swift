// The arithmetic of products: in what precision factors are packed.

import CKernels

/// What the factors of a product are rounded to. The sums are float32 in any case.
public enum OperandPrecision: Sendable, Hashable {
  case float32
  /// The upper half of a float32: 8 bits of precision. Two neighboring steps are a pair, in the place of a float.
  case bfloat16

  /// Whether this processor multiplies bfloat16 faster than float32. Every processor computes with it; whoever asks for
  /// it on one where that is slow is refused, unless a test says otherwise for what runs inside `withValue`.
  @TaskLocal public static var hasFastBFloat16: Bool = ck_pair_lanes() > 4

  /// Floats, or places of floats, that so many steps take.
  func places(_ steps: Int) -> Int {
    switch self {
    case .float32: steps
    case .bfloat16: (steps + 1) / 2
    }
  }

  /// Places in a vector that this processor has code for. It decides how panels are laid out.
  var lanes: Int {
    switch self {
    case .float32: ProductPanels.lanes
    case .bfloat16: Self.pairLanes
    }
  }

  /// Time of a multiply-add beside one in float32.
  var costOfProducts: Double {
    switch self {
    case .float32: 1
    case .bfloat16: 0.5
    }
  }

  /// Columns of a panel of a matrix with so many.
  func panelWidth(columns: Int) -> Int { columns > lanes ? 2 * lanes : lanes }

  private static let pairLanes = ck_pair_lanes()
}
