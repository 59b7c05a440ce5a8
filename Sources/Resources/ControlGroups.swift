// The control groups of this process (Linux, control-group-v1 and -v2): in a container or a batch job they allow less
// than the machine has. Where their folders are; what stands in them is for those who ask.

import FoundationEssentials

/// The folders of the groups that a process is in, by controller.
package struct ControlGroups {
  /// The root of the file system, another one in tests.
  private let root: String

  package init(root: String = "") { self.root = root }

  /// A folder of a group, or of one around it: each limits what is in it.
  package struct Group: Equatable {
    package var path: String
    /// Of version 2 of the interface, whose files have other names.
    package var isUnified: Bool

    /// What stands in one of its files; empty where there is none.
    package func text(_ name: String) -> String { ControlGroups.text("\(path)/\(name)") }

    /// The number that a file begins with; nil for none, as for "max".
    package func number(_ name: String) -> Int? {
      Int(text(name).split(whereSeparator: \.isWhitespace).first ?? "")
    }
  }

  /// Every group that limits a controller (`cpu`, `memory`) for this process, from the outermost.
  package func groups(of controller: String) -> [Group] {
    let mounts = mounts()
    var found: [Group] = []
    for line in Self.text(root + "/proc/self/cgroup").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      let isUnified = parts[0] == "0"
      guard isUnified || parts[1].split(separator: ",").contains(Substring(controller)) else { continue }
      let places = mounts.filter { isUnified ? $0.isUnified : $0.controllers.contains(controller) }
      for mount in places { found += folders(mount, group: parts[2], isUnified: isUnified) }
    }
    return found
  }

  private struct Mount {
    /// The group that is seen at `point`: "/" or, in a container, the container's own.
    var group: String
    var point: String
    var isUnified: Bool
    var controllers: [String]
  }

  /// From `mountinfo` (proc_pid_mountinfo(5)), else the usual places.
  private func mounts() -> [Mount] {
    let found = Self.text(root + "/proc/self/mountinfo").split(separator: "\n").compactMap { line -> Mount? in
      let words = line.split(separator: " ")
      guard let dash = words.firstIndex(of: "-"), words.count > dash + 3, dash > 4 else { return nil }
      let type = words[dash + 1]
      guard type == "cgroup" || type == "cgroup2" else { return nil }
      return Mount(
        group: Self.plain(words[3]), point: root + Self.plain(words[4]), isUnified: type == "cgroup2",
        controllers: words[dash + 3].split(separator: ",").map(String.init))
    }
    if !found.isEmpty { return found }
    let usual = root + "/sys/fs/cgroup"
    return [
      Mount(group: "/", point: usual, isUnified: true, controllers: []),
      Mount(group: "/", point: usual + "/cpu", isUnified: false, controllers: ["cpu"]),
      Mount(group: "/", point: usual + "/memory", isUnified: false, controllers: ["memory"]),
    ]
  }

  /// The group's folder and those above it, as far as they are seen at the mount.
  private func folders(_ mount: Mount, group: String, isUnified: Bool) -> [Group] {
    let (all, seen) = (group.split(separator: "/"), mount.group.split(separator: "/"))
    // A container's process may be told its group's name outside, of which it sees the end at best.
    let names = all.dropFirst(all.starts(with: seen) ? seen.count : 0)
    return (0...names.count).map { count in
      Group(
        path: ([mount.point] + names.prefix(count).map(String.init)).joined(separator: "/"), isUnified: isUnified)
    }
  }

  /// Blanks and backslashes of a path are written as octal numbers.
  private static func plain(_ word: Substring) -> String {
    String(word).replacing("\\040", with: " ").replacing("\\011", with: "\t").replacing("\\012", with: "\n")
      .replacing("\\134", with: "\\")
  }

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}

extension ControlGroups.Group {
  /// Bytes of memory that the group allows; nil where it sets no limit.
  package var memoryLimit: Int? {
    // "max" is no number, and version 1 writes an absurd one, where nothing is limited.
    number(isUnified ? "memory.max" : "memory.limit_in_bytes").flatMap { $0 < 1 << 60 ? $0 : nil }
  }

  /// Bytes that it still leaves: files that are only kept make room.
  package var memoryHeadroom: Int? {
    guard let limit = memoryLimit, let used = number(isUnified ? "memory.current" : "memory.usage_in_bytes") else {
      return nil
    }
    let cache = isUnified ? "inactive_file" : "total_inactive_file"
    let reclaimable = text("memory.stat").split(separator: "\n").first { $0.hasPrefix(cache + " ") }
      .flatMap { Int($0.split(separator: " ").last ?? "") }
    return max(0, limit - used + (reclaimable ?? 0))
  }
}

/// Texts in which the kernel tells figures.
package enum KernelFigures {
  /// A line `Name:   123 kB`, in bytes.
  package static func kilobytes(_ name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      let words = line.split(separator: " ")
      return words.count >= 2 ? Int(words[1]).map { $0 * 1024 } : nil
    }
    return nil
  }
}
