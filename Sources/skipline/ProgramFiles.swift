// Where the files are that come with the program: beside an installed binary, above a built one, or in the system's
// folders of data.

import FoundationEssentials

enum ProgramFiles {
  /// Folders called `name` that may be there, the nearest to the program first: `../share/skipline` from an installed
  /// binary's folder; the package from its build folder; `$XDG_DATA_HOME` and `$XDG_DATA_DIRS` (XDG Base Directory
  /// Specification 0.8).
  static func folders(named name: String) -> [String] {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let installed = program.deletingLastPathComponent().appendingPathComponent("share/skipline")
    // .build/<triple>/<configuration>/skipline
    let package = program.appendingPathComponent("../../..").standardized
    let environment = ProcessInfo.processInfo.environment
    func absolute(_ paths: [String]) -> [String] { paths.filter { $0.hasPrefix("/") } }
    let home = environment["XDG_DATA_HOME"].map { [$0] } ?? environment["HOME"].map { ["\($0)/.local/share"] } ?? []
    let system = (environment["XDG_DATA_DIRS"] ?? "/usr/local/share:/usr/share").split(separator: ":").map(
      String.init)
    let data = absolute(home + system).map { "\($0)/skipline" }
    return ([installed.path, package.path] + data).map { "\($0)/\(name)" }
  }
}
