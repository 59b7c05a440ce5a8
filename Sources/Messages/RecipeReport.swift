// What the recipe made of a dataset: the settings that it chose with a word of reason each, and what the run will cost.
// Plain values, shown before a run starts and kept with it. The rules themselves are in Training/Recipe.

/// What is known of a dataset that a recipe looks at.
public struct DataFacts: Codable, Sendable, Equatable {
  public var trainingImages: Int
  public var validationImages: Int
  public var testImages: Int
  public var classes: Int
  /// Training images of the class that has fewest, and of the one that has most.
  public var smallestClass: Int
  public var largestClass: Int
  /// Pixels of an image's shorter side, the median of those looked at.
  public var shorterSide: Int
  /// Longer side by shorter side, the median.
  public var aspect: Double
  /// Whether every image looked at is gray.
  public var isGray: Bool
  /// Seconds that a thread takes to read and decode an image, the mean of those looked at.
  public var decodingSeconds: Double
  /// Why a mirrored image may be one of another class; nil where nothing suggests it.
  public var mirroringHarm: String?

  public init(
    trainingImages: Int, validationImages: Int, testImages: Int, classes: Int, smallestClass: Int,
    largestClass: Int,
    shorterSide: Int, aspect: Double, isGray: Bool, decodingSeconds: Double, mirroringHarm: String? = nil
  ) {
    self.trainingImages = trainingImages
    self.validationImages = validationImages
    self.testImages = testImages
    self.classes = classes
    self.smallestClass = smallestClass
    self.largestClass = largestClass
    self.shorterSide = shorterSide
    self.aspect = aspect
    self.isGray = isGray
    self.decodingSeconds = decodingSeconds
    self.mirroringHarm = mirroringHarm
  }

  /// How many times the largest class is the smallest.
  public var imbalance: Double { Double(largestClass) / Double(max(1, smallestClass)) }
}

/// What a run takes, in seconds of wall time and bytes.
public struct RunCost: Codable, Sendable, Equatable {
  public var epochs: Int
  public var steps: Int
  /// Reading, decoding and measuring the images, before the first step.
  public var preparation: Double
  /// Computing the features of every image once, where only the classifier is trained; nil where it is not.
  public var features: Double?
  /// An epoch's steps and its validation.
  public var epoch: Double
  /// Measuring the test images at the end.
  public var evaluation: Double
  public var memory: Int

  public init(
    epochs: Int, steps: Int, preparation: Double, features: Double? = nil, epoch: Double, evaluation: Double,
    memory: Int
  ) {
    self.epochs = epochs
    self.steps = steps
    self.preparation = preparation
    self.features = features
    self.epoch = epoch
    self.evaluation = evaluation
    self.memory = memory
  }

  public var training: Double { Double(epochs) * epoch }
  public var total: Double { preparation + (features ?? 0) + training + evaluation }

  enum CodingKeys: String, CodingKey { case epochs, steps, preparation, features, epoch, evaluation, memory }
}

/// What the recipe chose, and why.
public struct RecipeReport: Codable, Sendable, Equatable {
  /// One setting.
  public struct Choice: Codable, Sendable, Equatable {
    /// The option without dashes.
    public var option: String
    /// As the option takes it.
    public var value: String
    public var reason: String

    public init(option: String, value: String, reason: String) {
      self.option = option
      self.value = value
      self.reason = reason
    }
  }

  /// Another network or image size, and what it would take.
  public struct Alternative: Codable, Sendable, Equatable {
    public var network: NetworkSettings
    public var imageSize: Int
    public var multiplyAdds: Int
    /// Seconds.
    public var epoch: Double
    /// Epochs that the budget has room for.
    public var epochsInBudget: Int
    public var memory: Int
    public var isChosen: Bool

    public init(
      network: NetworkSettings, imageSize: Int, multiplyAdds: Int, epoch: Double, epochsInBudget: Int, memory: Int,
      isChosen: Bool
    ) {
      self.network = network
      self.imageSize = imageSize
      self.multiplyAdds = multiplyAdds
      self.epoch = epoch
      self.epochsInBudget = epochsInBudget
      self.memory = memory
      self.isChosen = isChosen
    }
  }

  public var choices: [Choice]
  public var facts: DataFacts
  public var cost: RunCost
  /// Seconds that the run was fitted into.
  public var budget: Double
  /// Other networks and sizes, where they were asked for.
  public var alternatives: [Alternative]

  public init(
    choices: [Choice], facts: DataFacts, cost: RunCost, budget: Double,
    alternatives: [Alternative]
  ) {
    self.choices = choices
    self.facts = facts
    self.cost = cost
    self.budget = budget
    self.alternatives = alternatives
  }
}

/// Settings that a recipe has completed.
public struct RunPlan: Codable, Sendable, Equatable {
  /// With nothing left to choose.
  public var settings: TrainingSettings
  public var recipe: RecipeReport

  public init(settings: TrainingSettings, recipe: RecipeReport) {
    self.settings = settings
    self.recipe = recipe
  }
}
