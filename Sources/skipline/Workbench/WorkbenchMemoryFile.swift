// Where the workbench keeps what it remembers: a file among the user's state, written when the screen closes. Two screens
// that are open at once do not take each other's datasets away.

import Files
import FoundationEssentials
import Workbench

enum WorkbenchMemoryFile {
  /// nil without a home.
  private static var path: String? { UserFolders.current.state.map { $0 + "/skipline/workbench.json" } }

  private static let mostBytes = 1 << 20

  /// - Returns: nothing remembered where there is no file, and what to say where it cannot be used.
  static func read() -> (memory: WorkbenchMemory, complaint: String?) {
    guard let path, (try? FilePath.kind(of: path)) != nil else { return (WorkbenchMemory(), nil) }
    do {
      let bytes = try InputFile.contents(of: path, bound: mostBytes)
      return (try JSONDecoder().decode(WorkbenchMemory.self, from: Data(bytes)), nil)
    } catch {
      return (WorkbenchMemory(), "\(path) cannot be read, so layout and theme are as on the first day: remove it")
    }
  }

  /// - Returns: what to say where it could not be written.
  static func write(_ memory: WorkbenchMemory) -> String? {
    guard let path else { return nil }
    var memory = memory
    for dataset in read().memory.recentDatasets.reversed() where !memory.recentDatasets.contains(dataset) {
      memory.recentDatasets.append(dataset)
    }
    memory.recentDatasets = Array(memory.recentDatasets.prefix(WorkbenchMemory.mostDatasets))
    do {
      try Folder.make(FilePath.split(path).folder)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try AtomicFile.write(try encoder.encode(memory), to: path)
      return nil
    } catch {
      return "! layout and theme are not remembered: \(error)"
    }
  }
}
