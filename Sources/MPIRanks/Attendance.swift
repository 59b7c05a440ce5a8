// Who was heard of and when. It has no clock and asks nobody.

/// The ranks that this one expects to hear of again and again, and for how long each has been silent.
///
/// Silence is counted in the listener's own time, in short pieces: where a whole job is suspended for an hour and goes
/// on, nobody has been silent for longer than a piece.
struct Attendance {
  /// So much of the time between two looks counts at most.
  static let longestPiece = Duration.seconds(1)

  /// How long a rank may be silent.
  let limit: Duration
  private var silence: [Int: Duration]

  init(_ ranks: some Sequence<Int>, limit: Duration) {
    self.limit = limit
    silence = Dictionary(uniqueKeysWithValues: ranks.map { ($0, .zero) })
  }

  /// Ranks that have not taken leave, in order.
  var expected: [Int] { silence.keys.sorted() }

  mutating func hear(of rank: Int) {
    if silence[rank] != nil { silence[rank] = .zero }
  }

  /// It will not be heard of any more.
  mutating func takeLeave(of rank: Int) { silence[rank] = nil }

  /// So much time has passed since the last look.
  mutating func pass(_ time: Duration) {
    for rank in silence.keys { silence[rank, default: .zero] += min(time, Self.longestPiece) }
  }

  /// The first rank that has been silent for longer than the limit.
  var missing: Int? { silence.filter { $0.value > limit }.keys.min() }
}
