// Every option and argument of every command, found in the program's own description of itself, so that a new one is
// tried too: hostile numbers, nothing at all, and options that a resumed run cannot take.

import ArgumentParser
import Foundation
import Messages
import Testing

@testable import skipline

/// A command as the argument parser describes it.
struct DescribedCommand: Decodable, Sendable {
  struct Argument: Decodable, Sendable {
    struct Name: Decodable, Sendable {
      var name: String
    }

    var kind: String
    var isOptional: Bool
    var isRepeating: Bool
    var valueName: String?
    var preferredName: Name?
    var parsingStrategy: String
    var allValues: [String]?

    var option: String { "--" + (preferredName?.name ?? "") }

    /// Whether the argument parser's message is about the value of this one.
    func isNamed(in message: String) -> Bool {
      message.contains("\(option) ") || message.contains("\(option)'")
    }
  }

  var commandName: String
  var arguments: [Argument]?
  var subcommands: [DescribedCommand]?

  var options: [Argument] { (arguments ?? []).filter { $0.kind == "option" } }
  var positionals: [Argument] { (arguments ?? []).filter { $0.kind == "positional" } }

  /// The fewest words that the command takes.
  var words: [String] {
    // `export` writes one file at least, and `plot` pictures only.
    let required = options.filter { !$0.isOptional || (commandName == "export" && $0.option == "--onnx") }
      .flatMap { [$0.option, commandName == "plot" ? "a.svg" : "a"] }
    // `cache` and `train` say themselves what they cannot do without.
    let named = positionals.filter { !$0.isOptional || $0.valueName == "data" }.map { _ in "a" }
    // `compare` takes as many as one likes, two at least.
    return [commandName] + named + (commandName == "compare" ? ["b"] : []) + required
  }

  static let all: [DescribedCommand] = {
    struct Tool: Decodable { var command: DescribedCommand }
    let tool = try? JSONDecoder().decode(Tool.self, from: Data(SkiplineCommand._dumpHelp().utf8))
    return (tool?.command.subcommands ?? []).filter { !["engine", "help"].contains($0.commandName) }
  }()
}

@Suite struct ArgumentTests {
  /// What no number in the table of limits may be. Each option is tried with one of them, in turn: parsing takes its
  /// time, and LimitsTests tries a long list on every row of the table.
  static let hostile = ["nan", "text", "-1", "1e400", "-9223372036854775808", "5x"]

  /// What a command makes of words: nil where it takes them, else the exit status that the error means.
  private func refusal(_ words: [String]) -> Int32? {
    do {
      try parse(words)
      return nil
    } catch {
      // The argument parser's own are of a type that it keeps to itself; its message takes longer than all else.
      return ExitStatus(of: error)?.rawValue ?? (error is ExitCode ? 1 : 64)
    }
  }

  private func parse(_ words: [String]) throws {
    // A command alone is parsed in a fraction of the time that all together take.
    let type = try #require(Self.type(named: words[0]))
    let command = try type.parse(Array(words.dropFirst()))
    if let command = command as? TrainCommand, let data = command.data {
      try command.options.settings(data: data).validate()
    }
  }

  /// Why options are refused together, in the words that the user reads; nil where they are taken.
  private func message(_ command: String, _ words: [String]) throws -> String? {
    let type = try #require(Self.type(named: command))
    do {
      _ = try type.parse(words)
      return nil
    } catch {
      return type.message(for: error)
    }
  }

  private static func type(named name: String) -> (any ParsableCommand.Type)? {
    SkiplineCommand.configuration.subcommands.first { $0.configuration.commandName == name }
  }

  /// Commands that take the options of `train` do so by the same group of them; only their own are tried again.
  private static let withOptionsOfTrain: Set = [
    "workbench", "verify-resume", "plan", "lr-find", "cross-validate", "lab", "recipe",
  ]

