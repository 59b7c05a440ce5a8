// What the kernel tells of the machine: how busy its processors are (proc_stat(5)), its memory (proc_meminfo(5)), the
// control groups' limit, and its temperature (the kernel's hwmon and thermal interfaces in sysfs).

import FoundationEssentials

/// Reads a few small files now and then; a processor's share is of the time between two readings.
package struct MachineMonitor {
  /// What was read at one moment.
  package struct Reading: Equatable {
    /// 0...1 for each processor; empty at the first reading.
    package var processors: [Double] = []
    /// Bytes.
    package var memory: Int?
    package var freeMemory: Int?
    /// Degrees Celsius.
    package var temperature: Double?
  }

  /// The root of the file system, another one in tests.
  private let root: String
  private let groups: [ControlGroups.Group]
  private let sensors: [String]
  private var before: [Ticks] = []

  /// Ticks of a processor since the machine began.
  private struct Ticks {
    var busy: UInt64
    var all: UInt64
  }

  package init(root: String = "") {
    self.root = root
    groups = ControlGroups(root: root).groups(of: "memory")
    sensors = Self.sensors(root)
  }

  package mutating func read() -> Reading {
    var reading = Reading(temperature: temperature)
    let now = Self.ticks(text("/proc/stat"))
    if now.count == before.count {
      reading.processors = zip(before, now).map { before, now in
        let (busy, all) = (now.busy &- before.busy, now.all &- before.all)
        // Counters of some virtual machines go back a little.
        return now.all > before.all && busy <= all ? Double(busy) / Double(all) : 0
      }
    }
    before = now
    let memory = text("/proc/meminfo")
    reading.memory = KernelFigures.kilobytes("MemTotal", in: memory)
    reading.freeMemory = KernelFigures.kilobytes("MemAvailable", in: memory)
    for group in groups {
      guard let limit = group.memoryLimit, limit < reading.memory ?? .max else { continue }
      (reading.memory, reading.freeMemory) = (limit, group.memoryHeadroom)
    }
    return reading
  }

  /// Of the lines `cpu0 user nice system idle iowait irq softirq steal ...`.
  private static func ticks(_ text: String) -> [Ticks] {
    text.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("cpu"), line.dropFirst(3).first?.isNumber == true else { return nil }
      let numbers = line.split(separator: " ").dropFirst().prefix(8).map { UInt64($0) ?? 0 }
      guard numbers.count >= 5 else { return nil }
      let all = numbers.reduce(0, &+)
      return Ticks(busy: all &- numbers[3] &- numbers[4], all: all)
    }
  }

  // MARK: Temperature

  private var temperature: Double? {
    sensors.compactMap { path -> Double? in
      guard let number = Double(Self.read(path).split(whereSeparator: \.isWhitespace).first ?? "") else {
        return nil
      }
      // Thousandths; a sensor that is not connected says absurd things.
      let degrees = number / 1000
      return (1...150).contains(degrees) ? degrees : nil
    }.max()
  }

  /// The files that hold a processor's temperature, or the machine's where no processor has one.
  private static func sensors(_ root: String) -> [String] {
    func folders(_ path: String, _ prefix: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: root + path)) ?? []).filter { $0.hasPrefix(prefix) }
        .sorted().map { root + path + "/" + $0 }
    }
    let processorNames: Set = ["coretemp", "k10temp", "zenpower", "cpu_thermal", "x86_pkg_temp"]
    func name(_ path: String) -> String { String(read(path).prefix { !$0.isNewline }) }
    let chips = folders("/sys/class/hwmon", "hwmon").filter { processorNames.contains(name($0 + "/name")) }
    let inputs = chips.flatMap { chip in
      ((try? FileManager.default.contentsOfDirectory(atPath: chip)) ?? []).filter {
        $0.hasPrefix("temp") && $0.hasSuffix("_input")
      }.map { chip + "/" + $0 }
    }
    if !inputs.isEmpty { return inputs }
    let zones = folders("/sys/class/thermal", "thermal_zone")
    let ofProcessor = zones.filter {
      name($0 + "/type").contains("cpu") || processorNames.contains(name($0 + "/type"))
    }
    return (ofProcessor.isEmpty ? zones : ofProcessor).map { $0 + "/temp" }
  }

  private func text(_ path: String) -> String { Self.read(root + path) }

  private static func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
