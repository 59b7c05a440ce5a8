// What is said of images that do not decode, of threads that are lacking to decode them, and when there are too many.

import Datasets
import Images
import Messages

extension TrainingLoop {
  /// So many images of an epoch may be skipped: a tenth, but always ten.
  static func skippedLimit(images: Int) -> Int { max(10, images / 10) }

  /// Saves and ends the run when so much of the data is bad that the network would not learn what was asked for. A few
  /// bad files are none of the user's business at night; thousands are a folder that went wrong.
  /// - Parameters:
  ///   - skipped: of the batch under way; not counted yet, since a resumed run meets them again.
  ///   - first: the one to name; nil for the first of these.
  func refuseTooManyBad(_ skipped: some Collection<DecodingFailure>, _ first: DecodingFailure? = nil) throws {
    let count = state.epochTotals.skipped + learner.group.skipped + skipped.count
    let images = setup.training.items.count
    // Where nothing at all was read, `nothingDecodes` says it better.
    guard count > Self.skippedLimit(images: images), state.epochTotals.images > 0 || count < images else { return }
    try learner.endSums()
    learner.abandonStep()
    try lead { try $0.saveLastIfChanged(snapshot) }
    throw TrainingError.tooManyBadImages(
      data: settings.data, skipped: count, images: images, first: first ?? skipped.first, run: run.path)
  }

  /// Names each bad file once, in the first epoch.
  func name(_ failures: some Sequence<DecodingFailure>) {
    guard state.epochsDone == 0 else { return }
    // An epoch that draws images has some more than once.
    for failure in failures where toldFailures.insert(failure.path).inserted { warn("skipped: \(failure)") }
  }

  func tellOfLoaders(_ stream: any TrainingBatches) {
    guard let shortage = stream.shortage, !toldOfLoaders else { return }
    toldOfLoaders = true
    warn("images are prepared on fewer threads than asked for, which may be slower: \(shortage)")
  }
}
