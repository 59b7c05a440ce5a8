// A process that gets little more memory than it has: for what has to refuse, and not to end.

import Foundation

public enum ScarceMemory {
  /// Runs `body` while the system maps no more than so many bytes on top of what this process has mapped. For a process
  /// of its own: whoever else asks meanwhile is refused too.
  public static func during<Result>(_ bytes: Int, _ body: () throws -> Result) rethrows -> Result {
    let kind = __rlimit_resource_t(UInt32(RLIMIT_AS.rawValue))
    var unlimited = rlimit()
    getrlimit(kind, &unlimited)
    var scarce = unlimited
    scarce.rlim_cur = rlim_t(mapped + bytes)
    setrlimit(kind, &scarce)
    defer { setrlimit(kind, &unlimited) }
    return try body()
  }

  /// Bytes (proc_pid_status(5), VmSize).
  public static var mapped: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line: Substring? = status.split(separator: "\n").first { $0.hasPrefix("VmSize:") }
    return (line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0) * 1024
  }
}
