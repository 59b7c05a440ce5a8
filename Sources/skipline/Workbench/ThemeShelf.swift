// Where themes come from: those built in, and the files of three folders. A theme that cannot be read is a warning,
// never a reason not to start.

import Canvas
import Files
import FoundationEssentials

/// Every theme there is, by the name that `--theme` takes: a file's without its ending, a built-in one's in small
/// letters. A file replaces the built-in theme of its name.
struct ThemeShelf {
  static let dark = name(of: .dark)
  static let light = name(of: .light)
  static let monochrome = name(of: .monochrome)

  private var themes: [String: Theme] = [:]
  /// What is wrong in the files, with file and line.
  private(set) var problems: [String] = []

  init() {
    for theme in Theme.builtIn { themes[Self.name(of: theme)] = theme }
    for folder in Self.folders {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      for file in files.sorted() where file.hasSuffix(Self.ending) { read("\(folder)/\(file)") }
    }
  }

  /// Built-in ones first, then by name.
  var names: [String] {
    let builtIn = Theme.builtIn.map(Self.name)
    return builtIn + themes.keys.filter { !builtIn.contains($0) }.sorted()
  }

  subscript(name: String) -> Theme? { themes[name] }

  private mutating func read(_ path: String) {
    let name = String(FilePath.split(path).name.dropLast(Self.ending.count))
    let data: [UInt8]
    do throws(FileOperationError) { data = try InputFile.contents(of: path, bound: SizeBound.theme) } catch {
      problems.append("\(path): cannot be read: \(error.reason); the theme is left out")
      return
    }
    let base = themes[name] ?? .dark
    let (theme, found) = Theme.parse(String(decoding: data, as: UTF8.self), file: path, base: base)
    problems += found.map(\.description)
    themes[name] = theme
  }

  private static func name(of theme: Theme) -> String { theme.name.lowercased() }

  private static let ending = ".theme"

  /// Those that came with the program, the nearest to it last, then the user's, which win.
  private static var folders: [String] {
    ProgramFiles.folders(named: "themes").reversed()
      + (UserFolders.current.configuration.map { [$0 + "/skipline/themes"] } ?? [])
  }
}
