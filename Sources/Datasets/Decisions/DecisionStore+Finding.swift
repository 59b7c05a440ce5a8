// Which decisions are about a dataset: those kept under its place or, where there are none, those about the same images
// in another place, since a folder may have been moved, renamed, mounted elsewhere or reached by another name. Nothing
// is written here: decisions found elsewhere are used from where they are until something is decided anew.

import Files
import Glibc
import Messages
import Support

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
  /// They come from this very folder when it had another name or place: deciding anew takes their file away.
  var isMoved = false
  /// Files of decisions about other datasets that are not to be spoken of, by their names.
  var ignored: [String] = []
}

extension DecisionStore {
  /// The decisions about a dataset.
  /// - Throws: `DatasetError.unreadableFile` or `.malformedLine` for decisions that are there and cannot be read:
  ///   nothing is trained on half of them. A folder of decisions that may not be entered is a finding.
  public func find(for reading: ScannedDataset) throws(DatasetError) -> FoundDecisions {
    let own = file(forDataset: reading.root)
    if let refusal = refusal(own) { return FoundDecisions(decisions: .none, findings: [refusal]) }
    var sampler = ContentSampler(reading)
    guard let candidate = try candidate(file: own) else {
      return try elsewhere(for: reading, candidates(except: own), &sampler)
        ?? FoundDecisions(
          decisions: .none, findings: similarFindings(for: reading, candidates(except: own), &sampler))
    }
    var found = FoundDecisions(decisions: try candidate.decisions(), findings: [], file: own)
    if let identity = candidate.identity, !identity.samples.isEmpty {
      if match(candidate, reading, &sampler).fit == .none {
        if var moved = try elsewhere(for: reading, candidates(except: own), &sampler) {
          moved.isForeign = true
          return moved
        }
        found.isForeign = true
      } else {
        found.ignored = identity.ignored
      }
    }
    found.decisions = found.decisions.renamed(&sampler)
    found.findings = changedFindings(found.decisions, Match(candidate: candidate, fit: .certain), &sampler)
    let others = candidates(except: own).filter { !found.ignored.contains(FilePath.split($0.file).name) }
    found.findings += otherLevelFindings(found.decisions, for: reading, others, &sampler)
    // A file in which nothing is decided but whom to ignore: there may be others.
    if found.decisions.isEmpty, !found.ignored.isEmpty {
      found.findings += similarFindings(for: reading, others, &sampler, alsoCertain: true)
    }
    return found
  }

  // MARK: Decisions from elsewhere

  private func elsewhere(
    for reading: ScannedDataset, _ candidates: [Candidate], _ sampler: inout ContentSampler
  ) throws(DatasetError) -> FoundDecisions? {
    let place = DatasetIdentity.place(of: reading.root)
    var certain: [(match: Match, rank: Int, isMoved: Bool)] = []
    for candidate in candidates {
      let match = match(candidate, reading, &sampler)
      guard match.fit == .certain else { continue }
      let isMoved = isMoved(candidate, reading, match.shift)
      // The folder itself was here before, by whatever name.
      let isSame = match.shift == nil && place != nil && candidate.identity?.place == place
      certain.append((match, isMoved ? isSame ? 2 : 1 : 0, isMoved))
    }
    // What is left behind by a move belongs to what was moved; of several the latest.
    certain.sort { ($0.rank, $0.match.candidate.changed) > ($1.rank, $1.match.candidate.changed) }
    guard let first = certain.first else { return nil }
    var decisions = try first.match.decisions(&sampler)
    var sources = decisions.isEmpty ? [] : [first]
    // At several levels something else may be decided at each: train/ by itself, and all of it.
    var unused: [Match] = []
    for other in certain.dropFirst() {
      let theirs = try other.match.decisions(&sampler)
      if other.match.shift != first.match.shift {
        if !theirs.isEmpty { sources.append(other) }
        decisions = decisions.merged(with: theirs)
      } else {
        unused.append(other.match)
      }
    }
    var findings = sources.compactMap { source in
      usedFinding(source.match, isMoved: source.isMoved, reading, &sampler)
    }
    if !unused.isEmpty, let place = findings.indices.first {
      findings[place].message += "; so would " + unused.map(\.candidate.file).joined(separator: ", ")
    }
    for source in sources { findings += changedFindings(decisions, source.match, &sampler) }
    return FoundDecisions(
      decisions: decisions, findings: findings, file: first.match.candidate.file, isOwn: false,
      isMoved: first.rank == 2)
  }

