// What a shell is offered for a line that is being typed, asked of the program as the scripts ask it; and the scripts,
// in the shells that there are.

import Foundation
import Testing

@testable import skipline

@Suite struct CompletionTests {
  /// A folder with data, a run of two checkpoints, a run without, and names that a shell must quote.
  private static func workspace() throws -> Workspace {
    let workspace = try Workspace(withData: false)
    for file in [
      "data/a/1.png", "data/b/2.png", "my data/a/1.png", "runs/first/run.json",
      "runs/first/checkpoints/best.safetensors",
      "runs/first/checkpoints/last.safetensors", "runs/first/results.csv", "runs/second/run.json", "notes.txt",
      "weights.safetensors", "one=two/x.png",
    ] { try workspace.write([0x7b, 0x7d], to: file) }
    return workspace
  }

  private static let tree = CommandTree.ofProgram()

  /// The answer's lines, the first of which says what they are.
  private static func lines(_ workspace: Workspace, _ shell: String, _ words: [String]) throws -> [String] {
    let completer = Completer(root: try #require(tree), place: workspace.folder + "/")
    let request = try #require(CompletionRequest(["---complete", shell] + words))
    return request.answer(completer).split(separator: "\n").map(String.init)
  }

  static let questions: [(words: [String], answer: [String])] = [
    (["eval"], ["words", "evaluate"]),
    (["re"], ["words", "recipe", "report", "resume", "relabel"]),
    (["help", "ev"], ["words", "evaluate"]),
    (["engi"], ["paths"]),
    (["da"], ["paths", "data"]),
    (["my"], ["paths", "my data"]),
    (["evaluate", "runs/"], ["paths", "runs/first", "runs/second"]),
    (["evaluate", "ru"], ["paths", "runs"]),
    (["evaluate", "w"], ["paths", "weights.safetensors"]),
    (
      ["evaluate", "runs/first/"],
      ["paths", "runs/first/checkpoints/best.safetensors", "runs/first/checkpoints/last.safetensors"]
    ),
    (["evaluate", "runs/first/checkpoints/b"], ["paths", "runs/first/checkpoints/best.safetensors"]),
    (["predict", "runs/first", "no"], ["paths", "notes.txt"]),
    (["predict", "runs/first", "notes.txt", "w"], ["paths", "weights.safetensors"]),
    (["train", "data", "--resume", "runs/s"], ["paths", "runs/second"]),
    (["train", "data", "--weights", "runs/f"], ["paths", "runs/first"]),
    (["train", "data", "--net", "vgg1"], ["words"] + [11, 13, 16, 19].flatMap { ["vgg\($0)", "vgg\($0)_bn"] }),
    (
      ["data", "--net", "resnet1"],
      ["words", "resnet18", "resnet101", "resnet152", "resnet18d", "resnet101d", "resnet152d"]
    ),
    (["summary", "plain1"], ["words", "plain18", "plain110"]),
    (["train", "data", "--prec"], ["words", "--precision"]),
    (["train", "--precision", "fp32", "data", "--prec"], ["words"]),
    (["train", "data", "--precision", ""], ["words", "fp32", "bf16"]),
    (["train", "data", "--precision", "x"], ["words"]),
    (["train", "data", "--epochs", ""], ["words"]),
    (["evaluate", "runs/first", "--split", "v"], ["words", "val"]),
    (["evaluate", "runs/first", "--data", "da"], ["paths", "data"]),
    (["watch", ""], ["words", "first", "second"]),
    (["plot", "first", "s"], ["words", "second"]),
    (["stop", "--project", "runs", "s"], ["words", "second"]),
    (["pause", "--project", "nowhere", "x"], ["paths"]),
    (["watch", "first", "--theme", "dar"], ["words", "dark"]),
    (["check", "data", "--val", ""], ["words", "a", "b"]),
    (["exclude", "data", "--", "no"], ["paths", "notes.txt"]),
    (["check", "data", ""], ["words"]),
    (["check", "nowhere/"], ["paths"]),
    (["data", "--schedule", "pl"], ["words", "plateau:"]),
    // What bash makes of --net=res and of a name with a colon or an equals sign.
    (["train", "data", "--stem", "=", "la"], ["words", "large"]),
    (["train", "data", "--stem", "="], ["words", "large", "small"]),
    (["check", "one", "=", "t"], ["paths", "two"]),
    (["my\\ da"], ["paths", "my data"]),
    (["\"my da"], ["paths", "my data"]),
    (["'my da"], ["paths", "my data"]),
  ]

  @Test func `bash is offered what may follow`() throws {
    let workspace = try Self.workspace()
    for (words, answer) in Self.questions {
      #expect(try Self.lines(workspace, "bash", words) == answer, "\(words)")
    }
  }

  @Test func `zsh and fish are offered it with a note, and folders with a slash`() throws {
    let workspace = try Self.workspace()
    #expect(
      try Self.lines(workspace, "zsh", ["pau"]) == [
        "words", "pause\tHalts a run that is being trained; its memory stays taken.",
      ])
    #expect(try Self.lines(workspace, "fish", ["evaluate", "runs/f"]) == ["runs/first/"])
    #expect(try Self.lines(workspace, "zsh", ["train", "data", "--stem=la"]) == ["words", "--stem=large"])
    #expect(try Self.lines(workspace, "fish", ["train", "data", "--vfl"]).count == 1)
  }

