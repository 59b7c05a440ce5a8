// Changes decisions on disk: one process at a time, and whoever reads finds the old ones or the new ones, complete.
// Decisions about another dataset are never written over: they are kept under another name.

import Files
import FoundationEssentials
import Glibc
import Messages
import Support

extension DecisionStore {
  /// Reads the decisions about a dataset, changes them, and writes them if that made a difference. The file is removed
  /// with the last decision. Other processes that change decisions wait meanwhile. Decisions that were found under
  /// another place are written under this one; they stay where they were but for those of this very folder, which was
  /// moved: a copy takes nothing away from what it was copied from, wherever that is now.
  /// - Returns: the decisions as they are now.
  /// - Throws: `DatasetError` where the decisions that are there cannot be read; `DecisionsNotKept` where none can be
  ///   written; what `change` throws. Then nothing was changed.
  @discardableResult
  public func update(_ reading: ScannedDataset, _ change: (inout Decisions) throws -> Void) throws -> Decisions {
    try locked {
      let found = try find(for: reading)
      var decisions = found.decisions
      try change(&decisions)
      guard decisions != found.decisions else { return decisions }
      try write(decisions, about: reading, found)
      return decisions
    }
  }

  /// Takes over decisions that were made about a dataset in another place, or under another name. What is decided here
  /// already wins.
  /// - Parameter source: a file of decisions, or the folder in which the dataset lay, whether it is still there or not.
  /// - Returns: the decisions as they are now, and how many came from elsewhere.
  /// - Throws: `DatasetError.noDecisions`, and as `update`.
  public func adopt(
    _ source: String, for reading: ScannedDataset
  ) throws -> (decisions: Decisions, adopted: Int, from: String) {
    try locked {
      var sampler = ContentSampler(reading)
      let own = file(forDataset: reading.root)
      let candidate = try candidate(named: source, except: own)
      var match = match(candidate, reading, &sampler)
      // Whoever adopts says that the images are the same.
      if match.fit == .none { match = nameMatch(candidate, &sampler) }
      let others = try match.decisions(&sampler)
      var found = try find(for: reading)
      // Without what is only used here because it was found: it comes by adoption, or not.
      if !found.isOwn { found.decisions = .none }
      let decisions = found.decisions.merged(with: others)
      // At another level, and for what was moved where this was only copied, it is still needed.
      let place = candidate.identity?.place
      let isMoved =
        match.shift == nil && isMoved(candidate, reading)
        && (place == nil || place == DatasetIdentity.place(of: reading.root))
      if candidate.file != own {
        (found.isOwn, found.isMoved, found.file) = (false, isMoved, candidate.file)
        try write(decisions, about: reading, found)
      }
      return (decisions, decisions.list.count - found.decisions.list.count, candidate.folder ?? candidate.file)
    }
  }

  /// Never again speaks of decisions about another dataset that looks like this one, nor uses them.
  /// - Parameter source: as for `adopt`.
  /// - Returns: the folder that they are about, or their file.
  /// - Throws: as `adopt`.
  public func ignore(_ source: String, for reading: ScannedDataset) throws -> String {
    try locked {
      let own = file(forDataset: reading.root)
      let candidate = try candidate(named: source, except: own)
      guard ByteKey(candidate.file) != ByteKey(own) else { throw DatasetError.ownDecisions(path: source) }
      var found = try find(for: reading)
      // What is used here without being kept here goes with its file.
      if !found.isOwn, found.file == candidate.file { (found.decisions, found.isMoved) = (.none, false) }
      let name = FilePath.split(candidate.file).name
      if !found.ignored.contains(where: { $0.hasSameBytes(as: name) }) { found.ignored.append(name) }
      try write(found.decisions, about: reading, found)
      return candidate.folder ?? candidate.file
    }
  }