  private func ownOptions(of command: DescribedCommand) -> [DescribedCommand.Argument] {
    guard Self.withOptionsOfTrain.contains(command.commandName) else { return command.options }
    let shared = Set((DescribedCommand.all.first { $0.commandName == "train" }?.options ?? []).map(\.option))
    return command.options.filter { !shared.contains($0.option) }
  }

  @Test func `the description is whole`() {
    #expect(DescribedCommand.all.count >= 17)
    #expect(DescribedCommand.all.flatMap(\.options).count > 100)
    for command in DescribedCommand.all { #expect(refusal(command.words) == nil, "\(command.words)") }
  }

  @Test(arguments: ["--help", "-h", "--version"])
  func `help and version, answered without looking at options, are what the argument parser says`(word: String) {
    let quick: any Error =
      word == "--version"
      ? CleanExit.message(SkiplineCommand.configuration.version) : CleanExit.helpRequest(SkiplineCommand.self)
    #expect(throws: (any Error).self) {
      do {
        var command = try SkiplineCommand.parseAsRoot([word])
        try command.run()
      } catch {
        #expect(SkiplineCommand.fullMessage(for: error) == SkiplineCommand.fullMessage(for: quick))
        #expect(SkiplineCommand.exitCode(for: quick) == .success)
        throw error
      }
    }
  }

  @Test(arguments: hostile + ["0", "2,", "2,nan", "2 4"])
  func `numbers of ranks that cannot be are refused as usage`(text: String) {
    #expect(refusal(["plan", "a", "--ranks", "2,4"]) == nil)
    #expect(refusal(["plan", "a", "--ranks", text]) == 64, "\(text)")
  }

  @Test(arguments: DescribedCommand.all.map(\.commandName))
  func `hostile numbers are refused as usage, and every option that is a number is in the table`(name: String)
    throws
  {
    let command = try #require(DescribedCommand.all.first { $0.commandName == name })
    var others: [DescribedCommand.Argument] = []
    for (index, option) in ownOptions(of: command).enumerated() {
      if option.parsingStrategy == "unconditional" {
        let value = Self.hostile[index % Self.hostile.count]
        #expect(refusal(command.words + [option.option, value]) == 64, "\(name) \(option.option) \(value)")
      } else if option.allValues == nil, option.option != "--like" {
        // Beside that one, which is a run's name, some others are refused.
        others.append(option)
      }
    }
    // What does not take any text, and takes a number, is one. All that take any text are found in a go.
    while let complaint = try message(name, command.words.dropFirst() + others.flatMap { [$0.option, "text"] }) {
      guard let refused = others.firstIndex(where: { $0.isNamed(in: complaint) }) else { break }
      let option = others.remove(at: refused).option
      // Several numbers, and a number or a word.
      guard !["--keep", "--ranks"].contains(option) else { continue }
      #expect(refusal(command.words + [option, "1"]) == 64, "\(name) \(option) is not in the table of limits")
    }
  }

