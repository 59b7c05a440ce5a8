// Decisions as a text file that a person can read and edit:
//
//     # Skipline's decisions about the images in "/home/ann/pets" ...
//     exclude cat/12.png
//     relabel "cat/my dog.png" -> dog
//     confirm cat/13.png -> cat
//
// Names are written as PathQuoting.swift says. Empty lines and lines that begin with # mean nothing; they are not kept
// when Skipline writes the file anew. Those that begin with #= are DatasetIdentity's.

import Messages

extension Decisions {
  /// The whole file.
  /// - Parameter dataset: the folder that the decisions are about; named in a comment.
  public func text(dataset: String) -> String {
    var text = """
      # Skipline's decisions about the images in \(PathQuoting.line(dataset))
      # One a line, paths below that folder: exclude PATH, relabel PATH -> CLASS, or confirm PATH -> CLASS, which finds a
      # label right. Names with spaces stand in double quotes, with \\" \\\\ \\n \\r \\t and \\xNN for any byte. The images
      # themselves are never changed.

      """
    for entry in list {
      let path = PathQuoting.word(entry.path)
      if entry.isExcluded { text += "exclude \(path)\n" }
      if let name = entry.className { text += "relabel \(path) -> \(PathQuoting.word(name))\n" }
      if let name = entry.confirmedClass { text += "confirm \(path) -> \(PathQuoting.word(name))\n" }
    }
    return text
  }

  /// Reads such a file's content.
  /// - Throws: `DatasetError.malformedLine` for the first line that is neither a decision nor a comment, or that
  ///   decides again what another line did.
  init(lines: [(number: Int, bytes: ArraySlice<UInt8>)], file: String) throws(DatasetError) {
    for (number, bytes) in lines {
      do throws(QuotingError) {
        try take(try PathQuoting.words(of: bytes))
      } catch {
        throw .malformedLine(file: file, line: number, reason: error.reason)
      }
    }
  }

  /// Whether bytes are such a file's content.
  package static func areReadable(_ bytes: [UInt8]) -> Bool {
    // What the dataset is known by is read from the same bytes, and is never refused.
    _ = DatasetIdentity(content: bytes)
    return (try? Decisions(lines: LineFile.lines(of: bytes[...]), file: "input")) != nil
  }

  private mutating func take(_ words: [PathQuoting.Word]) throws(QuotingError) {
    let verb = words.first.flatMap { $0.isQuoted ? nil : $0.text }
    if verb == "exclude", words.count == 2 {
      guard self[words[1].text]?.isExcluded != true else {
        throw QuotingError("an earlier line excludes the same image")
      }
      exclude(words[1].text)
    } else if verb == "relabel", words.count == 4, words[2].text == "->", !words[2].isQuoted {
      guard self[words[1].text]?.className == nil else {
        throw QuotingError("an earlier line relabels the same image")
      }
      relabel(words[1].text, to: words[3].text)
    } else if verb == "confirm", words.count == 4, words[2].text == "->", !words[2].isQuoted {
      guard self[words[1].text]?.confirmedClass == nil else {
        throw QuotingError("an earlier line confirms the label of the same image")
      }
      confirm(words[1].text, as: words[3].text)
    } else {
      throw QuotingError(
        "this is not a decision: write 'exclude PATH', 'relabel PATH -> CLASS' or 'confirm PATH -> CLASS', names with "
          + "spaces in double quotes"
      )
    }
  }
}
