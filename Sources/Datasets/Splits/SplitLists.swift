// Splits as lists of paths, one file for each, written by Skipline, by hand or by another program. A line is a path,
// just as it stands or in the double quotes of PathQuoting.swift; lines that begin with # mean nothing. Which other
// forms a line may have is in ListLine.swift; which of them names an image is decided here, by the images there are.

import Files
import Glibc
import Messages
import Support

/// The lists `train.txt`, `val.txt` and `test.txt` of a folder. Any of them may be missing.
struct SplitLists {
  fileprivate struct Line {
    var split: Split
    var number: Int
    var content: ListLine
  }

  let folder: String
  fileprivate let lines: [Line]
  /// The lists that are there.
  fileprivate let found: Set<Split>

  /// Whether any line says which images are for training: then these are all there are.
  var holdsTraining: Bool { lines.contains { $0.split == .train } }

  /// - Throws: `DatasetError.unreadableFile`, `.malformedLine` or `.noLists`; `.noListFolder` where there is no folder.
  init(folder: String) throws(DatasetError) {
    self.folder = folder
    var lines: [Line] = []
    var found: Set<Split> = []
    if FilePath.isFolder(folder) == nil {
      var status = stat()
      let code = folder.withPathCString { stat($0, &status) } == 0 ? 0 : errno
      guard code == ENOENT || code == ENOTDIR else {
        throw .unreadable(path: folder, reason: "\(SystemError(number: code))")
      }
      throw .noListFolder(path: folder)
    }
    for split in Split.allCases {
      let file = Self.file(split, in: folder)
      guard let content = try LineFile.lines(of: file) else { continue }
      found.insert(split)
      for (number, bytes) in content {
        do throws(QuotingError) {
          lines.append(Line(split: split, number: number, content: try ListLine(bytes)))
        } catch {
          throw .malformedLine(file: file, line: number, reason: error.reason)
        }
      }
    }
    guard !found.isEmpty else { throw .noLists(path: folder) }
    self.lines = lines
    self.found = found
  }

  /// The splits that the lists give to images.
  /// - Parameters:
  ///   - images: their paths below the dataset's folder, and their classes.
  ///   - root: the dataset's folder.
  /// - Throws: `DatasetError.malformedLine` for an image that is listed twice, `.foreignLists` where no line names an
  ///   image. Less than that is a finding.
  func resolved(
    for images: [(path: String, className: String)], root: String
  ) throws(DatasetError) -> (splits: [Split?], findings: [DatasetFinding]) {
    var reading = ListReading(self, PathTable(images.map(\.path)), root: root)
    let places = reading.places()
    var splits = [Split?](repeating: nil, count: images.count)
    var takenBy = [Int?](repeating: nil, count: images.count)
    for (number, place) in places.enumerated() {
      guard let place else { continue }
      let line = lines[number]
      if let earlier = takenBy[place].map({ lines[$0] }) {
        throw .malformedLine(
          file: Self.file(line.split, in: folder), line: line.number,
          reason: "\(line.content.text) is listed before, on line \(earlier.number) of \(Self.name(earlier.split))")
      }
      takenBy[place] = number
      splits[place] = line.split
    }
    let unknown = places.indices.filter { places[$0] == nil }
    guard unknown.count < lines.count else {
      let first = lines.first
      throw .foreignLists(
        folder: folder, root: root,
        first: first.map { "\(Self.name($0.split)), line \($0.number): \($0.content.text)" })
    }
    let listed = splits.count { $0 != nil }
    return (
      splits,
      missingFindings(unknown, images: images.count, listed: listed) + reading.findings(images.map(\.className))
    )
  }

  /// What is said about lines that name no image; that is worse where the lists also leave most images out.
  private func missingFindings(_ unknown: [Int], images: Int, listed: Int) -> [DatasetFinding] {
    let isComplete = found.count == Split.allCases.count
    let leavesMost = isComplete && 2 * listed < images
    // Those that are in no list are told by whoever divides them.
    guard let first = unknown.first.map({ lines[$0] }) else { return [] }
    // A list most of whose lines are of nothing here is one of something else, whatever few names agree.
    let foreign = Split.allCases.filter { split in
      2 * unknown.count { lines[$0].split == split } > lines.count { $0.split == split }
    }
    let isForeign = !foreign.isEmpty || leavesMost
    let more = unknown.count > 1 ? ", and \(unknown.count - 1) more" : ""
    let which =
      foreign.isEmpty
      ? leavesMost ? "; the lists name \(listed) of the \(images) images" : ""
      : "; most lines of \(foreign.map(Self.name).joined(separator: " and ")) name none"
    return [
      DatasetFinding(
        kind: .staleDecision, severity: isForeign ? .error : .warning,
        paths: unknown.map { lines[$0].content.text },
        message:
          "\(Self.file(first.split, in: folder)), line \(first.number): \(first.content.text) is not an image "
          + "of the dataset\(more)\(which)",
        advice: isForeign
          ? "give the lists of this dataset, with paths below its folder, or rewrite them: skipline split DATA "
            + "--export FOLDER"
          : "correct the lists, or rewrite them: skipline split DATA --export FOLDER")
    ]
  }

