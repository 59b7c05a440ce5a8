// Which images of a dataset are measured. How a dataset is divided is no concern of this file.

/// One of the three parts of a dataset, or all of it.
public enum EvaluationSplit: String, Codable, Sendable, CaseIterable, Hashable {
  case train
  case validation = "val"
  case test
  case all

  /// The part; nil for all of them.
  public var split: Split? { Split(rawValue: rawValue) }
}
