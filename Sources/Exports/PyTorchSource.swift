// `skipline export --pytorch`: a network as one readable Python file, which defines it and loads the weights beside it
// strictly, so that it needs neither Skipline nor torchvision.

import Datasets
import FoundationEssentials
import Messages
import Networks
import Tensors
import Training

/// Writes a network down as Python.
public struct PyTorchSource {
  private let plan: NetworkPlan
  private let description: ModelDescription
  /// The name of the file of weights, in the same folder.
  private let weights: String
  private var declarations: [String] = []
  private var statements: [String] = []
  private var serial = 0
  private var usesSubsampling = false
  private var usesSqueezeExcitation = false
  /// The operations of the plan, in the order of the description.
  private var operations: ArraySlice<LoweredPlan.Operation>

  /// - Throws: `NetworkError`; it does not for a plan that there is.
  public init(_ plan: NetworkPlan, _ description: ModelDescription, weights: String) throws {
    let plan = try plan.withoutHeads()
    self.plan = plan
    self.description = description
    self.weights = weights
    operations = plan.lowered.operations[...]
  }

  /// The whole file.
  /// - Throws: `ExportError`.
  public func text() throws -> String {
    var writer = self
    try writer.add(plan.layers, to: "x")
    return try writer.file()
  }

  // MARK: The network

  private mutating func add(_ layers: [LayerPlan], to value: String) throws {
    for layer in layers {
      switch layer {
      case .layer: try add(operations.removeFirst(), to: value)
      case .block(let name, let layers):
        statements.append("# \(name)")
        try add(layers, to: value)
      case .branches(_, let branches, let join):
        let others = branches.dropFirst().map { _ in fresh() }
        for other in others { statements.append("\(other) = \(value)") }
        try add(branches[0], to: value)
        for (branch, other) in zip(branches.dropFirst(), others) { try add(branch, to: other) }
        operations.removeFirst()
        let all = [value] + others
        switch join {
        case .addition: statements.append("\(value) = \(all.joined(separator: " + "))")
        case .concatenation: statements.append("\(value) = torch.cat([\(all.joined(separator: ", "))], 1)")
        }
      case .auxiliaryHead: preconditionFailure("a plan without what only training uses")
      }
    }
  }

  private mutating func fresh() -> String {
    serial += 1
    return "x\(serial)"
  }

