// Whether an evaluation's memory is there: a small file may describe a network whose maps are of many gigabytes.

import Messages
import Networks
import Resources
import Tensors

extension LoadedModel {
  /// The images that may go through the network at once. The result does not depend on it.
  /// - Parameters:
  ///   - wanted: as many, if they fit.
  ///   - isFixed: whether no fewer will do.
  ///   - precision: what they are computed in; nil for what the weights are of.
  ///   - ignoringMemory: whether to try all the same where memory seems too little.
  /// - Throws: `MemoryShortage` where not even one fits, or not as many as were asked for.
  public func batch(
    upTo wanted: Int, isFixed: Bool = false, threads: Int?, precision: InferencePrecision? = nil,
    ignoringMemory: Bool = false
  ) throws -> Int {
    guard !ignoringMemory else { return wanted }
    return try batch(
      upTo: wanted, isFixed: isFixed, threads: threads, precision: precision, limits: SystemMemory.limits())
  }

  func batch(
    upTo wanted: Int, isFixed: Bool, threads: Int?, precision: InferencePrecision? = nil, limits: [MemoryLimit]
  ) throws -> Int {
    let plan = network.plan
    let threads = threads ?? SystemProcessors.available
    var settings = TrainingSettings(data: "", network: plan.settings)
    settings.threads = threads
    let check = MemoryCheck(plan, settings)
    func needed(_ batch: Int, _ limit: MemoryLimit) -> Int {
      let images = MemoryCheck.batchesAhead * batch * plan.input.count * MemoryLayout<Float>.stride
      let inference = plan.inferenceMemory(
        batchSize: batch, threads: threads, convolutions: (precision ?? .fp32).convolutions)
      return Int(Double(inference) * MemoryCheck.poolShare) + images + MemoryCheck.base
        + check.evaluationOverhead(for: limit.source)
    }
    func lacking(_ batch: Int) -> MemoryLimit? { limits.first { needed(batch, $0) > $0.bytes } }

    guard lacking(wanted) != nil else { return wanted }
    var (fits, tooMany) = (0, wanted)
    while tooMany - fits > 1 {
      let middle = (fits + tooMany) / 2
      if lacking(middle) == nil { fits = middle } else { tooMany = middle }
    }
    guard fits > 0, !isFixed else {
      let batch = isFixed ? wanted : 1
      guard let limit = lacking(batch) else { return fits }
      throw MemoryShortage(
        network: plan.settings.name, batch: batch, needed: needed(batch, limit), limit: limit,
        fitting: fits > 0 ? fits : nil, activity: .evaluating)
    }
    return fits
  }
}
