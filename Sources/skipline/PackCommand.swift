// `skipline pack`: a dataset written down in a form that is quicker to read.

import ArgumentParser
import Datasets
import Messages

struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack", abstract: "Writes a dataset as TFRecord shards.",
    discussion: "Leaves out images that do not decode, and then exits with 65.")

  @Argument(help: "The dataset's folder.") var data: String
  @Option(help: "Percent of train/val/test where folders do not say.") var split = "80/10/10"
  @OptionGroup(title: "For TFRecord shards") var records: TFRecordOptions
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if records.tfrecord == nil { throw ValidationError("--tfrecord: name the folder for the shards") }
  }

  func run() throws {
    let index = try DatasetIndex.scan(root: data, split: try parseSplit(split))
    try records.export(index, json: json)
  }
}
