// How much memory this process holds, and held at most. Linux only.

import Foundation

public enum ResidentMemory {
  /// Bytes now (proc(5), statm).
  public static var now: Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
  }

  /// Bytes at the most so far (getrusage(2), in KiB).
  public static var peak: Int {
    var usage = rusage()
    return getrusage(Int32(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss * 1024 : 0
  }
}
