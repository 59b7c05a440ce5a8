// What a shell needs to ask this program for completions. All that is to be known is in the program (`Completer`), so
// that the scripts never grow old.

import ArgumentParser

enum CompletionScript {
  /// The script that the arguments ask for; nil where they ask for none that there is.
  static func asked(by arguments: [String]) -> String? {
    let option = "--generate-completion-script"
    let shell: String?
    switch (arguments.count, arguments.first) {
    case (1, option?): shell = CompletionShell.autodetected()?.rawValue
    case (2, option?): shell = arguments[1]
    case (1, let first?) where first.hasPrefix(option + "="): shell = String(first.dropFirst(option.count + 1))
    default: shell = nil
    }
    return shell.flatMap(CompletionRequest.Shell.init).map(text)
  }

  static func text(_ shell: CompletionRequest.Shell) -> String {
    let question = "\(CompletionRequest.word) \(shell.rawValue)"
    return switch shell {
    case .bash:
      #"""
      # Completions of skipline for bash.

      _skipline() {
        local program=${COMP_WORDS[0]/#\~\//$HOME/} kind= line
        COMPREPLY=()
        {
          IFS= read -r kind
          while IFS= read -r line || [[ -n $line ]]; do COMPREPLY+=("$line"); done
        } < <("$program" \#(question) "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
        if [[ $kind == paths ]]; then
          compopt -o filenames
        elif [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:] ]]; then
          compopt -o nospace
        fi
      }

      complete -F _skipline skipline
      """#
    case .zsh:
      #"""
      #compdef skipline
      # Completions of skipline for zsh.

      _skipline() {
        local program=${${(Q)words[1]}/#\~\//$HOME/} kind
        local -a lines folders files described
        local line word note
        lines=("${(@f)$("$program" \#(question) "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
        kind=$lines[1]
        shift lines
        if [[ $kind == paths ]]; then
          for line in "${lines[@]}"; do
            if [[ $line == */ ]]; then folders+=("${line%/}"); elif [[ -n $line ]]; then files+=("$line"); fi
          done
          (( $#folders )) && compadd -U -f -S / -q -- "${folders[@]}"
          (( $#files )) && compadd -U -f -- "${files[@]}"
        else
          for line in "${lines[@]}"; do
            [[ -n $line ]] || continue
            word=${line%%$'\t'*}
            note=
            [[ $line == *$'\t'* ]] && note=":${line#*$'\t'}"
            described+=("${word//:/\\:}$note")
          done
          (( $#described )) && _describe -V skipline described
        fi
      }

      if [[ $funcstack[1] == _skipline ]]; then _skipline "$@"; else compdef _skipline skipline; fi
      """#
    case .fish:
      #"""
      # Completions of skipline for fish.

      function __skipline_complete
          set -l words (commandline -opc)
          set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
          set -e words[1]
          $program \#(question) $words (commandline -ct | string unescape) 2>/dev/null
      end

      complete -c skipline -f -a '(__skipline_complete)'
      """#
    }
  }
}
