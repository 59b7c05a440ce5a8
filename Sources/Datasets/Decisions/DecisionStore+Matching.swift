// How well a file of decisions fits a dataset: by the contents of some of its images, at the same level or another, and
// whether what it is about has moved. What follows from that is for DecisionStore+Finding.swift.

import Files
import FoundationEssentials
import Glibc
import Messages
import Support

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

  /// A file of decisions and how it fits a dataset.
  struct Match {
    var candidate: Candidate
    var fit: Fit
    /// How its paths become paths here, where it is about the same images at another level.
    var shift: LevelShift?
    /// Only the names are the same: the files have other contents.
    var isByName = false
  }

  /// How a candidate fits a dataset that does not lie where it did, or is reached at another level, by the contents of
  /// images.
  func match(_ candidate: Candidate, _ reading: ScannedDataset, _ sampler: inout ContentSampler) -> Match {
    guard let samples = candidate.identity?.samples, !samples.isEmpty else {
      return pathMatch(candidate, reading, &sampler)
    }
    var match = Match(candidate: candidate, fit: .none)
    var share = sampler.share(of: samples)
    if share < Self.similarShare,
      let shifted = sampler.shifted(samples, isHere: { $0.isHere($1) == true })
    {
      (share, match.shift) = (shifted.share, shifted.shift)
    }
    if share >= Self.copyShare || share >= Self.certainShare && isMoved(candidate, reading, match.shift) {
      match.fit = .certain
    } else if share >= Self.similarShare {
      match.fit = .similar
    } else {
      match.shift = nil
    }
    return match
  }

  /// The same of a file of an earlier version, or one written by hand, which knows nothing but paths.
  private func pathMatch(
    _ candidate: Candidate, _ reading: ScannedDataset, _ sampler: inout ContentSampler
  ) -> Match {
    var match = Match(candidate: candidate, fit: .none)
    guard let decisions = try? candidate.decisions(), !decisions.isEmpty else { return match }
    let shift = candidate.folder.flatMap {
      LevelShift(between: FilePath.real($0), and: FilePath.real(reading.root))
    }
    if let shift, FilePath.isFolder(candidate.folder ?? "") == true {
      let paths = decisions.list.compactMap { shift.here($0.path) }
      if !paths.isEmpty, paths.allSatisfy({ sampler.path(of: $0) != nil }) {
        (match.fit, match.shift) = (.certain, shift)
      }
      return match
    }
    let here = decisions.list.filter { sampler.path(of: $0.path) != nil }
    guard here.count == decisions.list.count else { return match }
    match.fit = leadsHere(candidate, reading) ? .certain : .similar
    return match
  }

  /// Whether all names are the same and the contents are not: files that were saved again, it may be.
  func nameMatch(_ candidate: Candidate, _ sampler: inout ContentSampler) -> Match {
    var match = Match(candidate: candidate, fit: .none, isByName: true)
    guard let samples = candidate.identity?.samples, !samples.isEmpty else { return match }
    var share = sampler.nameShare(of: samples)
    if share < Self.copyShare, let shifted = sampler.shifted(samples, isHere: { $0.path(of: $1.path) != nil }) {
      (share, match.shift) = (shifted.share, shifted.shift)
    }
    if share >= Self.copyShare { match.fit = .similar } else { match.shift = nil }
    return match
  }

  /// Whether the place that a file is about is this dataset's by another name.
  private func leadsHere(_ candidate: Candidate, _ reading: ScannedDataset) -> Bool {
    candidate.folder.map { FilePath.isFolder($0) == true && FilePath.real($0) == FilePath.real(reading.root) }
      ?? false
  }

  /// Whether nothing is left of the dataset in the place that a file is about, or that place is this one.
  func isMoved(_ candidate: Candidate, _ reading: ScannedDataset, _ shift: LevelShift? = nil) -> Bool {
    guard let folder = candidate.folder else { return false }
    if leadsHere(candidate, reading) { return true }
    if let shift {
      let there = shift.from.isEmpty ? folder : "\(folder)/\(shift.from)"
      let here = shift.to.isEmpty ? reading.root : "\(reading.root)/\(shift.to)"
      if let identity = FileIdentity(folder: there), identity == FileIdentity(folder: here) { return true }
    }
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
}

extension DecisionStore.Match {
  /// The decisions by the paths that the images have here; those about images outside of what both hold are left out.
  func decisions(_ sampler: inout ContentSampler) throws(DatasetError) -> Decisions {
    let decisions = try candidate.decisions()
    guard let shift else { return decisions.renamed(&sampler) }
    var shifted = Decisions()
    for entry in decisions.list {
      if let path = shift.here(entry.path) { shifted.decide(path, as: entry) }
    }
    return shifted.renamed(&sampler)
  }
}
