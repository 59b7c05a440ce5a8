// `skipline-soak`: provokes, again and again, what may befall a run, and says in a table what became of it. It is a
// test that takes long, and so is none of the tests that run before every change. What is provoked is in Rows.swift.

import ArgumentParser
import Foundation

@main
struct SkiplineSoak: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skipline-soak",
    abstract: "Kills, stops, starves and pesters runs of skipline, and checks that nothing was lost.",
    discussion: """
      Prints a row for each kind of fault and a table at the end; the exit status is 1 if any row failed. `make soak` \
      builds it and passes on SOAK_KILLS, SOAK_MUTATIONS and SOAK_ROWS from the environment.
      """)

  @Option(help: "Random kills of a run; fewer of what takes longer.") var kills = 200
  @Option(help: "Mutated files a kind.") var mutations = 1_000_000
  @Option(help: "Where every random choice comes from; the moments of kills depend on the machine too.")
  var seed: UInt64 = 1
  @Option(help: "Only the rows whose names contain one of these words, with commas.") var rows = ""
  @Option(help: "The program; beside this one if not given.") var skipline: String?
  @Flag(help: "Run the one row named by --rows in this process.") var inside = false

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let laboratory = try Laboratory(
      skipline: skipline ?? program.deletingLastPathComponent().appendingPathComponent("skipline").path,
      kills: kills, mutations: mutations, seed: seed, inMemory: inside)
    defer { laboratory.close() }
    let interrupts = [SIGINT, SIGTERM, SIGHUP].map { (number: Int32) -> any DispatchSourceSignal in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        laboratory.close()
        Foundation.exit(128 + number)
      }
      source.resume()
      return source
    }
    defer { withExtendedLifetime(interrupts) {} }

    if inside {
      guard let row = Row.all.first(where: { $0.name == rows }) else { throw ValidationError("no row '\(rows)'") }
      return say(try row.body(laboratory))
    }
    let wanted = rows.split(separator: ",").map(String.init)
    let chosen = Row.all.filter { row in wanted.isEmpty || wanted.contains { row.name.contains($0) } }
    var table: [Outcome] = []
    for row in chosen {
      let outcome = row.outcome(in: laboratory, program: program.path)
      say(outcome.line)
      table.append(outcome)
    }
    say("\n" + table.map(\.line).joined(separator: "\n"))
    let failed = table.count { !$0.passed }
    say("\n" + (failed == 0 ? "All \(table.count) rows passed." : "FAILED: \(failed) of \(table.count) rows."))
    if failed > 0 { throw ExitCode.failure }
  }
}

/// A line of output, at once also where it goes to a file.
private func say(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }

/// What became of a row.
struct Outcome {
  var name: String
  var passed: Bool
  var figures: String
  var seconds: Double

  var line: String {
    let padding = String(repeating: " ", count: max(1, 34 - name.count))
    return "\(passed ? "ok    " : "FAILED")  \(name)\(padding)\(Int(seconds.rounded())) s  \(figures)"
  }
}

/// A promise that was not kept.
struct Broken: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// - Throws: `Broken`, unless it is so.
func expect(_ isSo: Bool, _ promise: @autoclosure () -> String) throws {
  if !isSo { throw Broken(promise()) }
}
