// `skipline exclude`, `include`, `relabel`, `confirm` and `decisions`: what a person decides about images, without touching them.
// Which decisions there can be is Datasets' matter; this file finds the images that are meant and words what changed.

import ArgumentParser
import Canvas
import Datasets
import Messages
import Support
import Training

struct ExcludeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exclude", abstract: "Leaves images of a dataset out of everything; the files stay.")

  @OptionGroup var images: NamedImages
  @Flag(help: "Print the decisions as JSON.") var json = false

  func run() throws {
    try images.decide(json: json, words: { _ in .init("excluded", undo: "skipline include") }) { path, _ in
      .exclude(path: path)
    }
  }
}

struct IncludeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "include", abstract: "Takes back the exclusion of images.",
    discussion: "For a file that is gone, drops everything that was decided about it.")

  @OptionGroup var images: NamedImages
  @Flag(help: "Print the decisions as JSON.") var json = false

  func run() throws {
    try images.decide(json: json, words: { _ in .init("included", undo: "skipline exclude") }) { path, _ in
      .include(path: path)
    }
  }
}

struct RelabelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relabel", abstract: "Makes images count as another class; the files stay where they are.",
    discussion: "With the class of their folder, undoes a relabeling.")

  @OptionGroup var images: NamedImages
  @Option(name: .customLong("to"), help: "The class they show.") var className: String
  @Flag(help: "Print the decisions as JSON.") var json = false

  func run() throws {
    try images.decide(
      json: json,
      words: { image in
        let isBack = ClassName(className) == ClassName(image.ownClass)
        return .init(
          isBack
            ? "no longer relabeled, and of its folder's class \(image.ownClass) again"
            : "relabeled as \(className)",
          undo: "skipline relabel \(shellOption("--to", image.className))")
      }
    ) { path, _ in .relabel(path: path, to: className) }
  }
}

struct ConfirmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confirm", abstract: "Finds the labels of images right: check --model suspects them no more.",
    discussion: "It holds for the class that they have now; once they have another one, that is judged anew.")

  @OptionGroup var images: NamedImages
  @Flag(help: "Take it back.") var undo = false
  @Flag(help: "Print the decisions as JSON.") var json = false

  func run() throws {
    try images.decide(
      json: json,
      words: { image in
        undo
          ? .init("no longer confirmed", undo: "skipline confirm")
          : .init("confirmed as \(image.className)", undo: "skipline confirm --undo")
      }
    ) { path, image in undo ? .doubt(path: path) : .confirm(path: path, as: image.className) }
  }
}

