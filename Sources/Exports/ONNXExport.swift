// `skipline export --onnx`: a model as an ONNX file that takes pixels and gives probabilities.

import Datasets
import FoundationEssentials
import Messages
import Networks
import Training
import WeightFiles

/// How a model is to be called as an ONNX file.
public struct ONNXExport: Sendable, Equatable {
  /// What an image is made of.
  public enum Input: String, Sendable, CaseIterable {
    /// 0...255
    case uint8
    /// 0...1
    case float
  }

  public static let inputName = "images"
  public static let outputName = "probabilities"

  public var input: Input
  /// Images of a call; nil for any number.
  public var batch: Int?

  public init(input: Input = .uint8, batch: Int? = nil) {
    self.input = input
    self.batch = batch
  }

  /// Writes a model: images [N, channels, height, width], red first, already of the image size; probabilities
  /// [N, classes]. Normalization and softmax are inside; classes and preprocessing are in the metadata.
  /// - Throws: `ExportError` or `FileOperationError`.
  public func write(_ model: LoadedModel, version: String, to path: String) throws {
    let plan = try model.network.plan.withoutHeads()
    let preprocessing = model.description.preprocessing
    let size = plan.input
    let rows: ONNXValue.Dimension = batch.map { .fixed($0) } ?? .free("batch")
    var file = ONNXModel(graphName: plan.settings.name, producerVersion: version)
    file.inputs = [
      ONNXValue(
        name: Self.inputName, element: input == .uint8 ? .uint8 : .float,
        shape: [rows, .fixed(size.channels), .fixed(size.height), .fixed(size.width)])
    ]
    file.outputs = [ONNXValue(name: Self.outputName, element: .float, shape: [rows, .fixed(plan.classes)])]

    var graph = ONNXGraphBuilder(plan, image: "normalized", weights: model.network.stateArrays())
    var image = Self.inputName
    // (x / 255 - mean) / std, with x / 255 in 0...1.
    var scale = preprocessing.std.map { 1 / $0 }
    var mean = preprocessing.mean
    if input == .uint8 {
      graph.add("Cast", [image], to: "pixels", [("to", .integer(Int(ONNXElement.float.rawValue)))])
      image = "pixels"
      scale = scale.map { $0 / 255 }
      mean = mean.map { $0 * 255 }
    }
    let channels = [size.channels, 1, 1]
    let meanName = graph.constant("normalization.mean", channels, .floats(mean))
    let scaleName = graph.constant("normalization.scale", channels, .floats(scale))
    graph.add("Sub", [image, meanName], to: "centered")
    graph.add("Mul", ["centered", scaleName], to: "normalized")
    let logits = try graph.addNetwork()
    graph.add("Softmax", [logits], to: Self.outputName, [("axis", .integer(1))])
    file.nodes = graph.nodes
    file.constants = graph.constants
    file.metadata = try metadata(model.description)
    try file.write(to: path)
  }

  /// What whoever calls the model has to know.
  private func metadata(_ model: ModelDescription) throws -> [(key: String, value: String)] {
    let preprocessing = model.preprocessing
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    func numbers(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    return [
      ("classes", String(decoding: try encoder.encode(model.classes), as: UTF8.self)),
      ("network", model.network.name),
      ("image_size", "\(preprocessing.imageSize)"),
      ("resize", preprocessing.resize.rawValue),
      ("background", "\(preprocessing.background)"),
      ("mean", numbers(preprocessing.mean)),
      ("std", numbers(preprocessing.std)),
      ("input", input == .uint8 ? "RGB, 0 to 255, NCHW" : "RGB, 0 to 1, NCHW"),
    ] + (preprocessing.padColor.map { [("pad_color", "\($0)")] } ?? [])
  }
}
