// Times one training step (forward, backward, SGD update) or one inference of a network on random images that are
// already in memory: the network alone, not the image pipeline. Prints a JSON line with images a second by CPU time
// (with one thread: per core, robust on a busy machine) and by wall time, and the peak memory of the process.

import ArgumentParser
import Foundation
import Messages
import Networks
import Tensors
import Training

@main
struct TrainingStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "training-step", abstract: "Times training steps of a network on random images.")

  @Option(help: "The network: resnet18, resnet50, cifar20, ...") var net = "resnet50"
  @Option(help: "The images' side, pixels.") var size = 224
  @Option(help: "Images a step.") var batch = 16
  @Option(help: "Classes.") var classes = 10
  @Option(help: "Steps that are timed, after one that is not.") var steps = 5
  @Option(help: "Threads that compute.") var threads = 1
  @Flag(help: "Time inference instead.") var infer = false

  func run() throws {
    // torchvision's stem at every size, to time the network that a peer times.
    let stem: Stem? = net.hasPrefix("resnet") ? .large : nil
    let network = Network(
      try NetworkPlan(NetworkSettings(name: net, stem: stem), imageSize: size, classes: classes), seed: 0)
    let workers = WorkerPool(threads: threads)
    var optimiser = SGD(OptimiserSettings(weightDecay: 1e-4), network.parameters)
    var generator = RandomGenerator(seed: 1)
    let images = Tensor([batch, size, size, 3]) { _ in generator.normal() }
    let labels = (0..<batch).map { _ in generator.integer(below: classes) }

    var cpu: [Double] = []
    var wall: [Double] = []
    for step in 0...steps {
      let (cpuStart, wallStart) = (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
      if infer {
        _ = network.forward(images, Pass(.inference, workers))
      } else {
        let pass = Pass(.training, workers, seed: UInt64(step))
        let loss = SoftmaxCrossEntropy(logits: network.forward(images, pass), labels: labels)
        network.backward(loss.gradient, pass)
        optimiser.step(network.parameters, rate: 0.01, gradientScale: 1, workers)
      }
      if step > 0 {
        cpu.append(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpuStart)
        wall.append(seconds(CLOCK_MONOTONIC) - wallStart)
      }
    }
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let line = Figures(
      net: net, size: size, batch: batch, mode: infer ? "infer" : "train", threads: threads,
      imagesPerCPUSecond: Double(batch) / median(cpu), imagesPerSecond: Double(batch) / median(wall),
      peakMemoryMB: usage.ru_maxrss / 1024)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    print(String(decoding: try encoder.encode(line), as: UTF8.self))
  }

  private struct Figures: Encodable {
    var net: String
    var size: Int
    var batch: Int
    var mode: String
    var threads: Int
    var imagesPerCPUSecond: Double
    var imagesPerSecond: Double
    var peakMemoryMB: Int

    enum CodingKeys: String, CodingKey {
      case net, size, batch, mode, threads
      case imagesPerCPUSecond = "img_per_cpu_s"
      case imagesPerSecond = "img_per_s"
      case peakMemoryMB = "peak_rss_mb"
    }
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
