// What one process that timed steps has to say, ours or a peer's: a line of JSON.

import Foundation
import Messages

/// Figures of one process.
public struct StepFigures: Codable, Sendable {
  /// `skipline`, or the peer with its version.
  public var engine: String
  public var net: String
  public var size: Int
  public var batch: Int
  public var mode: Workload.Mode
  public var threads: Int
  /// As its program calls it.
  public var precision: String?
  /// A peer's order of dimensions in memory; nil where there is but one.
  public var layout: String?
  public var imagesPerCPUSecond: Double
  public var imagesPerSecond: Double
  /// The most memory that the process ever had resident, MiB: libraries and all.
  public var peakMemoryMB: Double
  /// What `skipline summary` says that training takes, MiB.
  public var estimatedMemoryMB: Double?
  /// What a warm step asked of the allocator; nil where it cannot be counted.
  public var allocations: Int?
  public var allocatedBytes: Int?
  /// Pages that the system provided in a warm step.
  public var pageFaults: Int?
  /// How much longer a step is whose layers are looked at, as a share of one that is not.
  public var lookShare: Double?

  public init(
    engine: String, net: String, size: Int, batch: Int, mode: Workload.Mode, threads: Int, precision: String?,
    layout: String?, imagesPerCPUSecond: Double, imagesPerSecond: Double, peakMemoryMB: Double,
    estimatedMemoryMB: Double?,
    allocations: Int?, allocatedBytes: Int?, pageFaults: Int?, lookShare: Double? = nil
  ) {
    self.lookShare = lookShare
    self.engine = engine
    self.net = net
    self.size = size
    self.batch = batch
    self.mode = mode
    self.threads = threads
    self.precision = precision
    self.layout = layout
    self.imagesPerCPUSecond = imagesPerCPUSecond
    self.imagesPerSecond = imagesPerSecond
    self.peakMemoryMB = peakMemoryMB
    self.estimatedMemoryMB = estimatedMemoryMB
    self.allocations = allocations
    self.allocatedBytes = allocatedBytes
    self.pageFaults = pageFaults
  }

  enum CodingKeys: String, CodingKey {
    case engine, net, size, batch, mode, threads, precision, layout, allocations
    case imagesPerCPUSecond = "img_per_cpu_s"
    case imagesPerSecond = "img_per_s"
    case peakMemoryMB = "peak_mb"
    case estimatedMemoryMB = "estimated_mb"
    case allocatedBytes = "allocated_bytes"
    case pageFaults = "page_faults"
  }
}

/// The peak of this process's resident memory, MiB: `VmHWM`, because `ru_maxrss` begins with that of the process which
/// started this one.
public func peakMemoryMB() -> Double {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
    if let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) }) {
      return kilobytes / 1024
    }
  }
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) / 1024
}