  private mutating func add(_ operation: LoweredPlan.Operation, to value: String) throws {
    let (input, output) = (operation.input, operation.output)
    switch operation.kind {
    case .convolution(let name, _, let kernel, let stride, let padding, let bias, let groups):
      declare(
        name, "nn.Conv2d",
        ["\(input.channels)", "\(output.channels)", Self.pair(kernel.height, kernel.width)]
          + (stride == 1 ? [] : ["stride=\(stride)"])
          + (padding.height == 0 && padding.width == 0
            ? [] : ["padding=\(Self.pair(padding.height, padding.width))"])
          + (groups == 1 ? [] : ["groups=\(groups)"])
          + (bias ? [] : ["bias=False"]), to: value)
    case .averageWindows(let side):
      statements.append(
        "\(value) = F.avg_pool2d(\(value), \(side), ceil_mode=True, count_include_pad=False)")
    case .squeezeExcitation(let name, let reduced):
      usesSqueezeExcitation = true
      declare(name, "SqueezeExcitation", ["\(input.channels)", "\(reduced)"], to: value)
    case .whitening(let name, let kernel):
      declare(name, "nn.Conv2d", ["\(input.channels)", "\(output.channels)", "\(kernel)", "bias=False"], to: value)
    case .batchNorm(let name, let epsilon):
      declare(
        name, "nn.BatchNorm2d", ["\(input.channels)"] + (epsilon == BatchNorm.epsilon ? [] : ["eps=\(epsilon)"]),
        to: value)
    case .sparseConvolution(let name, let kernel, _):
      // Where an output reads no channel, its weights are zero.
      declare(
        name, "nn.Conv2d",
        ["\(input.channels)", "\(output.channels)", Self.pair(kernel.height, kernel.width)], to: value)
    case .scaledTanh:
      statements.append("\(value) = \(ScaledTanh.amplitude) * torch.tanh(\(ScaledTanh.slope) * \(value))")
    case .subsampling(let name, let kernel):
      usesSubsampling = true
      declare(name, "Subsampling", ["\(input.channels)", "\(kernel)"], to: value)
    case .luma where input.channels == 1: break
    case .luma:
      let terms = Luma.weights.enumerated().map { "\($1) * \(value)[:, \($0):\($0 + 1)]" }
      statements.append("\(value) = \(terms.joined(separator: " + "))")
    case .relu: statements.append("\(value) = F.relu(\(value))")
    case .maxPool(let kernel, let stride, let padding, let ceilMode):
      let ceil = ceilMode ? ", ceil_mode=True" : ""
      statements.append("\(value) = F.max_pool2d(\(value), \(kernel), \(stride), \(padding)\(ceil))")
    case .averagePool(let side): statements.append("\(value) = F.adaptive_avg_pool2d(\(value), \(side))")
    case .globalMaxPool: statements.append("\(value) = F.adaptive_max_pool2d(\(value), 1)")
    case .flatten: statements.append("\(value) = torch.flatten(\(value), 1)")
    case .dropout(let rate): statements.append("\(value) = F.dropout(\(value), \(rate), self.training)")
    case .dropPath(let rate): statements.append("\(value) = drop_path(\(value), \(rate), self.training)")
    case .scale(let factor): statements.append("\(value) = \(value) * \(factor)")
    case .dense(let name, let outputs, _, _):
      declare(name, "nn.Linear", ["\(input.count)", "\(outputs)"], to: value)
    case .zeroPadding(_, let stride, let channels, let placement):
      let new = channels - input.channels
      let before = placement == .split ? new / 2 : 0
      let taken = stride == 1 ? value : "\(value)[:, :, ::\(stride), ::\(stride)]"
      statements.append("\(value) = F.pad(\(taken), (0, 0, 0, 0, \(before), \(new - before)))")
    case .join: preconditionFailure("a join ends its branches")
    }
  }

  private mutating func declare(_ name: String, _ type: String, _ arguments: [String], to value: String) {
    declarations.append("add(self, \"\(name)\", \(type)(\(arguments.joined(separator: ", "))))")
    statements.append("\(value) = layer(\"\(name)\")(\(value))")
  }

  private static func pair(_ height: Int, _ width: Int) -> String {
    height == width ? "\(height)" : "(\(height), \(width))"
  }

  // MARK: The file

