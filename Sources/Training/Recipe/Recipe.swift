// The rules by which a run's settings are chosen from its data, each with its reason. Each was tried: docs/recipes.md
// tells what they chose and reached on sets of images that differ much, and `make recipes` makes that table anew.
//
// They are pure: what the images are like was measured before (`DataFacts`), and what a network costs on this machine
// is for `RecipePlanner` to ask.

import Datasets
import Glibc
import Messages
import Networks

/// What to train with, by what the images are like.
struct Recipe {
  let facts: DataFacts

  // MARK: Time

  /// Seconds for a try where nobody gave a budget: what is over in two minutes on a machine that others use too, as long
  /// as one waits at a terminal; more for sets of which a few epochs take that long.
  var usualBudget: Double {
    switch facts.trainingImages {
    case ..<5_000: 90
    case ..<100_000: 300
    default: 900
    }
  }

  /// The share of the time that is left for what a trial does not see: writing checkpoints, a processor that grows warm.
  static let reserve = 0.05

  /// Epochs for which a network has to have time to be chosen: of many images fewer of a larger network teach more than
  /// many of a smaller one, since an epoch has thousands of steps. A wide one knows its images by heart before it has
  /// learned what it could, so that it wants images that look different each time, and epochs enough for that.
  func epochs(toChoose network: NetworkSettings) -> Int {
    guard facts.trainingImages >= Self.many else { return enoughEpochs }
    let isWide = Self.isFast(network) && network.widthMultiplier > Self.wide
    return isWide ? Self.epochsToErase : max(5, enoughEpochs / 2)
  }

  /// From so many images on, an epoch has thousands of steps.
  private static let many = 20_000
  /// Wider networks for small images learn by heart what they see a dozen times: of 53,000 gray ones the full width knew
  /// 96.3 % after 12 epochs, and was hardly better on others than half of it after 15.
  private static let wide = 0.5

  /// Epochs beyond which little is gained. With fewer images an epoch has fewer steps, and it is steps that train: 80
  /// for 1,000 images, 28 for 10,000, 13 for 60,000, and 300 for 50.
  var enoughEpochs: Int {
    let epochs = 80 * pow(1000 / Double(max(1, facts.trainingImages)), 0.45)
    return Int(max(5, min(300, epochs)).rounded())
  }

  // MARK: The network and the size of images

  /// A network at a size of images.
  struct Rung: Equatable {
    var network: String
    var width = 1.0
    var imageSize: Int
  }

  /// From the fastest to the one that learns most where there is time for it.
  var ladder: [Rung] { facts.shorterSide <= 64 ? smallImages : photographs }

  /// Small images stay as large as they are: there is nothing to save by making them smaller, and nothing to see by
  /// making them larger. A multiple of 4 is halved twice without a remainder.
  private var smallImages: [Rung] {
    let side = max(16, facts.shorterSide / 4 * 4)
    return [0.125, 0.25, 0.375, 0.5, 0.75, 1].map { Rung(network: "resnet9", width: $0, imageSize: side) }
  }

  /// Of larger images fewer pixels do, and more networks can be afforded.
  private var photographs: [Rung] {
    let rungs = [
      Rung(network: "resnet18", width: 0.25, imageSize: 64),
      Rung(network: "resnet18", width: 0.5, imageSize: 64),
      Rung(network: "resnet18", imageSize: 64),
      Rung(network: "resnet18", width: 0.5, imageSize: 128),
      Rung(network: "resnet18", imageSize: 96),
      Rung(network: "resnet18", imageSize: 128),
      Rung(network: "resnet34", imageSize: 128),
      Rung(network: "resnet34", imageSize: 160),
      Rung(network: "resnet50", imageSize: 160),
      Rung(network: "resnet50", imageSize: 224),
    ]
    // What a deeper network could know more of is not to be learned from few images.
    let tooDeep =
      facts.trainingImages < 2_000 ? ["resnet34", "resnet50"] : facts.trainingImages < 10_000 ? ["resnet50"] : []
    return rungs.filter { $0.imageSize <= facts.shorterSide && !tooDeep.contains($0.network) }
  }

