// Mean and std of the training images, as the network will see them.

import Images
import Messages
import Synchronization

extension Preprocessing {
  /// More images than this do not change the third digit.
  public static let measuredImages = 20_000

  /// Mean and std of each channel over all pixels of the evaluation inputs, on values in 0...1. Sums are whole
  /// numbers, so the result is the same for any number of workers. Deviations are at least 1/255, or a set of black
  /// images would divide by zero.
  ///
  /// - Parameters:
  ///   - source: where the images are; whether there is an image cache makes no difference to the result.
  ///   - limit: of more images than this, as many are taken at even distances.
  ///   - progress: called now and then, never from two threads at a time.
  ///   - isCancelled: asked before each image; true leaves the rest out, and the result is of no use.
  /// - Throws: `DatasetError.noDecodableImages`; a few bad files are left out.
  public func measure(
    items: [DatasetItem], source: ImageSource, limit: Int = measuredImages, workers: Int = 1,
    progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws(DatasetError) -> (mean: [Float], std: [Float]) {
    let total = min(max(1, limit), items.count)
    let sums = Mutex(Sums())
    forEachConcurrently(count: total, workers: workers, state: { ImageDecoder() }) { index, decoder in
      guard !isCancelled() else { return }
      let item = items[index * items.count / total]
      var own = Sums()
      do throws(DecodingFailure) {
        own.add(try source.evaluationInput(of: item, preprocessing: self, decoder: decoder))
      } catch {
        own.failure = (index, error)
      }
      sums.withLock {
        $0.add(own)
        $0.done += 1
        if $0.done.isMultiple(of: 100) || $0.done == total { progress($0.done, total) }
      }
    }
    let result = sums.withLock { $0 }
    guard result.pixels > 0 else { throw .noDecodableImages(path: source.root, first: result.failure?.failure) }
    let mean = result.sum.map { Double($0) / Double(result.pixels) / 255 }
    let std = zip(result.sumOfSquares, mean).map { squares, mean in
      // Rounding can leave a tiny negative number where all values are the same.
      max(1 / 255, (max(0, Double(squares) / Double(result.pixels) / 65_025 - mean * mean)).squareRoot())
    }
    return (mean.map { Float($0) }, std.map { Float($0) })
  }

  private struct Sums {
    /// For red, green and blue. Squares of 8-bit values of 20,000 images of 4096 x 4096 stay below 2^55.
    var sum: [UInt64] = [0, 0, 0]
    var sumOfSquares: [UInt64] = [0, 0, 0]
    var pixels: UInt64 = 0
    var done = 0
    /// The first file that did not decode.
    var failure: (index: Int, failure: DecodingFailure)?

    mutating func add(_ image: PixelImage) {
      pixels += UInt64(image.width * image.height)
      image.pixels.withUnsafeBufferPointer { bytes in
        for channel in 0..<3 {
          var (sum, squares) = (UInt64(0), UInt64(0))
          for i in stride(from: channel, to: bytes.count, by: 3) {
            let value = UInt64(bytes[i])
            sum &+= value
            squares &+= value &* value
          }
          self.sum[channel] += sum
          sumOfSquares[channel] += squares
        }
      }
    }

    mutating func add(_ other: Sums) {
      pixels += other.pixels
      for channel in 0..<3 {
        sum[channel] += other.sum[channel]
        sumOfSquares[channel] += other.sumOfSquares[channel]
      }
      if let theirs = other.failure, theirs.index < failure?.index ?? .max { failure = theirs }
    }
  }
}
