// How many processors this process may use: what the number of threads is where nobody says another.

public enum SystemProcessors {
  /// The processors that the process may run on (sched_setaffinity), but no more than the time that its control groups
  /// grant it, in processors rounded up: a container with a quota of one and a half processors gets two threads, which
  /// use all of it. At least 1. Read once.
  public static let available = available(
    among: SystemThread.allowedProcessors, groups: ControlGroups().groups(of: "cpu"))

  /// The processor time that the control groups of this process grant it, in processors; nil where they set no limit.
  public static let quota = ControlGroups().groups(of: "cpu").compactMap(quota).min()

  static func available(among processors: Int, groups: [ControlGroups.Group]) -> Int {
    let quota = groups.compactMap(quota).min().map { Int(min($0, 1e6).rounded(.up)) }
    return max(1, min(processors, quota ?? processors))
  }

  /// In processors; nil where the group sets no limit.
  private static func quota(_ group: ControlGroups.Group) -> Double? {
    let numbers: [Int?]
    if group.isUnified {
      // "max 100000" or "150000 100000", microseconds of time in a period.
      numbers = group.text("cpu.max").split(whereSeparator: \.isWhitespace).map { Int($0) }
    } else {
      numbers = [group.number("cpu.cfs_quota_us"), group.number("cpu.cfs_period_us")]
    }
    guard numbers.count == 2, let time = numbers[0], let period = numbers[1], time > 0, period > 0 else {
      return nil
    }
    return Double(time) / Double(period)
  }
}
