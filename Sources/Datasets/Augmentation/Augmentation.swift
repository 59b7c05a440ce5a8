// The random changes of training images, as a list: a crop, which makes the square that the network sees, and steps that
// change it. Each is a type of its own in the files beside this one. Their random numbers follow from seed, epoch and
// image, so an image of an epoch looks the same whoever prepares it and when.

import Images
import Messages
import Support

/// What is done to training images; the resolved form of `AugmentationSettings`, but for what mixes several images (see
/// `BatchMixing`).
public struct Augmentation: Sendable, Equatable {
  let crop: any AugmentationCrop
  /// In the order in which they are carried out. Those that are off are not among them.
  let steps: [any AugmentationStep]

  /// - Parameter resize: how the preprocessing makes squares, on which an automatic crop depends.
  public init(resolving settings: AugmentationSettings, resize: Preprocessing.Resize) {
    crop =
      switch settings.crop.resolved(for: resize) {
      case .automatic, .none: NoCrop()
      case .padAndCrop: PadAndCrop()
      case .randomResized: RandomResizedCrop(leastArea: settings.cropScale ?? RandomResizedCrop.usualLeastArea)
      }
    var steps: [any AugmentationStep] = []
    if settings.horizontalFlip { steps.append(settings.alternatesFlip ? AlternatingFlip() : HorizontalFlip()) }
    if settings.verticalFlip { steps.append(VerticalFlip()) }
    switch settings.automatic {
    case .none: break
    case .trivial: steps.append(TrivialAugment())
    }
    if settings.rotation > 0 { steps.append(RandomRotation(largest: settings.rotation)) }
    if settings.colorJitter > 0 { steps.append(ColorJitter(strength: settings.colorJitter)) }
    if settings.erasing > 0 {
      steps.append(RandomErasing(probability: settings.erasing, fill: settings.erasingFill ?? .noise))
    }
    self.steps = steps
  }

  /// One random variant of an image in its cached form (see `Preprocessing.cachedForm(of:)`; a random resized crop is
  /// a part of that, not of the file's own pixels).
  func trainingInput(
    _ image: PixelImage, preprocessing: Preprocessing, chance: AugmentationChance
  ) -> AugmentedImage {
    var chance = chance
    var input = crop.square(of: image, preprocessing, &chance)
    for step in steps { step.change(&input, preprocessing, &chance) }
    return input
  }

  /// Whether an image looks different from epoch to epoch.
  public var changesImages: Bool { !(crop is NoCrop) || !steps.isEmpty }

  /// Whether images are mirrored, left to right.
  public var mirrors: Bool { steps.contains { $0 is HorizontalFlip || $0 is AlternatingFlip } }

  public static func == (one: Augmentation, other: Augmentation) -> Bool {
    one.crop.isSame(as: other.crop) && one.steps.count == other.steps.count
      && zip(one.steps, other.steps).allSatisfy { $0.isSame(as: $1) }
  }
}

extension AugmentationSettings {
  /// The smallest share of the area that a random resized crop takes where nothing is said.
  public static let usualCropScale = RandomResizedCrop.usualLeastArea
}

extension AugmentationSettings.Crop {
  /// What `automatic` stands for: a random resized crop where the preprocessing crops, padding where it shows the whole
  /// image.
  public func resolved(for resize: Preprocessing.Resize) -> Self {
    guard self == .automatic else { return self }
    return resize == .crop ? .randomResized : .padAndCrop
  }
}

/// Makes the square that the network sees of an image in its cached form.
protocol AugmentationCrop: Sendable, Equatable {
  func square(
    of image: PixelImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance
  ) -> AugmentedImage
}

/// One random change of that square.
protocol AugmentationStep: Sendable, Equatable {
  func change(_ input: inout AugmentedImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance)
}

extension AugmentationCrop {
  fileprivate func isSame(as other: any AugmentationCrop) -> Bool { other as? Self == self }
}

extension AugmentationStep {
  fileprivate func isSame(as other: any AugmentationStep) -> Bool { other as? Self == self }
}

/// Where the random numbers for one image in one epoch come from.
struct AugmentationChance: Sendable, Equatable {
  let seed: UInt64
  /// From 0.
  let epoch: Int
  /// The hash of the image's path.
  let image: UInt64
  /// For what is drawn anew each epoch, by one step after the other.
  var generator: RandomGenerator

  /// - Parameter repeats: how often the epoch had the image before.
  init(seed: UInt64, epoch: Int, image: UInt64, repeats: Int = 0) {
    self.seed = seed
    self.epoch = epoch
    self.image = image
    generator =
      repeats == 0
      ? RandomGenerator(seed, UInt64(epoch), image, Self.purpose)
      : RandomGenerator(seed, UInt64(epoch), image, Self.purpose, UInt64(repeats))
  }

  /// A coin that falls the same in every epoch.
  /// - Parameter purpose: tells the coins of one image apart.
  func coin(_ purpose: String) -> Bool {
    var generator = RandomGenerator(seed, image, stableHash(purpose))
    return generator.uniform() < 0.5
  }

  /// Tells this generator from others of the same seed.
  private static let purpose = stableHash("augmentation")
}