struct DecisionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decisions", abstract: "Lists what was decided about the images of a dataset.",
    discussion: """
      Decisions are found again when the dataset was moved or renamed, by what its images hold. --adopt takes over those \
      that were made elsewhere, where that is not certain, or to keep them under the new name; --ignore is for decisions \
      about another dataset that only looks like this one.
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Option(help: "Take over the decisions of this file, or of a dataset that lay in this folder.", transform: given)
  var adopt: String?
  @Option(
    help: "Stop reminding of the decisions in this file, or of a dataset that lies in this folder.",
    transform: given)
  var ignore: String?
  @OptionGroup var folders: SplitFolderOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let reading = try ScannedDataset.read(root: data, split: folders.settings(in: data))
    if let adopt {
      let (decisions, count, from) = try DecisionStore.standard.adopt(adopt, for: reading)
      if !json {
        Console.print("adopted: \(Format.counted(count, "decision")) about the images of \(from)")
        let kept = decisions.list.count - count
        if kept > 0 { Console.print("what was decided here already stays: \(Format.counted(kept, "decision"))") }
        Console.print("")
      }
    }
    if let ignore {
      let from = try DecisionStore.standard.ignore(ignore, for: reading)
      if !json { Console.print("ignored from now on: decisions about the images of \(from)\n") }
    }
    let listing = DecisionListing(reading, try DecisionStore.standard.find(for: reading))
    if json { try Console.print(json: listing) } else { print(listing) }
  }

  private func print(_ listing: DecisionListing) {
    for finding in listing.stale { Console.print("! \(finding.text)") }
    if listing.isEmpty {
      Console.print("nothing is decided about the images of \(data)")
      return
    }
    for path in listing.excluded { Console.print("exclude  \(path)") }
    for entry in listing.relabeled { Console.print("relabel  \(entry.path)  from \(entry.from) to \(entry.to)") }
    for entry in listing.confirmed { Console.print("confirm  \(entry.path)  as \(entry.className)") }
    Console.print("")
    Console.print("kept in \(listing.file)")
  }
}

/// Images of a dataset as a person names them.
struct NamedImages: ParsableArguments {
  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Argument(
    help: "Images: paths below DATA, or any that lead into it; - for a list on standard input.", transform: given)
  var files: [String]
  @OptionGroup var folders: SplitFolderOptions

  /// An image before something is decided about it.
  struct DecidedImage {
    /// The class of its folder.
    var ownClass: String
    /// The class that it counts as.
    var className: String
  }

  /// What is said of a change.
  struct Words {
    /// What was done.
    var verb: String
    /// The command that takes it back.
    var undo: String

    init(_ verb: String, undo: String) { (self.verb, self.undo) = (verb, undo) }
  }

  func validate() throws {
    if files.isEmpty { throw ValidationError("name at least one image, or - for a list on standard input") }
  }

  /// Makes one change for each image and tells which made a difference.
  /// - Parameters:
  ///   - words: of one change.
  ///   - change: of one image.
  func decide(
    json: Bool, words: (_ image: DecidedImage) -> Words,
    _ change: (_ path: String, _ image: DecidedImage) -> DecisionChange
  ) throws {
    let split = folders.settings(in: data)
    let reading = try ScannedDataset.read(root: data, split: split)
    let store = DecisionStore.standard
    let before = try store.find(for: reading)
    let names = try names()
    var known = ImagePaths(reading, before.decisions)
    func image(_ path: String) -> DecidedImage {
      let own = known.ownClass(of: path) ?? ""
      return DecidedImage(ownClass: own, className: before.decisions[path]?.className ?? own)
    }
    let changes = names.map { name in
      let path = known.path(of: name)
      return change(path, image(path))
    }
    var changed: [Bool] = []
    try store.update(reading) { changed = try $0.apply(changes, to: reading) }
    for finding in reading.unread + before.findings { Console.complain("! \(finding.text)") }
    if json {
      try Console.print(json: DecisionListing(reading, try store.find(for: reading)))
      return
    }
    tellBenchmark(zip(changes, changed).count { $1 && known.split(of: $0.path) == .test })
    var takenBack: [String: [String]] = [:]
    for (change, isNew) in zip(changes, changed) {
      let image = image(change.path)
      let words = words(image)
      Console.print(isNew ? "\(words.verb): \(change.path)" : "nothing to do: \(change.path)")
      if isNew, !image.ownClass.isEmpty { takenBack[words.undo, default: []].append(change.path) }
    }
    for (command, paths) in takenBack.sorted(by: { $0.key < $1.key }) {
      Console.print("to undo it: \(line(command, paths, split))")
    }
  }

  /// Says so where decisions were made about test images: figures measured on the rest are of another benchmark.
  /// - Parameter tests: such images.
  private func tellBenchmark(_ tests: Int) {
    guard tests > 0 else { return }
    Console.complain(
      "! \(Format.counted(tests, "test image")) changed: figures measured on the test images are of another benchmark "
        + "from now on; evaluations say so, and count such images apart")
  }

  /// As many images as a person would copy; the list of all is above.
  private func line(_ command: String, _ paths: [String], _ split: SplitSettings) -> String {
    let shown = paths.count <= 8 ? paths.map(shellQuoted).joined(separator: " ") : "FILE..."
    let words: [String] = command.split(separator: " ", maxSplits: 2).map(String.init)
    let end = paths.contains { $0.hasPrefix("-") } ? ["--"] : []
    let all: [String] =
      Array(words.prefix(2)) + [shellQuoted(data)] + (split.folders?.optionWords ?? []) + Array(words.dropFirst(2))
      + end + [shown]
    return all.joined(separator: " ")
  }

  private func names() throws -> [String] {
    var names: [String] = []
    for file in files {
      if file == "-" { names += try PathList.standardInput() } else { names.append(file) }
    }
    return names
  }
}

/// What is decided about a dataset, for printing.
private struct DecisionListing: Encodable {
  struct Relabeled: Encodable {
    var path: String
    var from: String
    var to: String
  }

  var dataset: String
  var file: String
  var excluded: [String]
  var relabeled: [Relabeled]
  var confirmed: [ConfirmedLabel]
  var stale: [DatasetFinding]

  init(_ reading: ScannedDataset, _ found: FoundDecisions) {
    let index = reading.index(found)
    dataset = reading.root
    file = found.file ?? DecisionStore.standard.file(forDataset: reading.root)
    excluded = index.excluded.map(\.path)
    relabeled = (index.items + index.excluded).compactMap { item in
      item.relabeledFrom.map { Relabeled(path: item.path, from: $0, to: index.classes[item.label]) }
    }
    confirmed = index.confirmed
    stale = index.findings.filter { [.staleDecision, .decisionsMoved, .unreadableFolder].contains($0.kind) }
  }

  var isEmpty: Bool {
    excluded.isEmpty && relabeled.isEmpty && confirmed.isEmpty && !stale.contains { $0.kind == .staleDecision }
  }
}
