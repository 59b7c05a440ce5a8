// The file that a new run takes its first weights from, and what becomes of its classifier. Going on with an earlier
// run is Checkpoint.resume.

import Datasets
import Files
import Messages
import Networks
import WeightFiles

/// Weights to start from: a run or a checkpoint of ours, or a file of another program's in any format that
/// `WeightsFile` reads.
public struct InitialWeights {
  /// What becomes of the file's classifier.
  enum Classifier: Equatable {
    /// It is taken. `rows` says for each class of the new run which row it was, nil where all stand where they stood.
    case kept(rows: [Int]?)
    /// Of some classes, those that it knows. `rows` says for each class of the new run which row it was, nil for one that
    /// begins anew.
    case partly(rows: [Int?])
    /// It is not taken, and the reason.
    case begun(reason: String)
  }

  /// The file itself, also where a run was named.
  public let path: String
  /// What a checkpoint of ours says about itself; nil for a file of another program.
  public let description: ModelDescription?
  let outline: WeightsOutline

  /// Reads the header.
  /// - Parameter name: a run's folder, which stands for its best checkpoint, or a file.
  /// - Throws: `RunFolderError` where there is no such thing, `CheckpointError`, `SafetensorsError` or
  ///   `FileOperationError` for a file that cannot be used.
  public init(_ name: String) throws {
    path = try CheckpointLocation(name).path
    outline = try WeightsFile.outline(of: path)
    description = try Checkpoint.model(outline)
    if let record = try QuantizationRecord(outline) {
      throw CheckpointError.quantized(path: path, record, purpose: "training")
    }
  }

  /// What is to be told of how the file is read, a sentence each.
  public var notes: [String] { outline.placed.notes }

  /// The network whose arrays the file has, by their names and shapes, or by their place in its graph.
  /// - Parameter request: what was said of it.
  /// - Throws: `CheckpointError.doesNotFit` where it is none of the table, or another than was said.
  public func network(_ request: NetworkRequest = NetworkRequest()) throws -> RecognizedNetwork {
    try outline.network(request)
  }

  /// Compares names and shapes, and decides about the classifier. No weight is read.
  /// - Parameters:
  ///   - classes: of the new run, in the order of its labels.
  ///   - naming: what the file's outputs stand for, where it does not say so itself.
  /// - Throws: `CheckpointError.doesNotFit`, or `SettingsError` for a naming that cannot be.
  @discardableResult
  func check(_ plan: NetworkPlan, classes: [String], naming: LabelNaming?) throws -> Classifier {
    try choose(plan, classes: classes, naming: naming).classifier
  }

  /// Puts the weights in.
  /// - Throws: as `check`, `CheckpointError.badValue` or `SafetensorsError`; the network is then unchanged.
  @discardableResult
  func load(into network: Network, classes: [String], naming: LabelNaming?) throws -> Classifier {
    var (classifier, state) = try read(network.plan, classes: classes, naming: naming)
    if case .partly(let rows) = classifier { state.mixRows(rows, of: network) }
    network.load(state)
    return classifier
  }

  /// Reads the weights for a network that need not be there yet.
  /// - Throws: as `load`.
  func read(_ plan: NetworkPlan, classes: [String], naming: LabelNaming?) throws -> (Classifier, StoredState) {
    let (fit, classifier) = try choose(plan, classes: classes, naming: naming)
    var contents = try WeightsFile.read(path)
    if let placement = try GraphPlacement(plan, outline) { contents = try placement.contents(contents) }
    var state = try StoredState(contents, fit, plan)
    // Auxiliary heads tell the same classes apart in the same order.
    let names = plan.classifierArrays + plan.headClassifierArrays
    switch classifier {
    case .begun: for name in names { state.values[name] = nil }
    case .kept(nil), .partly: break
    case .kept(let rows?):
      for name in names {
        guard let values = state.values[name], !rows.isEmpty else { continue }
        let width = values.count / rows.count
        state.values[name] = rows.flatMap { values[($0 * width)..<(($0 + 1) * width)] }
      }
    }
    return (classifier, state)
  }

  func choose(
    _ plan: NetworkPlan, classes: [String], naming: LabelNaming?
  ) throws -> (fit: StateFit, classifier: Classifier) {
    if let description {
      let own = try description.plan().settings
      guard own.isSameNetwork(as: plan.settings) else {
        throw CheckpointError.doesNotFit(
          path: path,
          reason: "it says that it is \(own.name)\(own.optionText), and the settings ask for "
            + "\(plan.settings.name)\(plan.settings.optionText); leave --net and its options out to take the file's"
        )
      }
    }
    let fit = try StateFit(
      plan, try GraphPlacement(plan, outline)?.outline ?? outline, classifier: .ofOtherClasses)
    return (fit, try classifier(fit, plan, classes, naming))
  }

