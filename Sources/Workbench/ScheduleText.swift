// The written form of a learning rate schedule, shared by the settings form and the command line that it shows:
// `constant`, `cosine:0.05`, `step:30,60:0.1`, `plateau:0.1:5`.

import Messages

extension Schedule {
  /// What is wrong with a schedule's text, and what would be right.
  public struct TextError: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  /// The text that `init(text:)` reads back to the same schedule.
  public var text: String {
    switch self {
    case .constant: "constant"
    case .cosine(let warmUp): "cosine:" + plainNumber(warmUp)
    case .step(let epochs, let factor):
      "step:" + epochs.map(String.init).joined(separator: ",") + ":" + plainNumber(factor)
    case .plateau(let factor, let patience): "plateau:" + plainNumber(factor) + ":\(patience)"
    }
  }

  /// Reads `constant`, `cosine[:warmup]`, `step:epoch,epoch[:factor]` or `plateau[:factor[:patience]]`. What is left
  /// out takes 0.05 as the warm-up, 0.1 as the factor and 5 epochs as the patience.
  /// - Throws: `TextError`, saying which part is wrong.
  public init(text: String) throws(TextError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("constant", 1): self = .constant
    case ("cosine", 1...2):
      self = .cosine(warmUp: try Self.share(parts.count > 1 ? parts[1] : "0.05", "the warm-up share"))
    case ("step", 2...3):
      let epochs = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
      guard epochs.allSatisfy({ $0 > 0 }), zip(epochs, epochs.dropFirst()).allSatisfy({ $0 < $1 }) else {
        throw TextError(description: "step needs rising epochs from 1, as in step:30,60")
      }
      self = .step(epochs: epochs, factor: try Self.factor(parts.count > 2 ? parts[2] : "0.1"))
    case ("plateau", 1...3):
      guard let patience = Int(parts.count > 2 ? parts[2] : "5"), patience > 0 else {
        throw TextError(description: "the patience must be 1 epoch or more, as in plateau:0.1:5")
      }
      self = .plateau(factor: try Self.factor(parts.count > 1 ? parts[1] : "0.1"), patience: patience)
    default:
      throw TextError(description: "write constant, cosine:0.05, step:30,60:0.1 or plateau:0.1:5")
    }
  }

  private static func share(_ text: String, _ what: String) throws(TextError) -> Double {
    guard let value = Double(text), (0..<1).contains(value) else {
      throw TextError(description: "\(what) must be 0 or more and below 1")
    }
    return value
  }

  private static func factor(_ text: String) throws(TextError) -> Double {
    guard let value = Double(text), value > 0, value < 1 else {
      throw TextError(description: "the factor must lie between 0 and 1")
    }
    return value
  }
}

/// The shortest text that reads back to the same number; whole numbers without a point.
func plainNumber(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
