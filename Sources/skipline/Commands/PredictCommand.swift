// `skipline predict`: classes for images that need not belong to any dataset.

import ArgumentParser
import Canvas
import Datasets
import Files
import Messages
import Tensors
import Training

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Says which classes a checkpoint sees in images.",
    discussion: "Goes on after an image that does not decode, and then exits with 65.")

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Argument(
    help: "Image files, or folders whose images are taken, of files or of TFRecord shards.", transform: given)
  var images: [String]
  @Option(Limits.top) var top = 3
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Option(
    name: .customLong("tta"),
    help:
      "Average the probabilities over views of each image: flip (mirrored), shift (four shifts), or auto (flip for networks that were trained with mirroring, else shift)."
  )
  var augmentation = TestTimeAugmentationChoice.none
  @Flag(help: "Predict although memory seems too little.") var ignoreMemory = false
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Option(help: "The dataset whose classes the file knows, where it does not say so itself.") var data: String?
  @Flag(help: "Say which array of the file each of the network's is.") var verbose = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if images.isEmpty { throw ValidationError("name at least one image or folder") }
  }

  func run() throws {
    let location = try CheckpointLocation(foundRun(checkpoint))
    let description = try foreign.description(of: location.path, data: data)
    if description == nil, data != nil, try Checkpoint.model(path: location.path) != nil {
      throw SettingsError("\(location.path) says which classes it knows: leave --data out")
    }
    let views = try augmentation.resolved(mirrors: location.mirrors(description), checkpoint: location.path)
    let model =
      try description.map { try Checkpoint.load(path: location.path, as: $0) }
      ?? Checkpoint.load(path: location.path)
    if verbose { printArrays(try Checkpoint.report(path: location.path, as: description)) }
    _ = try model.batch(upTo: 1, threads: threads, ignoringMemory: ignoreMemory)
    for note in model.notes { Console.complain("\(model.path): \(note)") }
    if let weights = model.weights { Console.complain("\(model.path): \(weights.text)") }
    let predictor = Predictor(model: model, pool: try ThreadPool(reserving: threads), augmentation: views)
    if let views { Console.progress("probabilities \(views.text)") }
    let (files, faults) = try imageFiles()
    for fault in faults { Console.complain("! \(fault.text)") }
    var predictions: [Prediction] = []
    for file in files {
      let prediction = predictor.predict(path: file, top: top)
      predictions.append(prediction)
      if !json { print(prediction) }
    }
    if json { try Console.print(json: predictions) }
    if predictions.contains(where: { $0.error != nil }) || faults.contains(where: { $0.severity == .error }) {
      throw ExitCode(ExitStatus.badData.rawValue)
    }
    if files.isEmpty { throw SettingsError("there are no images in \(images.joined(separator: ", "))") }
  }

  private func print(_ prediction: Prediction) {
    if let error = prediction.error {
      Console.complain("! \(prediction.path): \(error)")
      return
    }
    let classes = prediction.top.map { "\($0.name) \(Format.percent($0.probability, decimals: 2))" }
    Console.print("\(prediction.path)  \(classes.joined(separator: "  "))")
  }

  /// The files themselves, and the images anywhere below folders, sorted; and what is wrong with the folders' shards.
  private func imageFiles() throws -> (paths: [String], faults: [DatasetFinding]) {
    var (paths, faults): ([String], [DatasetFinding]) = ([], [])
    for path in images {
      let kind = try FilePath.kind(of: path)
      guard kind == .folder else {
        // An image in a shard has a name, but no file of that name.
        guard kind != nil || path.contains("@") else { throw DatasetError.notFound(path: path) }
        paths.append(path)
        continue
      }
      let found = try DatasetIndex.imageFiles(below: path)
      paths += found.paths
      faults += found.findings
    }
    return (paths, faults)
  }
}
