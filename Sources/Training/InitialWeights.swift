// The file that a new run takes its first weights from. Going on with an earlier run is Checkpoint.resume.

import Messages
import Networks

/// Weights to start from: a checkpoint of ours, or a PyTorch `state_dict`.
struct InitialWeights {
  /// What became of the classifier.
  enum Classifier: Equatable {
    case loaded
    /// The file's is for other classes, or there is none: the named weight stays random.
    case leftRandom(weight: String)
  }

  private let file: SafetensorsContents

  /// - Throws: `SafetensorsError` or `FileOperationError` for a file that cannot be read.
  init(path: String) throws { file = try Safetensors.read(path: path) }

  /// Puts the weights in; a classifier for another number of classes is left out.
  /// - Throws: `CheckpointError.doesNotFit`; the network is then unchanged.
  @discardableResult
  func load(into network: Network) throws -> Classifier {
    guard let classifier = network.parameters.last(where: { $0.role != .bias }) else {
      preconditionFailure("every network ends in a dense layer")
    }
    let fits = file.names.contains {
      $0.hasSuffix(classifier.name) && file.shape(of: $0) == classifier.fileShape
    }
    try network.loadState(file, exceptClassifier: !fits)
    return fits ? .loaded : .leftRandom(weight: classifier.name)
  }
}
