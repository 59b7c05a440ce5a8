// What is said about a dataset's folders: those that were left out, and why a layout is refused.

import Messages
import Support

extension LayoutReader {
  /// Notes the folders that were passed on the way from a split's folder to its classes.
  mutating func noteEntered(_ parts: [SplitPart], in base: String) {
    entered.append(base)
    for part in parts {
      var path = part.path
      while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
        path = String(path[..<slash])
        if path.utf8.count <= base.utf8.count { break }
        entered.append(path)
      }
    }
  }

  /// Names folders beside the splits.
  mutating func leaveOut(_ names: [String], in base: String, beside parts: [SplitPart]) {
    let classes = parts.flatMap { survey.imageFolders(in: $0.path) }
    var plain: [String] = []
    for name in names {
      let path = FolderSurvey.joined(base, name)
      if let author = survey.author(of: path) {
        findings.append(Self.outputFinding([(path, author)]))
      } else if survey.isUnreadable(path) {
        // Told with all others of its kind.
        continue
      } else if survey.holdsImages(path) {
        let inner = innermost(path)
        if !SplitFolderName.readings(of: name).isEmpty, survey.imageFolders(in: inner, atMost: 1).isEmpty {
          findings.append(
            DatasetFinding(
              kind: .layout, severity: .warning, subject: path, paths: [path],
              message: "left out: \(survey.imageCount(inner)) that lie in \(inner)/ directly, not in class folders",
              advice: "to measure on them, put those of each class in a folder of their own, \(inner)/CLASS/"))
          continue
        }
        let isLike = survey.imageFolders(in: path).contains { classes.contains($0) }
        findings.append(
          DatasetFinding(
            kind: .layout, severity: .warning, subject: path, paths: [path],
            message: "left out: the folder \(path)/ with \(survey.imageCount(path)), which lies beside the splits",
            advice: isLike
              ? "if it is one, say so with " + shellOption("--val", path) + " or " + shellOption("--test", path)
              : "if it is none, move it away"))
      } else {
        plain.append("\(path)/")
      }
    }
    if !plain.isEmpty {
      findings.append(
        DatasetFinding(
          kind: .layout, severity: .note, message: "left out, for holding no images: " + Self.shortened(plain),
          advice: ""))
    }
  }

  /// Notes a class that is called as programs call what they write.
  mutating func noteUsualName(_ name: String, in base: String) {
    let path = FolderSurvey.joined(base, name)
    guard ProgramOutput.isUsualName(name), survey.author(of: path) == nil, survey.holdsImages(path) else { return }
    findings.append(
      DatasetFinding(
        kind: .layout, severity: .note, subject: path, paths: [path],
        message:
          "the folder \(path)/ with \(survey.imageCount(path)) is taken for a class, and is called as programs call "
          + "what they write",
        advice: "if it is none, move it away; if it is one, saying --train . makes that clear"))
  }

  static func outputFinding(_ outputs: [(path: String, author: String)]) -> DatasetFinding {
    DatasetFinding(
      kind: .layout, severity: .note,
      message: "left out, for being what a program wrote: "
        + shortened(outputs.map { "\($0.path)/ (\($0.author))" }),
      advice: "")
  }

  func unclear(_ base: String, _ reason: String, _ advice: String) -> DatasetError {
    .unclearLayout(path: survey.absolute(base), reason: reason, advice: advice)
  }

  mutating func flatError(_ candidate: Candidate, _ base: String) -> DatasetError {
    unclear(
      base, "\(candidate.path)/ holds \(survey.imageCount(candidate.path)) directly, not in class folders",
      "put the images of each class in a folder of their own, \(candidate.path)/CLASS/; if \(candidate.name)/ is a class "
        + "itself, " + allClasses(in: base))
  }

  /// How to say that no folder in `base` is a split.
  func allClasses(in base: String) -> String {
    base.isEmpty ? "say --train ." : "give \(shellQuoted(survey.absolute(base))) and say --train ."
  }

  /// The options that would name a group, one folder for each split.
  func options(_ group: [Candidate], in base: String) -> String {
    let roles = group.map(\.reading.role)
    var folders = SplitFolders()
    for candidate in group {
      let split = candidate.reading.role.split(among: roles)
      folders[split] = folders[split] ?? FolderSurvey.joined(base, candidate.name)
    }
    return folders.optionWords.joined(separator: " ")
  }

  func others(_ group: [Candidate], than one: Candidate) -> [String] {
    group.map(\.name).filter { !$0.hasSameBytes(as: one.name) }
  }

  /// `a/, b/ and c/`
  func listed(_ names: [String]) -> String {
    let names = names.map { "\($0)/" }
    guard names.count > 1 else { return names.first ?? "" }
    if names.count > Self.namesShown { return Self.shortened(names) }
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  static let namesShown = 5

  static func shortened(_ names: [String]) -> String {
    names.prefix(namesShown).joined(separator: ", ")
      + (names.count > namesShown ? " and \(names.count - namesShown) more" : "")
  }
}