  /// A Python literal: JSON's texts and lists are.
  private static func literal(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func file() throws -> String {
    let preprocessing = description.preprocessing
    func indented(_ lines: [String]) -> String { lines.map { "        " + $0 }.joined(separator: "\n") }
    func numbers(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
    let options = plan.settings.optionWords
    let usesDropPath = statements.contains { $0.contains("drop_path(") }
    let dropPath = """


      def drop_path(x, rate, training):
          \"""Leaves an image's whole map out of the way through the network, in training.\"""
          if not training:
              return x
          keep = torch.rand(x.shape[0], 1, 1, 1, device=x.device) >= rate
          return x * keep / (1 - rate)

      """
    let subsampling = """


      class Subsampling(nn.Module):
          \"""The sum of areas of pixels, with a factor and a bias for each channel.\"""

          def __init__(self, channels, kernel):
              super().__init__()
              self.kernel = kernel
              self.weight = nn.Parameter(torch.full((channels,), 1 / kernel**2))
              self.bias = nn.Parameter(torch.zeros(channels))

          def forward(self, x):
              sums = F.avg_pool2d(x, self.kernel) * self.kernel**2
              return sums * self.weight[:, None, None] + self.bias[:, None, None]

      """
    let squeezeExcitation = """


      class SqueezeExcitation(nn.Module):
          \"""Each channel times a number that two layers make of all channels' means.\"""

          def __init__(self, channels, reduced):
              super().__init__()
              self.fc1 = nn.Conv2d(channels, reduced, 1)
              self.fc2 = nn.Conv2d(reduced, channels, 1)

          def forward(self, x):
              means = x.mean((2, 3), keepdim=True)
              return x * torch.sigmoid(self.fc2(F.relu(self.fc1(means))))

      """
    return """
      \"""\(([plan.settings.name] + options).joined(separator: " ")), \(plan.classes) classes, \
      images of \(preprocessing.imageSize) pixels.

          import torch, \(Self.module(weights))
          model = \(Self.module(weights)).load().eval()
          with torch.no_grad():
              probabilities = model(\(Self.module(weights)).prepare("image.jpg")[None]).softmax(1)

      Written by Skipline; the weights are in \(weights), beside this file.
      \"""

      import pathlib
      import sys

      import torch
      import torch.nn.functional as F
      from torch import nn

      CLASSES = \(try Self.literal(description.classes))
      IMAGE_SIZE = \(preprocessing.imageSize)
      # Of red, green and blue in 0...1.
      MEAN = [\(numbers(preprocessing.mean))]
      STD = [\(numbers(preprocessing.std))]


      def add(module, name, layer):
          \"""Puts a layer at a path such as layer1.0.conv1.\"""
          *path, name = name.split(".")
          for part in path:
              if not hasattr(module, part):
                  module.add_module(part, nn.Module())
              module = getattr(module, part)
          module.add_module(name, layer)
      \(usesDropPath ? dropPath : "")\(usesSubsampling ? subsampling : "")\
      \(usesSqueezeExcitation ? squeezeExcitation : "")

      class Network(nn.Module):
          def __init__(self):
              super().__init__()
      \(indented(declarations))

          def forward(self, x):
              layer = self.get_submodule
      \(indented(statements))
              return x


      def load(path=None):
          \"""The network with its weights, every array of the file in its place.\"""
          from safetensors.torch import load_file

          model = Network()
          path = path or pathlib.Path(__file__).with_name(\(try Self.literal(weights)))
          model.load_state_dict(load_file(path), strict=True)
          return model


      def prepare(path):
          \"""An image file as the network's input: a tensor [\(plan.input.channels), \(preprocessing.imageSize), \(preprocessing.imageSize)].\"""
          from PIL import Image, ImageOps

          image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
      \(Self.resizing(preprocessing))
          pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
          pixels = pixels.view(image.height, image.width, 3).permute(2, 0, 1) / 255
      \(Self.edges(preprocessing))\
          return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


      if __name__ == "__main__":
          model = load().eval()
          for path in sys.argv[1:]:
              with torch.no_grad():
                  probabilities = model(prepare(path)[None]).softmax(1)[0]
              best = int(probabilities.argmax())
              print(f"{path}  {CLASSES[best]} {probabilities[best]:.2%}")

      """
  }

  /// The name under which Python imports the file beside a file of weights.
  private static func module(_ weights: String) -> String {
    String(weights.prefix { $0 != "." })
  }

  private static func resizing(_ preprocessing: Preprocessing) -> String {
    switch preprocessing.resize {
    case .stretch:
      return "    image = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.BILINEAR)"
    case .crop:
      return """
            # The shorter side to 256/224 of the size, then the center.
            scale = IMAGE_SIZE * 256 / 224 / min(image.size)
            image = image.resize([max(IMAGE_SIZE, round(side * scale)) for side in image.size], Image.BILINEAR)
            left, top = [(side - IMAGE_SIZE) // 2 for side in image.size]
            image = image.crop((left, top, left + IMAGE_SIZE, top + IMAGE_SIZE))
        """
    case .pad:
      let whole = """
            # The longer side to the size, in the middle of the square.
            image = ImageOps.
        """
      guard preprocessing.padColor != .edge else {
        return whole + "contain(image, (IMAGE_SIZE, IMAGE_SIZE), Image.BILINEAR)"
      }
      let color = preprocessing.padColor ?? .black
      return whole + "pad(image, (IMAGE_SIZE, IMAGE_SIZE), Image.BILINEAR, color=\"\(color.description)\")"
    }
  }

  /// What makes a picture that was fitted into the square a square, by its own outermost pixels; nothing where it is one.
  private static func edges(_ preprocessing: Preprocessing) -> String {
    guard preprocessing.resize == .pad, preprocessing.padColor == .edge else { return "" }
    return """
          high, wide = IMAGE_SIZE - pixels.shape[1], IMAGE_SIZE - pixels.shape[2]
          borders = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
          pixels = F.pad(pixels[None], borders, mode="replicate")[0]

      """
  }
}
