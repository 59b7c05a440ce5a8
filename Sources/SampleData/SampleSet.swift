// Which pictures the sample data consists of and where each lies. Every picture is a function of the set's seed and
// of its own path, so that no picture depends on the others or on the order of drawing.

import Foundation
import Support

/// A set of generated pictures in class folders.
public struct SampleSet: Sendable, Equatable {
  public var seed: UInt64
  /// Width and height of every picture, pixels.
  public var side: Int
  /// Pictures a class.
  public var trainingCount: Int
  public var testCount: Int

  public init(seed: UInt64, side: Int, trainingCount: Int, testCount: Int) {
    self.seed = seed
    self.side = side
    self.trainingCount = trainingCount
    self.testCount = testCount
  }

  /// The set in the repository's `sample-data` folder.
  public static let standard = SampleSet(seed: 2015, side: 40, trainingCount: 120, testCount: 40)

  /// One picture of the set.
  public struct Item: Sendable, Hashable {
    public let shape: Shape
    /// Below the set's folder: `train/disc/disc-0001.png`.
    public let path: String
  }

  /// Every picture, class by class. Numbers run on from the training to the test pictures: no name occurs twice.
  public var items: [Item] { Shape.allCases.flatMap(items(of:)) }

  /// The pictures of one class.
  public func items(of shape: Shape) -> [Item] {
    (1...trainingCount + testCount).map { number in
      let digits = String(number)
      let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      let folder = number <= trainingCount ? "train" : "test"
      return Item(shape: shape, path: "\(folder)/\(shape.rawValue)/\(shape.rawValue)-\(padded).png")
    }
  }

  /// The scene that a picture shows.
  public func scene(of item: Item) -> Scene {
    var generator = RandomGenerator(seed, stableHash(item.path))
    return Scene(shape: item.shape, side: side, using: &generator)
  }

  /// The picture itself.
  public func picture(of item: Item) -> Drawing { scene(of: item).drawn(side: side) }
}

// MARK: Writing

// Puts a set into a folder. It writes the set's own files and nothing else, and deletes nothing.

/// Why a sample set could not be made.
public enum SampleDataError: Error, Equatable, CustomStringConvertible {
  case encoding(reason: String)
  case writing(path: String, reason: String)

  public var description: String {
    switch self {
    case .encoding(let reason): "libpng could not compress a picture: \(reason)"
    case .writing(let path, let reason):
      "cannot write \(path): \(reason). Choose a folder that you may write to, on a disk with 5 MB to spare."
    }
  }
}

extension SampleSet {
  /// Writes every picture below a folder, which is created if it does not exist; files of the same name are
  /// replaced, each in one step.
  ///
  /// - Returns: how many files were written, and their total size in bytes.
  /// - Throws: `SampleDataError`, naming the first file that failed.
  @discardableResult
  public func write(to folder: String) throws -> (files: Int, bytes: Int) {
    let root = URL(fileURLWithPath: folder, isDirectory: true)
    var total = (files: 0, bytes: 0)
    for item in items {
      let bytes = try picture(of: item).encodedAsPNG()
      let file = root.appendingPathComponent(item.path)
      do {
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file, options: .atomic)
      } catch {
        throw SampleDataError.writing(path: file.path, reason: Self.reason(error))
      }
      total = (total.files + 1, total.bytes + bytes.count)
    }
    return total
  }

  /// What the system said: Foundation keeps it below its own error, whose text is often only a number.
  private static func reason(_ error: any Error) -> String {
    if let system = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError {
      return String(cString: strerror(system.code.rawValue))
    }
    return error.localizedDescription
  }
}
