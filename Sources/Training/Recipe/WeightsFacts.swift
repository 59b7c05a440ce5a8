// What a recipe looks at in the weights that a run starts from.

import Datasets
import Messages
import Networks
import Tensors

struct WeightsFacts {
  /// What input they expect, where neither they nor anybody else says; nil where it is known, or cannot be told.
  var input: InputTrial.Finding?
  /// Whether every batch norm has mean 0 and variance 1: what it did was put into the convolution before it when the
  /// weights were made ready for use.
  var hasFoldedNorms = false

  /// Of a run that begins with random weights.
  init() {}

  /// - Parameter asksInput: whether to try what input they expect.
  /// - Throws: what reading the weights throws.
  init(
    _ settings: TrainingSettings, index: DatasetIndex, asksInput: Bool, pool: ThreadPool
  ) throws {
    guard let path = settings.initialWeights else { return }
    let plan = try NetworkPlan(
      settings.network, imageSize: settings.preprocessing.imageSize, classes: index.classes.count)
    let naming = try index.resolved(settings.initialClasses)
    let (_, state) = try InitialWeights(path).read(plan, classes: index.classes, naming: naming)
    hasFoldedNorms = Self.hasFoldedNorms(plan, state)
    guard asksInput else { return }
    input = try InputTrial.find(plan, state, index: index, preprocessing: settings.preprocessing, pool: pool)
  }

  static func hasFoldedNorms(_ plan: NetworkPlan, _ state: StoredState) -> Bool {
    let statistics = plan.state.filter { $0.kind == .runningMean || $0.kind == .runningVariance }
    guard !statistics.isEmpty else { return false }
    return statistics.allSatisfy { entry in
      let neutral: Float = entry.kind == .runningMean ? 0 : 1
      // Some write the variance less the epsilon that is added to it.
      return state.values[entry.name]?.allSatisfy { abs($0 - neutral) < 1e-4 } ?? false
    }
  }
}

extension Recipe {
  /// What the weights say of themselves.
  func chooseForWeights(_ weights: WeightsFacts, _ draft: inout RecipeDraft) {
    if let input = weights.input, draft.isOpen(Settings.mean) {
      draft.settings.preprocessing.normalization = .given(mean: input.mean, std: input.std)
      draft.choose(Settings.mean, Channels(values: input.mean), input.reason)
    }
    if weights.hasFoldedNorms, !isClassifierAlone(draft.settings) {
      draft.choose(
        Settings.normStatistics, .running,
        "the batch norms of these weights were put into their convolutions, and know nothing of statistics")
    }
  }
}
