// How a shell asks for completions: `skipline ---complete SHELL WORD...`, with the words after the program's name up to
// the cursor. What it is told are lines, and nothing on standard error; whatever goes wrong, it is told of no
// completion.

import Canvas

/// A shell's question.
struct CompletionRequest {
  enum Shell: String, CaseIterable { case bash, zsh, fish }

  /// Three dashes: no option of anybody's.
  static let word = "---complete"

  let shell: Shell
  let words: [String]
  /// How much of the word in front of the cursor the shell does not replace.
  private let kept: Int

  /// nil where the arguments are none.
  init?(_ arguments: [String]) {
    guard arguments.first == Self.word, arguments.count > 1, let shell = Shell(rawValue: arguments[1]) else {
      return nil
    }
    self.shell = shell
    let words = Array(arguments.dropFirst(2))
    guard shell == .bash else {
      (self.words, kept) = (words, 0)
      return
    }
    let joined = Self.joined(words)
    self.words = joined.map(Self.unquoted)
    // Bash replaces what follows the last `=` or `:`.
    let last = words.last.map { $0 == "=" || $0 == ":" ? "" : $0 } ?? ""
    kept = (self.words.last?.count ?? 0) - Self.unquoted(last).count
  }

  /// The lines to answer.
  func answer(_ completer: Completer) -> String {
    let found = completer.completions(words)
    let candidates = found.candidates.filter { !$0.word.contains("\n") }
    switch shell {
    case .bash:
      // Readline appends the slash itself, to what it takes for file names.
      let words = candidates.map { candidate in
        String(
          (found.kind == .paths && candidate.word.hasSuffix("/")
            ? String(candidate.word.dropLast()) : candidate.word)
            .dropFirst(kept))
      }
      return ([found.kind.rawValue] + words).joined(separator: "\n")
    case .zsh: return ([found.kind.rawValue] + candidates.map(Self.described)).joined(separator: "\n")
    case .fish: return candidates.map(Self.described).joined(separator: "\n")
    }
  }

  private static func described(_ candidate: Completions.Candidate) -> String {
    candidate.note.isEmpty ? candidate.word : "\(candidate.word)\t\(Sanitizer.sanitized(candidate.note))"
  }

  /// Bash cuts words at `=` and `:`, and gives these as words of their own.
  private static func joined(_ words: [String]) -> [String] {
    var result: [String] = []
    var continues = false
    for word in words {
      let isBreak = word == "=" || word == ":"
      if isBreak || continues, let last = result.popLast() {
        result.append(last + word)
      } else {
        result.append(word)
      }
      continues = isBreak
    }
    return result
  }

  /// A word as bash would read it: without quotes and backslashes. One whose quotes are still open is read as far as it
  /// goes.
  private static func unquoted(_ word: String) -> String {
    var result = ""
    var quote: Character?
    var isEscaped = false
    for character in word {
      if isEscaped {
        // In double quotes a backslash means itself before most.
        if quote != nil, !"\\\"$`".contains(character) { result.append("\\") }
        result.append(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      } else {
        result.append(character)
      }
    }
    return result
  }
}
