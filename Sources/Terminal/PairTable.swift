// Which ncurses color pair stands for which two colors. The table gives out numbers; defining them is the
// screen's.

struct PairTable {
  struct Colors: Hashable {
    var foreground: Int
    var background: Int
  }

  enum Answer: Equatable {
    /// Defined before.
    case known(Int32)
    /// A new number, to be defined now.
    case new(Int32)
    /// Every number is taken.
    case full
  }

  /// Numbers run from 0 (the terminal's own colors) to one less.
  private let capacity: Int
  private var numbers: [Colors: Int32] = [:]
  /// Whether a pair was refused, so that starting afresh may show more of the colors.
  private(set) var overflowed = false

  init(capacity: Int) {
    self.capacity = capacity
  }

  mutating func number(for colors: Colors) -> Answer {
    if colors == Colors(foreground: -1, background: -1) { return .known(0) }
    if let number = numbers[colors] { return .known(number) }
    guard numbers.count + 1 < capacity else {
      overflowed = true
      return .full
    }
    let number = Int32(numbers.count + 1)
    numbers[colors] = number
    return .new(number)
  }

  mutating func removeAll() {
    numbers.removeAll(keepingCapacity: true)
    overflowed = false
  }
}