  @Test(arguments: DescribedCommand.all.map(\.commandName))
  func `an empty argument is refused`(name: String) throws {
    let command = try #require(DescribedCommand.all.first { $0.commandName == name })
    for option in command.options {
      for words in [[option.option, ""], ["\(option.option)="]] {
        let error = #expect(throws: ValidationError.self) {
          try ProgramArguments.refuseEmptyValues(in: command.words + words)
        }
        #expect(error?.message.contains(option.option) == true)
      }
    }
    for index in command.positionals.indices {
      var words = command.words
      guard index + 1 < words.count else { continue }
      words[index + 1] = ""
      #expect(refusal(words) == 64, "\(words)")
    }
    try ProgramArguments.refuseEmptyValues(in: command.words + ["--", ""])
  }

  @Test func `a resumed run refuses every option but those it can change, whatever their value`() throws {
    let train = try #require(DescribedCommand.all.first { $0.commandName == "train" })
    // The refusal names those that it takes; the others say how to run, not what.
    let named = Result(catching: { try TrainCommand.parse(["--resume", "r", "--net", "cifar8"]) })
    guard case .failure(let refusalOfNet) = named else {
      Issue.record("--net is taken")
      return
    }
    let taken = try #require(TrainCommand.message(for: refusalOfNet).split(separator: "only ").last)
    let neutral = [
      "--json", "--verbose", "--like", "--until-step", "--resume", "--version", "--help",
      "--common-kernels",
    ]
    // Each in its own notation, as far as the table of settings has one; parsing takes its time.
    let usual = Dictionary(
      uniqueKeysWithValues: Settings.all.map { ("--" + $0.option, $0.text(in: Settings.usual)) })
    let candidates = [
      "1", "0.5", "0.5,0.5,0.5", "constant", "80/10/10", "white", "500M", "10m", "none", "folder", "0.5,0.5", "sgd",
    ]
    var arguments = (train.arguments ?? []).filter { $0.kind != "positional" && !neutral.contains($0.option) }
    var values = Dictionary(
      uniqueKeysWithValues: arguments.map {
        (
          $0.option,
          $0.kind == "option"
            ? ($0.allValues.map { [$0[0]] } ?? [usual[$0.option] ?? nil].compactMap { $0 } + candidates) : []
        )
      })
    func words(_ arguments: [DescribedCommand.Argument]) -> [String] {
      ["--resume", "r"] + arguments.flatMap { [$0.option] + (values[$0.option]?.prefix(1) ?? []) }
    }
    // All in a go: each is given the first value that it takes, until only the resuming is refused.
    var refusals: [String.SubSequence] = []
    while let complaint = try message("train", words(arguments)) {
      if let end = complaint.firstRange(of: ": a run is resumed with") {
        refusals = complaint[..<end.lowerBound].split(separator: ", ")
        break
      }
      let option = try #require(arguments.first { $0.isNamed(in: complaint) }?.option, "\(complaint)")
      values[option]?.removeFirst()
      try #require(values[option]?.isEmpty == false, "\(option): \(complaint)")
    }
    // Of a flag and its opposite the last one counts: those that came first are given again by themselves.
    let first = arguments.filter { flag in
      arguments.contains { $0.option == "--no-" + flag.option.dropFirst(2) }
    }
    if let again = try message("train", words(first)), let end = again.firstRange(of: ": a run is resumed with") {
      refusals += again[..<end.lowerBound].split(separator: ", ")
    }
    #expect(refusals.count > 30)
    let isTaken = { (argument: DescribedCommand.Argument) in
      taken.contains("\(argument.option),") || taken.contains("\(argument.option) ")
    }
    for argument in arguments {
      #expect(refusals.contains { $0.hasSuffix(argument.option) } != isTaken(argument), "\(argument.option)")
    }
    arguments.removeAll { !isTaken($0) }
    #expect(try message("train", words(arguments)) == nil)
  }

  /// Two numbers of each command are tried with a value that they refuse, by the program itself: that each is refused is
  /// told above.
  @Test func `the program ends with 64 and leaves nothing behind`() async throws {
    let workspace = try Workspace()
    var number = 0
    for command in DescribedCommand.all where command.commandName != "workbench" {
      let numbers = ownOptions(of: command).filter { $0.parsingStrategy == "unconditional" }
      for option in numbers.count > 2 ? [numbers[0], numbers[numbers.count - 1]] : numbers {
        let value = Self.hostile[number % Self.hostile.count]
        number += 1
        let words = command.words.map { $0 == "a" ? "data" : $0 } + [option.option, value]
        let result = try await RunningProgram(["timeout", "60", "skipline"] + words, in: workspace).finish()
        #expect(result.status == 64, "\(words): \(result.status)")
        #expect(
          result.errors.contains(option.option) && result.errors.contains(value), "\(words): \(result.errors)")
      }
    }
    #expect(!workspace.exists("runs"))
    #expect(number > 12)
  }

  /// The largest and smallest values that are taken, where they can be tried in a moment.
  @Test(arguments: [
    "--epochs 1000000 --until-step 2", "--patience 0", "--patience 1000000", "--time 1000000000",
    "--lr 1e30 --until-step 1 --on-divergence stop", "--lr 1e-300", "--seed 18446744073709551615",
    "--log-every 1000000000", "--save-minutes 1000000", "--save-minutes 1e-300", "--cache-limit 0",
    "--cache-limit 1024T", "--keep 0", "--keep 1000000", "--save-every 1000000", "--schedule step:1000000:1e-300",
    "--schedule plateau:1e-300:1000000", "--schedule cosine:0.9999999999999999", "--clip 1e-300", "--clip 1e30",
    "--workers 64", "--label-smoothing 0.9999999999999999", "--momentum 0.9999999999999999", "--weight-decay 1",
    "--mean 0,0,1 --std 0.0001,100,1", "--width 1e-300", "--time 1e-300", "--until-step 0",
  ])
  func `the ends of the ranges are trained with or refused, and nothing else`(options: String) async throws {
    let workspace = try Workspace()
    let words =
      ["timeout", "60", "skipline", "train", "data"] + Workspace.tinyNetwork + ["--epochs", "1"]
      + options.split(separator: " ").map(String.init)
    let result = try await RunningProgram(words, in: workspace).finish()
    #expect([0, 1].contains(result.status), "\(result.status): \(result.errors)")
  }

  @Test(arguments: ["1e9", "0", "-1", "9223372036854775807", "many"])
  func `a cap on pixels that is no number is told by every command`(setting: String) async throws {
    let workspace = try Workspace()
    let result = try await RunningProgram(
      ["env", "SKIPLINE_MAX_PIXELS=\(setting)", "skipline", "check", "data"], in: workspace
    ).finish()
    #expect(result.status == 64)
    #expect(result.errors.contains("SKIPLINE_MAX_PIXELS=\(setting)"))
  }

  /// Numbers of a record that somebody edited, met by all that read it; every number is tried in TrainingTests.
  @Test(arguments: [
    ("\"batchSize\" : 8", "\"batchSize\" : 0"), ("\"batchSize\" : 8", "\"batchSize\" : 9223372036854775807"),
    ("\"epochs\" : 1", "\"epochs\" : 9223372036854775807"), ("\"threads\" : 1", "\"threads\" : 2147483648"),
    ("\"saveMinutes\" : 5", "\"saveMinutes\" : 1e20"), ("\"workers\" : 1", "\"workers\" : -1"),
    ("\"imageSize\" : 16", "\"imageSize\" : 1000000000"), ("\"format\" : 3", "\"format\" : -1"),
    ("\"widthMultiplier\" : 0.25", "\"widthMultiplier\" : 1e308"), ("\"seed\" : 0", "\"seed\" : 1e308"),
  ])
  func `an edited record is refused by name by all that go by it`(old: String, new: String) async throws {
    let workspace = try Workspace()
    try await workspace.train(epochs: 1)
    let text = try workspace.text("runs/tiny/run.json")
    #expect(text.contains(old))
    try workspace.write(Array(text.replacing(old, with: new).utf8), to: "runs/tiny/run.json")
    for words in [["train", "--resume", "runs/tiny"], ["evaluate", "runs/tiny"], ["watch", "runs/tiny"]] {
      let result = try await RunningProgram(["timeout", "60", "skipline"] + words, in: workspace).finish()
      #expect(result.status == 65, "\(words): \(result.errors)")
      #expect(result.errors.contains("runs/tiny/run.json"), "\(words): \(result.errors)")
    }
    let runs = try await RunningProgram(["timeout", "60", "skipline", "runs"], in: workspace).finish()
    #expect(runs.status == 0 && runs.output.contains("runs/tiny"))
  }
}
