// `skipline demo`: the sample data in a folder of the user's, and the workbench on it.

import ArgumentParser
import Canvas
import Files
import FoundationEssentials
import Glibc
import Messages
import Support
import Terminal

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Copies the sample data to a folder and opens the workbench on it.",
    discussion: "Without a terminal it says how to train on them. A folder that is there already is used as it is.")

  @Argument(help: "The folder to copy to.", completion: .directory) var folder = "skipline-demo"

  func run() throws {
    let data = "\(folder)/sample-data"
    if FilePath.isFolder(data) == nil {
      try SampleFolder.find().copy(to: data)
      Console.progress("copied the sample data, 1,280 drawn shapes in 8 classes, to \(data)")
    } else {
      Console.progress("\(data) is there already and is used as it is")
    }
    let options = ["--project", "\(folder)/runs"]
    guard Terminal.isInteractive else {
      let words = ["skipline", "train", data] + options
      return Console.print("train on it: " + words.map(shellQuoted).joined(separator: " "))
    }
    let workbench = try WorkbenchCommand.parse([data] + options)
    try workbench.run()
  }
}

/// The sample data as they came with the program.
struct SampleFolder {
  let path: String

  /// - Throws: `NoSampleData`.
  static func find() throws -> SampleFolder {
    let places = ProgramFiles.folders(named: "sample-data")
    guard let path = places.first(where: { FilePath.isFolder("\($0)/train") == true }) else {
      throw NoSampleData(places: places)
    }
    return SampleFolder(path: path)
  }

  /// Copies to a new folder, whole or not at all. The copies are the user's own, whoever owns the originals and
  /// whatever may be done with these: Foundation's copying asks for the owner to be kept, which is root's alone to do.
  /// - Throws: `FileOperationError`.
  func copy(to target: String) throws {
    let parent = FilePath.split(target).folder
    try Folder.make(parent)
    let partial = "\(parent)/.sample-data-\(getpid())"
    do {
      try Self.copy(path, to: partial)
      let code = -FileCalls.system.rename(partial, target)
      if code != 0 { throw FileOperationError(path: target, step: .rename, code: code) }
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
  }

  private static func copy(_ folder: String, to target: String) throws {
    try Folder.make(target)
    for name in try Folder.names(in: folder) {
      let (from, to) = ("\(folder)/\(name)", "\(target)/\(name)")
      if FilePath.isFolder(from) == true {
        try copy(from, to: to)
      } else {
        let content = try InputFile.contents(of: from, bound: largestFile)
        try OutputFile(creating: to).append(content)
      }
    }
  }

  /// Of the sample data's files, bytes.
  private static let largestFile = 1 << 20
}

/// The program was installed without its sample data.
struct NoSampleData: Error, CustomStringConvertible {
  let places: [String]

  var description: String {
    "the sample data are not there (looked in \(places.joined(separator: ", "))); install Skipline with "
      + "'make install', or name a folder of images of your own: skipline DATA"
  }
}
