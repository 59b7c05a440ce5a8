// Which runs are trained now, whoever trains them.

/// A run that an engine trains now.
public struct LiveRun: Sendable, Equatable {
  /// The run's folder.
  public var folder: String
  public var network: String
  /// The dataset that it is trained on.
  public var data: String

  public init(folder: String, network: String, data: String) {
    self.folder = folder
    self.network = network
    self.data = data
  }
}