  /// What a plan sets beside the network that was chosen.
  static let networksToCompare = [
    NetworkSettings(name: "cifar20"), NetworkSettings(name: "resnet18", widthMultiplier: 0.5),
    NetworkSettings(name: "resnet18"), NetworkSettings(name: "resnet34"), NetworkSettings(name: "resnet50"),
  ]

  func sizesToCompare(with chosen: Int) -> [Int] {
    let usual = facts.shorterSide <= 64 ? [] : [64, 128, 224].filter { $0 <= facts.shorterSide }
    return Set(usual + [chosen]).sorted()
  }

  // MARK: From given weights

  /// With fewer images than this the classifier alone is trained: more would be learned by heart.
  static let fewToFineTune = 1000

  /// What training from given weights takes: few images teach only the classifier, on features that are computed once;
  /// of more, the rest learns too, after the classifier, so that the classifier's first large gradients do not spoil what
  /// the weights know (Kumar et al. 2022, arXiv:2202.10054).
  func chooseTransfer(_ draft: inout RecipeDraft) {
    guard !isClassifierAlone(draft.settings) else {
      if draft.isOpen(Settings.freeze) {
        draft.choose(
          Settings.freeze, FreezeSettings(layers: FreezeSettings.backbone),
          "\(facts.trainingImages) images: the weights see already, and only the classifier is to be learned")
      }
      draft.choose(Settings.featureViews, 2, "an image and its mirror image, of each the features once")
      let cropLoss = CropLoss.share(aspect: facts.aspect)
      if cropLoss > CropLoss.usualShare, isCropped(draft.settings.preprocessing) {
        draft.choose(
          Settings.resize, .stretch,
          "a crop to the center would cut away \(Int((100 * cropLoss).rounded())) % of an image")
      }
      draft.choose(Settings.batchSize, min(64, max(1, facts.trainingImages)), "a classifier's steps cost nothing")
      draft.choose(Settings.epochs, 100, "a classifier's epochs take milliseconds")
      draft.choose(Settings.learningRate, 0.1, "features are standardized")
      draft.choose(Settings.weightDecay, 0.005, "a classifier of many features and few images overfits")
      draft.choose(Settings.labelSmoothing, 0, "a linear classifier is not sure of itself")
      if draft.settings.featureViews > 0 {
        draft.choose(Settings.jitter, 0, "features are computed once, of images as they are")
      }
      return
    }
    if draft.settings.budget == nil, draft.isOpen(Settings.freeze) {
      draft.choose(
        Settings.freeze, FreezeSettings(layers: FreezeSettings.backbone, epochs: 5),
        "first the classifier, then the rest")
    }
    draft.choose(Settings.backboneRate, 0.1, "what the weights know is to be kept")
    draft.choose(Settings.weightDecay, 1e-4, "the weights were regularized when they were made")
  }

  private func isCropped(_ settings: PreprocessingSettings) -> Bool {
    Preprocessing.Resize(resolving: settings.resize, imageSize: settings.imageSize) == .crop
  }

  /// Sizes of images to compute features of, largest first. On less than half the pixels a side that weights were made
  /// on, they recognize little.
  static func sizesOfFeatures(upTo usual: Int) -> [Int] {
    let smaller = stride(from: usual / 32 * 32, through: max(32, (usual / 2 + 31) / 32 * 32), by: -32)
    return [usual] + smaller.filter { $0 < usual }
  }

  /// Whether only the classifier is trained from given weights.
  func isClassifierAlone(_ settings: TrainingSettings) -> Bool {
    settings.automatic.contains(Settings.freeze)
      ? facts.trainingImages < Self.fewToFineTune
      : settings.freeze.layers == FreezeSettings.backbone && settings.freeze.epochs == nil
  }

