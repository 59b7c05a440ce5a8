// `skipline explain`: where a network looked in an image, by Grad-CAM.

import ArgumentParser
import Canvas
import Files
import Images
import Inspection
import Messages
import Tensors
import Training

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Shows where a network looked in an image.",
    discussion: """
      Grad-CAM (arXiv:1610.02391) of the predicted class, or of the classes that are named, on the last map of the network: \
      what speaks for the class is light, the rest is gray. The picture is the image as the network sees it.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Argument(help: "An image file.", transform: given) var image: String
  @Option(
    help: "Write the picture with the heat over it to FILE.png; of several classes side by side.", transform: given)
  var out: String?
  @Option(
    name: .customLong("class"),
    help: "A class to explain, by its name; may be given several times. (default: the predicted one)",
    transform: given)
  var classNames: [String] = []
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @OptionGroup var options: CheckpointOptions
  @Flag(help: "Print JSON, with the maps.") var json = false

  func validate() throws {
    if let out, !out.lowercased().hasSuffix(".png") || FilePath.split(out).name.utf8.count <= 4 {
      throw ValidationError("--out \(out): the picture is a PNG; name a file that ends in .png")
    }
  }

  func run() throws {
    guard try FilePath.kind(of: image) != nil || image.contains("@") else { throw MissingImage(path: image) }
    if let out, try FilePath.kind(of: out) == .folder {
      throw SettingsError("--out \(out) is a folder; name a file in it")
    }
    let model = try options.load(checkpoint)
    let known = ClassLabels(model.description.classes)
    let labels = try classNames.map { name in
      guard let label = known[name] else {
        throw SettingsError(
          "\(model.path) knows no class '\(name)'; it knows \(model.description.classes.prefix(20).joined(separator: ", "))"
            + (model.description.classes.count > 20 ? " and others" : ""))
      }
      return label
    }
    let explainer = Explainer(model: model, pool: try ThreadPool(reserving: threads))
    let explanation = try explainer.explain(image, classes: labels)
    let shown =
      labels.isEmpty
      ? [explanation.heats[0]] : labels.compactMap { label in explanation.heats.first { $0.label == label } }
    if let out { try write(shown, explanation, to: out) }
    if json { return try Console.print(json: explanation, indented: false) }
    let classes = explanation.top.map { entry in
      "\(explanation.classes[entry.label]) \(Format.percent(entry.probability, decimals: 2))"
    }
    Console.print("\(image)  \(classes.joined(separator: "  "))")
    for heat in shown { Console.print(text(heat, explanation)) }
    if let out { Console.progress("wrote \(out)") }
  }

  private func text(_ heat: ClassHeat, _ explanation: Explanation) -> String {
    let name = explanation.classes[heat.label]
    guard let hottest = heat.map.values.indices.max(by: { heat.map.values[$0] < heat.map.values[$1] }),
      heat.map.values[hottest] > 0
    else { return "\(name): nothing in the image speaks for it" }
    let (row, column) = (hottest / heat.map.width, hottest % heat.map.width)
    let share = heat.map.values.reduce(0, +) / Float(heat.map.values.count)
    return
      "\(name): hottest at row \(row + 1), column \(column + 1) of a map of \(heat.map.height)x\(heat.map.width); "
      + "\(Format.percent(Double(share), decimals: 0)) of it warm"
  }

  private func write(_ heats: [ClassHeat], _ explanation: Explanation, to path: String) throws {
    guard let file = explanation.picture(of: heats.map(\.label)) else {
      throw SettingsError("there is no memory for the picture of \(heats.count) classes")
    }
    try AtomicFile.write(to: path) { try $0.append(file.bytes) }
  }
}

/// An image that is not there.
struct MissingImage: Error, CustomStringConvertible {
  var path: String

  var description: String { "\(path): there is no such image; check the path" }
}
