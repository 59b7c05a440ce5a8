// How far something has come whose end is known.

struct TaskProgress: Sendable, Equatable {
  var done: Int
  var total: Int

  /// 0...1; an empty task is done.
  var share: Double { total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1 }
}
