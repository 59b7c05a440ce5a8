// What a person decides about images of a dataset. The images stay as they are: decisions are kept elsewhere.

/// A decision about one image, as a report shows it.
public enum ImageDecision: Codable, Sendable, Equatable, Hashable {
  /// It takes no part in anything.
  case excluded
  /// It counts as an image of the class it is listed in; its folder says another, which is named here.
  case relabeled(from: String)
}

/// A change of decisions. Paths are below the dataset's folder.
public enum DecisionChange: Codable, Sendable, Equatable {
  case exclude(path: String)
  /// Takes back an exclusion.
  case include(path: String)
  /// Makes it an image of another class of the dataset; of its folder's own class: takes a relabeling back.
  case relabel(path: String, to: String)
  /// Finds its label right: as an image of this class it is suspected no more.
  case confirm(path: String, as: String)
  /// Takes that back.
  case doubt(path: String)
}

/// An image whose label somebody has looked at and finds right.
public struct ConfirmedLabel: Codable, Sendable, Equatable {
  /// Below the dataset's folder.
  public var path: String
  /// The class that it has.
  public var className: String

  public init(path: String, className: String) {
    self.path = path
    self.className = className
  }
}
