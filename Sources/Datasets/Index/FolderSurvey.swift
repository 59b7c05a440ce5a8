// A first look into a dataset's folders, as far as it takes to tell what they are: which hold images, and which of the
// folders in them do. It stops at the first image; counting and listing is FolderWalker's.

import Files
import Glibc
import Images
import Messages
import Support

/// What lies in one folder.
struct FolderGlance {
  let identity: FileIdentity
  /// In natural order.
  let folders: [FolderEntry]
  /// Whether images lie in it and not only below.
  let hasImages: Bool
  /// Which program wrote it; nil for people's own.
  let author: String?

  /// Files without a name of an image that are looked into, and names that are kept of them.
  private static let (filesOpened, namesKept) = (8, 256)

  /// - Throws: the system's error number for a folder that cannot be read.
  init(path: String) throws(SystemError) {
    var folders: [FolderEntry] = []
    var image = false
    var others: [String] = []
    var firstImage: String?
    func take(_ name: String, _ kind: FolderEntry.Kind) {
      switch kind {
      case .folder, .linkedFolder: folders.append(FolderEntry(name: name, kind: kind))
      case .other: break
      case .file:
        if !image, ImageFormat.isImageName(name) { (image, firstImage) = (true, name) }
        if others.count < Self.namesKept, !ImageFormat.isImageName(name) { others.append(name) }
      }
    }
    identity = try FolderListing.visit(path) { name, type in
      // Most entries of large folders are images after the first one.
      if image, others.count >= Self.namesKept, type == FolderListing.regularFile { return }
      take(name, FolderListing.kind(type: type, path: "\(path)/\(name)"))
    }
    self.folders = folders.sorted { NaturalOrder.precedes($0.name, $1.name) }
    hasImages = image || others.prefix(Self.filesOpened).contains { ImageFormat.isImageFile("\(path)/\($0)") }
    author = ProgramOutput.author(
      ofFolder: path, files: others + (firstImage.map { [$0] } ?? []), folders: self.folders.map(\.name))
  }
}

/// A folder that is there and that may not be looked into.
struct UnreadableFolder {
  /// Below the dataset's folder; empty for that itself.
  var path: String
  var reason: SystemError

  var finding: DatasetFinding {
    DatasetFinding(
      kind: .unreadableFolder, severity: .error, subject: path, paths: [path],
      message: "the folder \(path) cannot be read (\(reason)): its images are left out",
      advice: "ask its owner for the right to read it, or give it to yourself: chmod u+rX FOLDER")
  }
}

/// Looks into the folders of a dataset, each once.
struct FolderSurvey {
  private let root: String
  private var glances: [ByteKey: FolderGlance?] = [:]
  /// Folders below the dataset's that were to be looked into and may not be: what is in them is not known.
  private(set) var unreadable: [UnreadableFolder] = []

  /// Folders that are searched for a first image, and entries that are counted: a tree without any may be huge.
  private static let (foldersSearched, entriesCounted) = (5000, 20_000)

  init(root: String) { self.root = root }

  /// - Parameter path: below the dataset's folder; empty for that itself.
  mutating func glance(_ path: String) -> FolderGlance? {
    if let known = glances[ByteKey(path)] { return known }
    var glance: FolderGlance?
    do throws(SystemError) {
      glance = try FolderGlance(path: absolute(path))
    } catch {
      // What is gone, or is no folder, was never there.
      if error.number != ENOENT, error.number != ENOTDIR {
        unreadable.append(UnreadableFolder(path: path, reason: error))
      }
    }
    glances[ByteKey(path)] = .some(glance)
    return glance
  }

  /// Whether a folder is there and may not be looked into.
  mutating func isUnreadable(_ path: String) -> Bool {
    _ = glance(path)
    return unreadable.contains { $0.path.hasSameBytes(as: path) }
  }

  func absolute(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  static func joined(_ folder: String, _ name: String) -> String { folder.isEmpty ? name : "\(folder)/\(name)" }

  /// Whether there is an image in a folder or below, what programs wrote not counted.
  mutating func holdsImages(_ path: String) -> Bool {
    var visited: Set<FileIdentity> = []
    var stack = [path]
    while let path = stack.popLast(), visited.count < Self.foldersSearched {
      guard let glance = glance(path), visited.insert(glance.identity).inserted, glance.author == nil else {
        continue
      }
      if glance.hasImages { return true }
      stack += glance.folders.reversed().map { Self.joined(path, $0.name) }
    }
    return false
  }

  /// The folders in a folder that hold images, in natural order.
  mutating func imageFolders(in path: String, atMost count: Int = .max) -> [String] {
    var found: [String] = []
    for entry in glance(path)?.folders ?? [] where found.count < count {
      if holdsImages(Self.joined(path, entry.name)) { found.append(entry.name) }
    }
    return found
  }

  /// Which program wrote a folder, or all that is in it; nil for people's own.
  mutating func author(of path: String) -> String? {
    var path = path
    // Runs lie in a folder of theirs, and that may lie in another.
    for _ in 0..<4 {
      guard let glance = glance(path) else { return nil }
      if let author = glance.author { return author }
      guard !glance.hasImages, let inner = glance.folders.first else { return nil }
      path = Self.joined(path, inner.name)
    }
    return nil
  }

  /// `12 images`; `more than 5,000 images` where counting took too long.
  mutating func imageCount(_ path: String) -> String {
    var visited: Set<FileIdentity> = []
    var stack = [path]
    var (images, entries) = (0, 0)
    while let path = stack.popLast() {
      guard let glance = glance(path), visited.insert(glance.identity).inserted, glance.author == nil else {
        continue
      }
      stack += glance.folders.map { Self.joined(path, $0.name) }
      let folder = absolute(path)
      _ = try? FolderListing.visit(folder) { name, type in
        guard type != FolderListing.folder, entries <= Self.entriesCounted else { return }
        entries += 1
        if ImageFormat.isImageName(name) { images += 1 }
      }
      if entries > Self.entriesCounted || visited.count > Self.foldersSearched {
        return "more than \(images) images"
      }
    }
    // One whose name does not say that it is one.
    if images == 0 { return "images" }
    return images == 1 ? "1 image" : "\(images) images"
  }
}

extension FolderListing {
  static let (regularFile, folder) = (Int32(DT_REG), Int32(DT_DIR))
}
