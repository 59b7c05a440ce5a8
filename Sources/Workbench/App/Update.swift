// The workbench's one transition: a state and an event give the next state and what is to be done. What concerns one
// pane is done in its folder; the rest is in Update+Input.swift, Update+Actions.swift, Update+Decisions.swift,
// Update+Overlays.swift, Update+Training.swift and Update+Engine.swift.

import Canvas
import Messages

/// Takes an event into the state.
///
///     for effect in update(&state, .input(.key(.character("c")))) { perform(effect) }    // asks to check every file
///     screen.present(render(state, size: size, theme: theme))
///
/// - Returns: what the caller must do, in this order.
public func update(_ state: inout WorkbenchState, _ event: WorkbenchEvent) -> [Effect] {
  let effects: [Effect]
  let question = state.overlay?.question
  switch event {
  case .input(let input, let isAhead):
    if !isAhead { state.hasUnseenQuestion = false }
    if case .key = input { state.message?.isSeen = true }
    effects = state.handle(input)
  case .engine(let event): effects = state.handle(event)
  case .liveRuns(let runs, let asked):
    state.apply(live: runs, asked: asked)
    effects = []
  case .showRun(let folder):
    state.focus = .curves
    state.curves.requestedHistory = folder
    state.inspector.follow(folder)
    effects = [.browse(.readRun(folder: folder))]
  case .machine(let reading):
    state.machine = reading
    effects = []
  case .remark(let text):
    state.notify(.information, text)
    effects = []
  case .tick(let seconds):
    state.advance(to: seconds)
    return []
  }
  state.askWhatWaits()
  // A start loses nothing, and those who know it type both keys at once.
  if let new = state.overlay?.question, new != question, new != .start { state.hasUnseenQuestion = true }
  return effects + state.panes.all.flatMap { $0.requests(&state) }
}

/// Takes the time into the state.
/// - Returns: whether a frame would now be another than before. On an idle screen none is, and nothing need be drawn.
public func tick(_ state: inout WorkbenchState, seconds: Double) -> Bool {
  let message = state.message
  state.advance(to: seconds)
  return state.message != message || state.isAnimated
}

extension WorkbenchState {
  /// Whether a sign of activity turns with the time.
  var isAnimated: Bool {
    if preparation != nil || panes.all.contains(where: { $0.isAnimated(self) }) { return true }
    switch engine {
    case .preparing, .evaluating: return true
    case .idle, .training, .paused, .validating, .stopping: return false
    }
  }

  /// Seconds for which something that is merely good to know stays in the status bar.
  static let informationLasts = 6.0
  static let mostNotices = 200

  mutating func advance(to seconds: Double) {
    time = seconds
    if let message, message.level == .information, seconds - message.time >= Self.informationLasts {
      (self.message, covered) = (covered, nil)
    }
  }

  /// Shows a message in the status bar and keeps it for the list.
  mutating func notify(
    _ level: Notice.Level, _ text: String, unsaved: String? = nil, cause: Notice.Cause? = nil
  ) {
    let notice = Notice(level: level, text: text, time: time, unsaved: unsaved, cause: cause)
    notices.append(notice)
    if notices.count > Self.mostNotices { notices.removeFirst(notices.count - Self.mostNotices) }
    if level != .information {
      covered = nil
    } else if let message, message.level != .information {
      // Good news does not push away a warning that nobody has seen yet; of one that was seen it takes the place for a
      // while.
      guard message.isSeen else { return }
      covered = message
    }
    message = notice
  }

  /// Drops what stands in the status bar, or waits behind it, and is over.
  mutating func dropMessage(where isOver: (Notice) -> Bool) {
    if let covered, isOver(covered) { self.covered = nil }
    if let message, isOver(message) { (self.message, covered) = (covered, nil) }
  }

  mutating func clearMessage() { (message, covered) = (nil, nil) }

  /// Shows in the status bar what is routine, and would drown the rest in the list: not before anything else that
  /// stands there, such as the answer to a key, has had its time.
  mutating func say(_ text: String) {
    if let message, !message.isRoutine { return }
    message = Notice(level: .information, text: text, time: time, isRoutine: true)
  }

  /// Takes a warning back whose cause is gone.
  mutating func ease(warning text: String) {
    dropMessage { $0.text == text && $0.level == .warning }
    for index in notices.indices where notices[index].text == text { notices[index].isOver = true }
  }

  /// Asks for a picture, unless it is there or was asked for.
  mutating func request(picture path: String) -> [Effect] {
    guard pictures[path] == nil else { return [] }
    pictures.set(.waiting, for: path)
    return [.browse(.preview(path: path, maximumSide: min(512, max(64, size.width * 2, size.height * 4))))]
  }
}