  private func classifier(
    _ fit: StateFit, _ plan: NetworkPlan, _ classes: [String], _ naming: LabelNaming?
  ) throws -> Classifier {
    guard let outputs = fit.classifierShape?.first else {
      if naming != nil { throw SettingsError("\(path) has no classifier: leave --classes and --class-order out") }
      return .begun(reason: "\(path) has no classifier")
    }
    let known: [String]
    if let description {
      if naming != nil {
        throw SettingsError("\(path) says which classes it knows: leave --classes and --class-order out")
      }
      known = description.classes
    } else {
      switch naming {
      case .names(let names)? where names.count != outputs:
        throw SettingsError(
          "--classes names \(names.count) classes, and \(path) tells \(outputs) apart: name them all")
      case .names(let names)?: known = names
      case .order(let order)?:
        guard classes.count == outputs else {
          throw SettingsError(
            "--class-order \(order.rawValue): \(path) tells \(outputs) classes apart, and the data have "
              + "\(classes.count); leave it out, or name the file's with --classes")
        }
        known = order.ordered(classes)
      case nil:
        if let named = NamedOutputs(outline.metadata, outputs: outputs) {
          known = named.names
          break
        }
        return .begun(
          reason: outputs == classes.count
            ? "\(path) does not say which classes its \(outputs) outputs stand for (--class-order or --classes keeps it)"
            : "\(path) has \(outputs) classes, the data \(classes.count)")
      }
    }
    let rows = classes.map { known.firstIndex(of: $0) }
    guard fit.hasClassifier || fit.hasClassifierOfOtherClasses, known.count == outputs,
      rows.contains(where: { $0 != nil })
    else { return .begun(reason: "\(path) has other classes (\(Self.listed(known)))") }
    if known == classes { return .kept(rows: nil) }
    let found = rows.compactMap { $0 }
    return known.count == classes.count && found.count == classes.count ? .kept(rows: found) : .partly(rows: rows)
  }

  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(5).joined(separator: ", ")
    return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
  }
}

extension StoredState {
  /// Puts a classifier of other classes together: the rows that the file has, and the network's own for the others.
  /// - Parameter rows: of each class, nil for its own.
  fileprivate mutating func mixRows(_ rows: [Int?], of network: Network) {
    let names = network.plan.classifierArrays + network.plan.headClassifierArrays
    for parameter in network.parameters where names.contains(parameter.name) {
      guard let stored = values[parameter.name], !rows.isEmpty else { continue }
      var mixed = parameter.fileOrder(parameter.value)
      let width = mixed.count / rows.count
      for case (let place, let row?) in rows.enumerated() {
        mixed.replaceSubrange(
          (place * width)..<((place + 1) * width), with: stored[(row * width)..<((row + 1) * width)])
      }
      values[parameter.name] = mixed
    }
  }
}

extension InitialWeights.Classifier {
  /// What to tell of it; nil where nothing is changed.
  func note(_ plan: NetworkPlan) -> String? {
    switch self {
    case .kept(nil): nil
    case .kept: "the rows of the classifier '\(plan.classifier)' were put into the order of the data's classes"
    case .partly(let rows):
      "\(rows.count { $0 != nil }) of the \(rows.count) classes are known to the weights: their rows of the classifier "
        + "'\(plan.classifier)' are taken, and those of the others begin with random weights"
    case .begun(let reason): "\(reason): '\(plan.classifier).weight' begins with random weights"
    }
  }
}

extension NetworkSettings {
  /// Whether the same weights mean the same: what is left out at random in training makes no difference,
  /// nor do heads that training alone has.
  func isSameNetwork(as other: NetworkSettings) -> Bool {
    var (first, second) = (self, other)
    (first.head, second.head) = (.standard, .standard)
    (first.dropPath, second.dropPath) = (0, 0)
    (first.dropout, second.dropout) = (nil, nil)
    (first.auxiliaryHeads, second.auxiliaryHeads) = (nil, nil)
    (first.name, second.name) = (first.name.lowercased(), second.name.lowercased())
    return first == second
  }

  /// ` (--stem small --width 0.5)`; nothing where there is nothing to say.
  var optionText: String { optionWords.isEmpty ? "" : " (\(optionWords.joined(separator: " ")))" }
}
