// Quotas of control groups as the kernel shows them, in folders made up for it.

@testable import Resources
import Foundation
import Testing

/// A file system's root with what a test needs of it.
private final class MadeUpRoot {
  let path = FileManager.default.temporaryDirectory.path + "/skipline-groups-" + UUID().uuidString

  init(groups: String, mounts: String? = nil, _ files: [String: String] = [:]) throws {
    try write(groups, "proc/self/cgroup")
    if let mounts { try write(mounts, "proc/self/mountinfo") }
    for (name, text) in files { try write(text, name) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private func write(_ text: String, _ name: String) throws {
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func processors(among count: Int = 8) -> Int {
    SystemProcessors.available(among: count, groups: ControlGroups(root: path).groups(of: "cpu"))
  }
}

private let unifiedMount = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
private let dividedMounts = """
  31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
  32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
  33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
  41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
  """

@Suite struct `Quotas of processor time` {
  @Test(arguments: [
    ("max 100000\n", 8), ("100000 100000\n", 1), ("150000 100000\n", 2), ("50000 100000\n", 1), ("1 1000000\n", 1),
    ("300001 100000\n", 4), ("9000000 100000\n", 8), ("0 100000\n", 8), ("-1 100000\n", 8), ("100000 0\n", 8),
    ("", 8), ("100000\n", 8), ("nonsense\n", 8), ("9223372036854775807 1\n", 8),
  ])
  func `of version 2 count in processors, rounded up`(text: String, expected: Int) throws {
    let root = try MadeUpRoot(
      groups: "0::/job\n", mounts: unifiedMount, ["sys/fs/cgroup/job/cpu.max": text])
    #expect(root.processors() == expected)
  }

  @Test(arguments: [("100000\n", 1), ("-1\n", 8), ("250000\n", 3), ("1000\n", 1)])
  func `of version 1 count in processors, rounded up`(text: String, expected: Int) throws {
    let folder = "sys/fs/cgroup/cpu,cpuacct/docker/abc"
    let root = try MadeUpRoot(
      groups: "11:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n", mounts: dividedMounts,
      ["\(folder)/cpu.cfs_quota_us": text, "\(folder)/cpu.cfs_period_us": "100000\n"])
    #expect(root.processors() == expected)
  }

  @Test func `of the groups around it count too, the least of all`() throws {
    func root(_ outer: String, _ middle: String, _ inner: String) throws -> MadeUpRoot {
      try MadeUpRoot(
        groups: "0::/a/b/c\n", mounts: unifiedMount,
        [
          "sys/fs/cgroup/a/cpu.max": outer, "sys/fs/cgroup/a/b/cpu.max": middle,
          "sys/fs/cgroup/a/b/c/cpu.max": inner,
        ])
    }
    #expect(try root("200000 100000", "max 100000", "500000 100000").processors() == 2)
    #expect(try root("600000 100000", "300000 100000", "max 100000").processors() == 3)
    // A long period is no small quota.
    #expect(try root("2000000 1000000", "400000 100000", "300000 100000").processors() == 2)
  }

  @Test func `in a container are those of the group that it sees as its root`() throws {
    // The name that the group has outside, of which nothing is seen inside.
    let outside = try MadeUpRoot(
      groups: "0::/system.slice/docker-1.scope\n", mounts: unifiedMount,
      ["sys/fs/cgroup/cpu.max": "100000 100000\n"])
    #expect(outside.processors() == 1)
    // Version 1 shows the container's own group at the mount.
    let mount = "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
    let bound = try MadeUpRoot(
      groups: "4:cpu:/docker/abc/child\n", mounts: mount,
      [
        "sys/fs/cgroup/cpu/child/cpu.cfs_quota_us": "200000", "sys/fs/cgroup/cpu/child/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
      ])
    #expect(bound.processors() == 2)
  }

  @Test func `are found at any mount, and at the usual place where mounts are not told`() throws {
    let odd = try MadeUpRoot(
      groups: "0::/job\n", mounts: "31 23 0:28 / /run/my\\040groups rw - cgroup2 none rw\n",
      ["run/my groups/job/cpu.max": "100000 100000\n"])
    #expect(odd.processors() == 1)
    let untold = try MadeUpRoot(groups: "0::/job\n", ["sys/fs/cgroup/job/cpu.max": "100000 100000\n"])
    #expect(untold.processors() == 1)
    let divided = try MadeUpRoot(
      groups: "4:cpu,cpuacct:/job\n",
      ["sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "300000", "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000"])
    #expect(divided.processors() == 3)
  }

  @Test func `never give more than may be used, nor none`() throws {
    let root = try MadeUpRoot(groups: "0::/\n", mounts: unifiedMount, ["sys/fs/cgroup/cpu.max": "400000 100000"])
    #expect(root.processors(among: 2) == 2)
    #expect(root.processors(among: 0) == 1)
    #expect(try MadeUpRoot(groups: "").processors(among: 3) == 3)
    #expect((1...ProcessInfo.processInfo.activeProcessorCount).contains(SystemProcessors.available))
  }
}