  private func candidate(named source: String, except own: String) throws -> Candidate {
    if FilePath.isFolder(source) == false, let candidate = try candidate(file: source) { return candidate }
    if let candidate = try candidate(file: file(forDataset: source)) { return candidate }
    // A folder that is gone had its real path when something was decided.
    let names = Set([FilePath.absolute(source), FilePath.real(source), realAsFarAsThere(source)].map(ByteKey.init))
    let about = candidates(except: own).filter { $0.folder.map { names.contains(ByteKey($0)) } ?? false }
    guard let latest = about.max(by: { $0.changed < $1.changed }) else {
      // It may have been moved since, and use what is kept under its earlier place.
      if FilePath.isFolder(source) == true,
        let reading = try? ScannedDataset.read(root: source, split: SplitSettings(), minimumClasses: 1),
        let file = try find(for: reading).file, let candidate = try candidate(file: file)
      {
        return candidate
      }
      throw DatasetError.noDecisions(path: source, folder: folder)
    }
    return latest
  }

  /// With links followed in the part of a path that exists.
  private func realAsFarAsThere(_ path: String) -> String {
    let path = FilePath.absolute(path)
    guard path != "/", FilePath.isFolder(path) == nil else { return FilePath.real(path) }
    let (folder, name) = FilePath.split(path)
    let above = realAsFarAsThere(folder)
    return above == "/" ? "/\(name)" : "\(above)/\(name)"
  }

  private func write(_ decisions: Decisions, about reading: ScannedDataset, _ found: FoundDecisions) throws {
    let own = file(forDataset: reading.root)
    do {
      if found.isForeign { try setAside(own) }
      var sampler = ContentSampler(reading)
      // A dataset of which a copy has decisions keeps an empty file, or it would be given the copy's.
      let isNeeded =
        !decisions.isEmpty || !found.ignored.isEmpty
        || isClaimed(reading, except: own, moved: found.isMoved ? found.file : nil)
      if isNeeded {
        var identity = sampler.identity(of: reading, decisions)
        identity.ignored = found.ignored
        let text = decisions.text(dataset: FilePath.real(reading.root)) + identity.text
        try AtomicFile.write(Data(text.utf8), to: own)
      } else {
        try remove(own)
      }
      // Last: a crash before leaves both, and the new one is the dataset's own.
      if !found.isOwn, found.isMoved, let old = found.file, ByteKey(old) != ByteKey(own) { try remove(old) }
    } catch let error as FileOperationError {
      throw DecisionsNotKept(reason: error)
    }
  }

  /// Whether decisions about another dataset, of the same images, would be used here if there were none.
  private func isClaimed(_ reading: ScannedDataset, except own: String, moved: String?) -> Bool {
    var sampler = ContentSampler(reading)
    for candidate in candidates(except: own) where candidate.file != moved {
      let match = match(candidate, reading, &sampler)
      if match.fit == .certain, (try? match.decisions(&sampler).isEmpty) != true { return true }
    }
    return false
  }

  /// Gives a file of decisions about other images a name under which it is still found by what it is about.
  private func setAside(_ file: String) throws(FileOperationError) {
    let stem = file.hasSuffix(".txt") ? String(file.dropLast(".txt".count)) : file
    var number = 1
    while FilePath.isFolder("\(stem)-\(number).txt") != nil { number += 1 }
    try FileCalls.system.move(file, to: "\(stem)-\(number).txt")
  }

  private func remove(_ file: String) throws(FileOperationError) {
    guard file.withPathCString({ unlink($0) }) == 0 || errno == ENOENT else {
      throw FileOperationError(path: file, step: .remove, code: errno)
    }
  }

  private func locked<Result>(_ body: () throws -> Result) throws -> Result {
    do { try Folder.make(folder) } catch { throw DecisionsNotKept(reason: error) }
    let lock = folder.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard lock >= 0 else {
      throw DecisionsNotKept(reason: FileOperationError(path: folder, step: .open, code: errno))
    }
    // Closing gives the lock up.
    defer { close(lock) }
    // Some network file systems know no locks; two people deciding at the same moment are rare enough.
    while flock(lock, LOCK_EX) != 0 && errno == EINTR {}
    return try body()
  }
}

/// Decisions that cannot be written.
public struct DecisionsNotKept: Error, Equatable, CustomStringConvertible {
  public var reason: FileOperationError

  public var description: String {
    "the decision is not kept: \(reason.summary); free some space there or change its permissions, or set XDG_CONFIG_HOME "
      + "to a folder of your own"
  }
}
