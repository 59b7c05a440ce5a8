// Where a user's own files are: the one reading of HOME and of the variables of the XDG Base Directory Specification
// (0.8). What is kept there is no matter here.

import Glibc
import Support

/// The folders of the user that runs the program. A variable that is empty, or no path from the root, counts as unset.
public struct UserFolders: Sendable {
  /// nil where neither HOME nor the list of users names one.
  public let home: String?
  private let configurationVariable: String?
  private let cacheVariable: String?
  private let stateVariable: String?

  /// Those of this process.
  public static var current: UserFolders {
    UserFolders { name in
      getenv(name).map { String(pathBytes: UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
  }

  /// - Parameter variable: the value of an environment variable; nil for one that is not set.
  public init(variable: (String) -> String?) {
    func path(_ name: String) -> String? { variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil } }
    home = path("HOME") ?? Self.listedHome
    configurationVariable = path("XDG_CONFIG_HOME")
    cacheVariable = path("XDG_CACHE_HOME")
    stateVariable = path("XDG_STATE_HOME")
  }

  /// Settings and decisions: `$XDG_CONFIG_HOME`, else `~/.config`.
  public var configuration: String? { configurationVariable ?? home.map { $0 + "/.config" } }

  /// What can be made again: `$XDG_CACHE_HOME`, else `~/.cache`.
  public var cache: String? { cacheVariable ?? home.map { $0 + "/.cache" } }

  /// Logs: `$XDG_STATE_HOME`, else `~/.local/state`.
  public var state: String? { stateVariable ?? home.map { $0 + "/.local/state" } }

  /// The home of the user in the system's list of users.
  private static var listedHome: String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16384)
    guard getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0, found != nil,
      let folder = entry.pw_dir, folder.pointee == CChar(UInt8(ascii: "/"))
    else { return nil }
    return String(pathBytes: UnsafeRawBufferPointer(start: folder, count: strlen(folder)))
  }
}
