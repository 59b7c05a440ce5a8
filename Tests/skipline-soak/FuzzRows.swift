// Files that are wrong in a million ways: the readers refuse them or take them for what they are, and never crash or
// take memory by their word.

import Canvas
import Foundation
import Messages
import Resources
import Support
import Synchronization
import Training
import WeightFiles

/// A real file and what is done to it.
private struct Mutator {
  let original: [UInt8]
  let pieces: [[UInt8]]
  var random: RandomGenerator

  mutating func next() -> [UInt8] {
    var mutant = original
    for _ in 0...random.integer(below: 3) {
      guard !mutant.isEmpty else { break }
      let at = random.integer(below: mutant.count)
      let end = min(mutant.count, at + 1 + random.integer(below: 16))
      switch random.integer(below: 7) {
      case 0: mutant[at] = UInt8(truncatingIfNeeded: random.next())
      case 1: mutant[at] ^= 1 << UInt8(random.integer(below: 8))
      case 2: mutant.removeSubrange(at..<end)
      case 3: mutant.insert(contentsOf: mutant[at..<end], at: random.integer(below: mutant.count))
      case 4:
        mutant.replaceSubrange(at..<min(mutant.count, at + 1), with: pieces[random.integer(below: pieces.count)])
      case 5: mutant.insert(contentsOf: pieces[random.integer(below: pieces.count)], at: at)
      default: mutant.removeSubrange(at...)
      }
    }
    return mutant
  }
}

/// Does something with that many mutants of a file, on all processors.
/// - Returns: the sum of what `body` answers with, and the memory that all of it took at most, in MB.
private func fuzz(
  _ original: [UInt8], pieces: [String], _ laboratory: Laboratory,
  _ body: @escaping @Sendable (_ mutant: [UInt8], _ worker: Int) throws -> Int
) throws -> (sum: Int, megabytes: Int) {
  let workers = SystemProcessors.available
  let pieces = pieces.map { Array($0.utf8) }
  let count = laboratory.mutations
  let results = Mutex<(sum: Int, error: (any Error)?)>((0, nil))
  let before = residentPeak()
  DispatchQueue.concurrentPerform(iterations: workers) { worker in
    var mutator = Mutator(original: original, pieces: pieces, random: laboratory.random(UInt64(100 + worker)))
    do {
      var sum = 0
      for _ in 0..<(count / workers) { sum += try body(mutator.next(), worker) }
      results.withLock { $0.sum += sum }
    } catch {
      results.withLock { $0.error = error }
    }
  }
  if let error = results.withLock({ $0.error }) { throw error }
  return (results.withLock { $0.sum }, residentPeak() - before)
}

/// The most memory that this process had, in MB.
private func residentPeak() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss / 1024
}

/// A real checkpoint.
private func checkpoint(_ laboratory: Laboratory, network: [String] = []) throws -> [UInt8] {
  let ending = try laboratory.finish(
    ["train"] + laboratory.settings("real", epochs: 1) + network)
  try expect(ending == .exited(0), "no run: \(laboratory.text("output.txt"))")
  return Array(try Data(contentsOf: URL(fileURLWithPath: "runs/real/checkpoints/last.safetensors")))
}

func fuzzedHeaders(_ laboratory: Laboratory) throws -> String {
  let whole = try checkpoint(laboratory)
  let length = (0..<8).reduce(0) { $0 | Int(whole[$1]) << (8 * $1) }
  let (header, buffer) = (Array(whole[..<(8 + length)]), Array(whole[(8 + length)...]))
  let (foreign, megabytes) = try fuzz(
    header,
    pieces: [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0041", "\\ud800", "0", "-1", "1e9", "9223372036854775807",
      "99999999999999999999", "4294967296", "null", "\"shape\"", "\"data_offsets\":[0,4]", "__metadata__", "\0",
      "\u{7f}", "é", "F64", "skipline.checksum", "\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},",
    ], laboratory
  ) { mutant, worker in
    let path = "mutant-\(worker)"
    // Half of the time the length fits the header, so that not all end at the first check.
    var file = mutant
    if mutant.count > 8, mutant.count % 2 == 0 {
      for index in 0..<8 { file[index] = UInt8(truncatingIfNeeded: (mutant.count - 8) >> (8 * index)) }
    }
    file += buffer
    guard file != whole else { return 0 }
    try replace(path, file)
    do {
      let contents = try Safetensors.read(path: path)
      // Without a seal and a checksum it is a file of another program, and its arrays are what its header says.
      try expect(
        contents.metadata[Safetensors.checksumKey] == nil && contents.metadata[Safetensors.sealKey] == nil,
        "a changed checkpoint was read as whole")
      for name in contents.names { _ = try? contents.array(name) }
      return 1
    } catch is SafetensorsError {
      return 0
    }
  }
  try expect(megabytes < 200, "\(megabytes) MB were taken for files of \(whole.count) bytes")
  return
    "\(laboratory.mutations) mutants of a real header: no crash, \(megabytes) MB more at most, \(foreign) read as "
    + "another program's, the others refused"
}

