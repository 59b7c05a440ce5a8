// The commands with their arguments, as the argument parser tells them to tools (its "dump-help", format 0).

import ArgumentParser
import FoundationEssentials

/// A command and what may follow it.
struct CommandTree: Decodable {
  struct Argument: Decodable {
    enum Kind: String, Decodable { case positional, option, flag }
    struct Name: Decodable {
      enum Kind: String, Decodable { case long, short, longWithSingleDash }
      var kind: Kind
      var name: String

      /// As it is typed.
      var word: String { kind == .long ? "--\(name)" : "-\(name)" }
    }

    var kind: Kind
    var valueName: String?
    var names: [Name]?
    var isRepeating: Bool
    var shouldDisplay: Bool
    var allValues: [String]?
    var abstract: String?

    /// As they are typed; none for a positional argument.
    var words: [String] { names?.map(\.word) ?? [] }
    /// `--net` or, of a positional argument, `data`.
    var name: String { words.first { $0.hasPrefix("--") } ?? words.first ?? valueName ?? "" }
  }

  var commandName: String
  var abstract: String?
  var shouldDisplay: Bool
  var defaultSubcommand: String?
  var subcommands: [CommandTree]?
  var arguments: [Argument]?

  subscript(name: String) -> CommandTree? { subcommands?.first { $0.commandName == name } }

  func arguments(_ kind: Argument.Kind) -> [Argument] { arguments?.filter { $0.kind == kind } ?? [] }

  /// The program's; nil where the parser tells them in another form than this one.
  static func ofProgram() -> CommandTree? {
    struct Document: Decodable { var command: CommandTree }
    return try? JSONDecoder().decode(Document.self, from: Data(SkiplineCommand._dumpHelp().utf8)).command
  }
}
