// What can be wrong with one image file. The name is given as it is on disk; whoever prints it makes it harmless.

/// A file that cannot be decoded, and why.
public struct DecodingFailure: Error, Codable, Sendable, Equatable, CustomStringConvertible {
  /// The file as it was named to the decoder; below the dataset's folder for files of a dataset.
  public var path: String
  /// What is the matter with it, without its name.
  public var reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String { "cannot decode \(path): \(reason)" }
}
