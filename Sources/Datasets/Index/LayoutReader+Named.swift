// The layout of a dataset whose splits the user named: `--train DIR`, `--val DIR`, `--test DIR`. A name that leads to
// no class folders is an error; splits that were not named are looked for beside the named ones.

import Files
import Messages
import Support

extension LayoutReader {
  /// - Throws: `DatasetError.splitFolder`, `.unclearLayout`.
  mutating func plan(_ named: SplitFolders) throws(DatasetError) -> LayoutPlan {
    var parts: [SplitPart] = []
    var tops: [String] = []
    for (split, folder) in named.named {
      let top = try path(of: folder, split)
      if let other = tops.firstIndex(where: { $0.hasSameBytes(as: top) }) {
        throw .splitFolder(
          split: split, folder: folder,
          reason: "it is the folder of the \(parts[other].split.title) images too; name another one")
      }
      tops.append(top)
      parts.append(SplitPart(path: top, split: split))
    }
    for index in parts.indices {
      let (split, folder) = named.named[index]
      // A folder that holds another split is not gone down in.
      let holdsOther = tops.indices.contains { $0 != index && Self.lies(tops[$0], in: tops[index]) }
      if !holdsOther { parts[index].path = innermost(tops[index]) }
      try require(parts[index], split, folder, others: tops)
    }
    // Nothing but class folders: they are divided by the rule, whatever they are called.
    if parts.count == 1, parts[0].split == .train, tops[0].isEmpty { return .classes(base: "") }
    // Where the dataset's folder itself is a split, all other folders in it are classes.
    let base = parent(of: tops[0])
    guard let base, tops.allSatisfy({ parent(of: $0)?.hasSameBytes(as: base) ?? false }) else {
      return .splits(parts)
    }
    let names = (survey.glance(base)?.folders ?? []).map(\.name).filter { name in
      let path = FolderSurvey.joined(base, name)
      return !tops.contains { $0.hasSameBytes(as: path) }
    }
    let rest = try addUnnamed(&parts, among: names, in: base)
    leaveOut(rest, in: base, beside: parts)
    noteEntered(parts, in: base)
    return .splits(parts)
  }

  /// Finds the splits that were not named, by the plain names for them.
  /// - Returns: the folders that are left.
  private mutating func addUnnamed(
    _ parts: inout [SplitPart], among names: [String], in base: String
  ) throws(DatasetError) -> [String] {
    var rest = names
    let found = names.compactMap { name in
      SplitFolderName.readings(of: name).first(where: \.isPlain).map { (name: name, role: $0.role) }
    }
    let named = parts.map(\.split)
    let roles =
      found.map(\.role)
      + named.map { split -> SplitRole in
        switch split {
        case .train: .train
        case .validation: .validation
        case .test: .test
        }
      }
    for missing in Split.allCases where !named.contains(missing) {
      let candidates = found.filter { $0.role.split(among: roles) == missing }.map { candidate in
        (name: candidate.name, path: innermost(FolderSurvey.joined(base, candidate.name)))
      }.filter { !survey.imageFolders(in: $0.path, atMost: 1).isEmpty }
      guard let first = candidates.first else { continue }
      guard candidates.count == 1 else {
        throw unclear(
          base, candidates.map { "\($0.name)/" }.joined(separator: " and ") + " mean \(missing.title) images",
          "say which is to be used, as with "
            + shellOption("--\(missing.rawValue)", FolderSurvey.joined(base, first.name)))
      }
      parts.append(SplitPart(path: first.path, split: missing))
      rest.removeAll { $0.hasSameBytes(as: first.name) }
    }
    return rest
  }

  /// A named folder's path below the dataset's; empty for that itself.
  private func path(of folder: String, _ split: Split) throws(DatasetError) -> String {
    func fail(_ reason: String) -> DatasetError { .splitFolder(split: split, folder: folder, reason: reason) }
    guard !folder.isEmpty else { throw fail("the name is empty; name a folder in \(root)") }
    var path = folder
    if folder.hasPrefix("/") {
      if FileIdentity(folder: folder) == FileIdentity(folder: root) { return "" }
      guard let below = FilePath.relative(folder, below: root) else {
        throw fail("it does not lie in \(root); name a folder in that")
      }
      path = below
    }
    let names = path.split(separator: "/").filter { $0 != "." }
    guard !names.contains("..") else { throw fail("a folder in \(root) is named without '..'") }
    path = names.joined(separator: "/")
    switch FilePath.isFolder(survey.absolute(path)) {
    case true?: return path
    case false?: throw fail("\(survey.absolute(path)) is a file, not a folder")
    case nil:
      throw fail(
        "there is no folder \(survey.absolute(path)); name one as it lies in \(root), as 'train', or from the root")
    }
  }

  private mutating func require(
    _ part: SplitPart, _ split: Split, _ folder: String, others: [String]
  ) throws(DatasetError) {
    func fail(_ reason: String) -> DatasetError { .splitFolder(split: split, folder: folder, reason: reason) }
    for other in others where Self.lies(other, in: part.path) && !part.path.isEmpty {
      // One in a class folder would take the class away.
      guard parent(of: other)?.hasSameBytes(as: part.path) ?? false else {
        throw fail("\(other)/ lies in one of its classes; move it out of there")
      }
    }
    let classes = survey.imageFolders(in: part.path).filter { name in
      let path = FolderSurvey.joined(part.path, name)
      return !others.contains { $0.hasSameBytes(as: path) || Self.lies($0, in: path) }
    }
    if !classes.isEmpty { return }
    let place = survey.absolute(part.path)
    if survey.isUnreadable(part.path) {
      throw fail("\(place) may not be read; ask its owner for the right to, or give it to yourself with chmod")
    }
    throw fail(
      survey.holdsImages(part.path)
        ? "\(place) holds its images directly, not in class folders; put those of each class in a folder of their own"
        : "\(place) holds no images that can be read; name the folder that holds the class folders")
  }

  /// nil for the dataset's folder itself.
  private func parent(of path: String) -> String? {
    if path.isEmpty { return nil }
    return path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
  }

  private static func lies(_ path: String, in folder: String) -> Bool {
    if folder.isEmpty { return !path.isEmpty }
    return path.utf8.starts(with: "\(folder)/".utf8)
  }
}