private func replace(_ path: String, _ bytes: [UInt8]) throws {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
  defer { close(descriptor) }
  // Shortened after it is written, which is quicker than before.
  try expect(
    write(descriptor, bytes, bytes.count) == bytes.count && ftruncate(descriptor, off_t(bytes.count)) == 0,
    "\(path) cannot be written")
}

func bitFlips(_ laboratory: Laboratory) throws -> String {
  let whole = try checkpoint(laboratory, network: ["--net", "cifar20", "--width", "1"])
  let length = (0..<8).reduce(0) { $0 | Int(whole[$1]) << (8 * $1) }
  try replace("flipped", whole)
  _ = try Safetensors.read(path: "flipped")
  let descriptor = open("flipped", O_RDWR | O_CLOEXEC)
  defer { close(descriptor) }
  var flips = 0
  // Every 1000th byte, and every one of the header's first and last hundred.
  let bytes = Set(stride(from: 0, to: whole.count, by: 1000)).union(0..<108).union((length - 92)..<(length + 8))
  for byte in bytes {
    var flipped = whole[byte] ^ (1 << UInt8(flips % 8))
    pwrite(descriptor, &flipped, 1, byte)
    do {
      _ = try Safetensors.read(path: "flipped")
      throw Broken("a flipped bit in byte \(byte) was not seen")
    } catch let error as SafetensorsError {
      try expect("\(error)".hasPrefix("flipped"), "the file is not named: \(error)")
    }
    var restored = whole[byte]
    pwrite(descriptor, &restored, 1, byte)
    flips += 1
  }
  _ = try Safetensors.read(path: "flipped")
  return "\(flips) flips in a checkpoint of \(whole.count) bytes, each refused by name"
}

func fuzzedThemes(_ laboratory: Laboratory) throws -> String {
  let keys = ThemeRole.allCases.map(\.rawValue)
  let styles = ["252 on 235 bold", "#88c0d0", "bright-red on #2e3440 underline", "standard", "on 7 dim reverse"]
  let lines = keys.enumerated().map { "\($1) = \"\(styles[$0 % styles.count])\"  # \($0)" }
  let original = "# a theme\nname = \"Fuzzed\"\n" + lines.joined(separator: "\n") + "\n"
  let parsed = Theme.parse(original, file: "f", base: .dark)
  try expect(parsed.problems.isEmpty, "the theme that is changed is wrong already: \(parsed.problems)")
  let (problems, megabytes) = try fuzz(
    Array(original.utf8),
    pieces: [
      "=", "\"", "#", "\n", "\r\n", " ", "\t", "on", "256", "#12345", "\u{1B}]0;x\u{7}", "\u{202E}", "\0", "é",
      "\u{FEFF}", "name", "bold bold", "\u{9B}2J", "\u{1F600}",
    ], laboratory
  ) { mutant, _ in
    let text = String(decoding: mutant, as: UTF8.self)
    let (theme, problems) = Theme.parse(text, file: "f", base: .dark)
    let lines = 1 + text.utf8.count { $0 == UInt8(ascii: "\n") }
    try expect(Sanitizer.isSafe(theme.name), "an unsafe name got through")
    for problem in problems {
      try expect(
        Sanitizer.isSafe(problem.message) && (1...lines).contains(problem.line), "an unsafe or misplaced warning")
    }
    return problems.count
  }
  try expect(megabytes < 200, "\(megabytes) MB were taken")
  return
    "\(laboratory.mutations) mutants: a theme each time, \(problems) warnings, each with its line, all safe to show; "
    + "\(megabytes) MB more at most"
}

func fuzzedRecords(_ laboratory: Laboratory) throws -> String {
  _ = try checkpoint(laboratory)
  let original = Array(try Data(contentsOf: URL(fileURLWithPath: "runs/real/run.json")))
  // A folder for each worker that is a run in all but its record.
  let workers = SystemProcessors.available
  for worker in 0..<workers {
    try FileManager.default.createDirectory(
      atPath: "record-\(worker)/checkpoints", withIntermediateDirectories: true)
  }
  let (read, megabytes) = try fuzz(
    original,
    pieces: [
      "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "-1", "1e400", "NaN", "null", "true", "9223372036854775808",
      "\"format\":3", "\0", "é", "\u{FEFF}", "[[[[[[[[",
    ], laboratory
  ) { mutant, worker in
    let run = try RunFolder(existing: "record-\(worker)")
    try replace(run.recordPath, mutant)
    do {
      let record = try run.record()
      // What can be read can be checked before anything is done with it.
      try? record.settings.validate()
      return 1
    } catch is RunFolderError {
      return 0
    }
  }
  try expect(megabytes < 300, "\(megabytes) MB were taken")
  return
    "\(laboratory.mutations) mutants of run.json: \(read) read, the others refused by name; \(megabytes) MB more at "
    + "most"
}
