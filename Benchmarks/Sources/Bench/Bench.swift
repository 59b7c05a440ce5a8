// `make bench`: our engine beside a peer's, in pairs of processes, by steps and from a folder to an accuracy; two threads
// beside one; memory and allocations; and how soon the first frame stands on the screen, and what the screen costs. The
// driver computes nothing itself: each figure comes from a process of its own, so that neither engine's memory or threads
// touch the other's.

import ArgumentParser
import Foundation
import Measuring

@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures the engine, beside PyTorch where there is one, and prints tables.")

  enum Section: String, CaseIterable, ExpressibleByArgument {
    /// Ours beside the peer's, with memory and allocations.
    case pairs
    /// The same in mixed precision.
    case mixed
    /// Inference in batches, beside OpenVINO and ONNX Runtime.
    case inference
    /// Inference of one image on two threads, beside the same.
    case latency
    /// Several threads beside one.
    case threads
    /// From a folder to an accuracy, beside PyTorch.
    case endToEnd = "end-to-end"
    /// From the start of the program to its first frame.
    case start
    /// What the screen costs while training and when nothing happens.
    case lightness
  }

  @Option(
    help:
      "A part alone: \(Section.allCases.map(\.rawValue).joined(separator: ", ")). May be given several times."
  )
  var section: [Section] = []
  @Option(help: "Only rows whose text contains this, as in resnet50/224/16/train. May be given several times.")
  var rows: [String] = []
  @Option(help: "Pairs of processes for each row.") var pairs = 5
  @Option(help: "Steps that each process times, after one that it does not.") var steps = 3
  @Option(help: "Threads of both in the pairs. With more than one, images/s are by wall time.")
  var threads = 1
  @Option(help: "A Python with torch and torchvision; else $PYTHON or python3 is asked whether it has them.")
  var python: String?
  @Flag(help: "Our own figures alone.") var noPeer = false
  @Option(help: "end-to-end: a folder with the folders train and test.") var data = EndToEndWorkload().data
  @Option(help: "end-to-end: times that the training images are gone through.") var epochs = EndToEndWorkload()
    .epochs
  @Option(help: "The folder with our programs; else that of this one.") var programs: String?
  @Option(help: "The program whose first frame is awaited.") var skipline = ".build/release/skipline"
  @Option(help: "The folder that takes the figures as JSON lines.") var results = "Benchmarks/results"

  func validate() throws {
    guard pairs > 0, steps > 0, threads > 0 else {
      throw ValidationError("--pairs, --steps and --threads have to be above zero")
    }
    let all = Row.all + Row.mixed + Row.inference + Row.latency
    guard !chosen(all).isEmpty else {
      throw ValidationError("no row is meant by that; there are \(all.map(\.text).joined(separator: ", "))")
    }
  }

  private func chosen(_ all: [Row]) -> [Row] {
    all.filter { row in rows.isEmpty || rows.contains { row.text.contains($0) } }
  }

  func run() throws {
    let log = try ResultsLog(folder: results)
    let facts = MachineFacts()
    try log.add(facts)
    if facts.load > 0.3 {
      complain(
        "other programs run (load \(facts.load.text())): believe ratios by CPU time, and nothing by wall time")
    }
    let sections = section.isEmpty ? Section.allCases : section
    let folder = programs ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    let ours = StepProgram(
      words: ["\(folder)/training-step"], name: "skipline", precisionName: "bf16", quantizedWords: ["--int8"])
    let comparesPairs = sections.contains(.pairs) || sections.contains(.mixed)
    let peer = try noPeer || !comparesPairs ? nil : StepProgram.pyTorch(python: python)
    for (section, all) in [(Section.pairs, Row.all), (.mixed, Row.mixed)] where sections.contains(section) {
      let rows = chosen(all)
      if rows.isEmpty { continue }
      let figures = try comparePairs(
        rows, ours: ours, peer: peer, pairs: pairs, steps: steps, threads: threads, log)
      printMemory(figures)
    }
    for (section, all, threads) in [(Section.inference, Row.inference, threads), (.latency, Row.latency, 2)]
    where sections.contains(section) {
      let rows = chosen(all)
      if rows.isEmpty { continue }
      print("\n\(section.rawValue)")
      let peers = noPeer ? [] : StepProgram.inferencePeers(python: python)
      for peer in peers.isEmpty ? [nil] : peers.map(Optional.some) {
        let rows = rows.filter { peer?.does($0) ?? true }
        _ = try comparePairs(rows, ours: ours, peer: peer, pairs: pairs, steps: steps, threads: threads, log)
      }
    }
    if sections.contains(.threads) {
      try compareThreads(chosen(Row.all), ours, several: 2, pairs: pairs, steps: steps, log)
    }
    if sections.contains(.endToEnd) {
      var workload = EndToEndWorkload()
      (workload.data, workload.epochs) = (data, epochs)
      // Whether there is one with torch and torchvision is asked as for steps.
      let python = try noPeer ? nil : StepProgram.pyTorch(python: python)?.words.first
      try measureEndToEnd(workload, program: skipline, python: python, pairs: pairs, log)
    }
    if sections.contains(.start) { try measureStart(of: skipline, log) }
    if sections.contains(.lightness) { try measureLightness(of: skipline, log) }
    print("\n" + facts.text)
    print("every process's figures: \(log.path)")
  }
}
