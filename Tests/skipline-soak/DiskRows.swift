// Disks that are full for a while, and files that may not grow: what was saved before stays, training goes on, and
// saving succeeds again when it can.

import Foundation
import Messages
import Training

/// Fills the disk of a run and frees it again. Needs a disk that can be filled without harm: a small one in memory,
/// which only root may make.
func fullDisk(_ laboratory: Laboratory) throws -> String {
  try expect(mkdir("disk", 0o700) == 0, "no folder")
  let isMounted = mount("tmpfs", "disk", "tmpfs", 0, "size=4m") == 0
  // Else the same fault by a limit on file sizes, which `prlimit` sets from outside.
  defer {
    if isMounted { umount2("disk", 2) }
    laboratory.remove("disk")
  }
  let settings = laboratory.settings("full", epochs: 1_000_000, project: "disk") + ["--time", "300"]
  let child = try laboratory.start(["train"] + settings)
  try waitUntil("a checkpoint") { try laboratory.savedStep("full", project: "disk") ?? 0 > 0 }
  var (saved, failures) = (0, 0)
  for round in 1...3 {
    if isMounted { try fill("disk/filler") } else { try limit(child, bytes: "1024") }
    try waitUntil("a warning that nothing is saved") {
      laboratory.text("output.txt").components(separatedBy: "not saved").count > failures + 1
    }
    // A save that was under way has ended.
    usleep(300_000)
    let last = try laboratory.savedStep("full", project: "disk")
    try expect(last != nil, "round \(round): the checkpoint is gone")
    try laboratory.verify("full", project: "disk")
    let step = try liveStep(laboratory)
    try waitUntil("steps on a full disk") { try liveStep(laboratory) > step + 5 }
    try laboratory.verify("full", project: "disk")
    try expect(child.poll() == nil, "the run ended on a full disk: \(laboratory.text("output.txt").suffix(300))")
    failures = laboratory.text("output.txt").components(separatedBy: "not saved").count - 1
    if isMounted { laboratory.remove("disk/filler") } else { try limit(child, bytes: "unlimited") }
    try waitUntil("a save when there is room again", atMost: 180) {
      (try laboratory.savedStep("full", project: "disk") ?? 0) > step
    }
    failures = laboratory.text("output.txt").components(separatedBy: "not saved").count - 1
    saved = try laboratory.savedStep("full", project: "disk") ?? 0
  }
  _ = try laboratory.finish(["stop", "disk/full"])
  let ending = try child.wait(atMost: 30)
  guard case .exited = ending else { throw Broken("the run ended with \(ending)") }
  let left = try laboratory.verify("full", project: "disk")
  try expect(left.leftovers == 0, "a save that failed left its file behind")
  return
    "\(isMounted ? "a disk of 4 MB" : "a limit on files") full three times; \(failures) saves failed and were told, "
    + "the earlier checkpoint stayed, training went on, saved again by step \(saved); \(ending)"
}

private func fill(_ path: String) throws {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
  try expect(descriptor >= 0, "no filler")
  defer { close(descriptor) }
  for size in [1 << 16, 1 << 12, 1] {
    let bytes = [UInt8](repeating: 0, count: size)
    while write(descriptor, bytes, size) > 0 {}
  }
}

private func limit(_ child: Child, bytes: String) throws {
  let ending = try Child(["prlimit", "--pid", "\(child.number)", "--fsize=\(bytes):"]).wait()
  try expect(ending == .exited(0), "neither a disk can be made (as root) nor a limit set (prlimit)")
}

/// Where a run is, by its own word: on a full disk its files do not tell.
private func liveStep(_ laboratory: Laboratory) throws -> Int {
  struct Listed: Decodable { var step: Int }
  let ending = try laboratory.finish(["runs", "--json", "--project", "disk"], output: "runs.json")
  try expect(ending == .exited(0), "runs cannot be listed")
  let runs = try JSONDecoder().decode([Listed].self, from: Data(laboratory.text("runs.json").utf8))
  return runs.first?.step ?? 0
}

/// Trains under a limit below the size of a checkpoint, and under one that the metrics grow into.
func fileSizeLimit(_ laboratory: Laboratory) throws -> String {
  let arguments = laboratory.settings("limited", epochs: 30)
  let command = ([laboratory.skipline, "train"] + arguments).joined(separator: " ")
  // In blocks of 512 bytes, by POSIX.
  // Through a pipe, because the limit is also one on a file that takes the output.
  let script = "{ (ulimit -f 8; exec \(command)); echo $? >status.txt; } 2>&1 | cat"
  _ = try Child(["sh", "-c", script], output: "output.txt").wait()
  let output = laboratory.text("output.txt")
  let status = Int(laboratory.text("status.txt").trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
  try expect((1..<128).contains(status), "exit status \(status): killed, or nothing saved and no word of it")
  try expect(output.contains("epoch 30/30"), "training did not go on: \(output.suffix(300))")
  try expect(output.contains("ulimit -f"), "it does not say what to do")
  let files = (try? FileManager.default.contentsOfDirectory(atPath: "runs/limited/checkpoints")) ?? []
  try expect(files.isEmpty, "half a file was left: \(files)")
  laboratory.remove("runs/limited")
  return "30 epochs without a save, told each time, exit status \(status), nothing half written"
}
