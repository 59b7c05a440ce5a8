// Temperature scaling (Guo et al. 2017, arXiv:1706.04599, section 4.2): one number that the logits are divided by, so that
// the mean cross-entropy of images the network was not trained on is least. It stands in a small file beside the
// checkpoint, with the checkpoint's checksum: for another one it means nothing.

import Files
import FoundationEssentials
import Glibc
import Messages
import Training
import WeightFiles

/// Gathers outputs and fits a temperature.
public struct TemperatureFitting {
  /// [N, classes], log-probabilities: what a softmax makes of them over a temperature is the same as of logits.
  private var logarithms: [Double] = []
  private var truths: [Int] = []
  private var classes = 0

  public init() {}

  public mutating func add(_ image: MeasuredImage) {
    guard let outputs = image.outputs else { return }
    add((0..<outputs.classes).map { -outputs.loss($0) }, truth: image.truth)
  }

  /// - Parameter row: [classes], logits or log-probabilities.
  mutating func add(_ row: [Double], truth: Int) {
    classes = row.count
    logarithms += row
    truths.append(truth)
  }

  private static let range = 0.01...100.0

  /// The temperature of least loss: the derivative by its inverse, the mean of E[z] - z of the truth, grows with it, so
  /// its zero is found by halving.
  /// - Parameter checkpoint: the checksum of its file.
  /// - Throws: `CalibrationRefusal` where there are too few images, or nothing to learn from them.
  public func fit(split: EvaluationSplit, checkpoint: String) throws -> TemperatureFit {
    guard truths.count >= Self.leastImages else {
      throw CalibrationRefusal(
        "a temperature needs \(Self.leastImages) images that the network was not trained on, and the '\(split.rawValue)' "
          + "split has \(truths.count)")
    }
    var (low, high) = (log(1 / Self.range.upperBound), log(1 / Self.range.lowerBound))
    guard slope(exp(low)) < 0, slope(exp(high)) > 0 else {
      throw CalibrationRefusal(
        "no temperature from \(Self.range.lowerBound) to \(Self.range.upperBound) fits the '\(split.rawValue)' images: "
          + "the network is right about all of them, or no better than chance")
    }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if slope(exp(middle)) < 0 { low = middle } else { high = middle }
    }
    let temperature = exp(-(low + high) / 2)
    let (before, after) = (quality(1), quality(temperature))
    return TemperatureFit(
      temperature: temperature, images: truths.count, split: split, lossBefore: before.loss, lossAfter: after.loss,
      errorBefore: before.error, errorAfter: after.error, checkpoint: checkpoint)
  }

  private static let leastImages = 20

  /// The derivative of the mean loss by the inverse temperature.
  private func slope(_ inverse: Double) -> Double {
    var sum = 0.0
    forEachRow { row, truth in
      let largest = row.max() ?? 0
      var (total, weighted) = (0.0, 0.0)
      for value in row {
        let weight = exp((value - largest) * inverse)
        total += weight
        weighted += weight * value
      }
      sum += weighted / total - row[row.startIndex + truth]
    }
    return sum / Double(truths.count)
  }

  private func quality(_ temperature: Double) -> (loss: Double, error: Double) {
    var (loss, reliability) = (0.0, Reliability())
    forEachRow { row, truth in
      let largest = row.max() ?? 0
      let total = row.reduce(0) { $0 + exp(($1 - largest) / temperature) }
      loss += log(total) - (row[row.startIndex + truth] - largest) / temperature
      reliability.add(
        confidence: min(1, 1 / total), isRight: row.firstIndex(of: largest) == row.startIndex + truth)
    }
    return (loss / Double(truths.count), reliability.expectedCalibrationError ?? 0)
  }

  private func forEachRow(_ body: (ArraySlice<Double>, Int) -> Void) {
    for (place, truth) in truths.enumerated() { body(logarithms[place * classes..<(place + 1) * classes], truth) }
  }
}

/// A temperature that cannot be fitted, or is not there.
public struct CalibrationRefusal: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Temperatures in files beside their checkpoints: `best.safetensors` has `best.calibration.json`.
public enum Calibration {
  public static func path(besides checkpoint: String) -> String {
    let stem = checkpoint.hasSuffix(".safetensors") ? String(checkpoint.dropLast(".safetensors".count)) : checkpoint
    return stem + ".calibration.json"
  }

  /// - Throws: `FileOperationError`.
  @discardableResult
  public static func write(_ fit: TemperatureFit, besides checkpoint: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    let path = path(besides: checkpoint)
    try AtomicFile.write(try encoder.encode(fit) + Data("\n".utf8), to: path)
    return path
  }

  /// The temperature of a checkpoint.
  /// - Parameter checksum: of the checkpoint as it is now.
  /// - Throws: `CalibrationRefusal` where there is none, or it is of another checkpoint or is damaged.
  public static func read(besides checkpoint: String, checksum: String) throws -> TemperatureFit {
    let path = path(besides: checkpoint)
    let again = "fit one with: skipline evaluate \(checkpoint) --calibrate"
    guard try FilePath.kind(of: path) != nil else {
      throw CalibrationRefusal("\(checkpoint) has no calibration; \(again)")
    }
    let bytes = try InputFile.contents(of: path, bound: SizeBound.theme)
    guard let fit = try? JSONDecoder().decode(TemperatureFit.self, from: Data(bytes)),
      fit.temperature.isFinite, (1e-3...1e3).contains(fit.temperature)
    else { throw CalibrationRefusal("\(path) is damaged; \(again)") }
    guard fit.checkpoint == checksum else {
      throw CalibrationRefusal("\(path) is of an earlier \(FilePath.split(checkpoint).name); \(again)")
    }
    return fit
  }
}
