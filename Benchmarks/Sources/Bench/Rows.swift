// What is measured: the reference networks, and the programs that time a step of them.

import ArgumentParser
import Foundation
import Measuring
import Messages
import Tensors

/// A row of the tables.
struct Row {
  var workload: Workload

  init(
    _ net: String, _ size: Int, _ batch: Int, _ mode: Workload.Mode, _ precision: TrainingPrecision = .fp32,
    isQuantized: Bool = false
  ) {
    workload = Workload(net: net, size: size, batch: batch, mode: mode, precision: precision)
    workload.isQuantized = isQuantized
  }

  /// `resnet50/224/16/train`, `resnet50/224/16/train/bf16`
  var text: String {
    let mode = workload.modeText.replacing(" ", with: "/")
    return "\(workload.net)/\(workload.size)/\(workload.batch)/\(mode)"
  }

  static let all = [
    Row("cifar20", 32, 128, .train), Row("resnet18", 64, 64, .train), Row("resnet18", 224, 16, .train),
    Row("resnet50", 64, 32, .train), Row("resnet50", 224, 16, .train), Row("resnet50", 224, 16, .infer),
  ]

  /// Of every precision that the processor is fast in.
  static let inference = inference(batch: 16)
  static let latency = inference(batch: 1)

  private static func inference(batch: Int) -> [Row] {
    ["resnet18", "resnet50"].flatMap { net in
      [Row(net, 224, batch, .infer)]
        + (OperandPrecision.hasFastBFloat16 ? [Row(net, 224, batch, .infer, .bf16)] : [])
        + [Row(net, 224, batch, .infer, isQuantized: true)]
    }
  }

  /// Training in mixed precision, where the processor has the instruction; the peer's is autocast.
  static let mixed =
    !OperandPrecision.hasFastBFloat16
    ? []
    : all.map(\.workload).filter { $0.mode == .train }.map { Row($0.net, $0.size, $0.batch, .train, .bf16) }
}

/// A program that times steps and prints `StepFigures`.
struct StepProgram {
  let words: [String]
  let name: String
  /// What it calls bfloat16.
  let precisionName: String
  /// What asks it for 8-bit integers.
  var quantizedWords = ["--precision", "int8"]
  /// The memory layouts that it may be asked for.
  var layouts: [String] = []

  /// Whether it has such a row.
  func does(_ row: Row) -> Bool { !(name.hasPrefix("ONNX") && row.workload.precision == .bf16) }

  /// OpenVINO and ONNX Runtime, as far as a Python has them.
  static func inferencePeers(python: String?) -> [StepProgram] {
    let asked = python ?? ProcessInfo.processInfo.environment["PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
    let program = asked ?? "python3"
    let quiet = FileHandle(forWritingAtPath: "/dev/null")
    return [("openvino", "OpenVINO"), ("onnxruntime", "ONNX Runtime")].compactMap { module, name in
      let question = "import torch, torchvision, \(module); print(\(module).__version__)"
      guard let version = try? output(of: [program, "-c", question], errors: quiet) else {
        complain("no peer: \(program) has no torch, torchvision and \(module)")
        return nil
      }
      return StepProgram(
        words: [program, "Benchmarks/peers/inference_step.py", "--engine", module],
        name: "\(name) \(version.prefix { $0 != "-" && $0 != "\n" })", precisionName: "bf16")
    }
  }

  /// The peer's script with this Python, or with one that is found.
  /// - Returns: nil where none with torch and torchvision is found.
  /// - Throws: `ValidationError` if the one that was asked for lacks them.
  static func pyTorch(python: String?) throws -> StepProgram? {
    let asked = python ?? ProcessInfo.processInfo.environment["PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
    let program = asked ?? "python3"
    let question = "import torch, torchvision; print(torch.__version__)"
    // What it complains of when it has none is no concern of anybody who did not name it.
    let quiet = asked == nil ? FileHandle(forWritingAtPath: "/dev/null") : .standardError
    guard let version = try? output(of: [program, "-c", question], errors: quiet) else {
      if asked != nil { throw ValidationError("\(program) cannot be run, or has no torch and torchvision") }
      complain("no peer: python3 has no torch; PYTHON=/path/to/python make bench names one that has")
      return nil
    }
    let script = "Benchmarks/peers/pytorch_step.py"
    guard FileManager.default.fileExists(atPath: script) else {
      throw ValidationError("\(script) is not there: start this in the repository's folder")
    }
    return StepProgram(
      words: [program, script], name: "PyTorch \(version.prefix { $0 != "+" && $0 != "\n" })",
      precisionName: "bfloat16", layouts: layoutsOfPyTorch)
  }

  /// One process.
  func measure(_ row: Row, steps: Int, threads: Int, layout: String? = nil) throws -> StepFigures {
    let workload = row.workload
    var words = words
    words += ["--net", workload.net, "--size", "\(workload.size)", "--batch", "\(workload.batch)"]
    words += ["--steps", "\(steps)", "--threads", "\(threads)"]
    if workload.mode == .infer { words.append("--infer") }
    if workload.isQuantized { words += quantizedWords }
    if workload.precision == .bf16 { words += ["--precision", precisionName] }
    if let layout { words += ["--layout", layout] }
    return try JSONDecoder().decode(StepFigures.self, from: Data(output(of: words).utf8))
  }

  private static let layoutsOfPyTorch = ["channels_last", "contiguous"]
}

/// What a program prints.
/// - Parameter errors: takes its standard error; nil closes that.
/// - Throws: `FailedProgram`.
func output(of words: [String], errors: FileHandle? = .standardError) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = words
  process.environment = measuringEnvironment
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = errors
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationReason == .exit, process.terminationStatus == 0 else {
    throw FailedProgram(words: words)
  }
  return String(decoding: data, as: UTF8.self)
}

/// This process's environment without what would keep a library from choosing its kernels for this processor itself,
/// or give one of the two other threads than it was asked for.
let measuringEnvironment = ProcessInfo.processInfo.environment.filter { name, _ in
  !["OPENBLAS_", "GOTO_", "OMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_"].contains { name.hasPrefix($0) }
}

struct FailedProgram: Error, CustomStringConvertible {
  let words: [String]

  var description: String { "this failed; what it said stands above: \(words.joined(separator: " "))" }
}

/// Progress and problems, apart from the tables.
func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