  @Test func `the program answers, and what nobody asks so is an error`() async throws {
    let workspace = try Self.workspace()
    let result = try await workspace.skipline("---complete", "bash", "evaluate", "runs/")
    #expect(result.status == 0 && result.output == "paths\nruns/first\nruns/second\n" && result.errors.isEmpty)
    #expect(try await workspace.skipline("---complete", "csh", "x").status == ExitStatus.usage.rawValue)
    #expect(try await workspace.skipline("--generate-completion-script", "csh").status == ExitStatus.usage.rawValue)
  }

  @Test func `no line is a mistake`() throws {
    let workspace = try Self.workspace()
    for words in [
      [], ["", "", ""], ["--", "--"], ["\u{1b}[31m"], ["--net"], ["=", "="], ["'"], ["help", "help", ""],
    ] {
      #expect(throws: Never.self) { try Self.lines(workspace, "bash", words) }
    }
  }

  @Test func `every option that takes a value of a few is offered them`() throws {
    let tree = try #require(Self.tree)
    let completer = Completer(root: tree)
    for command in tree.subcommands ?? [] where command.shouldDisplay {
      for option in command.arguments(.option) {
        guard let values = option.allValues else { continue }
        let found = completer.completions([command.commandName, option.name, ""])
        #expect(found.candidates.map(\.word) == values, "\(command.commandName) \(option.name)")
      }
      if command.commandName != "help" {
        #expect(!completer.completions([command.commandName, "--"]).candidates.isEmpty, "\(command.commandName)")
      }
    }
  }

  // MARK: In the shells

  /// Runs a shell on a script; nil where there is no such shell.
  private static func shell(_ shell: String, _ script: String, in workspace: Workspace) async throws -> String? {
    let found = ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(shell)" }
    guard let path = found.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return nil }
    let quiet = ["bash": "--norc", "zsh": "-f", "fish": "--no-config"][shell] ?? ""
    let result = try await RunningProgram([path, quiet, "-c", script], in: workspace).finish()
    return result.output + result.errors
  }

  @Test func `bash completes with the script`() async throws {
    let workspace = try Self.workspace()
    let script = """
      source <(skipline --generate-completion-script bash)
      complete -p skipline
      compopt() { :; }
      ask() { COMP_WORDS=(skipline "$@"); COMP_CWORD=$#; _skipline; printf '<%s>' "${COMPREPLY[@]}"; echo; }
      ask evaluate runs/
      ask my
      ask data --net = googl
      ask watch s
      ask evaluate nothing-of-that-name
      """
    guard let output = try await Self.shell("bash", script, in: workspace) else { return }
    #expect(
      output == """
        complete -F _skipline skipline
        <runs/first><runs/second>
        <my data>
        <googlenet>
        <second>
        <>

        """)
  }

  @Test func `fish completes with the script`() async throws {
    let workspace = try Self.workspace()
    let script = """
      skipline --generate-completion-script fish | source
      complete --do-complete 'skipline evaluate runs/f'
      complete --do-complete 'skipline my'
      complete --do-complete 'skipline data --stem la'
      complete --do-complete 'skipline pau'
      """
    guard let output = try await Self.shell("fish", script, in: workspace) else { return }
    #expect(
      output == """
        runs/first/
        my data/
        large
        pause\tHalts a run that is being trained; its memory stays taken.

        """)
  }

  /// Completion itself needs a terminal there; its functions do not.
  @Test func `zsh completes with the script`() async throws {
    let workspace = try Self.workspace()
    let script = #"""
      compdef() { :; }
      compadd() { print -r -- "compadd ${argv[argv[(i)--]+1,-1]}"; }
      _describe() { print -rl -- "${described[@]}"; }
      source <(skipline --generate-completion-script zsh)
      ask() { words=(skipline "$@"); CURRENT=$#words; PREFIX=${words[-1]}; _skipline; }
      ask evaluate runs/
      ask my
      ask data --stem=la
      ask pau
      """#
    guard let output = try await Self.shell("zsh", script, in: workspace) else { return }
    #expect(
      output == """
        compadd runs/first runs/second
        compadd my data
        --stem=large
        pause:Halts a run that is being trained; its memory stays taken.

        """)
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `a shell takes its script without complaint`(shell: String)
    async throws
  {
    let workspace = try Self.workspace()
    let script = try await workspace.skipline("--generate-completion-script", shell)
    #expect(script.status == 0)
    try workspace.write(Array(script.output.utf8), to: "script")
    let check = "\(shell) -n script; echo checked"
    guard let output = try await Self.shell(shell, check, in: workspace) else { return }
    #expect(output == "checked\n")
  }
}
