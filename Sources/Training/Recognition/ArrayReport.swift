// What becomes of each array when weights are loaded: which of the file each of the network's is from, which begin
// anew, and which of the file's are not used.

import Files
import Messages
import Networks
import WeightFiles

/// An array of a network, of a file, or of both.
public struct ArrayReport: Codable, Sendable, Equatable {
  public enum Fate: String, Codable, Sendable {
    /// As it is in the file.
    case taken
    /// The classifier's rows, in the order of the data's classes.
    case reordered
    /// The classifier's rows of classes that the file knows; the others begin with random weights.
    case partly
    /// It begins with random weights.
    case new
    /// The network has no place for it.
    case unused
  }

  /// In the network; nil for one that it has not.
  public var name: String?
  /// In the file; nil for one that it has not, or that is not taken.
  public var stored: String?
  /// The network's, else the file's.
  public var shape: [Int]
  public var fate: Fate
}

extension StateFit {
  /// A row for each array of the network, in its order, and then for each of the file that is not used.
  /// - Parameter classifier: what becomes of the file's classifier; nil where it is taken.
  func report(_ plan: NetworkPlan, _ outline: WeightsOutline, _ classifier: InitialWeights.Classifier? = nil)
    -> [ArrayReport]
  {
    let ends = plan.classifierArrays + plan.headClassifierArrays
    let ofClassifier: ArrayReport.Fate =
      switch classifier {
      case nil, .kept(nil): .taken
      case .kept: .reordered
      case .partly: .partly
      case .begun: .new
      }
    var used = Set(stored.values)
    let own = plan.state.map { entry in
      let fate = ends.contains(entry.name) ? ofClassifier : stored[entry.name] == nil ? .new : .taken
      if fate == .new, let name = stored[entry.name] { used.remove(name) }
      return ArrayReport(
        name: entry.name, stored: fate == .new ? nil : stored[entry.name], shape: entry.shape, fate: fate)
    }
    let others = outline.names.filter { !used.contains($0) && !$0.hasSuffix(FileArrays.countSuffix) }
    return own
      + others.map { ArrayReport(name: nil, stored: $0, shape: outline.shape(of: $0) ?? [], fate: .unused) }
  }
}

extension InitialWeights {
  /// What becomes of each array when a run with these classes starts from the file.
  /// - Throws: as `check`.
  public func report(
    _ plan: NetworkPlan, classes: [String], naming: LabelNaming?
  ) throws -> [ArrayReport] {
    let (fit, classifier) = try choose(plan, classes: classes, naming: naming)
    return fit.report(plan, try GraphPlacement(plan, outline)?.outline ?? outline, classifier)
  }
}

extension Checkpoint {
  /// What becomes of each array when a checkpoint is evaluated.
  /// - Parameter model: for a file that does not describe itself.
  /// - Throws: as `load(path:)`.
  public static func report(path: String, as model: ModelDescription?) throws -> [ArrayReport] {
    let outline = try WeightsFile.outline(of: path)
    guard let model = try model ?? Self.model(outline) else { throw CheckpointError.noDescription(path: path) }
    let plan = try model.plan()
    let placed = try GraphPlacement(plan, outline)?.outline ?? outline
    return try StateFit(plan, placed).report(plan, placed)
  }
}
