// What a run with given weights trains, and how: which layers are frozen in which epoch, the rate of the backbone, and
// what its batch norms normalize by.

import Messages
import Networks

extension Network {
  /// Freezes what the settings freeze in an epoch, and trains the rest.
  /// - Parameter epochsDone: epochs before it.
  /// - Returns: whether other parameters are trained now.
  @discardableResult
  func prepareForTransfer(_ setup: RunSetup, epochsDone: Int) -> Bool {
    let plan = setup.plan(epochsDone: epochsDone)
    for parameter in parameters where !parameter.name.hasPrefix(plan.classifier + ".") {
      parameter.rateFactor = setup.settings.backboneRate
    }
    for norm in batchNorms { norm.keepsStatistics = setup.settings.normStatistics == .running }
    guard plan.lowered.frozen != self.plan.lowered.frozen else { return false }
    follow(plan)
    return true
  }
}
