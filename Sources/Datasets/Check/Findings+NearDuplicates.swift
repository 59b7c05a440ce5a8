// Findings about pictures that look the same but are not the same file: one for each group.

import Messages

extension DatasetIndex {
  /// - Parameters:
  ///   - similar: of distinct files.
  ///   - copies: groups of identical files; what is said of one of them is true of all.
  func nearDuplicateFindings(_ similar: SimilarImages, copies: [[Int]]) -> [DatasetFinding] {
    let copiesByFirst = Dictionary(uniqueKeysWithValues: copies.map { ($0[0], $0) })
    var findings = similar.groups.map { group in
      nearDuplicateFinding(
        ImageGroup(
          items: group.flatMap { copiesByFirst[$0] ?? [$0] }.sorted().map { items[$0] }, classes: classes))
    }
    if !similar.isComplete {
      findings.append(
        DatasetFinding(
          kind: .nearDuplicate, severity: .note,
          message: "so many images have nearly the same outline that not all pairs of them were compared",
          advice: "there may be more near duplicates than are listed"))
    }
    return findings
  }

  private func nearDuplicateFinding(_ images: ImageGroup) -> DatasetFinding {
    let first = images.items[0].path
    if images.labels.count > 1 {
      return DatasetFinding(
        kind: images.splits.count > 1 ? .nearDuplicateAcrossSplits : .nearDuplicate, severity: .warning,
        subject: first, paths: images.paths,
        message: "\(images.names) nearly the same image in the classes \(images.classesText)"
          + (images.splits.count > 1 ? ", in \(images.splitsText)" : ""),
        advice: "look at them: if they show the same thing, relabel (skipline relabel) or leave out all but one, "
          + "for instance \(excluding(images.dispensable.path))")
    }
    guard images.splits.count > 1 else {
      return DatasetFinding(
        kind: .nearDuplicate, severity: .note, subject: first, paths: images.paths,
        message: "\(images.names) nearly the same image, in \(images.splitsText) of the class "
          + images.classesText,
        advice: "one is enough: \(excluding(images.dispensable.path))")
    }
    return DatasetFinding(
      kind: .nearDuplicateAcrossSplits, severity: .warning, subject: first, paths: images.paths,
      message: "\(images.names) nearly the same image, in \(images.splitsText)",
      advice: "metrics may be too good; look at them and leave out all but one, for instance "
        + excluding(images.dispensable.path))
  }
}
