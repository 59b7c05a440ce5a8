// What can be wrong with one image file. The name is given as it is on disk; whoever prints it makes it harmless.

/// A file that cannot be decoded, and why.
public struct DecodingFailure: Error, Codable, Sendable, Equatable, CustomStringConvertible {
  /// The file as it was named to the decoder; below the dataset's folder for files of a dataset.
  public var path: String
  /// What is the matter with it, without its name.
  public var reason: String
  /// Whose fault it is: only what lies in the file's bytes may be remembered of the file. Not in JSON.
  public var cause = Cause.content

  public enum Cause: Sendable, Hashable {
    /// The file's bytes: they never decode.
    case content
    /// The cap on pixels that is in force; the file needs one of at least so many.
    case pixelLimit(required: Int)
    /// What the machine or the moment denied: memory, descriptors, rights, a disk that does not answer. Nothing is
    /// known of the file.
    case circumstances
  }

  private enum CodingKeys: String, CodingKey {
    case path, reason
  }

  public init(path: String, reason: String, cause: Cause = .content) {
    self.path = path
    self.reason = reason
    self.cause = cause
  }

  public var description: String { "cannot decode \(path): \(reason)" }
}
