// The system calls of a save, seen from outside the program: which there are, and in which order. A library that is
// loaded before all others writes them down (scripts/soak-calls.c says how).

import Foundation

/// The library, built for this machine.
struct CallShim {
  private let library: String
  private let laboratory: Laboratory

  /// - Throws: `Broken` where it cannot be built.
  init(_ laboratory: Laboratory) throws {
    self.laboratory = laboratory
    let source = ProcessInfo.processInfo.environment["SOAK_SHIM"] ?? Self.sourceBesideThisFile
    library = "./soak-calls.so"
    let built = try Child(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], output: "cc.txt").wait()
    try expect(built == .exited(0), "cc cannot build \(source): \(laboratory.text("cc.txt").suffix(300))")
  }

  private static let sourceBesideThisFile = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("scripts/soak-calls.c").path

  func environment(log: String, killAt call: Int? = nil) -> [String: String] {
    var variables = ["LD_PRELOAD": library, "SOAK_CALLS": log]
    variables["SOAK_KILL_AT"] = call.map { "\($0)" }
    return variables
  }

  /// Runs the program to its end.
  /// - Returns: its calls about checkpoints, in order.
  func record(_ words: [String], log: String) throws -> [Call] {
    laboratory.remove(log)
    let ending = try laboratory.finish(words, environment: environment(log: log))
    try expect(ending == .exited(0), "\(ending) under the shim: \(laboratory.text("output.txt").suffix(300))")
    let lines = laboratory.text(log).split(separator: "\n")
    let calls = lines.compactMap { Call($0) }
    try expect(!calls.isEmpty && calls.count == lines.count, "the shim saw no calls, or others than it should")
    return calls
  }
}

/// A call about a file or folder of checkpoints.
enum Call: Equatable {
  case create(String)
  case write(String)
  case sync(String)
  case rename(String, to: String)
  case remove(String)

  init?(_ line: Substring) {
    let words = line.split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("create", 2): self = .create(words[1])
    case ("write", 2): self = .write(words[1])
    case ("sync", 2): self = .sync(words[1])
    case ("rename", 3): self = .rename(words[1], to: words[2])
    case ("remove", 2): self = .remove(words[1])
    default: return nil
    }
  }
}

/// Every checkpoint is written under another name, synced, moved into place, and its folder synced; and none is removed
/// before that is done for a newer one.
func orderOfCalls(_ laboratory: Laboratory) throws -> String {
  let calls = try CallShim(laboratory).record(
    ["train"] + laboratory.settings("ordered", epochs: 6), log: "order.txt")
  var (saves, removed, writes) = (0, 0, 0)
  var durable: [String] = []
  var index = 0
  while index < calls.count {
    if case .remove(let path) = calls[index] {
      try expect(
        durable.contains { $0.contains("epoch-") && $0 > path },
        "\(path) was removed before a newer one was durable")
      removed += 1
      index += 1
      continue
    }
    guard case .create(let temporary) = calls[index] else { throw Broken("\(calls[index]) outside of a save") }
    index += 1
    var written = 0
    while index < calls.count, calls[index] == .write(temporary) {
      written += 1
      index += 1
    }
    try expect(written > 0, "\(temporary) was never written")
    guard index + 2 < calls.count, calls[index] == .sync(temporary),
      case .rename(temporary, let target) = calls[index + 1]
    else { throw Broken("\(temporary) was not synced and then renamed, but \(calls[index...].prefix(2))") }
    let folder = (target as NSString).deletingLastPathComponent
    try expect((temporary as NSString).deletingLastPathComponent == folder, "\(temporary) lies in another folder")
    try expect(calls[index + 2] == .sync(folder), "\(folder) was not synced after \(target) came into it")
    durable.append(target)
    saves += 1
    writes += written
    index += 3
  }
  laboratory.remove("runs/ordered")
  try expect(removed > 0, "no old checkpoint was removed, so that was not tested")
  return
    "\(saves) saves of \(writes) writes: create, write, sync, rename, sync the folder; \(removed) old ones removed "
    + "after that"
}
