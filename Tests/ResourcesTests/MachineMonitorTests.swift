// What the kernel tells of the machine, in folders made up for it.

import Foundation
import Testing

@testable import Resources

@Suite struct `Watching the machine` {
  private let root = MadeUpFiles()

  private static let memory = "MemTotal:       16000 kB\nMemFree: 100 kB\nMemAvailable:   12000 kB\n"

  @Test func `a processor's share is of the time between two readings`() throws {
    try root.write(
      "cpu  9 9 9 9\ncpu0 100 0 100 800 0 0 0 0 0 0\ncpu1 0 0 0 1000 0 0 0 0 0 0\nintr 1\n", "proc/stat")
    try root.write(Self.memory, "proc/meminfo")
    var monitor = MachineMonitor(root: root.path)
    #expect(monitor.read() == .init(memory: 16000 << 10, freeMemory: 12000 << 10))
    try root.write("cpu0 150 0 125 820 5 0 0 0 0 0\ncpu1 0 0 0 1100 0 0 0 0 0 0\n", "proc/stat")
    #expect(monitor.read().processors == [0.75, 0])
    // A counter that went back, and a processor that was switched off.
    try root.write("cpu0 150 0 125 820 4 0 0 0 0 0\ncpu1 100 0 0 1100 0 0 0 0 0 0\n", "proc/stat")
    #expect(monitor.read().processors == [0, 1])
    try root.write("cpu0 150 0 125 820 4 0 0 0 0 0\n", "proc/stat")
    #expect(monitor.read().processors.isEmpty)
  }

  @Test func `a control group's memory is what there is`() throws {
    try root.write(Self.memory, "proc/meminfo")
    try root.write("0::/job\n", "proc/self/cgroup")
    try root.write("8192000\n", "sys/fs/cgroup/job/memory.max")
    try root.write("2048000\n", "sys/fs/cgroup/job/memory.current")
    var monitor = MachineMonitor(root: root.path)
    let reading = monitor.read()
    #expect(reading.memory == 8_192_000 && reading.freeMemory == 6_144_000)
    // Files that are only kept can go, as where a run's memory is checked.
    try root.write("active_file 7\ninactive_file 48000\n", "sys/fs/cgroup/job/memory.stat")
    #expect(monitor.read().freeMemory == 6_192_000)
  }

  @Test func `the warmest sensor of the processor counts; absurd ones do not`() throws {
    try root.write("nvme\n", "sys/class/hwmon/hwmon0/name")
    try root.write("99000\n", "sys/class/hwmon/hwmon0/temp1_input")
    try root.write("coretemp\n", "sys/class/hwmon/hwmon1/name")
    try root.write("61000\n", "sys/class/hwmon/hwmon1/temp1_input")
    try root.write("64500\n", "sys/class/hwmon/hwmon1/temp2_input")
    try root.write("255000\n", "sys/class/hwmon/hwmon1/temp3_input")
    var monitor = MachineMonitor(root: root.path)
    #expect(monitor.read().temperature == 64.5)
    let other = MadeUpFiles()
    try other.write("acpitz\n", "sys/class/thermal/thermal_zone0/type")
    try other.write("40000\n", "sys/class/thermal/thermal_zone0/temp")
    try other.write("cpu-thermal\n", "sys/class/thermal/thermal_zone1/type")
    try other.write("38000\n", "sys/class/thermal/thermal_zone1/temp")
    var board = MachineMonitor(root: other.path)
    #expect(board.read().temperature == 38)
    var none = MachineMonitor(root: MadeUpFiles().path)
    #expect(none.read() == .init())
  }
}

private final class MadeUpFiles {
  let path = FileManager.default.temporaryDirectory.path + "/skipline-machine-" + UUID().uuidString

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, _ name: String) throws {
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }
}
