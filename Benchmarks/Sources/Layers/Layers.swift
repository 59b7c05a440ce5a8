// Times the layers of a network one by one: which of them a step's time goes to, and how far each is from what the
// machine can do. For those who make them faster.

import ArgumentParser
import Foundation
import Measuring
import Messages
import Networks
import Tensors

@main
struct Layers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layers",
    abstract: "Times each distinct layer of a network against what this machine can do at best.",
    discussion: """
      Convolutions are counted directly (two operations for each multiply-add, whatever the algorithm) and compared \
      with multiply-adds of registers; the gradient by the input is what backward takes beyond the gradient by the \
      weights. Other layers are counted by the arrays that they must at least read and write, each once a trip, and \
      compared with a copy of as many bytes. Times are CPU time with one thread, else wall time.
      """)

  @Option(help: "The network: resnet18, resnet50, cifar20, ...") var net = "resnet50"
  @Option(help: "The images' side, pixels.") var size = 224
  @Option(help: "Images a step.") var batch = 16
  @Option(help: "Threads that compute.") var threads = 1
  @Option(help: "Repetitions of each layer, at least.") var repetitions = 5
  @Option(help: "Only layers whose row contains this text: conv1, '3x3', '64>256', 'batch norm'.") var only: String?
  @Flag(help: "Skip the whole step, and with it the shares.") var noStep = false
  @Flag(help: "A JSON line for each layer instead of tables.") var json = false

  func run() throws {
    let workload = Workload(net: net, size: size, batch: batch, mode: .train)
    let layers = distinctLayers(of: try workload.plan())
    var attainable = Attainable()
    var report = Report(
      workload: workload, threads: threads, only: only, json: json, attainable: attainable,
      timer: LayerTimer(threads: threads, repetitions: repetitions))
    if !noStep { try report.timeStep() }
    try report.timeConvolutions(layers)
    try report.timeOthers(layers)
    attainable.lookAgain()
    report.printEnd(attainable)
  }
}
