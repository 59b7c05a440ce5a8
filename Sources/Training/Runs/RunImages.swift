// The images a run was trained on, known again wherever they are now: by their paths below the dataset's folder and
// their sizes. An image that was trained on is then never taken for one that the network has not seen.

import Datasets
import Files
import Messages
import Support
import Tensors

/// Where a run's images were and how they were divided.
struct RunImages {
  /// The folder in the run's record.
  let data: String
  let split: SplitSettings
  private let fingerprint: String
  private let manifestPath: String
  /// The split that each image had, where the rule decides; nil where that is not known.
  let recordedSplits: RecordedSplits?

  init(_ record: RunRecord, in run: RunFolder) {
    data = record.settings.data
    split = record.settings.split
    fingerprint = record.splitFingerprint
    manifestPath = run.manifestPath
    recordedSplits = (try? ImageManifest(path: run.manifestPath))?.recordedSplits()
  }

  /// Whether a folder is the one the run was trained on, whichever way it is named.
  func isPlace(_ folder: String) -> Bool { FilePath.real(folder) == FilePath.real(data) }

  /// Whether the images of another folder are those of the run, moved or copied: at least half of them, or of the
  /// run's, have the path and the size of one of the run's. Where the run's own folder is still there, the files' bytes
  /// decide: pictures drawn by one program may well have equal names and sizes.
  func areHeld(by index: DatasetIndex) -> Bool {
    guard let before = try? ImageManifest(path: manifestPath) else {
      // A run whose list is gone: of its images only a fingerprint is known.
      return (try? DatasetIndex.scan(root: index.root, split: split(in: index.root)))?.fingerprint == fingerprint
    }
    let now = ImageManifest(of: index)
    // By canonical form: a Mac's archive spells accented letters in its own way.
    let known = Dictionary(
      before.entries.map { (ClassName($0.key.text), $0.value) }, uniquingKeysWith: { first, _ in first })
    let same = now.entries.filter { path, entry in
      guard let known = known[ClassName(path.text)] else { return false }
      return known.size == entry.size || known.size == nil || entry.size == nil
    }.keys.map(\.text).sorted()
    guard !same.isEmpty, 2 * same.count >= min(now.entries.count, before.entries.count) else { return false }
    return haveBytesOfTheRun(same, in: index.root) ?? true
  }

  /// So many files are compared, evenly spread.
  private static let compared = 64

  /// Whether most of these images are the same files in both folders; nil where the run's folder has none of them.
  private func haveBytesOfTheRun(_ paths: [String], in root: String) -> Bool? {
    var (equal, other) = (0, 0)
    for place in stride(from: 0, to: paths.count, by: max(1, paths.count / Self.compared)) {
      guard let old = try? InputFile.contents(of: "\(data)/\(paths[place])", bound: SizeBound.imageFile),
        let new = try? InputFile.contents(of: "\(root)/\(paths[place])", bound: SizeBound.imageFile)
      else { continue }
      if old == new { equal += 1 } else { other += 1 }
    }
    return equal + other > 0 ? equal >= other : nil
  }

  /// The folders that were named for the run's splits, if another dataset has them all.
  func folders(in data: String) -> SplitFolders? {
    split.folders.flatMap { folders in
      folders.named.allSatisfy { FilePath.isFolder($0.folder.path(from: data)) ?? false } ? folders : nil
    }
  }

  /// The run's division of its images in another folder: lists that lie in the dataset are looked for in the new place.
  func split(in folder: String) -> SplitSettings {
    var moved = split
    moved.lists = split.lists.map { lists in
      guard let below = FilePath.relative(lists, below: data) else { return lists }
      return "\(folder)/\(below)"
    }
    return moved
  }
}

extension ImageManifest {
  /// Sixteen hexadecimal digits that stand for the images' paths, classes, splits and sizes.
  var fingerprint: String {
    let sorted = entries.sorted { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }
    let hash = sorted.reduce(stableHash("")) { hash, image in
      let (path, entry) = image
      let size = entry.size.map(String.init) ?? "-"
      return stableHash("\(entry.split)\0\(entry.name)\0\(size)\0\(path.text)\n".utf8, from: hash)
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension RunFolder {
  /// The images that the run was started on, for each class, in natural order; none where it does not say.
  public func startedImages(in split: Split) -> [ClassName: [String]] {
    guard let manifest = try? ImageManifest(path: manifestPath) else { return [:] }
    var images: [ClassName: [String]] = [:]
    for (path, entry) in manifest.entries where entry.split == split.rawValue {
      images[ClassName(entry.name), default: []].append(path.text)
    }
    return images.mapValues { $0.sorted { NaturalOrder.precedes($0, $1) } }
  }
}