  static func name(_ split: Split) -> String { "\(split.rawValue).txt" }

  static func file(_ split: Split, in folder: String) -> String { "\(folder)/\(name(split))" }
}

/// Finds the image that each line of lists names.
private struct ListReading {
  private let lists: SplitLists
  private let root: String
  private let rootNames: Set<ClassName>
  private var table: PathTable
  private var found: [(place: Int, label: String?)?]
  /// How many lines were understood otherwise than as a path below the dataset's folder, by what stood before it.
  private var prefixes: [String: Int] = [:]
  private var otherSpellings: [String] = []
  private var endsOnly: [String] = []

  init(_ lists: SplitLists, _ table: PathTable, root: String) {
    self.lists = lists
    self.table = table
    self.root = root
    rootNames = Set(
      [root, FilePath.absolute(root), FilePath.real(root)].map { ClassName(FilePath.split($0).name) })
    found = Array(repeating: nil, count: lists.lines.count)
  }

  /// The image of each line; nil for a line that names none.
  mutating func places() -> [Int?] {
    for index in found.indices { found[index] = byPath(lists.lines[index].content) }
    findByPrefix()
    for index in found.indices where found[index] == nil { found[index] = byOtherName(lists.lines[index].content) }
    return found.map { $0?.place }
  }

  // MARK: Paths that lead to an image

  private mutating func byPath(_ line: ListLine) -> (place: Int, label: String?)? {
    for candidate in line.candidates {
      if let place = table.place(exactly: candidate.path) { return (place, candidate.label) }
    }
    for candidate in line.candidates {
      if let place = place(leadingTo: candidate.path) { return (place, candidate.label) }
    }
    return nil
  }

  private mutating func place(leadingTo path: String) -> Int? {
    let (parts, isAbsolute) = ListLine.parts(of: path)
    let plain = (isAbsolute ? "/" : "") + parts.joined(separator: "/")
    if !isAbsolute, let place = table.place(of: plain) { return place }
    // By way of the folder in which the command was given, or of the one in which the lists are.
    for start in isAbsolute ? [plain] : [plain, "\(lists.folder)/\(plain)"] {
      if let below = FilePath.relative(lexical(start), below: root), let place = table.place(of: below) {
        return place
      }
    }
    return nil
  }

  /// Without `..`, as far as names tell.
  private func lexical(_ path: String) -> String {
    let (parts, _) = ListLine.parts(of: FilePath.absolute(path))
    return "/" + parts.joined(separator: "/")
  }

  // MARK: Paths of the dataset in another place

  /// What stands before an image's path where a path leads elsewhere: the dataset's folder as it was, or as it is on
  /// another machine. It counts where it ends in the dataset's own name, and where all lines of a list have the same.
  private mutating func findByPrefix() {
    var options: [Split: [String: [(line: Int, place: Int, label: String?)]]] = [:]
    for index in found.indices where found[index] == nil {
      let line = lists.lines[index]
      guard let (prefix, place, label) = behindPrefix(line.content) else { continue }
      options[line.split, default: [:]][prefix, default: []].append((index, place, label))
    }
    for (_, prefixes) in options {
      for (prefix, lines) in prefixes {
        let isNamed = rootNames.contains(ClassName(FilePath.split(prefix).name))
        guard isNamed || prefixes.count == 1 else { continue }
        for line in lines { found[line.line] = (line.place, line.label) }
        if !isNamed || prefix.contains("/") { self.prefixes[prefix, default: 0] += lines.count }
      }
    }
  }

  /// The longest end of a path that is an image here, with what stands before; nil also where the whole path leads to
  /// another file: then that is what is meant.
  private mutating func behindPrefix(_ line: ListLine) -> (prefix: String, place: Int, label: String?)? {
    for candidate in line.candidates {
      let (parts, isAbsolute) = ListLine.parts(of: candidate.path)
      let plain = (isAbsolute ? "/" : "") + parts.joined(separator: "/")
      // A file's name alone says too little.
      for start in parts.indices.dropFirst().dropLast() {
        guard let place = table.place(of: parts[start...].joined(separator: "/")) else { continue }
        guard FilePath.isFolder(plain) == nil, FilePath.isFolder("\(lists.folder)/\(plain)") == nil else {
          return nil
        }
        return ((isAbsolute ? "/" : "") + parts[..<start].joined(separator: "/"), place, candidate.label)
      }
    }
    return nil
  }

  // MARK: Names

