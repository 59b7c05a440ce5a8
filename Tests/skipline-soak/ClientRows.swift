// A crowd at a run's socket that sends what is no message, sends nothing, or never reads: the run takes no notice.

import Engine
import Foundation
import Messages
import Training
import Transport

private let crowd = 1000

/// Attaches a thousand such clients at a time, and compares the speed and the results with those in peace.
func clients(_ laboratory: Laboratory) throws -> String {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = min(limit.rlim_max, 4096)
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  try expect(
    Int(limit.rlim_cur) > crowd + 100, "the limit on open files (ulimit -n) is too low for \(crowd) clients")

  // Steps of some milliseconds, as a run's are: a crowd may take some processor time, but not the run's.
  let settings = [
    "data", "--net", "cifar20", "--width", "0.5", "--imgsz", "16", "--batch", "20", "--epochs", "100000",
    "--log-every", "1",
    "--save-every", "0", "--threads", "1",
  ]
  let child = try laboratory.start(["train"] + settings + ["--name", "crowded"])
  try waitUntil("a socket") { laboratory.exists("runs/crowded/engine.sock") }
  usleep(500_000)
  var (quiet, crowded): ([Rate], [Rate]) = ([], [])
  for _ in 0..<3 {
    quiet.append(try rate(child, laboratory) {})
    var sockets: [Int32] = []
    crowded.append(
      try rate(child, laboratory) { sockets += try (0..<crowd).map { try pester("runs/crowded/engine.sock", $0) } })
    for socket in sockets { close(socket) }
  }
  // They are gone: whoever means well is let in.
  var welcome: RemoteEngine?
  let deadline = ContinuousClock.now + .seconds(15)
  while welcome == nil {
    try expect(ContinuousClock.now < deadline, "nobody can attach any more")
    if let connection = try SocketFile(folder: "runs/crowded").connect() {
      welcome = try? RemoteEngine(connection, readOnly: true, report: { _ in true }, ended: { _ in })
    }
    usleep(20_000)
  }
  welcome?.close()
  try expect(child.poll() == nil, "the run ended before it could be pestered long enough; it is too short here")
  let steps = try laboratory.loggedSteps("crowded")
  try expect(try laboratory.finish(["stop", "runs/crowded"]) == .exited(0), "the run cannot be stopped")
  try expect(child.wait() == .exited(0), "the run ended with \(child.wait())")

  // The same again in peace, as far as the other went: the steps before it are the same whatever the epochs.
  let peace = try laboratory.start(["train"] + settings + ["--name", "quiet"])
  try waitUntil("as many steps", atMost: 600, every: 50_000) { try laboratory.loggedSteps("quiet") >= steps }
  peace.send(SIGTERM)
  _ = peace.wait()
  func figures(_ run: String) throws -> [[Double]] {
    try MetricsLog.read(path: "runs/\(run)/metrics.jsonl").steps.prefix(steps).map { [$0.loss, $0.gradientNorm] }
  }
  try expect(try figures("crowded") == figures("quiet"), "the crowd changed what was computed")

  let speed = median(crowded.map(\.stepsASecond)) / median(quiet.map(\.stepsASecond))
  let cost = median(crowded.map(\.secondsAStep)) / median(quiet.map(\.secondsAStep))
  let text = String(
    format:
      "%d clients at a time: steps a second %.2f of those in peace, processor time a step %.2f; %d steps the same",
    crowd, speed, cost, steps)
  // The clock also shows what else the machine does; the processor time shows what the run had to do.
  try expect(speed > 0.8 || cost < 1.1, text)
  for run in ["crowded", "quiet"] { laboratory.remove("runs/\(run)") }
  return text
}

/// Connects and behaves badly, in a way that depends on the number.
private func pester(_ path: String, _ number: Int) throws -> Int32 {
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  try expect(descriptor >= 0, "no socket: \(String(cString: strerror(errno)))")
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  let connected = withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
  try expect(connected == 0, "client \(number) cannot connect: \(String(cString: strerror(errno)))")
  let hello = Array(#"{"hello":{"_0":{"protocolVersion":\#(protocolVersion),"readOnly":false}}}"#.utf8)
  let prefix: [UInt8] = [UInt8(hello.count), 0, 0, 0]
  let bytes: [UInt8]
  switch number % 6 {
  case 0: bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
  case 1: bytes = []
  // Says hello, and never reads what it is told.
  case 2: bytes = prefix + hello
  case 3: bytes = prefix + hello.prefix(hello.count / 2)
  case 4: bytes = [0xff, 0xff, 0xff, 0x0f] + hello
  default: bytes = prefix + hello + prefix + hello
  }
  _ = bytes.withUnsafeBytes {
    send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
  }
  return descriptor
}

private struct Rate {
  var stepsASecond: Double
  /// Of processor time.
  var secondsAStep: Double
}

/// The run's speed over four seconds, in which `body` is done first.
private func rate(_ child: Child, _ laboratory: Laboratory, _ body: () throws -> Void) throws -> Rate {
  let (start, steps, time) = (
    ContinuousClock.now, try laboratory.loggedSteps("crowded"), processorTime(child.number)
  )
  try body()
  while ContinuousClock.now - start < .seconds(4) { usleep(10_000) }
  let seconds = (ContinuousClock.now - start).seconds
  let done = Double(max(1, try laboratory.loggedSteps("crowded") - steps))
  return Rate(stepsASecond: done / seconds, secondsAStep: (processorTime(child.number) - time) / done)
}

/// Of all threads, seconds.
private func processorTime(_ process: Int32) -> Double {
  let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
  // The name, in brackets, may have spaces; user and system time are the 14th and 15th field.
  let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
  guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
  return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
