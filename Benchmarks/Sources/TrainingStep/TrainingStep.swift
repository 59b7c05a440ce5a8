// Times one training step (forward, backward, SGD update) or one inference of a network on random images that are
// already in memory: the network alone, not the image pipeline. Prints a JSON line with images/s by CPU time
// (with one thread: per core, robust on a busy machine) and by wall time, the peak memory of the process beside the
// summary's estimate, and what a warm step asks of the allocator.

import ArgumentParser
import CAllocations
import Foundation
import Measuring
import Messages

extension TrainingPrecision: @retroactive ExpressibleByArgument {}

@main
struct TrainingStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "training-step", abstract: "Times training steps of a network on random images.")

  @Option(help: "The network: resnet18, resnet50, cifar20, ...") var net = "resnet50"
  @Option(help: "The images' side, pixels.") var size = 224
  @Option(help: "Images a step.") var batch = 16
  @Option(help: "Steps that are timed, after one that is not.") var steps = 5
  @Option(help: "Threads that compute.") var threads = 1
  @Flag(help: "Time inference instead.") var infer = false
  @Option(help: "fp32 or bf16, as in training.") var precision: TrainingPrecision = .fp32

  @Flag(help: "With --infer: convolutions in 8-bit integers.") var int8 = false

  func validate() throws {
    guard infer || !int8 else { throw ValidationError("--int8 is for --infer") }
    guard steps > 0, batch > 0, threads > 0 else {
      throw ValidationError("--steps, --batch and --threads have to be above zero")
    }
  }

  func run() throws {
    var workload = Workload(net: net, size: size, batch: batch, mode: infer ? .infer : .train, precision: precision)
    workload.isQuantized = int8
    let prepared = try PreparedWorkload(workload, threads: threads)
    prepared.step()
    let pages = pageFaults
    var cpu: [Double] = []
    var wall: [Double] = []
    for _ in 0..<steps {
      let (cpuStart, wallStart) = (Clock.cpu.seconds, Clock.wall.seconds)
      prepared.step()
      cpu.append(Clock.cpu.seconds - cpuStart)
      wall.append(Clock.wall.seconds - wallStart)
    }
    let pagesAStep = (pageFaults - pages) / steps
    // In a step of its own: counting takes time too.
    ca_start()
    prepared.step()
    let allocations = ca_stop()
    let estimate = try workload.plan().summary(batchSize: batch).trainingMemory
    print(
      try jsonLine(
        StepFigures(
          engine: "skipline", net: net, size: size, batch: batch, mode: workload.mode, threads: threads,
          precision: int8 ? "int8" : precision.rawValue, layout: nil,
          imagesPerCPUSecond: Double(batch) / Spread(cpu).median,
          imagesPerSecond: Double(batch) / Spread(wall).median,
          peakMemoryMB: peakMemoryMB(), estimatedMemoryMB: infer ? nil : Double(estimate) / 1_048_576,
          allocations: ca_can_count() == 0 ? nil : Int(allocations.calls),
          allocatedBytes: ca_can_count() == 0 ? nil : Int(allocations.bytes), pageFaults: pagesAStep,
          lookShare: lookShare(prepared, step: Spread(wall).median))))
  }

  /// How much longer a step is whose layers are looked at, as a share of one that is not; nil for inference.
  private func lookShare(_ prepared: PreparedWorkload, step: Double) -> Double? {
    guard !infer else { return nil }
    prepared.watchedStep()
    let times = (0..<steps).map { _ in
      let start = Clock.wall.seconds
      prepared.watchedStep()
      return Clock.wall.seconds - start
    }
    return Spread(times).median / step - 1
  }

  /// Pages that the system had to provide so far, without reading them from anywhere.
  private var pageFaults: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_minflt
  }
}
