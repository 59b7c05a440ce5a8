// How much memory this process may still take, and what says so: the machine, a control group, or a limit of the
// shell. Only reads; what to do with it is in MemoryCheck.

import FoundationEssentials
import Glibc
import Resources

/// Bytes that may still be taken, by one of those who limit it.
public struct MemoryLimit: Equatable, Sendable {
  public enum Source: Equatable, Sendable {
    case machine
    case controlGroup
    /// `ulimit -v`
    case addressSpace
    /// `ulimit -d`
    case data
  }

  public var bytes: Int
  public var source: Source
}

public enum SystemMemory {
  /// Every limit in force; none where nothing can be read.
  public static func limits() -> [MemoryLimit] {
    var limits: [MemoryLimit] = []
    if let free = KernelFigures.kilobytes("MemAvailable", in: text("/proc/meminfo")) {
      limits.append(MemoryLimit(bytes: free, source: .machine))
    }
    if let free = controlGroupHeadroom() { limits.append(MemoryLimit(bytes: free, source: .controlGroup)) }
    let status = text("/proc/self/status")
    if let limit = resourceLimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue))),
      let used = KernelFigures.kilobytes("VmSize", in: status)
    {
      limits.append(MemoryLimit(bytes: max(0, limit - used), source: .addressSpace))
    }
    if let limit = resourceLimit(__rlimit_resource_t(UInt32(RLIMIT_DATA.rawValue))),
      let used = KernelFigures.kilobytes("VmData", in: status)
    {
      limits.append(MemoryLimit(bytes: max(0, limit - used), source: .data))
    }
    return limits
  }

  /// What the control group of this process, and those around it, leave.
  private static func controlGroupHeadroom() -> Int? {
    ControlGroups().groups(of: "memory").compactMap(\.memoryHeadroom).min()
  }

  private static func resourceLimit(_ resource: __rlimit_resource_t) -> Int? {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < UInt64(Int.max) else { return nil }
    return Int(limit.rlim_cur)
  }

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
