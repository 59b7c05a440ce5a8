// Which decisions are about a dataset: those kept under its place or, where there are none, those about the same images
// in another place, since a folder may have been moved, renamed, mounted elsewhere or reached by another name. Nothing is
// written here: decisions found elsewhere are used from where they are until something is decided anew.

import Files
import Glibc
import Messages

/// The decisions about a dataset, and where they were found.
public struct FoundDecisions: Sendable {
  public var decisions: Decisions
  /// What a person should know about it: that they come from elsewhere, or cannot be had.
  public var findings: [DatasetFinding]
  /// The file that they are in; nil where there is none.
  public var file: String?
  /// Whether that file is the dataset's own, by its place.
  var isOwn = true
  /// The file is kept under this dataset's place, but is about other images.
  var isForeign = false
  /// Where they come from, nothing is left of that dataset, or it is the same by another name.
  var isMoved = false
}

extension DecisionStore {
  /// A file of decisions.
  struct Candidate {
    var file: String
    var content: [UInt8]
    var identity: DatasetIdentity?
    /// The folder that it is about.
    var folder: String?
    /// When it was changed last, in nanoseconds; to compare with others.
    var changed: Int

    func decisions() throws(DatasetError) -> Decisions {
      try Decisions(lines: LineFile.lines(of: content[...]), file: file)
    }
  }

  /// How well a file of decisions fits a dataset.
  enum Fit: Comparable {
    case none
    /// Some of it is the same; a person has to say whether it is meant.
    case similar
    case certain
  }

  /// The share of a dataset's samples that must be the same to be certain, where the dataset is gone from its place and
  /// where it is still there and this one is a copy; and to be worth asking.
  private static let certainShare = 0.75
  private static let copyShare = 0.95
  private static let similarShare = 0.25

  /// The decisions about a dataset.
  /// - Throws: `DatasetError.unreadableFile` or `.malformedLine` for decisions that are there and cannot be read:
  ///   nothing is trained on half of them. A folder of decisions that may not be entered is a finding.
  public func find(for reading: DatasetReading) throws(DatasetError) -> FoundDecisions {
    let own = file(forDataset: reading.root)
    if let refusal = refusal(own) { return FoundDecisions(decisions: .none, findings: [refusal]) }
    var sampler = ContentSampler(reading)
    guard let candidate = try candidate(file: own) else {
      return try elsewhere(for: reading, own: own, &sampler)
        ?? FoundDecisions(decisions: .none, findings: similarFindings(for: reading, own: own, &sampler))
    }
    var found = FoundDecisions(decisions: try candidate.decisions(), findings: [], file: own)
    if let identity = candidate.identity, !identity.samples.isEmpty, fit(candidate, reading, &sampler) == .none {
      if var moved = try elsewhere(for: reading, own: own, &sampler) {
        moved.isForeign = true
        return moved
      }
      found.isForeign = true
    }
    found.decisions = found.decisions.renamed(&sampler)
    found.findings = changedFindings(found.decisions, candidate, reading, &sampler)
    return found
  }

  /// How a candidate fits a dataset that does not lie where it did.
  func fit(_ candidate: Candidate, _ reading: DatasetReading, _ sampler: inout ContentSampler) -> Fit {
    if let identity = candidate.identity, !identity.samples.isEmpty {
      let share = sampler.share(of: identity.samples)
      guard share >= Self.similarShare else { return .none }
      guard share >= Self.certainShare else { return .similar }
      return share >= Self.copyShare || isMoved(candidate, reading) ? .certain : .similar
    }
    // A file of an earlier version, or one written by hand, knows nothing but paths.
    guard let decisions = try? candidate.decisions(), !decisions.isEmpty else { return .none }
    let here = decisions.list.filter { sampler.path(of: $0.path) != nil }
    guard here.count == decisions.list.count else { return .none }
    return leadsHere(candidate, reading) ? .certain : .similar
  }

  /// Whether the place that a file is about is this dataset's by another name.
  private func leadsHere(_ candidate: Candidate, _ reading: DatasetReading) -> Bool {
    candidate.folder.map { FilePath.isFolder($0) == true && FilePath.real($0) == FilePath.real(reading.root) }
      ?? false
  }

  /// Whether nothing is left of the dataset in the place that a file is about, or that place is this one.
  func isMoved(_ candidate: Candidate, _ reading: DatasetReading) -> Bool {
    guard let folder = candidate.folder else { return false }
    if leadsHere(candidate, reading) { return true }
    var status = stat()
    guard folder.withPathCString({ lstat($0, &status) }) != 0, errno == ENOENT || errno == ENOTDIR else {
      return !isThere(candidate, folder)
    }
    return true
  }

  /// Whether the images are still, or again, in the place that a file is about.
  private func isThere(_ candidate: Candidate, _ folder: String) -> Bool {
    guard let samples = candidate.identity?.samples, !samples.isEmpty else { return true }
    let left = samples.count { sample in
      var status = stat()
      let found = "\(folder)/\(sample.path)".withPathCString { stat($0, &status) }
      // What may not be looked at may be there.
      return found == 0 ? Int(status.st_size) == sample.size : errno != ENOENT && errno != ENOTDIR
    }
    return Double(left) >= Self.similarShare * Double(samples.count)
  }

  // MARK: Decisions from elsewhere

