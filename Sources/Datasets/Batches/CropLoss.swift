// How much of the pictures nobody sees when the center is cut out of them: a figure of their sizes alone.

import Images
import Messages

/// The share of each picture's area that cutting out the center square leaves out.
public struct CropLoss: Sendable, Equatable {
  /// Of all pictures, 0...1.
  public var median: Double
  /// The most, and where.
  public var greatest: Double
  public var path: String

  /// Square pictures lose 23 % at their edges, which is meant; a median above this is worth saying.
  public static let usualShare = 0.3
  /// A median above this is worth a warning, one picture above it worth saying: of 3:2 about half goes.
  static let severeShare = 0.5

  /// What cutting out the center leaves out of a picture.
  static func share(width: Int, height: Int) -> Double {
    share(aspect: Double(max(width, height)) / Double(min(width, height)))
  }

  /// The same by the longer side's length in shorter sides.
  public static func share(aspect: Double) -> Double {
    // 256/224 of the square's side is what the shorter side is resized to.
    1 - 224.0 / 256 * 224 / 256 / aspect
  }

  /// - Returns: nil where there are no pictures.
  init?(_ sizes: some Collection<(path: String, width: Int, height: Int)>) {
    let shares = sizes.map { (path: $0.path, share: Self.share(width: $0.width, height: $0.height)) }
    // Of equals the first by name: what is said must not depend on the order of the files.
    guard let most = shares.min(by: { ($1.share, $0.path) < ($0.share, $1.path) }) else { return nil }
    median = DatasetStatistics.Spread(shares.map(\.share)).median
    greatest = most.share
    path = most.path
  }

  /// Whether more is cut away than of pictures that are as good as square.
  public var isWorthSaying: Bool { median > Self.usualShare || greatest > Self.severeShare }

  var isGrave: Bool { median > Self.severeShare }

  /// `cuts away 81 % of the area of the median image, at most 90 % (of wide/3.png)`.
  public var text: String {
    func percent(_ share: Double) -> String { "\(Int((100 * share).rounded()))%" }
    if percent(median) == percent(greatest) { return "cuts away \(percent(median)) of the area of each image" }
    return "cuts away \(percent(median)) of the area of the median image, and \(percent(greatest)) of \(path)"
  }
}

extension Preprocessing {
  /// What this preprocessing cuts away of a dataset's images.
  /// - Parameters:
  ///   - cache: whose sizes are known; else the headers of some files at even distances are read.
  /// - Returns: nil where nothing is cropped, or no size is known.
  public func cropLoss(index: DatasetIndex, cache: ImageCache?, workers: Int) -> CropLoss? {
    guard resize == .crop else { return nil }
    if let sizes = cache?.sourceSizes, !sizes.isEmpty { return CropLoss(sizes) }
    let items = index.items
    let sampled = min(Self.sampledHeaders, items.count)
    let sizes = concurrentMap(count: sampled, workers: workers, state: { ImageDecoder() }) { number, decoder in
      let item = items[number * items.count / sampled]
      return (try? decoder.header(path: item.absolutePath(root: index.root))).map {
        (item.path, $0.width, $0.height)
      }
    }
    return CropLoss(sizes.compactMap { $0 })
  }
}
