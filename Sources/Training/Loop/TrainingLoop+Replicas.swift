// An epoch of a run that is cut into replicas, of which this process may compute all or some.

import Datasets
import Messages

extension TrainingLoop {
  /// Steps whose batches have their places, which are the replicas': one of which no image decodes leaves its empty.
  func trainReplicas() throws -> Bool {
    let stream = learner.replicaBatches(state)
    tellOfLoaders(stream)
    while state.batch < setup.training.batchCount, !isOutOfTime, state.fit == nil || hasMore {
      let start = clock.now
      let batches = setup.batches(ofStepFrom: state.batch)
      learner.open(batches, startedAt: start)
      if learner.goesTogether {
        try learnTogether(batches, stream)
      } else {
        try learnInTurn(batches, stream, startedAt: start)
      }
      try learner.gather()
      let skipped = learner.group.tally.skipped
      name(skipped)
      try refuseTooManyBad([], skipped.first)
      if let warning = setup.training.source.cache?.takeWarning() { hooks.report(.warning(warning)) }
      if learner.group.images == 0 {
        try learner.endSums()
        learner.abandonStep()
        state.epochTotals.skipped += skipped.count
        state.batch = batches.range.upperBound
      } else {
        if let report = learner.takeRankReport(step: state.step) { hooks.report(.ranks(report)) }
        guard try endStep() else { return false }
      }
    }
    return true
  }

  /// The batches of a step's replicas on this rank, one after the other.
  private func learnInTurn(
    _ batches: StepBatches, _ stream: BatchStream, startedAt start: ContinuousClock.Instant
  ) throws {
    let own = learner.own(batches)
    for index in own {
      let asked = clock.now
      guard let batch = stream.nextInPlace() else { break }
      let waiting = (clock.now - asked).seconds
      let place = batches.slot(of: index)
      if batch.items.isEmpty {
        learner.passOver(batch, place: place, waiting: waiting)
      } else {
        try learner.learn(
          from: batch, step: state.step, place: place, skipped: batch.skipped, startedAt: start, waiting: waiting,
          isLast: index == own.upperBound - 1)
      }
    }
  }

  /// The same, one of each replica at a time.
  private func learnTogether(_ batches: StepBatches, _ stream: BatchStream) throws {
    for round in 0..<batches.roundCount {
      let asked = clock.now
      let placed = learner.own(batches, round: round).compactMap { index in
        stream.nextInPlace().map { PlacedBatch(batch: $0, slot: batches.slot(of: index)) }
      }
      try learner.learnTogether(
        placed, step: state.step, waiting: (clock.now - asked).seconds, isLast: round == batches.roundCount - 1)
    }
  }

  /// Writes down how the ranks went through an epoch.
  /// - Parameter seconds: of its steps.
  func logRanks(seconds: Double) {
    guard !consensus.isAlone else { return }
    func percent(_ share: Double) -> Double { (share * 1000).rounded() / 10 }
    let (waiting, slowest) = learner.watchedRanks.takeEpoch()
    var text =
      "epoch \(state.epochsDone): "
      + "\(percent(seconds > 0 ? waiting / seconds : 0)) % of the steps' time was waiting for other ranks"
    let machines = learner.watchedRanks.machines
    if let slowest, machines.indices.contains(slowest.rank) {
      text +=
        "; rank \(slowest.rank) (\(machines[slowest.rank])) was the last, "
        + "\(percent(seconds > 0 ? slowest.lag / seconds : 0)) % of it behind the first"
    }
    records.log.info("\(text)")
  }
}