  private func elsewhere(
    for reading: DatasetReading, own: String, _ sampler: inout ContentSampler
  ) throws(DatasetError) -> FoundDecisions? {
    var certain: [(candidate: Candidate, isMoved: Bool)] = []
    for candidate in candidates(except: own) where fit(candidate, reading, &sampler) == .certain {
      certain.append((candidate, isMoved(candidate, reading)))
    }
    // What is left behind by a move belongs to what was moved; of several the latest.
    certain.sort { ($0.isMoved ? 1 : 0, $0.candidate.changed) > ($1.isMoved ? 1 : 0, $1.candidate.changed) }
    guard let (candidate, isMoved) = certain.first else { return nil }
    let decisions = try candidate.decisions().renamed(&sampler)
    var findings: [DatasetFinding] = []
    if !decisions.isEmpty {
      let count = decisions.list.count
      let folder = candidate.folder ?? candidate.file
      let others =
        certain.count > 1 ? "; so would \(certain.dropFirst().map(\.candidate.file).joined(separator: ", "))" : ""
      findings.append(
        DatasetFinding(
          kind: .decisionsMoved, severity: .note, paths: [],
          message:
            "\(count == 1 ? "1 decision" : "\(count) decisions") about these images \(count == 1 ? "was" : "were") "
            + (isMoved
              ? "made when they lay in \(folder), and \(count == 1 ? "holds" : "hold") here"
              : "made in \(folder), which holds the same images, and \(count == 1 ? "counts" : "count") here too")
            + others,
          advice: isMoved
            ? "to keep \(count == 1 ? "it" : "them") under the new name: skipline decisions \(shellQuoted(reading.root)) "
              + "--adopt \(shellQuoted(candidate.file))"
            : "what is decided here from now on is kept apart"))
    }
    return FoundDecisions(
      decisions: decisions, findings: findings + changedFindings(decisions, candidate, reading, &sampler),
      file: candidate.file, isOwn: false, isMoved: isMoved)
  }

  /// Decisions that may be about the same dataset: nothing is done with them unasked.
  private func similarFindings(
    for reading: DatasetReading, own: String, _ sampler: inout ContentSampler
  ) -> [DatasetFinding] {
    var similar: [Candidate] = []
    for candidate in candidates(except: own) where fit(candidate, reading, &sampler) == .similar {
      if let decisions = try? candidate.decisions(), decisions.isEmpty { continue }
      similar.append(candidate)
    }
    return similar.map { candidate in
      DatasetFinding(
        kind: .decisionsMoved, severity: .warning,
        message: "decisions about \(candidate.folder ?? "a dataset"), which looks like this one, are kept in "
          + "\(candidate.file), and are not used",
        advice: "if they are meant: skipline decisions \(shellQuoted(reading.root)) --adopt "
          + shellQuoted(candidate.file))
    }
  }

  /// Decided images whose files are others than they were.
  private func changedFindings(
    _ decisions: Decisions, _ candidate: Candidate, _ reading: DatasetReading, _ sampler: inout ContentSampler
  ) -> [DatasetFinding] {
    var changed: [String] = []
    for sample in candidate.identity?.samples ?? [] {
      guard let path = sampler.path(of: sample.path), decisions[path] != nil else { continue }
      if sampler.isHere(sample) == false { changed.append(path) }
    }
    guard let first = changed.first else { return [] }
    let count = changed.count
    return [
      DatasetFinding(
        kind: .staleDecision, severity: .warning, paths: changed,
        message:
          "\(count == 1 ? "1 decision is" : "\(count) decisions are") about images that have another content "
          + "since: \(first)\(count > 1 ? ", ..." : "")",
        advice:
          "they hold all the same; take one back with skipline include DATA FILE, or skipline relabel DATA FILE "
          + "--to CLASS")
    ]
  }

  // MARK: Files

  /// All files of decisions but one, in the order of their names. What cannot be read is left out: it is not known to
  /// be about this dataset.
  func candidates(except own: String) -> [Candidate] {
    let names = (try? Folder.names(in: folder)) ?? []
    return names.filter { $0.hasSuffix(".txt") && !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }
      .filter { ByteKey($0) != ByteKey(own) }
      .compactMap { file in (try? candidate(file: file)) ?? nil }
  }

  /// A file of decisions; nil where there is none.
  /// - Throws: `DatasetError.unreadableFile`.
  func candidate(file: String) throws(DatasetError) -> Candidate? {
    guard let content = try LineFile.content(of: file) else { return nil }
    var status = stat()
    _ = file.withPathCString { stat($0, &status) }
    let identity = DatasetIdentity(content: content)
    return Candidate(
      file: file, content: content, identity: identity,
      folder: identity?.folder ?? DatasetIdentity.folder(ofEarlierFile: content),
      changed: Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec))
  }

  /// A warning where the folder of decisions may not be looked into: another user's home, for instance.
  private func refusal(_ file: String) -> DatasetFinding? {
    var status = stat()
    guard file.withPathCString({ stat($0, &status) }) != 0, errno == EACCES || errno == EPERM else { return nil }
    return DatasetFinding(
      kind: .decisionsMoved, severity: .warning,
      message: "decisions about these images cannot be looked for: \(folder) may not be read "
        + "(\(SystemError(number: errno)))",
      advice:
        "if there are any, set HOME to your own, or XDG_CONFIG_HOME to the folder that holds skipline/decisions")
  }
}

extension Decisions {
  /// The same by the paths that the images have on disk, where these are other Unicode spellings.
  func renamed(_ sampler: inout ContentSampler) -> Decisions {
    var renamed = Decisions()
    for entry in list {
      let path = sampler.path(of: entry.path) ?? entry.path
      if entry.isExcluded { renamed.exclude(path) }
      if let name = entry.className { renamed.relabel(path, to: name) }
    }
    return renamed
  }

  /// With all decisions of another set about images that nothing is decided about here.
  func merged(with others: Decisions) -> Decisions {
    var merged = self
    for entry in others.list where self[entry.path] == nil {
      if entry.isExcluded { merged.exclude(entry.path) }
      if let name = entry.className { merged.relabel(entry.path, to: name) }
    }
    return merged
  }
}
