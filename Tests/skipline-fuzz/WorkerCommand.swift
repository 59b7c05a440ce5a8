// The process that feeds the inputs and may die of one. All that its supervisor needs to know stands in a file, written
// before each input, which survives any crash.

import ArgumentParser
import Foundation
import Fuzzing

/// What the file says: five numbers in the machine's order.
struct WorkerState: BitwiseCopyable {
  /// The input that is being fed.
  var number: UInt64 = 0
  var accepted: UInt64 = 0
  var slowestNumber: UInt64 = 0
  var slowestMicroseconds: UInt64 = 0
  /// The most memory held so far, in bytes.
  var peakMemory: UInt64 = 0

  static func read(_ descriptor: Int32) -> WorkerState {
    var state = WorkerState()
    // A file that is not written yet leaves the zeros.
    _ = withUnsafeMutableBytes(of: &state) { pread(descriptor, $0.baseAddress, $0.count, 0) }
    return state
  }

  func write(_ descriptor: Int32) throws {
    let written = withUnsafeBytes(of: self) { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == MemoryLayout<Self>.size else { throw CocoaError(.fileWriteUnknown) }
  }
}

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

  @Argument var entry: FuzzEntry
  @OptionGroup var inputs: InputOptions
  @Option var first: UInt64
  @Option var end: UInt64
  @Option var state: String

  func run() throws {
    let run = inputs.makeRun(entry)
    let descriptor = open(state, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw CocoaError(.fileNoSuchFile) }
    defer { close(descriptor) }
    let clock = ContinuousClock()
    var state = WorkerState()
    for number in first..<end {
      state.number = number
      if number % 4096 == 0 { state.peakMemory = UInt64(ResidentMemory.peak) }
      try state.write(descriptor)
      let start = clock.now
      if run.feed(number: number) { state.accepted += 1 }
      let microseconds = UInt64((clock.now - start) / .microseconds(1))
      if microseconds > state.slowestMicroseconds {
        (state.slowestNumber, state.slowestMicroseconds) = (number, microseconds)
      }
    }
    state.number = end
    state.peakMemory = UInt64(ResidentMemory.peak)
    try state.write(descriptor)
  }
}
