// What may stand where the cursor is on a command line that is being typed: subcommands, options, values, folders, runs
// and their checkpoints, networks. Which shell asks is no matter here.

import Files
import Messages
import Networks
import Support
import Training

/// What a word may become.
struct Completions: Equatable {
  enum Kind: String { case words, paths }

  struct Candidate: Equatable {
    var word: String
    /// For shells that show one.
    var note = ""
  }

  var kind: Kind
  /// Folders end with a slash.
  var candidates: [Candidate]

  static let none = Completions(kind: .words, candidates: [])

  static func words(_ words: [String], prefix: String) -> Completions {
    Self.words(words.map { Candidate(word: $0) }, prefix)
  }

  static func words(_ candidates: [Candidate], _ prefix: String) -> Completions {
    Completions(kind: .words, candidates: candidates.filter { $0.word.hasPrefix(prefix) })
  }
}

struct Completer {
  let root: CommandTree
  /// For `~/`.
  var home = UserFolders.current.home
  /// What relative paths begin at, with a slash.
  var place = "./"

  /// - Parameter words: those after the program's name, up to the cursor; the last is the one that is being typed,
  ///   which may be empty.
  func completions(_ words: [String]) -> Completions {
    let typed = words.last ?? ""
    var line = Array(words.dropLast())
    var command = root
    while let first = line.first, let next = command[first] {
      command = next
      line.removeFirst()
    }
    if command.subcommands != nil, let usual = command.defaultSubcommand.flatMap({ command[$0] }) {
      if line.isEmpty { return firstWord(typed, usual) }
      // `skipline DATA --net ...`
      command = usual
    }
    if command.commandName == "help" {
      return line.isEmpty ? subcommands(typed) : .none
    }
    return argument(of: command, after: line, typed)
  }

  /// A subcommand, or what the usual one takes.
  private func firstWord(_ typed: String, _ usual: CommandTree) -> Completions {
    if typed.hasPrefix("-") { return options(of: root, given: [], typed) }
    let commands = subcommands(typed)
    return commands.candidates.isEmpty ? argument(of: usual, after: [], typed) : commands
  }

  private func subcommands(_ typed: String) -> Completions {
    .words(
      (root.subcommands ?? []).filter(\.shouldDisplay).map { .init(word: $0.commandName, note: $0.abstract ?? "") },
      typed)
  }

  // MARK: Options and arguments

  private func argument(of command: CommandTree, after line: [String], _ typed: String) -> Completions {
    var positionals = 0
    var given: [String: String] = [:]
    var option: CommandTree.Argument?
    var onlyPositionals = false
    for word in line {
      if let waiting = option {
        given[waiting.name] = word
        option = nil
      } else if !onlyPositionals, word == "--" {
        onlyPositionals = true
      } else if !onlyPositionals, word.hasPrefix("-"), word != "-" {
        let name = word.prefix { $0 != "=" }
        let argument = command.arguments?.first { $0.words.contains(String(name)) }
        if let argument {
          given[argument.name] =
            name.endIndex == word.endIndex ? "" : String(word[word.index(after: name.endIndex)...])
          if argument.kind == .option, name.endIndex == word.endIndex { option = argument }
        }
      } else {
        given[Self.positional(positionals)] = word
        positionals += 1
      }
    }
    if let option { return values(of: option, command, given, typed) }
    if !onlyPositionals, typed.hasPrefix("-") {
      guard let equals = typed.firstIndex(of: "=") else {
        return options(of: command, given: Set(given.keys), typed)
      }
      let name = String(typed[..<equals])
      guard let option = command.arguments(.option).first(where: { $0.words.contains(name) }) else { return .none }
      var found = values(of: option, command, given, String(typed[typed.index(after: equals)...]))
      for index in found.candidates.indices {
        found.candidates[index].word = "\(name)=" + found.candidates[index].word
      }
      return found
    }
    let possible = command.arguments(.positional)
    guard let last = possible.last else { return .none }
    if positionals < possible.count { return values(of: possible[positionals], command, given, typed) }
    return last.isRepeating ? values(of: last, command, given, typed) : .none
  }

  /// The key of a positional argument among those given.
  private static func positional(_ index: Int) -> String { "\(index)" }

  private func options(of command: CommandTree, given: Set<String>, _ typed: String) -> Completions {
    let possible = (command.arguments ?? []).filter {
      $0.kind != .positional && $0.shouldDisplay && ($0.isRepeating || !given.contains($0.name))
    }
    return .words(
      possible.flatMap { argument in
        argument.words.filter { $0.hasPrefix("--") || typed == $0 }.map {
          .init(word: $0, note: argument.abstract ?? "")
        }
      }, typed)
  }

  // MARK: Values

