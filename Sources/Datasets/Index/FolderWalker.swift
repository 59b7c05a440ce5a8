// Walks class folders to their last sub-folder and collects the image files, and what a person should know about
// the rest. It does not decode anything, and reads only the first bytes of files whose name does not say enough.

import Files
import FoundationEssentials
import Glibc
import Images
import Messages

/// Collects files below class folders; each folder is visited once, however many links lead to it.
struct FolderWalker {
  /// A file that counts as an image until decoding says otherwise.
  struct File {
    /// Index of the class folder it was found under.
    var folder: Int
    /// Relative to the dataset's folder.
    var path: String
  }

  let root: String
  private(set) var files: [File] = []
  /// Folders that a program wrote, and those of class folders in which nothing but such was found.
  private(set) var outputs: [(path: String, author: String)] = []
  private var foldersWithOutput: Set<Int> = []
  private var visited: Set<FileIdentity> = []
  private(set) var unreadable: [UnreadableFolder] = []
  /// Files whose names do not say that they are images, and that may not be looked into.
  private var closed = Tally()
  private var ignored = Tally()
  private var special = Tally()
  /// Files of image formats that cannot be decoded, by the format's name.
  private var unsupported: [String: Tally] = [:]
  /// Images found so far below each class folder; nil before it is begun.
  private var counts: [Int?] = []
  private var entriesSeen = 0
  private var lastTold: ContinuousClock.Instant?

  init(root: String) { self.root = root }

  /// Progress is told at most 20 times a second.
  private static let progressInterval = Duration.milliseconds(50)
  /// Entries between two looks at the clock and the cancellation.
  private static let checkInterval = 32

  /// - Throws: `DatasetError.cancelled` soon after `isCancelled` answered true.
  mutating func walk(
    _ folders: [ClassFolder], progress: (DatasetProgress) -> Void, isCancelled: () -> Bool
  ) throws(DatasetError) {
    counts = folders.map { _ in nil }
    // Links wait until every real folder was visited, so that a link never takes the images of the folder it
    // points to; what links lead to is walked in the same way, behind them.
    var pending = folders.enumerated().map { (folder: $0.offset, path: $0.element.path, isLink: $0.element.isLink) }
    while !pending.isEmpty {
      var links: [(folder: Int, path: String, isLink: Bool)] = []
      for (folder, path, isLink) in pending {
        if isLink {
          links.append((folder, path, false))
          continue
        }
        counts[folder] = counts[folder] ?? 0
        var stack = [path]
        while let path = stack.popLast() {
          guard let listing = open(path) else { continue }
          if let author = author(of: listing, at: path) {
            outputs.append((path, author))
            foldersWithOutput.insert(folder)
            continue
          }
          for entry in listing.entries {
            let entryPath = "\(path)/\(entry.name)"
            switch entry.kind {
            case .folder: stack.append(entryPath)
            case .linkedFolder: links.append((folder, entryPath, false))
            case .other: special.add(entryPath)
            case .file: take(entryPath, name: entry.name, folder: folder)
            }
            entriesSeen += 1
            if entriesSeen.isMultiple(of: Self.checkInterval) {
              if isCancelled() { throw .cancelled(path: root) }
              tell(folders, progress)
            }
          }
        }
        if isCancelled() { throw .cancelled(path: root) }
      }
      pending = links
    }
    lastTold = nil
    tell(folders, progress)
  }

  /// The content of a folder that is read for the first time; nil, and a note, for any other.
  private mutating func open(_ path: String) -> FolderListing? {
    let listing: FolderListing
    do {
      listing = try FolderListing(path: "\(root)/\(path)")
    } catch {
      unreadable.append(UnreadableFolder(path: path, reason: error))
      return nil
    }
    if visited.insert(listing.identity).inserted { return listing }
    special.add("\(path)/")
    return nil
  }

  private func author(of listing: FolderListing, at path: String) -> String? {
    ProgramOutput.author(
      ofFolder: "\(root)/\(path)", files: listing.entries.lazy.filter { $0.kind == .file }.map(\.name),
      folders: listing.entries.lazy.filter(\.isFolder).map(\.name))
  }

  /// Class folders in which there was nothing but what programs wrote: they are no classes, not even empty ones.
  var foldersOfOutput: Set<Int> {
    foldersWithOutput.subtracting(files.map(\.folder))
  }

