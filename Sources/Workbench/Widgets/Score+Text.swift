// A score in words: what is said of the best epoch, on the screen and by the commands.

import Canvas
import Messages

extension Score {
  /// `87.1%`, of a loss `0.2134`.
  public func figure(decimals: Int = 1) -> String {
    metric == .loss ? Format.fixed(value, 4) : Format.percent(value, decimals: decimals)
  }

  /// `87.1%`, and of another metric than the accuracy with its short name: `balanced 87.1%`.
  public func brief(decimals: Int = 1) -> String {
    switch metric {
    case .top1, .last: figure(decimals: decimals)
    case .balanced: "balanced \(figure(decimals: decimals))"
    case .macroF1: "F1 \(figure(decimals: decimals))"
    case .loss: "loss \(figure())"
    }
  }

  /// `validation accuracy 87.10%`.
  var text: String { "\(metric.name) \(figure(decimals: 2))" }

  /// What it is among the epochs of its run, of which it is the best: `best`, or `last`.
  public var rank: String { metric == .last ? "last" : "best" }

  /// `best 87.1%`, `best loss 0.2134`, `last 87.1%`.
  public func ranked(decimals: Int = 1) -> String { "\(rank) \(brief(decimals: decimals))" }

  /// `best validation accuracy 87.10%`, `last validation accuracy 87.10%`.
  public var rankedText: String { "\(rank) \(text)" }
}
