// Findings about transparency: colors that a file hides, and transparency that goes with the class.

import Messages

extension DatasetIndex {
  /// Transparency is taken for a mark of a class where at least so many of its images have it, and at most so few of
  /// another's.
  static let markingShare = 0.9
  static let unmarkedShare = 0.1

  /// One finding for all images that hide colors, and one where classes can be told apart by transparency alone.
  func transparencyFindings(_ facts: [ImageFacts]) -> [DatasetFinding] {
    var images = [Int](repeating: 0, count: classes.count)
    var transparent = images
    var hiding: [String] = []
    for (item, fact) in zip(items, facts) where fact.failure == nil {
      images[item.label] += 1
      if fact.transparency.isUsed { transparent[item.label] += 1 }
      if fact.transparency.hidesColors { hiding.append(item.path) }
    }
    var findings: [DatasetFinding] = []
    let all = images.indices.filter { images[$0] > 0 }
    func share(_ label: Int) -> Double { Double(transparent[label]) / Double(images[label]) }
    let marked = all.filter { share($0) >= Self.markingShare }
    let unmarked = all.filter { share($0) <= Self.unmarkedShare }
    if let first = marked.first, let other = unmarked.first {
      findings.append(
        DatasetFinding(
          kind: .transparency, severity: .warning, subject: classes[first],
          message:
            "\(transparent[first]) of \(images[first]) images of the class \"\(classes[first])\" are transparent "
            + "in places, and \(transparent[other]) of \(images[other]) of \"\(classes[other])\"",
          advice: "the network can learn the background that they are laid on instead of what they show: give all "
            + "classes the same kind of images, or choose --background like the others' own"))
    }
    let count = transparent.reduce(0, +)
    if !hiding.isEmpty {
      let places = hiding.count == 1 ? "1 of them has" : "\(hiding.count) of them have"
      findings.append(
        DatasetFinding(
          kind: .transparency, severity: .note, subject: hiding.count == 1 ? hiding[0] : nil, paths: hiding,
          message:
            "\(count == 1 ? "1 image is" : "\(count) images are") transparent in places; \(places) colors there "
            + "that nobody sees",
          advice: "they are laid on white, and such colors are not used; --background chooses another ground"))
    }
    return findings
  }
}
