// A table of runs as text: on the screen, and printed by `skipline compare`.

import Canvas
import Messages

extension RunTable {
  /// A row of texts for each row of the table, with the rows' names at the left and the runs' in the first one.
  public var texts: [[String]] {
    let results = results.map { row in
      [row.name] + row.values.indices.map { place in text(row, place) }
    }
    let settings = settings.map { row in ["--" + row.name] + row.values.map { $0?.text ?? Format.absent } }
    return [[""] + runs.map(\.name)] + results + settings
  }

  private func text(_ row: Row, _ place: Int) -> String {
    guard let value = row.values[place] else { return Format.absent }
    guard let difference = row.difference(of: place) else { return value.text }
    return value.text + " (" + value.text(ofDifference: difference) + ")"
  }
}

extension RunTable.Value {
  var text: String {
    switch self {
    case .text(let text): text
    case .count(let count): Format.short(count)
    case .progress(let done, let all): "\(done)/\(all)"
    case .loss(let loss): Format.loss(loss)
    case .share(let share): Format.percent(share, decimals: 2)
    case .seconds(let seconds): Format.duration(seconds)
    case .score(let score): score.brief(decimals: 2)
    }
  }

  /// With a sign; of shares in points.
  fileprivate func text(ofDifference difference: Double) -> String {
    let isShare =
      switch self {
      case .share: true
      case .score(let score): score.metric != .loss
      default: false
      }
    let text = isShare ? Format.fixed(difference * 100, 2) : Format.fixed(difference, 3)
    return text.hasPrefix("-") ? text : "+" + text
  }
}
