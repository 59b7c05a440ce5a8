// What became of the images of a run since it was started, as it is told when the run is to be resumed.

/// Why a run was not resumed: its images are not what they were.
public struct DataChangeReport: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case added, removed
    /// In another class than before.
    case relabeled
    /// In another split than before.
    case moved
    /// Of another size in bytes than before.
    case altered
  }

  /// Images that changed in the same way.
  public struct Group: Codable, Sendable, Equatable {
    public var kind: Kind
    public var count: Int
    /// The first of them, sorted, by their paths below the dataset's folder.
    public var paths: [String]

    public init(kind: Kind, count: Int, paths: [String]) {
      self.kind = kind
      self.count = count
      self.paths = paths
    }
  }

  /// The run's folder.
  public var run: String
  /// The dataset's folder.
  public var data: String
  /// Empty where only a fingerprint of the images is known.
  public var groups: [Group]
  /// The classes themselves changed: the network does not fit any more, and nothing can be accepted.
  public var classesChanged: Bool

  public init(run: String, data: String, groups: [Group], classesChanged: Bool) {
    self.run = run
    self.data = data
    self.groups = groups
    self.classesChanged = classesChanged
  }
}
