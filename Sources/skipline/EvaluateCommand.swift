// `skipline evaluate`: a checkpoint measured on a split, and how a file of another program is described.

import ArgumentParser
import Canvas
import Datasets
import Foundation
import Messages
import Training

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a checkpoint on a split of a dataset.")

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.") var checkpoint: String
  @Option(help: "The dataset's folder; the run's own if not given.") var data: String?
  @Option(help: "train, val or test.") var split: Split = .test
  @Option(help: "Images a step; the run's own if not given.") var batch: Int?
  @Option(help: "Threads that compute; one a processor if not given.") var threads: Int?
  @Flag(inversion: .prefixedNo, help: "Read images from an up-to-date pack where there is one.") var cache = true
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let job = try EvaluationJob(
      checkpoint: checkpoint, data: data, split: split, batchSize: batch,
      description: try foreign.description(data: data), packs: cache ? .user : nil)
    let signals = SignalWatcher()
    let report = try job.run(
      threads: threads, progress: { _, _ in signals.received == nil }, preparation: { _ in signals.received == nil }
    )
    guard let report else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    if json { return try Console.print(json: report) }
    EvaluationPrinter(report: report).print()
  }
}

/// Describes a PyTorch file, which holds weights and nothing else.
struct ForeignModelOptions: ParsableArguments {
  @Option(help: "The network's name.") var net: String?
  @OptionGroup var network: NetworkOptions
  @Option(help: "Side of the square images, pixels.") var imgsz = 224
  @Option(help: "How images become square: stretch, crop or auto.")
  var resize: PreprocessingSettings.Resize = .automatic
  @Option(help: "The classes in the order of the labels, with commas; the data's folders if not given.")
  var classes: String?

  /// nil unless `--net` is given. Normalisation is torchvision's, as its weights expect.
  func description(data: String?) throws -> ModelDescription? {
    guard let net else { return nil }
    let names: [String]
    if let classes {
      names = classes.split(separator: ",").map(String.init)
    } else if let data {
      names = try DatasetIndex.open(root: data, split: SplitSettings()).classes
    } else {
      throw ValidationError("with --net, name the classes with --classes or --data")
    }
    let preprocessing = try Preprocessing(
      resolving: PreprocessingSettings(
        imageSize: imgsz, resize: resize,
        normalisation: .given(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])),
      items: [], root: "")
    return ModelDescription(network: network.settings(name: net), classes: names, preprocessing: preprocessing)
  }
}

/// Prints a report for people.
private struct EvaluationPrinter {
  let report: EvaluationReport

  func print() {
    Console.print("\(report.checkpoint) on the \(report.split.rawValue) images of \(report.data)")
    Console.print(
      "\(Format.count(report.images)) images  loss \(Format.fixed(report.loss, 4))  top-1 "
        + "\(Format.percent(report.top1, decimals: 2))  top-5 \(Format.percent(report.top5, decimals: 2))  "
        + "\(Format.fixed(report.imagesPerSecond, 1)) images/s")
    Console.print("")
    func share(_ value: Double?) -> String { Format.percent(value, decimals: 2) }
    let rows = report.classes.map {
      [$0.name, share($0.precision), share($0.recall), share($0.f1), Format.count($0.support)]
    }
    lines(Console.table([["class", "precision", "recall", "F1", "images"]] + rows))
    Console.print("")
    Console.print("confusion (a row a true class, a column a predicted one)")
    let names = report.classes.map(\.name)
    lines(
      Console.table(
        [[""] + names] + zip(names, report.confusion).map { [$0] + $1.map { $0 == 0 ? "." : "\($0)" } }))
    if !report.misclassified.isEmpty { mistakes(names) }
    for name in report.unknownClasses {
      Console.print("! class '\(name)' is unknown to the checkpoint: not counted")
    }
    for path in report.skipped { Console.print("! \(path) does not decode: not counted") }
  }

  private func mistakes(_ names: [String]) {
    Console.print("")
    Console.print("\(report.misclassified.count) misclassified images")
    let rows = report.misclassified.map { mistake in
      [mistake.path, names[mistake.truth]]
        + mistake.top.prefix(1).flatMap { [names[$0.label], Format.percent($0.probability, decimals: 2)] }
        + [Format.percent(mistake.truthProbability, decimals: 2)]
    }
    lines(Console.table([["image", "true", "predicted", "probability", "of the true class"]] + rows))
  }

  private func lines(_ lines: [String]) {
    for line in lines { Console.print(line) }
  }
}
