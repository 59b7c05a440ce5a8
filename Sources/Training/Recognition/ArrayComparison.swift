// A network's arrays compared with those of a file, by names and shapes: which array of the file is which of the
// network's, and what is missing, misshapen or left over.

import Networks

/// A comparison of a network's plan with one reading of a file's names.
struct ArrayComparison {
  let reading: NameReading
  /// The network's names to the file's, of arrays that are taken; the classifier's also where it is of other classes.
  private(set) var stored: [String: String] = [:]
  private(set) var mismatch = StateMismatch()
  /// Whether the file has the classifier, in the network's shape.
  private(set) var hasClassifier = false
  /// Whether it has one of the same inputs for other classes, or as many of another order.
  private(set) var hasClassifierOfOtherClasses = false
  /// The extents of the file's classifier, [classes, inputs]; nil where it has none.
  private(set) var classifierShape: [Int]?
  /// What the classifier is called in the file, without `.weight`; nil where it is called as here.
  private(set) var classifierName: String?
  /// Arrays of the file behind the wrapper's words or before, that are not taken, sorted.
  private(set) var besides: [String] = []
  /// Those of auxiliary heads that the network is without, sorted.
  private(set) var passedOver: [String] = []

  /// How many arrays fit.
  var matches: Int { stored.count }

  /// - Parameter policy: what to do about a classifier that is not the network's.
  init(
    _ plan: NetworkPlan, _ file: FileArrays, _ reading: NameReading, policy: StateFit.Classifier
  ) {
    self.reading = reading
    let state = plan.state
    var names = reading.stored
    var outside = Set(reading.outside)
    let ends = plan.classifierArrays
    let own = state.filter { ends.contains($0.name) }
    let known = Set(state.map(\.name))
    if names[ends[0]] == nil, let weight = own.first(where: { $0.name == ends[0] }),
      let other = Self.otherClassifier(
        of: names.filter { !known.contains($0.key) && !plan.passesOver($0.key) }.map(\.value) + reading.outside,
        inputs: weight.shape.dropFirst().reduce(1, *), file)
    {
      classifierName = other
      let stored = [other + ".weight", other + ".bias"]
      names = names.filter { !stored.contains($0.value) }
      outside.subtract(stored)
      for (end, name) in zip(ends, stored) where file.shapes[name] != nil { names[end] = name }
    }
    func shape(_ name: String) -> [Int]? { names[name].flatMap { file.shapes[$0] } }

    hasClassifier = own.allSatisfy { entry in shape(entry.name).map { holdsTheSame($0, as: entry.shape) } == true }
    let found = ends.map { shape($0) }
    classifierShape = found[0].flatMap { found in
      found.count < 2 ? found : [found[0], found.contains(0) ? 0 : found.dropFirst().reduce(1, *)]
    }
    let inputs = own.first { $0.name == ends[0] }?.shape.dropFirst().reduce(1, *)
    hasClassifierOfOtherClasses =
      policy == .ofOtherClasses && !hasClassifier && classifierShape?.count == 2 && classifierShape?[1] == inputs
      && found[1] == found[0].map { [$0[0]] }
    let needsNone = policy == .ofOtherClasses && !hasClassifier
    // Auxiliary heads know the classes that the classifier knows.
    let headEnds = needsNone ? plan.headClassifierArrays : []

    for entry in state where !(needsNone && ends.contains(entry.name)) {
      guard let name = names[entry.name], let found = file.shapes[name] else {
        mismatch.missing.append(entry.name)
        continue
      }
      let isOfOtherClasses =
        headEnds.contains(entry.name) && found.first == classifierShape?.first
        && found.dropFirst() == entry.shape.dropFirst()
      if isOfOtherClasses || holdsTheSame(found, as: entry.shape) {
        stored[entry.name] = name
      } else {
        mismatch.misshapen.append((entry.name, found, entry.shape))
      }
    }
    if hasClassifierOfOtherClasses {
      for end in ends { stored[end] = names[end] }
    }
    mismatch.surplus = names.keys.filter { !known.contains($0) && !plan.passesOver($0) }.sorted()
    besides = outside.sorted()
    passedOver = names.filter { !known.contains($0.key) && plan.passesOver($0.key) }.map(\.value).sorted()
  }

  /// A dense layer under another name than the network's classifier has, where the file has exactly one: its place
  /// and its inputs say what it is.
  private static func otherClassifier(of names: [String], inputs: Int, _ file: FileArrays) -> String? {
    let candidates = names.compactMap { name -> String? in
      guard name.hasSuffix(".weight"), let shape = file.shapes[name], shape.count >= 2, !shape.contains(0),
        holdsTheSame(shape, as: [shape[0], inputs])
      else { return nil }
      let place = String(name.dropLast(".weight".count))
      return file.shapes[place + ".bias"] == [shape[0]] ? place : nil
    }
    return candidates.count == 1 ? candidates[0] : nil
  }
}

/// What of a file is not as a network needs it.
struct StateMismatch {
  var missing: [String] = []
  var misshapen: [(name: String, found: [Int], needed: [Int])] = []
  var surplus: [String] = []

  var isEmpty: Bool { missing.isEmpty && misshapen.isEmpty && surplus.isEmpty }

  /// So many names of each kind are told; the others are counted.
  private static let mostNames = 3

  /// What is wrong.
  /// - Parameter network: how the network is called: "the network", or "the network it describes".
  func text(network: String) -> String {
    var faults: [String] = []
    if !missing.isEmpty { faults.append("it lacks \(Self.listed(missing))") }
    if let (name, found, needed) = misshapen.first {
      let others = misshapen.count - 1
      let more =
        others == 0
        ? "" : others == 1 ? ", and one more has another shape" : ", and \(others) more have other shapes"
      faults.append("'\(name)' is \(found), \(network) needs \(needed)\(more)")
    }
    if !surplus.isEmpty { faults.append("it has \(Self.listed(surplus)) besides, which \(network) has not") }
    return faults.joined(separator: "; ")
  }

  static func listed(_ names: [String]) -> String {
    let shown = names.prefix(mostNames).map { "'\($0)'" }.joined(separator: ", ")
    if names.count == 1 { return shown }
    let more = names.count > mostNames ? " and \(names.count - mostNames) more" : ""
    return "\(names.count) arrays (\(shown)\(more))"
  }
}
