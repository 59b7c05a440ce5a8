// Which split an image belongs to. The answer depends on the image's own path and nothing else, so adding or
// removing files never moves another one.

import Messages
import Tensors

extension SplitSettings {
  /// - Throws: `DatasetError.invalidSplit` unless the three are percentages that add up to 100.
  func validate() throws(DatasetError) {
    let shares = [train, validation, test]
    guard shares.allSatisfy({ (0...100).contains($0) }), shares.reduce(0, +) == 100 else {
      throw .invalidSplit(self)
    }
  }

  /// The split of an image in a dataset that has no split folders.
  /// - Parameter path: relative to the dataset's folder.
  func split(ofPath path: String) -> Split {
    let bucket = Self.bucket(ofPath: path, below: train + validation + test)
    if bucket < train { return .train }
    return bucket < train + validation ? .validation : .test
  }

  /// The split of an image in the folder `train` of a dataset that has no validation folder: validation images are
  /// taken out of it in the ratio validation : train.
  /// - Parameter path: relative to the dataset's folder.
  func splitWithinTraining(ofPath path: String) -> Split {
    guard train + validation > 0 else { return .train }
    return Self.bucket(ofPath: path, below: train + validation) < validation ? .validation : .train
  }

  private static func bucket(ofPath path: String, below bound: Int) -> Int {
    // FNV-1a's high bits hardly depend on the last letters; the generator mixes them all.
    var generator = RandomGenerator(seed: stableHash(path))
    return generator.integer(below: bound)
  }
}