  // MARK: How it is trained

  /// Images a step: with few images, small steps, so that there are many of them.
  var batchSize: Int {
    switch facts.trainingImages {
    case ..<300: 16
    case ..<3_000: 32
    case ..<20_000: 64
    default: 128
    }
  }

  /// The peak rate, in proportion to the batch (Goyal et al. 2017, arXiv:1706.02677); the warm-up makes it safe. Wide
  /// networks of few layers bear twice as much, networks without batch norms, or with such as do nothing, a fifth.
  static func learningRate(_ plan: NetworkPlan, batchSize: Int, hasFoldedNorms: Bool = false) -> Double {
    let isNormalized =
      !hasFoldedNorms && plan.lowered.operations.contains { if case .batchNorm = $0.kind { true } else { false } }
    let base = !isNormalized ? 0.01 : isFast(plan.settings) ? 0.1 : 0.05
    return min(8 * base, 0.4, base * Double(batchSize) / 32)
  }

  /// Whether a network is one of those that are made for speed, and begin as such do.
  static func isFast(_ network: NetworkSettings) -> Bool { network.name == "resnet9" }

  /// With so many epochs, many images are seen often enough to be learned by heart, and there is time to learn from
  /// images of which a part is missing.
  static let epochsToErase = 20

  /// What keeps a fast network from learning many images by heart that it sees often (Zhong et al. 2017,
  /// arXiv:1708.04896).
  func chooseErasing(_ draft: inout RecipeDraft) {
    guard facts.trainingImages >= Self.many, Self.isFast(draft.settings.network),
      draft.settings.epochs >= Self.epochsToErase
    else { return }
    draft.choose(
      Settings.erase, 0.5, "\(draft.settings.epochs) epochs: what is seen so often is to look different each time")
  }

  /// The most epochs that are worth their time.
  func mostEpochs(of network: NetworkSettings, hasBudget: Bool) -> Int {
    guard hasBudget else { return enoughEpochs }
    return (facts.trainingImages >= Self.many && Self.isFast(network) ? 5 : 2) * enoughEpochs
  }

  /// Seconds between two checkpoints that are kept: saving more often would take a good part of short epochs.
  static let secondsBetweenCheckpoints = 10.0

  /// Which epochs' checkpoints are kept, ten at least.
  func chooseSaving(_ draft: inout RecipeDraft, epochSeconds: Double) {
    let wanted = Int((Self.secondsBetweenCheckpoints / max(1e-3, epochSeconds)).rounded(.up))
    let every = max(1, min(wanted, draft.settings.epochs / 10))
    draft.choose(
      Settings.saveEvery, every,
      every == 1 ? "an epoch takes its time" : "epochs are short, and saving takes time too")
  }

  /// How a network begins.
  func chooseBeginning(_ draft: inout RecipeDraft) {
    guard Self.isFast(draft.settings.network) else { return }
    draft.choose(Settings.convInit, .dirac, "layers that first hand on what they get learn sooner")
  }

  /// Fewer validation images than this do not tell epochs apart: the best of many figures of such a sample is luck,
  /// while the rate that comes down to zero makes the last epoch one of the best.
  static let fewToJudgeBy = 10_000
  /// Where the largest class has so many times the images of the smallest, accuracy says little of the small ones.
  static let unequal = 3.0

  /// What makes an epoch the best one, and how classes count.
  func chooseJudging(_ draft: inout RecipeDraft) {
    let ratio = Int(facts.imbalance.rounded())
    if facts.imbalance >= Self.unequal {
      draft.choose(Settings.balance, .loss, "the largest class has \(ratio) times the images of the smallest")
    }
    guard facts.validationImages > 0 else { return }
    if facts.validationImages < Self.fewToJudgeBy {
      let waits = (draft.settings.earlyStoppingPatience ?? 0) > 0
      draft.choose(
        Settings.best, waits ? .loss : .last,
        waits
          ? "of \(facts.validationImages) validation images the loss tells more than how many are right"
          : "which epoch is best on \(facts.validationImages) validation images is luck")
    } else if facts.imbalance >= Self.unequal {
      draft.choose(Settings.best, .balanced, "classes of few images are to count as much as the others")
    }
  }

