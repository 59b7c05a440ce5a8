// Walks class folders to their last sub-folder and collects the image files, and what a person should know about
// the rest. It does not decode anything, and reads only the first bytes of files whose name does not say enough.

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
  private var visited: Set<FolderIdentity> = []
  private var folderFindings: [DatasetFinding] = []
  private var ignored = Tally()
  private var special = Tally()
  private var unreadableNames = Tally()

  init(root: String) { self.root = root }

  /// Files found between two calls of `progress`.
  private static let progressInterval = 500

  mutating func walk(_ folders: [ClassFolder], progress: (Int) -> Void) {
    // Links wait until every real folder was visited, so that a link never takes the images of the folder it
    // points to; what links lead to is walked in the same way, behind them.
    var pending = folders.enumerated().map { (folder: $0.offset, path: $0.element.path, isLink: $0.element.isLink) }
    while !pending.isEmpty {
      var links: [(folder: Int, path: String, isLink: Bool)] = []
      for (folder, path, isLink) in pending {
        if isLink {
          links.append((folder, path, false))
        } else {
          walk(path, folder: folder, links: &links, progress: progress)
        }
      }
      pending = links
    }
  }

  private mutating func walk(
    _ path: String, folder: Int, links: inout [(folder: Int, path: String, isLink: Bool)], progress: (Int) -> Void
  ) {
    var stack = [path]
    while let path = stack.popLast() {
      let listing: FolderListing
      do {
        listing = try FolderListing(path: "\(root)/\(path)")
      } catch {
        folderFindings.append(
          DatasetFinding(
            kind: .unreadableFolder, severity: .error, subject: path, paths: [path],
            message: "the folder \(path) cannot be read (\(error))",
            advice: "its images are left out; check its permissions"))
        continue
      }
      guard visited.insert(listing.identity).inserted else {
        special.add("\(path)/")
        continue
      }
      unreadableNames.add("\(path)/", count: listing.unreadableNames)
      for entry in listing.entries {
        let entryPath = "\(path)/\(entry.name)"
        switch entry.kind {
        case .folder: stack.append(entryPath)
        case .linkedFolder: links.append((folder, entryPath, false))
        case .other: special.add(entryPath)
        case .file:
          guard ImageFormat.isImageName(entry.name) || ImageFormat.isImageFile("\(root)/\(entryPath)") else {
            ignored.add(entryPath)
            continue
          }
          files.append(File(folder: folder, path: entryPath))
          if files.count.isMultiple(of: Self.progressInterval) { progress(files.count) }
        }
      }
    }
  }

  /// Takes note of what lies in a folder that holds class folders: nothing of it belongs to a class, not even when a
  /// link in a class leads back to it. Only an image there is worth a word: a README or a licence is where it should
  /// be.
  mutating func note(strayEntriesOf listing: FolderListing, at path: String) {
    visited.insert(listing.identity)
    unreadableNames.add(path.isEmpty ? "./" : "\(path)/", count: listing.unreadableNames)
    for entry in listing.entries where !entry.isFolder {
      let entryPath = path.isEmpty ? entry.name : "\(path)/\(entry.name)"
      if entry.kind != .file {
        special.add(entryPath)
      } else if ImageFormat.isImageName(entry.name) {
        ignored.add(entryPath)
      }
    }
  }

  mutating func noteIgnored(_ path: String) { ignored.add(path) }

  /// What was left out and why, at most one finding a reason but for folders that cannot be read.
  var findings: [DatasetFinding] {
    var findings = folderFindings
    func note(_ tally: Tally, for reason: String, advice: String) {
      guard tally.count > 0 else { return }
      findings.append(
        DatasetFinding(
          kind: .ignoredFile, severity: .note, message: "ignored, for \(reason): \(tally)", advice: advice))
    }
    note(ignored, for: "not being a PNG or JPEG image in a class folder", advice: "")
    note(
      special,
      for: "not being a regular file (but a pipe, a device, a link to nothing or to a folder already read)",
      advice: "")
    note(unreadableNames, for: "a name that is not valid UTF-8", advice: "rename to use")
    return findings
  }
}

/// How many there were, and the first few names.
private struct Tally: CustomStringConvertible {
  private(set) var count = 0
  private var first: [String] = []

  private static let shown = 5

  mutating func add(_ name: String, count more: Int = 1) {
    guard more > 0 else { return }
    count += more
    if first.count <= Self.shown { first.append(name) }
  }

  /// `2 entries, a.txt, b.txt`; the names end in an ellipsis where there are more.
  var description: String {
    let names = first.prefix(Self.shown).joined(separator: ", ") + (first.count > Self.shown ? ", ..." : "")
    return "\(count == 1 ? "1 entry" : "\(count) entries"), \(names)"
  }
}
