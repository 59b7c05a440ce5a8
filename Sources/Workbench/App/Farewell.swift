// What is said in the shell once the screen is gone: where the run of this screen is, and how to come back to it.

import Canvas
import Messages
import Support

extension WorkbenchState {
  /// A line about the run that was trained or watched here; nil where there was none.
  public var farewell: String? {
    guard let run = curves.run, !curves.isHistory else { return nil }
    let folder = shellQuoted(run.folder)
    if engine == .stopping || quitsWhenStopped {
      return "\(run.folder) is being stopped and saved; go on later: skipline train --resume \(folder)"
    }
    if runUnderWay {
      let others = lab.map { "; the networks after it: skipline lab --resume \($0.name)" } ?? ""
      return
        "\(run.folder) goes on being trained; come back: skipline watch \(folder), end it: skipline stop \(folder)"
        + others
    }
    guard let outcome = curves.outcome else {
      return "\(run.folder) has ended; go on from its last checkpoint: skipline train --resume \(folder)"
    }
    return outcome.reason == .stopped
      ? "\(run.folder) is stopped and saved; go on: skipline train --resume \(folder)"
      : "\(run.folder) is finished; measure it: skipline evaluate \(folder)"
  }
}
