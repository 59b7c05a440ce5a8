// What comes before the first step of a run, in words.

import Canvas
import Messages

extension PreparationProgress {
  var text: String {
    switch self {
    case .scanning(let files): "reading \(Format.counted(files, "image"))"
    case .planning: "trying what fits the images"
    case .caching(let done, let total, let bytes):
      "caching \(Format.count(done)) of \(Format.count(total)), cache \(Format.bytes(bytes))"
    case .measuring(let done, let total):
      "measuring \(Format.count(done)) of \(Format.counted(total, "image"))"
    }
  }

  /// 0...1; nil where the end is not known.
  var share: Double? {
    switch self {
    case .scanning, .planning: nil
    case .caching(let done, let total, _), .measuring(let done, let total):
      TaskProgress(done: done, total: total).share
    }
  }
}

extension Frame {
  /// How far it has come: a gauge where the end is known, else a sign of activity.
  mutating func put(preparation: PreparationProgress, at time: Double, in rect: Rect, theme: Theme) {
    if let share = preparation.share {
      Gauge(share, text: preparation.text).draw(into: &self, in: rect, theme: theme)
    } else {
      put("\(spinner(at: time, theme: theme)) \(preparation.text)", in: rect, style: theme[.text])
    }
  }
}
