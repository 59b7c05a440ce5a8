// Where decisions are kept: a text file for each dataset in Skipline's configuration folder. Finding them
// is in DecisionStore+Finding.swift, changing in DecisionStore+Saving.swift.

import Files
import Messages
import Support

/// The folder that holds the decisions about every dataset.
public struct DecisionStore: Sendable, Equatable {
  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// `$XDG_CONFIG_HOME/skipline/decisions`, or `~/.config/skipline/decisions` (XDG Base Directory Specification 0.8,
  /// by which a relative path in the variable counts for nothing).
  public static var standard: DecisionStore {
    // Without a home there is nothing to find, and what is to be written says that it cannot be.
    DecisionStore(folder: "\(UserFolders.current.configuration ?? "/nonexistent")/skipline/decisions")
  }

  /// The file about a dataset: the folder's own name, for people, and a hash of its real path, which tells it from
  /// others, however it was reached.
  public func file(forDataset root: String) -> String {
    let path = FilePath.real(root)
    let name = path.split(separator: "/").last ?? "root"
    let plain = name.unicodeScalars.map { scalar in
      scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-" || scalar == "_"
        || scalar == "."
        ? Character(scalar) : "_"
    }
    // File systems allow 255 bytes; forty scalars of any script stay below.
    return "\(folder)/\(String(plain.prefix(40)))-\(hexadecimal(stableHash(path))).txt"
  }
}
