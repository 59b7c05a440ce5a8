// How much memory this process may still take, and what says so: the machine, a control group, or a limit of the
// shell. Only reads; what to do with it is in MemoryCheck.

import Foundation

/// Bytes that may still be taken, by one of those who limit it.
struct MemoryLimit: Equatable {
  enum Source: Equatable {
    case machine
    case controlGroup
    /// `ulimit -v`
    case addressSpace
    /// `ulimit -d`
    case data
  }

  var bytes: Int
  var source: Source
}

enum SystemMemory {
  /// Every limit in force; none where nothing can be read.
  static func limits() -> [MemoryLimit] {
    var limits: [MemoryLimit] = []
    if let free = kilobytes("MemAvailable", in: text("/proc/meminfo")) {
      limits.append(MemoryLimit(bytes: free, source: .machine))
    }
    if let free = controlGroupHeadroom() { limits.append(MemoryLimit(bytes: free, source: .controlGroup)) }
    let status = text("/proc/self/status")
    if let limit = resourceLimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue))),
      let used = kilobytes("VmSize", in: status)
    {
      limits.append(MemoryLimit(bytes: max(0, limit - used), source: .addressSpace))
    }
    if let limit = resourceLimit(__rlimit_resource_t(UInt32(RLIMIT_DATA.rawValue))),
      let used = kilobytes("VmData", in: status)
    {
      limits.append(MemoryLimit(bytes: max(0, limit - used), source: .data))
    }
    return limits
  }

  /// A line `Name:   123 kB` of a file of the kernel's, in bytes.
  static func kilobytes(_ name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      let words = line.split(separator: " ")
      return words.count >= 2 ? Int(words[1]).map { $0 * 1024 } : nil
    }
    return nil
  }

  /// What the control group of this process, and those around it, leave.
  private static func controlGroupHeadroom() -> Int? {
    var headrooms: [Int] = []
    for line in text("/proc/self/cgroup").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      if parts[0] == "0" {
        headrooms += groups("/sys/fs/cgroup", parts[2]).compactMap {
          headroom($0, limit: "memory.max", used: "memory.current", cache: "inactive_file")
        }
      } else if parts[1].split(separator: ",").contains("memory") {
        headrooms += groups("/sys/fs/cgroup/memory", parts[2]).compactMap {
          headroom($0, limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file")
        }
      }
    }
    return headrooms.min()
  }

  /// The group's folder and those above it: each limits what is in it.
  private static func groups(_ root: String, _ path: String) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).map { ([root] + names.prefix($0).map(String.init)).joined(separator: "/") }
  }

  private static func headroom(_ folder: String, limit: String, used: String, cache: String) -> Int? {
    func number(_ name: String) -> Int? {
      Int(text("\(folder)/\(name)").split(separator: "\n").first ?? "")
    }
    // "max" is no number, and version 1 writes an absurd one, where nothing is limited.
    guard let limit = number(limit), limit < 1 << 60, let used = number(used) else { return nil }
    let reclaimable = text("\(folder)/memory.stat").split(separator: "\n")
      .first { $0.hasPrefix(cache + " ") }
      .flatMap { Int($0.split(separator: " ").last ?? "") }
    return max(0, limit - used + (reclaimable ?? 0))
  }

  private static func resourceLimit(_ resource: __rlimit_resource_t) -> Int? {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < UInt64(Int.max) else { return nil }
    return Int(limit.rlim_cur)
  }

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
