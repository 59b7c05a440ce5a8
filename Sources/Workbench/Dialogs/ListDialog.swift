// A question about a list that may be long: lines above that stay, the answers, and the list in a window that scrolls
// below them. What is asked, and what an answer does, is in the files of those who ask.

import Canvas

/// A question as it stands on the screen.
struct ListDialog: Equatable {
  struct Line: Equatable {
    var text: String
    var isHeading = false
  }

  struct Answer: Equatable {
    var key: String
    var text: String
    /// Whether it can be given; if not, `text` says why.
    var isPossible = true
  }

  var title: String
  /// Paragraphs, to be wrapped.
  var head: [String]
  var answers: [Answer]
  /// What stands over the list; empty for nothing.
  var caption = ""
  var body: [Line]

  private static let widest = 76

  /// Where everything stands.
  private struct Places {
    var box: Rect
    var head: [String]
    /// Rows of the list in view.
    var window: Int
    /// Whether there is room for free lines around the answers.
    var hasGap: Bool

    /// From the answers on.
    var choices: Rect {
      let rest = box.interior.splitTop(head.count).rest
      return hasGap ? rest.splitTop(1).rest : rest
    }
  }

  private func places(in size: Size) -> Places {
    let screen = Rect(size).inset(bottom: 2)
    let width = min(size.width - 4, Self.widest)
    let head = head.flatMap { Paragraph.wrapped($0, width: width - 4) }
    let captions = caption.isEmpty ? 0 : 1
    let spare = screen.height - 2 - head.count - answers.count - captions
    let hasGap = spare > 3
    let window = max(0, min(body.count, spare - (hasGap ? 2 : 0)))
    let height = 2 + head.count + window + (hasGap ? 2 : 0) + answers.count + captions
    return Places(
      box: screen.centered(width: width, height: min(height, screen.height)), head: head, window: window,
      hasGap: hasGap)
  }

  /// The nearest place of the list's window to one that is asked for.
  func clamped(_ scroll: Int, in size: Size) -> Int { max(0, min(scroll, body.count - places(in: size).window)) }

  /// How far an action moves the window; nil for one that does not.
  func rows(for action: Action, in size: Size) -> Int? {
    let page = max(1, places(in: size).window - 1)
    return switch action {
    case .up: -1
    case .down: 1
    case .pageUp: -page
    case .pageDown: page
    case .first: -body.count
    case .last: body.count
    default: nil
    }
  }

  /// The answer on whose line a cell is.
  func answer(x: Int, y: Int, in size: Size) -> Answer? {
    let places = places(in: size)
    let choices = places.choices
    guard choices.contains(x: x, y: y), y - choices.y < answers.count else { return nil }
    return answers[y - choices.y]
  }

  func draw(scroll: Int, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let places = places(in: frame.size)
    let inner = frame.overlay(places.box, title: title, theme: theme)
    frame.put(lines: places.head, in: inner.splitTop(places.head.count).top, style: theme[.text])
    let choices = places.choices
    let column = (answers.map(\.key.columns).max() ?? 0) + 2
    for (row, answer) in answers.prefix(choices.height).enumerated() {
      let (key, text) = choices.row(row).splitLeft(column)
      frame.put(answer.key, in: key, style: theme[answer.isPossible ? .hintKey : .dimmed])
      frame.put(answer.text, in: text, style: theme[answer.isPossible ? .text : .dimmed])
    }
    var below = choices.splitTop(answers.count + (places.hasGap ? 1 : 0)).rest
    if !caption.isEmpty {
      frame.put(caption, in: below.row(0), style: theme[.text], truncate: .end)
      below = below.splitTop(1).rest
    }
    let list = below.splitTop(places.window).top
    let top = clamped(scroll, in: frame.size)
    for (row, line) in body.dropFirst(top).prefix(places.window).enumerated() {
      frame.put(
        line.text, in: list.row(row).inset(right: 1), style: theme[line.isHeading ? .header : .dimmed],
        truncate: .middle)
    }
    let track = Rect(x: list.right - 1, y: list.y, width: 1, height: list.height)
    Table.drawScrollBar(count: body.count, offset: top, into: &frame, in: track, theme: theme)
  }
}

extension WorkbenchState {
  /// The question that covers the panes, if it is one about a list.
  var scrollingQuestion: ListDialog? {
    switch overlay {
    case .diverged: DivergenceView.question(self)
    case .dataChanged: dataChange.map { DataChangeView.question($0) }
    default: nil
    }
  }

  /// Moves the window of its list, to the list's ends and no further.
  mutating func scrollQuestion(by rows: Int) {
    guard let question = scrollingQuestion else { return }
    switch overlay {
    case .diverged(var dialog):
      dialog.scroll = question.clamped(dialog.scroll + rows, in: size)
      overlay = .diverged(dialog)
    case .dataChanged(let scroll):
      overlay = .dataChanged(scroll: question.clamped(scroll + rows, in: size))
    default: break
    }
  }

  /// Opens the question that waits, as soon as nothing else has the keys.
  mutating func askWhatWaits() {
    guard overlay == nil, !filtering, !ScreenLayout.isTooSmall(size) else { return }
    if engine == .paused, let divergence, !divergence.isPutOff {
      overlay = .diverged(DivergenceDialogMode(openedAt: time))
    } else if engine == .idle, dataChange != nil {
      overlay = .dataChanged(scroll: 0)
    }
  }
}
