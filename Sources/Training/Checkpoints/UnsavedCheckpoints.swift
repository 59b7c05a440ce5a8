// Checkpoints of an epoch that could not be written: `best` and a numbered one are of a moment that does not come
// back, so their content waits here for the disk.

/// What is still to be written. At most two contents wait: the newest `best` and the newest numbered one.
struct UnsavedCheckpoints {
  private(set) var waiting: [CheckpointName: CheckpointContents] = [:]
  /// Numbered ones that were given up for a newer one, oldest first.
  private var givenUp: [Int] = []

  var isEmpty: Bool { waiting.isEmpty }

  /// Keeps the content of a checkpoint that could not be written.
  mutating func keep(_ contents: CheckpointContents, as name: CheckpointName) {
    if case .epoch = name {
      for case .epoch(let older) in waiting.keys where .epoch(older) != name {
        waiting[.epoch(older)] = nil
        givenUp.append(older)
      }
    }
    waiting[name] = contents
  }

  /// The run's folder is another now.
  mutating func move(to run: RunFolder) {
    for (name, contents) in waiting { waiting[name] = contents.moved(to: run.path(of: name)) }
  }

  /// The run goes on from an earlier step: what was of later ones will not be missed.
  mutating func forget(afterStep step: Int, epoch: Int) {
    waiting = waiting.filter { $0.value.info.step <= step }
    givenUp.removeAll { $0 > epoch }
  }

  /// A checkpoint of this name was written, this one or a newer one.
  mutating func written(_ name: CheckpointName) { waiting[name] = nil }

  /// The names that are missing on disk, of those that would be there if all had been written.
  /// - Parameters:
  ///   - everyEpochs, newest: the keep policy's; nil keeps all.
  ///   - epoch: epochs done.
  func missing(everyEpochs: Int, newest: Int?, epoch: Int) -> [String] {
    let kept = newest.map { epoch / max(1, everyEpochs) - $0 } ?? 0
    let numbered = givenUp.filter { $0 / max(1, everyEpochs) > kept }.map { CheckpointName.epoch($0) }
    return (numbered + waiting.keys).map(\.stem).sorted()
  }
}