  private func values(
    of argument: CommandTree.Argument, _ command: CommandTree, _ given: [String: String], _ typed: String
  ) -> Completions {
    if let values = argument.allValues { return .words(values, prefix: typed) }
    switch (command.commandName, argument.name) {
    case (_, "--net"), ("summary", "net"):
      return .words(Architecture.examples, prefix: typed)
    case (_, "--recipe"):
      let names = RecipeUse.allCases.map(\.rawValue) + ((try? RecipeShelf.standard.names()) ?? [])
      return typed.contains("/")
        ? paths(typed, files: { $0.hasSuffix(RecipeName.ending) }) : .words(names, prefix: typed)
    case ("recipe", "recipes"): return .words((try? RecipeShelf.standard.names()) ?? [], prefix: typed)
    case (_, "--theme"): return .words(ThemeShelf().names, prefix: typed)
    case (_, "--background"): return .words(["white", "black", "noise", "none"], prefix: typed)
    case (_, "--pad-color"): return .words(["white", "black", "edge"], prefix: typed)
    case (_, "--schedule"): return .words(["constant", "cosine:", "step:", "plateau:"], prefix: typed)
    case (_, "--mean"): return .words(["measured"], prefix: typed)
    case (_, "run"), (_, "runs"):
      return runs(in: given["--project"] ?? (place == "./" ? ProjectFolder.nearest : ProjectFolder.usual), typed)
    case (_, "checkpoint"), (_, "--weights"), ("compare", "first"), ("compare", "second"), (_, "--model"):
      return checkpoints(typed)
    case ("lab", "--resume"):
      return .words(
        (try? DegradationLab.names(project: given["--project"] ?? ProjectFolder.nearest)) ?? [], prefix: typed)
    case (_, "--resume"): return paths(typed, files: { _ in false })
    case (_, "--train"), (_, "--val"), (_, "--test"):
      guard let data = given[Self.positional(0)] ?? given["--data"] else { return .none }
      return .words(listing(data + "/", files: { _ in false }).map { String($0.dropLast()) }, prefix: typed)
    case (_, "--classes") where argument.kind == .option && command.commandName != "summary",
      (_, "files"), (_, "images"), (_, "image"), (_, "--adopt"):
      return paths(typed, files: { _ in true })
    case (_, "data"), (_, "folder"), (_, "--data"), (_, "--project"), (_, "--export"), (_, "--tfrecord"),
      (_, "--split"):
      return paths(typed, files: { _ in false })
    default: return .none
    }
  }

  /// Names of runs, or a run's folder where a path is typed.
  private func runs(in project: String, _ typed: String) -> Completions {
    if typed.contains("/") { return paths(typed, files: { _ in false }) }
    let runs = (try? RunFolder.listRuns(project: expanded(project))) ?? []
    let names = Completions.words(runs.map(\.name), prefix: typed)
    return names.candidates.isEmpty ? paths(typed, files: { _ in false }) : names
  }

  /// Folders and files of weights; in a run its checkpoints alone.
  private func checkpoints(_ typed: String) -> Completions {
    let folder = Self.folder(of: typed)
    if !folder.isEmpty, (try? FilePath.kind(of: expanded(folder) + "run.json")) == .file {
      let inside = listing(folder + "checkpoints/", files: Self.holdsWeights).map { folder + "checkpoints/" + $0 }
      let matching = inside.filter { $0.hasPrefix(typed) && !$0.hasSuffix("/") }
      if !matching.isEmpty { return Completions(kind: .paths, candidates: matching.map { .init(word: $0) }) }
    }
    return paths(typed, files: Self.holdsWeights)
  }

  private static func holdsWeights(_ name: String) -> Bool { name.hasSuffix(".safetensors") }

  // MARK: Paths

  /// - Parameter files: which files too, by their names.
  private func paths(_ typed: String, files: (String) -> Bool) -> Completions {
    if typed == "~" { return Completions(kind: .paths, candidates: [.init(word: "~/")]) }
    let folder = Self.folder(of: typed)
    let name = typed.dropFirst(folder.count)
    let found = listing(folder, files: files).filter {
      // Hidden ones for those who ask for them.
      $0.hasPrefix(name) && ($0.hasPrefix(".") == name.hasPrefix(".") || !$0.hasPrefix("."))
    }
    return Completions(kind: .paths, candidates: found.map { .init(word: folder + $0) })
  }

  /// What comes before the last name, with the slash.
  private static func folder(of typed: String) -> String {
    typed.lastIndex(of: "/").map { String(typed[...$0]) } ?? ""
  }

  /// The names of folders in a folder, with a slash, and of some files. Names that no shell takes as a line are left
  /// out.
  private func listing(_ folder: String, files: (String) -> Bool) -> [String] {
    let folder = expanded(folder)
    let names = (try? Folder.names(in: folder)) ?? []
    return names.compactMap { name in
      guard !name.hasEscapedPathBytes, !name.utf8.contains(where: { $0 < 0x20 }) else { return nil }
      switch (try? FilePath.kind(of: folder + name)) ?? nil {
      case .folder?: return name + "/"
      case .file?, .other?: return files(name) ? name : nil
      case nil: return nil
      }
    }
  }

  /// Where a typed path leads.
  private func expanded(_ path: String) -> String {
    if path.hasPrefix("~/"), let home { return home + path.dropFirst() }
    return path.hasPrefix("/") ? path : place + path
  }
}