  /// An image that is named in other capitals, without its ending, or without the folders before it.
  private mutating func byOtherName(_ line: ListLine) -> (place: Int, label: String?)? {
    for candidate in line.candidates {
      let (parts, isAbsolute) = ListLine.parts(of: candidate.path)
      let plain = parts.joined(separator: "/")
      guard !isAbsolute, !plain.isEmpty else { continue }
      if let place = table.place(inAnyCase: plain) ?? table.place(withoutEnding: plain) {
        otherSpellings.append(candidate.path)
        return (place, candidate.label)
      }
      if let place = table.place(endingIn: plain) {
        endsOnly.append(candidate.path)
        return (place, candidate.label)
      }
    }
    return nil
  }

  // MARK: What was made of it

  /// Notes about how lines were understood, and a warning where labels in them contradict the classes.
  func findings(_ classes: [String]) -> [DatasetFinding] {
    var findings: [DatasetFinding] = []
    func note(_ message: String, _ advice: String = "", _ severity: DatasetFinding.Severity = .note) {
      findings.append(
        DatasetFinding(kind: .splitList, severity: severity, message: message, advice: advice))
    }
    func lines(_ count: Int) -> String { count == 1 ? "1 line" : "\(count) lines" }
    for (prefix, count) in prefixes.sorted(by: { $0.key < $1.key }) {
      note("\(lines(count)) of the lists in \(lists.folder) begin with \(prefix)/, which is taken for \(root)")
    }
    if let first = otherSpellings.first {
      note(
        "\(lines(otherSpellings.count)) of the lists in \(lists.folder) name images in other capitals or without the "
          + "file's ending: \(first)")
    }
    if let first = endsOnly.first {
      note(
        "\(lines(endsOnly.count)) of the lists in \(lists.folder) name images without their folders: \(first)")
    }
    let names = Set(classes.map(ClassName.init))
    let labels = found.compactMap { entry in
      entry.flatMap { entry in entry.label.map { (place: entry.place, label: $0) } }
    }
    let others = labels.filter {
      names.contains(ClassName($0.label)) && ClassName($0.label) != ClassName(classes[$0.place])
    }
    if let other = others.first {
      note(
        "\(lines(others.count)) of the lists in \(lists.folder) give images other classes than their folders: "
          + "\(table.paths[other.place]) is called \(other.label)",
        "the lists divide only; to change classes: skipline relabel DATA FILE --to CLASS", .warning)
    } else if let first = labels.first {
      note(
        "what stands beside the paths in the lists of \(lists.folder) is not used (\"\(first.label)\"): classes come "
          + "from folders")
    }
    return findings
  }
}

extension DatasetIndex {
  /// The content of the lists that give the images the splits they have, by the names of the files.
  public var splitLists: [(name: String, text: String)] { splitLists(withExcluded: false) }

  /// - Parameter withExcluded: whether images that the user excluded are listed too.
  public func splitLists(withExcluded: Bool) -> [(name: String, text: String)] {
    let listed = withExcluded ? items + excluded : items
    return Split.allCases.map { split in
      let lines = listed.filter { $0.split == split }.map { PathQuoting.line($0.path) + "\n" }
      return (SplitLists.name(split), lines.joined())
    }
  }

  /// The same images divided anew, so that in every class each split has its share, rounded by the largest remainder
  /// (Hamilton's method; of equal remainders training comes first, then validation). Which image goes where follows
  /// from a hash of its path. Adding images may move others: that is what lists are for.
  public func dividedExactly(_ settings: SplitSettings) -> DatasetIndex {
    var divided = items
    let groups = Dictionary(grouping: items.indices) { items[$0].label }
    for members in groups.values {
      var counts = settings.shares(of: members.count)
      let order = members.map { index -> (hash: UInt64, index: Int) in
        var generator = RandomGenerator(items[index].stableHash, 1)
        return (generator.next(), index)
      }.sorted { $0 < $1 }
      for (_, index) in order {
        guard let split = Split.allCases.first(where: { counts[$0] > 0 }) else { continue }
        counts[split] -= 1
        divided[index].split = split
      }
    }
    return DatasetIndex(
      root: root, classes: classes, items: divided, excluded: excluded, splitSource: .lists, findings: [])
  }
}

extension SplitSettings {
  /// How many of so many images each split gets.
  func shares(of count: Int) -> SplitCounts {
    let percents: [(split: Split, percent: Int)] = [(.train, train), (.validation, validation), (.test, test)]
    var counts = SplitCounts()
    for (split, percent) in percents { counts[split] = count * percent / 100 }
    // Stable, so that of equal remainders the earlier comes first.
    let byRemainder = percents.enumerated().sorted { first, second in
      let remainders = (count * first.element.percent % 100, count * second.element.percent % 100)
      return remainders.0 == remainders.1 ? first.offset < second.offset : remainders.0 > remainders.1
    }
    for (_, entry) in byRemainder.prefix(count - counts.total) { counts[entry.split] += 1 }
    return counts
  }
}
