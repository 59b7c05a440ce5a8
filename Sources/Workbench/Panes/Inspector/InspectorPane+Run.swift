// What the inspector does with the run itself: it evaluates the weights of this moment while the run goes on, and begins a
// new run from the weights that were evaluated, once the images were mended.

import Canvas
import Messages

extension InspectorPane {
  // MARK: The weights of this moment

  /// Has the weights saved as they are after the step under way; what is saved is evaluated then.
  static func askForMoment(_ state: inout WorkbenchState) -> [Effect] {
    guard let run = state.curves.run, state.isBetweenSteps else {
      state.notify(
        .information, "nothing is training: in the inspector, Enter evaluates the checkpoint that is chosen")
      return []
    }
    guard state.divergence == nil else {
      state.notify(.information, "the run has diverged: space asks how to go on")
      return []
    }
    let command = ShellCommand.evaluateNow(run.folder, split: state.inspector.split)
    guard run.evaluates else {
      state.notify(
        .information, "the run is trained by 'skipline train', which evaluates nothing meanwhile: $ \(command)")
      return []
    }
    guard state.inspector.evaluating == nil, state.inspector.moment == nil else {
      state.notify(.information, "an evaluation is under way: wait until it is done")
      return []
    }
    state.inspector.moment = .asked
    let split = state.splitToEvaluate.imagesTitle
    state.notify(.information, "evaluates the weights of this moment on \(split): $ \(command)")
    return [.send(.training(.saveMoment))]
  }

  /// Evaluates the weights of the moment that was asked for, now that they are saved.
  static func evaluateMoment(_ checkpoint: CheckpointInfo, _ state: inout WorkbenchState) -> [Effect] {
    guard state.inspector.moment == .asked, checkpoint.isOfMoment else { return [] }
    state.inspector.moment = .saved(checkpoint.path)
    state.inspector.evaluating = InspectorState.Evaluating(checkpoint: checkpoint.path)
    // On its own images, named as the screen names them, so that they can be mended there.
    let isForeign = state.curves.run.map { state.isForeign($0) } ?? true
    return [
      .send(
        .evaluate(
          checkpoint: checkpoint.path, data: isForeign ? nil : state.dataset.path, split: state.inspector.split,
          folders: isForeign ? nil : state.settings.split.folders))
    ]
  }

  /// Goes to the inspector once what was asked for is there; not away from what is being typed or asked.
  static func showMoment(_ report: EvaluationReport, _ state: inout WorkbenchState) {
    guard state.inspector.moment == .saved(report.checkpoint) else { return }
    state.inspector.moment = nil
    if state.overlay == nil, !state.filtering, state.zoomed == false || state.focus == id { state.focus = id }
  }

  // MARK: Mended data

  /// Begins a new run with the settings of the one whose weights were evaluated, from these weights, on the images as they
  /// are now. Its settings are read from its folder first.
  static func trainMended(_ state: inout WorkbenchState) -> [Effect] {
    guard state.mayChange() else { return [] }
    guard let report = state.inspector.report else {
      state.notify(.information, "no evaluation yet: choose a checkpoint and press Enter")
      return []
    }
    guard state.engine == .idle else {
      state.notify(.information, "something is under way: stop it before another run is begun")
      return []
    }
    let folder = runFolder(of: report.checkpoint)
    state.inspector.mending = InspectorState.Mending(run: folder, checkpoint: report.checkpoint)
    return [.browse(.readRun(folder: folder))]
  }

  /// The settings that were asked for are there.
  static func beginMended(_ folder: String, _ history: RunHistory?, _ state: inout WorkbenchState) -> [Effect] {
    guard let mending = state.inspector.mending, mending.run == folder else { return [] }
    state.inspector.mending = nil
    // Why it cannot be read was told.
    guard let history else { return [] }
    guard state.engine == .idle else {
      state.notify(.information, "something is under way: stop it before another run is begun")
      return []
    }
    let settings = history.run.settings.goingOn(from: mending.checkpoint, project: state.settings.project)
    let effects = state.begin(settings)
    guard !effects.isEmpty else { return [] }
    state.notify(
      .information,
      "goes on from \(name(of: mending.checkpoint)) with the images as they are now, as a new run: $ "
        + settings.commandLine)
    return effects
  }

  /// The folder of the run that a checkpoint lies in.
  static func runFolder(of checkpoint: String) -> String {
    CheckpointInfo(path: checkpoint, name: "", epoch: 0, step: 0, validationAccuracy: nil, savedAt: "").runFolder
  }
}

extension TrainingSettings {
  /// The settings of a new run that goes on from a checkpoint of the run that these are of: nothing is left to the recipe.
  /// - Parameter project: the folder for the new run.
  func goingOn(from checkpoint: String, project: String) -> TrainingSettings {
    var settings = self
    settings.automatic = .none
    (settings.initialWeights, settings.initialClasses) = (checkpoint, nil)
    (settings.name, settings.project) = (nil, project)
    return settings
  }
}

extension WorkbenchState {
  /// Whether a run makes steps, validates, or waits between two steps.
  var isBetweenSteps: Bool {
    switch engine {
    case .training, .paused, .validating: true
    case .evaluating: runUnderWay
    case .idle, .preparing, .stopping: false
    }
  }

  /// Whether something was decided about the images since the evaluation on show.
  var isMended: Bool { !dataset.undoable.isEmpty || inspector.images.table?.staleness != nil }
}
