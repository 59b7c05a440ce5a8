// `skipline export`: a model as a file for another program.

import ArgumentParser
import Canvas
import Exports
import Files
import Messages
import Support
import Training
import WeightFiles

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a checkpoint's model for other programs.",
    discussion: """
      ONNX takes pixels and gives probabilities: normalization and softmax are inside, classes and preprocessing in the \
      metadata. A PyTorch file defines the network and loads the weights beside it.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Option(help: "Write an ONNX file.", transform: given) var onnx: String?
  @Option(help: "Write the weights alone, under PyTorch's names.", transform: given) var safetensors: String?
  @Option(
    help: "Write a Python file that defines the network, and the weights beside it as .safetensors.",
    transform: given)
  var pytorch: String?
  @Option(help: "With --onnx: what images are made of, uint8 (0 to 255) or float (0 to 1).")
  var input: ONNXExport.Input?
  @Option(Limits.imagesOfCall, instead: "default: any number") var batch: Int?
  @Flag(
    help: "The weights that were trained instead of their average (--ema, --lookahead), of a 'last' checkpoint.")
  var trained = false
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Option(help: "The dataset whose classes the file knows, where it does not say so itself.") var data: String?

  func validate() throws {
    if onnx == nil, safetensors == nil, pytorch == nil {
      throw ValidationError("name a file to write: --onnx, --safetensors or --pytorch")
    }
    if onnx == nil, input != nil || batch != nil {
      throw ValidationError("--input and --batch are of ONNX files: name one with --onnx")
    }
    if let pytorch, !pytorch.hasSuffix(".py") {
      throw ValidationError("--pytorch writes Python: name a file that ends in .py")
    }
  }

  func run() throws {
    let location = try CheckpointLocation(foundRun(checkpoint))
    let model: LoadedModel
    if let description = try foreign.description(of: location.path, data: data) {
      guard !trained else { throw ValidationError("--trained is of Skipline's checkpoints") }
      model = try Checkpoint.load(path: location.path, as: description)
    } else {
      guard data == nil else {
        throw SettingsError("\(location.path) says which classes it knows: leave --data out")
      }
      model = try Checkpoint.load(path: location.path, trained: trained)
    }
    if let record = model.record {
      throw CheckpointError.quantized(path: model.path, record, purpose: "other programs")
    }
    let network = model.description.network.name
    if let onnx {
      try ONNXExport(input: input ?? .uint8, batch: batch).write(model, version: Skipline.version, to: onnx)
      Console.print(
        "\(onnx): \(network), \(Format.counted(model.description.classes.count, "class", plural: "classes"))")
    }
    if let safetensors {
      try write(model, to: safetensors)
      Console.print("\(safetensors): the weights of \(network)")
    }
    if let pytorch {
      let weights = pytorch.dropLast(3) + ".safetensors"
      // Read strictly, and the source is of the network as it is used.
      let plan = model.network.plan
      try write(model, to: String(weights)) { !plan.isOfHead($0) }
      let source = try PyTorchSource(
        model.network.plan, model.description, weights: FilePath.split(String(weights)).name
      ).text()
      try AtomicFile.write(to: pytorch) { output in
        try Array(source.utf8).withUnsafeBytes { try output.append($0) }
      }
      Console.print("\(pytorch): \(network), with its weights in \(weights)")
    }
  }

  /// The arrays of the network and nothing of its training.
  private func write(
    _ model: LoadedModel, to path: String, where isWritten: (String) -> Bool = { _ in true }
  ) throws {
    try Safetensors.write(
      model.network.stateArrays().filter { isWritten($0.name) }, metadata: ["format": "pt"], to: path)
  }
}

extension ONNXExport.Input: ExpressibleByArgument {}
