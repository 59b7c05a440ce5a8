// How far something has come that takes a while before there is a result.

/// Reading a dataset.
public enum DatasetProgress: Codable, Sendable, Equatable {
  /// Folders are being listed: images found so far, in all and in each class that was begun.
  case scanning(files: Int, classes: [ClassCount])
  /// Files are being decoded.
  case checking(done: Int, total: Int)

  public struct ClassCount: Codable, Sendable, Equatable {
    public var name: String
    public var images: Int

    public init(name: String, images: Int) {
      self.name = name
      self.images = images
    }
  }
}

/// What comes before the first step of a run or the first batch of an evaluation.
public enum PreparationProgress: Codable, Sendable, Equatable {
  /// Images found so far.
  case scanning(files: Int)
  /// Looking at some images and trying some steps, for the recipe.
  case planning
  /// Images decoded and resized into the cache, and the bytes that the cache will have.
  case caching(done: Int, total: Int, bytes: Int)
  /// Images measured for their mean and std.
  case measuring(done: Int, total: Int)
}
