// Everything a key, the palette or the mouse can ask for, by name.

import Messages

/// What a person asks the workbench to do.
enum Action: Sendable, Hashable {
  // The workbench.
  case help, palette, notices, settings, nextTheme, zoom, nextPane, previousPane
  case focus(Pane)
  case quit, leaveRunning, interrupt, suspend, redraw

  // Training.
  case attach, train, startNew, stop, saveCheckpoint, raiseLearningRate, lowerLearningRate, enterLearningRate
  /// What to do about a divergence: open the dialogue, or an answer.
  case decideDivergence, recover(Recovery)

  // Moving.
  case up, down, left, right, pageUp, pageDown, halfPageUp, halfPageDown, first, last
  case open, back, filter, next, previous

  // Panes.
  case findings, figures, checkFiles, readAgain, changeCurves
  case exclude, relabel, undoDecision
  case evaluate, changeSplit, resumeRun, nextView, previousView

  // Overlays and text.
  case accept, cancel, erase, clear
}
