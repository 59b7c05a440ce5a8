// The command that writes the sample data: `skipline-sample sample-data`. What is drawn is SampleData's matter.

import ArgumentParser
import SampleData

@main
struct SkiplineSample: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skipline-sample",
    abstract: "Write Skipline's sample data: pictures of shapes in class folders, the same at every run.",
    discussion: "Existing pictures of the same names are replaced; nothing is deleted.")

  @Argument(help: "The folder to write train/<class>/ and test/<class>/ into; it is created if need be.")
  var outputFolder: String

  func run() throws {
    let written = try SampleSet.standard.write(to: outputFolder)
    print(
      "\(written.files) pictures of \(Shape.allCases.count) classes, \(written.bytes) bytes, in \(outputFolder)")
  }
}
