// How far the probabilities can be trusted: what the confidence view goes by, found once for an evaluation.

import Messages

struct ConfidenceState: Sendable, Equatable {
  /// Whether the reliability diagram is shown; else the histogram.
  var showsReliability = false
  /// Answers below it would be rejected, hundredths.
  private(set) var hundredths = 50
  /// nil until every image is known.
  private(set) var reliability: Reliability?
  /// In as many parts as everywhere else, 0...1.
  private(set) var calibrationError: Double?
  private(set) var coverage: Coverage?

  var threshold: Double { Double(hundredths) / 100 }

  mutating func take(_ table: EvaluationTable) {
    // Parts of five hundredths, as the threshold moves.
    reliability = table.reliability(bins: 20)
    calibrationError = table.reliability().expectedCalibrationError
    coverage = table.coverage(atLeast: threshold)
  }

  mutating func move(by hundredths: Int, _ table: EvaluationTable?) {
    self.hundredths = max(0, min(100, self.hundredths + hundredths))
    coverage = table.map { $0.coverage(atLeast: threshold) }
  }
}
