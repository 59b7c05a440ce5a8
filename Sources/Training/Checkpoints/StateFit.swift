// How the arrays of a file are those of a network: by names and shapes alone, from the file's header and the network's
// plan, before weights are read or made. Every array of the network must be there, and none besides that could be
// another network's.

import Messages
import Networks
import Support
import WeightFiles

/// The file's names for a network's arrays.
struct StateFit {
  /// What to do about a classifier that is not the network's.
  enum Classifier {
    /// It has to be there.
    case required
    /// It may be missing, or be for other classes, whose rows are read all the same.
    case ofOtherClasses
  }

  /// The network's names to the file's; without the classifier's where that has other inputs, or none.
  let stored: [String: String]
  /// Whether the file has the classifier, in the network's shape.
  let hasClassifier: Bool
  /// Whether it has one of the same inputs for other classes, or as many of another order.
  let hasClassifierOfOtherClasses: Bool
  /// The extents of the file's classifier, [classes, inputs]; nil where it has none.
  let classifierShape: [Int]?
  /// How the file's names were read.
  let reading: NameReading
  /// Arrays beside the network's that are not taken: they stand elsewhere, as of a module that wrapped it.
  let besides: [String]

  /// - Parameter network: how the network is called in the message: "the network", or "the network it describes".
  /// - Throws: `CheckpointError.doesNotFit`.
  init(
    _ plan: NetworkPlan, _ outline: WeightsOutline, classifier policy: Classifier = .required,
    network: String = "the network"
  ) throws {
    let file = FileArrays(outline)
    let state = plan.state
    let comparisons = NameReading.all(of: file.names, anchors: RegisteredNetwork.anchors(of: state)).map {
      ArrayComparison(plan, file, $0, policy: policy)
    }
    let whole = comparisons.filter(\.mismatch.isEmpty)
    let least = whole.map(\.besides.count).min()
    let fits = whole.filter { $0.besides.count == least }
    if let first = fits.first, let second = fits.first(where: { $0.stored != first.stored }) {
      throw CheckpointError.doesNotFit(
        path: file.path, reason: Self.twice(first.reading, second.reading, file.path))
    }
    // Of those that do not fit, the one that comes nearest says what is wrong.
    guard let best = fits.first ?? comparisons.max(by: { $0.matches < $1.matches }), best.mismatch.isEmpty else {
      let nearest = comparisons.max { $0.matches < $1.matches } ?? comparisons[0]
      let advice = StateAdvice(plan, file, nearest)
      throw CheckpointError.doesNotFit(
        path: file.path, reason: nearest.mismatch.text(network: network) + "; " + advice.text)
    }
    var stored = best.stored
    let prefixOfCount = Dictionary(
      file.counts.map { (String($0.dropLast(FileArrays.countSuffix.count)), $0) },
      uniquingKeysWith: { first, _ in first })
    for entry in state where entry.kind == .runningMean {
      let norm = String(entry.name.dropLast(".running_mean".count))
      guard let mean = best.stored[entry.name],
        let count = prefixOfCount[String(mean.dropLast(".running_mean".count))]
      else { continue }
      stored[norm + FileArrays.countSuffix] = count
    }
    self.stored = stored
    hasClassifier = best.hasClassifier
    hasClassifierOfOtherClasses = best.hasClassifierOfOtherClasses
    classifierShape = best.classifierShape
    reading = best.reading
    besides = best.besides
  }

  /// What a file says that has the network more than once, as of a student and a teacher.
  private static func twice(_ first: NameReading, _ second: NameReading, _ path: String) -> String {
    let places = [first, second].map { "'\($0.prefix ?? "")'" }.joined(separator: " and ")
    return "it has the network more than once, under \(places): take one out, "
      + StateAdvice.extraction(path: path, prefix: first.prefix ?? "")
  }
}

/// What to do about a file that does not fit.
struct StateAdvice {
  let text: String

  init(_ plan: NetworkPlan, _ file: FileArrays, _ comparison: ArrayComparison) {
    let mismatch = comparison.mismatch
    let (path, classifier) = (file.path, plan.classifier)
    if mismatch.missing.isEmpty, mismatch.surplus.isEmpty, let classes = comparison.classifierShape?.first,
      mismatch.misshapen.allSatisfy({ $0.name.hasPrefix(classifier + ".") })
    {
      text = "it tells \(classes) classes apart and not \(plan.classes): name as many"
    } else if mismatch.missing.count == 2, mismatch.misshapen.isEmpty, mismatch.surplus.isEmpty,
      mismatch.missing.contains(classifier + ".weight")
    {
      text = "it has no classifier: start a run from it with train --weights"
    } else if let heads = Self.ofHeads(plan, mismatch) {
      text = heads
    } else if let part = path.firstMatch(of: /-\d{5}-of-\d{5}(\.safetensors|\.bin)$/) {
      text = "it is one file of several: name their index, \(path.replacing(part.0, with: part.1 + ".index.json"))"
    } else if let network = file.recognized() {
      text = "it looks like \(network.text)"
    } else if let names = ForeignNames(file.names) {
      text = names.text
    } else if let prefix = comparison.reading.prefix, !prefix.isEmpty,
      comparison.matches > plan.state.count / 2, !comparison.besides.isEmpty
    {
      text =
        "most of the network's arrays stand under '\(prefix)' beside others: take these alone, "
        + Self.extraction(path: path, prefix: prefix)
    } else {
      text = "check --net, --shortcut, --block, --stem, --width and the number of classes"
    }
  }

  /// Where a file is right but for auxiliary heads.
  static func ofHeads(_ plan: NetworkPlan, _ mismatch: StateMismatch) -> String? {
    guard mismatch.misshapen.isEmpty, mismatch.surplus.isEmpty, !mismatch.missing.isEmpty,
      mismatch.missing.allSatisfy(plan.isOfHead)
    else { return nil }
    return "it has no auxiliary heads: leave --aux-heads out"
  }

  static func extraction(path: String, prefix: String) -> String {
    let program =
      #"import sys;from safetensors.torch import load_file as r,save_file as w;p=sys.argv[3];"#
      + #"w({k[len(p):]:v for k,v in r(sys.argv[1]).items() if k.startswith(p)},sys.argv[2])"#
    let target = path.hasSuffix(".safetensors") ? String(path.dropLast(".safetensors".count)) : path
    return "with Python's torch and safetensors: python3 -c \(shellQuoted(program)) \(shellQuoted(path)) "
      + "\(shellQuoted(target + "-network.safetensors")) \(shellQuoted(prefix))"
  }
}
