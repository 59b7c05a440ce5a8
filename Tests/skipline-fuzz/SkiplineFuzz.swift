// The command line of the fuzzer: which entries, how many inputs, and the table of outcomes.

import ArgumentParser
import Foundation
import Fuzzing
import Images

@main
struct SkiplineFuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skipline-fuzz", abstract: "Feeds damaged data to everything that takes data from outside.",
    subcommands: [RunCommand.self, TableCommand.self, WorkerCommand.self], defaultSubcommand: RunCommand.self)
}

/// Which inputs an entry gets; shared by those who feed them and those who start the feeding.
struct InputOptions: ParsableArguments {
  @Option(help: "Another number gives other inputs.") var seed: UInt64 = 1
  @Option(help: "A folder of small files to begin with, beside those that are built in.") var corpus: String?

  func makeRun(_ entry: FuzzEntry) -> FuzzRun { FuzzRun(entry: entry, seed: seed, corpus: files()) }

  /// Files of at most 64 KiB below the folder, in the order of their names.
  private func files() -> [[UInt8]] {
    guard let corpus, let names = FileManager.default.enumerator(atPath: corpus) else { return [] }
    return names.compactMap { $0 as? String }.sorted().compactMap { name in
      let path = "\(corpus)/\(name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      guard attributes?[.type] as? FileAttributeType == .typeRegular,
        let size = attributes?[.size] as? Int, (1...65_536).contains(size)
      else { return nil }
      return (try? Data(contentsOf: URL(fileURLWithPath: path))).map { [UInt8]($0) }
    }
  }
}

/// An entry by its name.
extension FuzzEntry: ExpressibleByArgument {
  public init?(argument: String) {
    guard let entry = Self.all.first(where: { $0.name == argument }) else { return nil }
    self = entry
  }

  public static var allValueStrings: [String] { all.map(\.name) }
  public var defaultValueDescription: String { name }
}

struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Decodes every file that a folder's manifest.tsv names, and prints what comes of it.")

  @Argument(help: "A folder with a manifest.tsv.") var folder: String
  @Option(help: "How often; the memory held after each round shows leaks.") var rounds = 1

  func run() throws {
    let table = try OutcomeTable(folder: folder)
    let decoder = ImageDecoder()
    for round in 1...max(1, rounds) {
      for row in table.rows {
        let line = table.line(row, decoder: decoder)
        if round == 1 { print(line) }
      }
      print("round \(round): \(ResidentMemory.now >> 20) MiB held, at most \(ResidentMemory.peak >> 20) MiB so far")
    }
  }
}
