// Why training could not go on. What cannot be loaded is a CheckpointError, what cannot be set a SettingsError.

import Files
import Messages
import Images

/// Why training could not go on.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// Loss or gradient are not finite; the step was not taken.
  case diverged(step: Int, loss: Double, files: [String])
  /// The last step left weights that are not finite; they were not saved.
  case weightsOverflowed(step: Int, array: String)
  /// The network's outputs for validation images are not finite; nil for images that are not known any more.
  case validationDiverged(run: String, epoch: Int, images: [String]?, of: Int)
  /// The run's folder was removed; nothing of the run is left, and nothing is saved elsewhere.
  case folderGone(run: String, step: Int)
  case nothingDecodes(data: String, skipped: Int)
  /// The state at the end could not be saved; `savedStep` is that of the `last` on disk, nil where there is none.
  case notSaved(run: String, step: Int, savedStep: Int?, reason: FileOperationError)
  /// More of an epoch's images were skipped than `TrainingLoop.skippedLimit` allows.
  case tooManyBadImages(data: String, skipped: Int, images: Int, first: DecodingFailure?, run: String)

  public var description: String {
    switch self {
    case .diverged(let step, let loss, let files):
      "training diverged at step \(step) (loss \(loss.isNaN ? "NaN" : "\(loss)")) on the batch of \(files.prefix(3).joined(separator: ", "))"
        + (files.count > 3 ? " and \(files.count - 3) more" : "")
        + "; this step was not taken: look at these images, or resume with a lower rate (--resume RUN --lr RATE), or "
        + "have the next run do so by itself (--on-divergence lower)"
    case .weightsOverflowed(let step, let array):
      "training diverged: after step \(step) '\(array)' became NaN or infinite; they were not saved: "
        + "lower the learning rate and start again, or resume from what was saved before"
    case .validationDiverged(let run, let epoch, let images, let count):
      "training diverged: after epoch \(epoch) the network's outputs for "
        + (images.map { images in
          "\(images.count) of the \(count) validation images are NaN or infinite ("
            + images.prefix(3).joined(separator: ", ") + (images.count > 3 ? " and \(images.count - 3) more" : "")
            + ")"
        } ?? "validation images are NaN or infinite")
        + ", so it counts as no improvement: resume with a lower rate and more epochs (--resume \(run) --lr RATE "
        + "--epochs N), start again from an earlier checkpoint (--weights), or have the next run go back by itself "
        + "(--on-divergence rollback)"
    case .notSaved(let run, let step, let savedStep, let reason):
      "the run's end at step \(step) could not be saved, "
        + (savedStep.map { "\(run) goes back to step \($0)" } ?? "nothing of \(run) is saved")
        + ": \(reason); then "
        + "go on with 'skipline train --resume \(run)'"
    case .folderGone(let run, let step):
      "\(run) was removed while it was trained: the run ends at step \(step), and nothing of it is saved; start it again, "
        + "or restore the folder and resume it"
    case .nothingDecodes(let data, let skipped):
      "none of the training images in \(data) decodes (\(skipped) tried); see log.txt in the run's folder"
    case .tooManyBadImages(let data, let skipped, let images, let first, let run):
      "\(skipped) of the \(images) training images in \(data) do not decode, more than a tenth"
        + (first.map { " (\($0.path): \($0.reason))" } ?? "")
        + "; `skipline check` names them all: fix these files, then go on with "
        + "`skipline train --resume \(run) --accept-changes`"
    }
  }
}
