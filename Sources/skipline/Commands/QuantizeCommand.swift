// `skipline quantize`: a checkpoint whose convolutions are computed in 8-bit integers.

import ArgumentParser
import Canvas
import Files
import Glibc
import Messages
import Training

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize", abstract: "Makes a checkpoint whose convolutions are computed in 8-bit integers.",
    discussion: """
      Rounds the weights of convolutions to int8, with a scale for each output, and measures on training images in what \
      range the maps lie that they read. The new checkpoint is for inference: evaluate, predict and the inspector open it, and \
      it is about a quarter as large. Dense layers and convolutions in groups stay in float. It then measures both, on the \
      validation images. Fast where the processor multiplies bytes (AVX512-VNNI); elsewhere it gives the same results, \
      more slowly than in float.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Option(help: "The checkpoint to write. (default: beside the other, with -int8 in its name)", transform: given)
  var out: String?
  @Option(Limits.calibrationImages, instead: "default: 512") var images: Int?
  @Option(
    help: "A layer that stays in float, by its name in 'skipline summary'. May be given several times.",
    transform: given)
  var keep: [String] = []
  @Option(help: "The dataset's folder; the run's own if not given.", transform: given) var data: String?
  @OptionGroup var folders: SplitFolderOptions
  @Option(Settings.batchSize.number, instead: "default: the run's own") var batch: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "Measure the rest where a part of the data cannot be read.") var acceptErrors = false
  @Flag(help: "Compute although memory seems too little.") var ignoreMemory = false
  @OptionGroup var existing: OverwriteOption

  private static let usualImages = 512

  func run() throws {
    let job = try job(foundRun(checkpoint), split: nil)
    for note in job.notes { Console.complain("! \(note)") }
    let path = out ?? Self.besides(job.checkpoint)
    guard path.hasSuffix(".safetensors") else {
      throw ValidationError("--out \(path): name a file that ends in .safetensors")
    }
    if FilePath.absolute(path) == FilePath.absolute(job.checkpoint) {
      throw SettingsError("--out \(path) is the checkpoint that is quantized; name another file")
    }
    if !existing.overwrite, try FilePath.kind(of: path) != nil {
      throw SettingsError("\(path) exists; name another file with --out, or add --overwrite")
    }
    let signals = try SignalWatcher()
    let progress = ProgressLine()
    let quantized = try job.quantize(
      images: images ?? Self.usualImages, keeping: keep, threads: threads, ignoringMemory: ignoreMemory,
      progress: { done, total in
        progress.show("training images: \(Format.count(done)) of \(Format.count(total))")
        return signals.received == nil
      }, preparation: { _ in signals.received == nil }, notice: { Console.complain("! \($0.text)") })
    progress.clear()
    guard let quantized else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    try Checkpoint.save(quantized.model, quantized.quantization, quantized.record, to: path)
    let record = quantized.record
    Console.print(
      "\(path): \(Format.counted(record.inputs.count, "convolution")) in int8, by "
        + "\(Format.counted(record.images, "training image")); in float: "
        + (record.floatLayers.isEmpty ? "none" : record.floatLayers.joined(separator: ", ")))
    try compare(job.checkpoint, path, signals)
  }

  private func job(_ checkpoint: String, split: EvaluationSplit?) throws -> EvaluationJob {
    try EvaluationJob(
      checkpoint: checkpoint, data: data, split: split, folders: folders.folders(in: data), batchSize: batch,
      acceptsErrors: acceptErrors)
  }

  /// Measures both checkpoints, on the validation images of the run, or on all that are as other data divide them.
  private func compare(_ float: String, _ quantized: String, _ signals: SignalWatcher) throws {
    var answers = AnswerComparison()
    func measure(_ path: String, _ each: @escaping (MeasuredImage) -> Void) throws -> EvaluationReport {
      let report = try job(path, split: data == nil ? .validation : nil).run(
        threads: threads, ignoringMemory: ignoreMemory, progress: { _, _ in signals.received == nil },
        preparation: { _ in signals.received == nil }, eachImage: { image, _ in each(image) })
      guard let report else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
      return report
    }
    let report = try measure(quantized) { answers.keep($0) }
    let exact = try measure(float) { answers.compare($0) }
    if let comparison = answers.result(exact) { Console.print(comparison.text(of: report)) }
  }

  /// `best.safetensors` and `best-int8.safetensors`.
  private static func besides(_ path: String) -> String {
    let ending = ".safetensors"
    return (path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : path) + "-int8" + ending
  }
}