  /// Fewer images than this are learned by heart in no time, and what is learned so says nothing of others.
  static let fewToTrain = 300

  /// What keeps a network that begins with random weights from learning few images by heart: every image looks different
  /// in every epoch (Müller and Hutter 2021, arXiv:2103.10158), lies between others (Zhang et al. 2017, arXiv:1710.09412),
  /// and weights stay small (Brigato et al. 2021, arXiv:2108.13122, on how much that matters with few images).
  func chooseForFew(_ draft: inout RecipeDraft) {
    guard facts.trainingImages < Self.fewToTrain else { return }
    let few = "\(facts.trainingImages) images are soon known by heart"
    draft.choose(Settings.autoAugment, .trivial, "\(few): in each epoch they look different")
    if draft.wasChosen(Settings.autoAugment) {
      draft.choose(Settings.jitter, 0, "changed colors are among the operations of --auto-augment")
    }
    draft.choose(Settings.mixup, 0.2, "\(few): blends of two are new")
    draft.choose(Settings.weightDecay, 0.005, "\(few): small weights know less")
  }

  /// What depends on neither time nor network.
  func choosePlain(_ draft: inout RecipeDraft) {
    draft.choose(
      Settings.schedule, .cosine(warmUp: 0.1), "the warm-up guards the start, a slow end averages out noise")
    draft.choose(Settings.nesterov, true, "costs nothing and is a little steadier")
    draft.choose(Settings.weightDecay, 5e-4, "the usual for batch-normalized networks trained from nothing")
    draft.choose(Settings.decayNorms, false, "scales, shifts and biases do not overfit")
    draft.choose(Settings.labelSmoothing, 0.1, "a network that fits all of its images is not sure of them")
    if let harm = facts.mirroringHarm {
      draft.choose(Settings.flip, false, harm)
    } else {
      draft.choose(Settings.flip, true, "no class's name speaks against mirror images")
    }
    if facts.isGray {
      draft.choose(Settings.jitter, 0, "the images are gray")
    } else {
      draft.choose(Settings.jitter, 0.2, "light and colors differ from picture to picture")
    }
  }
}

/// Settings while they are being chosen.
struct RecipeDraft {
  var settings: TrainingSettings
  private(set) var choices: [RecipeReport.Choice] = []

  init(_ settings: TrainingSettings) { self.settings = settings }

  /// Whether nobody has chosen it.
  func isOpen<Kind>(_ row: Setting<Kind>) -> Bool { settings.automatic.contains(row) }

  /// Whether a rule has chosen it.
  func wasChosen<Kind>(_ row: Setting<Kind>) -> Bool { choices.contains { $0.option == row.option } }

  /// Chooses a setting, unless somebody asked for another value, or an earlier rule has chosen it already.
  /// - Parameter again: whether to choose instead of an earlier rule.
  mutating func choose<Kind>(_ row: Setting<Kind>, _ value: Kind.Value, _ reason: String, again: Bool = false) {
    guard isOpen(row) || (again && wasChosen(row)) else { return }
    row.put(value: value, in: &settings)
    choices.removeAll { $0.option == row.option }
    choices.append(.init(option: row.option, value: row.text(in: settings) ?? "", reason: reason))
  }

  /// In the order of the table of settings; what is left without a rule stays as it is without a recipe.
  func finished() -> (settings: TrainingSettings, choices: [RecipeReport.Choice]) {
    var settings = settings
    settings.automatic = .none
    let places = Dictionary(uniqueKeysWithValues: zip(Settings.all.map(\.option), Settings.all.indices))
    return (settings, choices.sorted { places[$0.option] ?? 0 < places[$1.option] ?? 0 })
  }
}
