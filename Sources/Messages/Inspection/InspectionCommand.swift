// What the screen asks about a model's answers. A thread of its own computes them, so that neither a picture nor a
// training step waits.

/// A question about a checkpoint and its images. Each is answered by one event, `.inspection`, which has the question in it
/// and either the answer or the reason why there is none; with `.inspectionProgress` before it where it takes longer.
public enum InspectionCommand: Codable, Sendable, Equatable {
  /// The images of an evaluation that was made before; answered by `.table`.
  case openEvaluation(EvaluationSource)
  /// Where the network looks in an image, for the predicted class and others; answered by `.explanation`.
  case explain(checkpoint: String, file: String, classes: [Int])
  /// What an image resembles: the images of an evaluation, by their features; answered by `.similarImages`.
  case findSimilar(EvaluationSource, file: String, count: Int)
  /// The features of an image, of the layer before the classifier; answered by `.features`.
  case computeFeatures(checkpoint: String, file: String)
  /// Labels that are probably wrong, by evaluations of all images and their features: of one checkpoint, or of one of each
  /// fold. With `inSample` also images are judged that every network was trained on. Answered by `.labelErrors`.
  case findLabelErrors([EvaluationSource], inSample: Bool = false)
  /// Two evaluations side by side; answered by `.comparison`.
  case compare(EvaluationSource, EvaluationSource)
  /// What the layers of a checkpoint are like, for a batch of its run's validation images or of other data; answered by
  /// `.layers`.
  case measureLayers(checkpoint: String, data: String? = nil)
  /// The filters of the first layer as a picture; answered by `.picture`.
  case drawFilters(checkpoint: String)
  /// What comes out of a layer for an image, a picture for each channel; answered by `.picture`. The layer is named as in
  /// `skipline summary`.
  case drawMaps(checkpoint: String, file: String, layer: String)
  /// Write something of an evaluation to a file; answered by `.exported`, or by `.exists` where a file is there already.
  case export(EvaluationExport)
}

/// An answer to an `InspectionCommand`.
public enum InspectionAnswer: Codable, Sendable, Equatable {
  case table(EvaluationTable)
  case explanation(Explanation)
  /// The most alike first.
  case similarImages([SimilarImage])
  case features([Float])
  case labelErrors(LabelErrorReport)
  case comparison(EvaluationComparison)
  case layers(LayerReport)
  /// A picture of numbers, and what is in it.
  case picture(PixelImage, text: String)
  case exported(file: String)
  /// A file of the name is there, and was not to be replaced.
  case exists(file: String)
  /// No evaluation of this is kept, or one that is of no use for a reason: `WorkCommand.evaluate` of it makes one.
  case missingEvaluation(EvaluationSource, reason: String?)
  case failure(String)
}
