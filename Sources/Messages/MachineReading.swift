// How the machine is doing, as its kernel says.

/// What was read at one moment.
public struct MachineReading: Sendable, Equatable {
  /// Of each processor, the share of the time since the reading before in which it computed, 0...1; empty where that is
  /// not known.
  public var processors: [Double]
  /// Processors that this program may use.
  public var available: Int
  /// Bytes of memory in all, and of those that programs can still have. Where control groups allow less, it is theirs.
  public var memory: Int?
  public var freeMemory: Int?
  /// Degrees Celsius of the warmest sensor; nil where the kernel tells none.
  public var temperature: Double?

  public init(
    processors: [Double] = [], available: Int = 1, memory: Int? = nil, freeMemory: Int? = nil,
    temperature: Double? = nil
  ) {
    self.processors = processors
    self.available = available
    self.memory = memory
    self.freeMemory = freeMemory
    self.temperature = temperature
  }

  /// Of the memory in all, 0...1.
  public var usedMemory: Int? {
    guard let memory, let freeMemory else { return nil }
    return max(0, memory - freeMemory)
  }
}