  private mutating func take(_ path: String, name: String, folder: Int) {
    let file = "\(root)/\(path)"
    if ImageFormat.isImageName(name) || ImageFormat.isImageFile(file) {
      files.append(File(folder: folder, path: path))
      counts[folder] = (counts[folder] ?? 0) + 1
    } else if let format = ImageFormat.unsupportedName(ofFile: file) {
      unsupported[format, default: Tally()].add(path)
    } else if Self.isClosed(file) {
      closed.add(path)
    } else {
      ignored.add(path)
    }
  }

  /// Whether a file may not be read.
  private static func isClosed(_ file: String) -> Bool {
    do throws(FileOperationError) {
      _ = try InputFile(path: file)
      return false
    } catch {
      return error.code == EACCES || error.code == EPERM
    }
  }

  private mutating func tell(_ folders: [ClassFolder], _ progress: (DatasetProgress) -> Void) {
    let now = ContinuousClock.now
    if let lastTold, now - lastTold < Self.progressInterval { return }
    lastTold = now
    var classes: [DatasetProgress.ClassCount] = []
    var places: [ClassName: Int] = [:]
    for (folder, count) in zip(folders, counts) {
      guard let count else { continue }
      let name = ClassName(folder.name)
      let place = places[name, default: classes.count]
      if place == classes.count {
        places[name] = place
        classes.append(DatasetProgress.ClassCount(name: name.text, images: 0))
      }
      classes[place].images += count
    }
    progress(.scanning(files: files.count, classes: classes))
  }

  /// Takes note of what lies in a folder that holds class folders: nothing of it belongs to a class, not even when a
  /// link in a class leads back to it. Only an image there is worth a word: a README or a license is where it should
  /// be.
  mutating func note(strayEntriesOf listing: FolderListing, at path: String) {
    visited.insert(listing.identity)
    for entry in listing.entries where !entry.isFolder {
      let entryPath = path.isEmpty ? entry.name : "\(path)/\(entry.name)"
      if entry.kind != .file {
        special.add(entryPath)
      } else if ImageFormat.isImageName(entry.name) {
        ignored.add(entryPath)
      }
    }
  }

  /// What was left out and why, at most one finding a reason but for folders that cannot be read.
  var findings: [DatasetFinding] {
    var findings = unreadable.map(\.finding)
    if closed.count > 0 {
      findings.append(
        DatasetFinding(
          kind: .ignoredFile, severity: .warning, paths: closed.names,
          message: "\(closed.description(one: "file", many: "files")), may not be read: whether "
            + "\(closed.count == 1 ? "it is an image" : "they are images") is not known",
          advice: "they are left out; ask their owner for the right to read them, or give it to yourself with chmod"
        ))
    }
    if !unsupported.isEmpty {
      let formats = unsupported.sorted { $0.key < $1.key }
      findings.append(
        DatasetFinding(
          kind: .unsupportedFormat, severity: .warning, paths: formats.flatMap(\.value.names),
          message: formats.map { "\($0.value.description(one: "\($0.key) image", many: "\($0.key) images"))" }
            .joined(separator: "; "),
          advice: "they are left out; convert them to PNG or JPEG"))
    }
    if !outputs.isEmpty { findings.append(LayoutReader.outputFinding(outputs)) }
    func note(_ tally: Tally, for reason: String) {
      guard tally.count > 0 else { return }
      findings.append(
        DatasetFinding(
          kind: .ignoredFile, severity: .note,
          message: "ignored, for \(reason): \(tally.description(one: "entry", many: "entries"))", advice: ""))
    }
    note(ignored, for: "not being an image in a class folder")
    note(
      special, for: "not being a regular file (but a pipe, a device, a link to nothing or to a folder already read)"
    )
    return findings
  }
}

/// How many there were, and the first few names.
private struct Tally {
  private(set) var count = 0
  /// The first names, one more than is shown.
  private var first: [String] = []

  private static let shown = 5

  var names: [String] { Array(first.prefix(Self.shown)) }

  mutating func add(_ name: String) {
    count += 1
    if first.count <= Self.shown { first.append(name) }
  }

  /// `2 entries, a.txt, b.txt`; the names end in an ellipsis where there are more.
  func description(one: String, many: String) -> String {
    "\(count) \(count == 1 ? one : many), " + names.joined(separator: ", ")
      + (first.count > Self.shown ? ", ..." : "")
  }
}