  /// What is said of decisions from elsewhere that count here.
  private func usedFinding(
    _ match: Match, isMoved: Bool, _ reading: ScannedDataset, _ sampler: inout ContentSampler
  ) -> DatasetFinding? {
    guard let count = try? match.decisions(&sampler).list.count, count > 0 else { return nil }
    let folder = match.candidate.folder ?? match.candidate.file
    let isThere = FilePath.isFolder(folder) == true
    let (they, hold) = count == 1 ? ("it", "holds") : ("them", "hold")
    let made =
      match.shift != nil && isThere
      ? "made in \(folder), which has these images at another level, and \(count == 1 ? "counts" : "count") here too"
      : isMoved
        ? "made when they lay in \(folder), and \(hold) here"
        : "made in \(folder), which holds the same images, and \(count == 1 ? "counts" : "count") here too"
    return DatasetFinding(
      kind: .decisionsMoved, severity: .note, paths: [],
      message: "\(count == 1 ? "1 decision" : "\(count) decisions") about these images "
        + "\(count == 1 ? "was" : "were") \(made)",
      advice: isMoved && !(match.shift != nil && isThere)
        ? "to keep \(they) under the new name: skipline decisions \(shellQuoted(reading.root)) "
          + "--adopt \(shellQuoted(match.candidate.file))"
        : "what is decided here from now on is kept apart")
  }

  /// Decisions that may be about the same dataset: nothing is done with them unasked.
  /// - Parameter alsoCertain: whether those are told too that would be used if nothing were kept here.
  private func similarFindings(
    for reading: ScannedDataset, _ candidates: [Candidate], _ sampler: inout ContentSampler,
    alsoCertain: Bool = false
  ) -> [DatasetFinding] {
    var findings: [DatasetFinding] = []
    for candidate in candidates {
      var match = match(candidate, reading, &sampler)
      if match.fit == .none { match = nameMatch(candidate, &sampler) }
      guard match.fit == .similar || alsoCertain && match.fit == .certain else { continue }
      if let decisions = try? match.decisions(&sampler), decisions.isEmpty { continue }
      findings.append(
        DatasetFinding(
          kind: .decisionsMoved, severity: .warning,
          message: "decisions about \(candidate.folder ?? "a dataset"), "
            + (match.isByName
              ? "which looks like this one by the names of its images (their contents are others), "
              : "which looks like this one, ")
            + "are kept in \(candidate.file), and are not used",
          advice: choice(candidate, reading)))
    }
    return findings
  }

  /// Decisions about the same images that were made in a folder above or below this one, beside other ones made here.
  private func otherLevelFindings(
    _ own: Decisions, for reading: ScannedDataset, _ candidates: [Candidate], _ sampler: inout ContentSampler
  ) -> [DatasetFinding] {
    let root = FilePath.real(reading.root)
    var findings: [DatasetFinding] = []
    for candidate in candidates {
      guard let folder = candidate.folder, LevelShift(between: FilePath.real(folder), and: root) != nil else {
        continue
      }
      let match = match(candidate, reading, &sampler)
      guard match.fit != .none, let theirs = try? match.decisions(&sampler) else { continue }
      let count = theirs.list.count { own[$0.path] != $0 }
      guard count > 0 else { continue }
      findings.append(
        DatasetFinding(
          kind: .decisionsMoved, severity: .warning,
          message:
            "\(count == 1 ? "1 decision" : "\(count) decisions") about these images \(count == 1 ? "was" : "were") "
            + "made in \(folder) and \(count == 1 ? "is" : "are") not used here, where others are kept",
          advice: choice(candidate, reading)))
    }
    return findings
  }

  private func choice(_ candidate: Candidate, _ reading: ScannedDataset) -> String {
    let (command, file) = ("skipline decisions \(shellQuoted(reading.root))", shellQuoted(candidate.file))
    return
      "if they are meant: \(command) --adopt \(file); if not, to hear no more of them: \(command) --ignore \(file)"
  }

  /// Decided images whose files are others than they were.
  private func changedFindings(
    _ decisions: Decisions, _ match: Match, _ sampler: inout ContentSampler
  ) -> [DatasetFinding] {
    var changed: [String] = []
    let samples = match.candidate.identity?.samples ?? []
    for sample in match.shift?.here(samples) ?? samples {
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
          "they hold anyway; undo one with skipline include DATA FILE, or skipline relabel DATA FILE "
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
      renamed.decide(sampler.path(of: entry.path) ?? entry.path, as: entry)
    }
    return renamed
  }

  /// With all decisions of another set about images that nothing is decided about here.
  func merged(with others: Decisions) -> Decisions {
    var merged = self
    for entry in others.list where self[entry.path] == nil { merged.decide(entry.path, as: entry) }
    return merged
  }
}
