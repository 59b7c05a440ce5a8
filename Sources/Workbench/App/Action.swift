// Everything a key, the palette or the mouse can ask for, by name. What one pane alone offers is named in its folder.

import Messages

/// What a person asks the workbench to do.
enum Action: Sendable, Hashable {
  // The workbench.
  case help, palette, notices, settings, themes, openDataset, copyCommand, zoom, nextPane, previousPane
  case narrower, wider, lower, taller, usualDividers
  case focus(PaneID)
  case quit, leaveRunning, interrupt, suspend, redraw

  // Training.
  case attach, train, startNew, resumeRun, stop, saveCheckpoint, evaluateNow
  case raiseLearningRate, lowerLearningRate, enterLearningRate, findLearningRate
  case openLab
  /// In the form.
  case saveRecipe, loadRecipe
  /// What to do about a divergence: open the dialog, or an answer.
  case decideDivergence, recover(Recovery)

  // Moving.
  case up, down, left, right, pageUp, pageDown, halfPageUp, halfPageDown, first, last
  case open, back, filter, next, previous

  // What several panes offer, each in its own way.
  case readAgain, nextView, previousView
  case exclude, relabel, undoDecision

  /// What one pane offers.
  case pane(PaneAction)

  // Overlays and text.
  case accept, cancel, erase, clear
}
