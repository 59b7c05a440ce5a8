// How many images go through which steps of inference at a time. A large batch's maps leave the caches between any two
// layers, while a product of a few images is as fast as one of many: so the images go some at a time through the layers
// whose maps are large, and together through those whose weights are.

import Tensors

/// Steps one behind the other, up to one from which a single map goes on.
struct InferenceStage {
  /// By their places.
  let steps: Range<Int>
  let output: LoweredPlan.Value
  /// Of an image's maps, as many as are there at one time.
  let floats: Int

  /// So many images go through it at a time: as many as keep their maps in the cache that threads share, one at least.
  /// What comes of an image is the same for any number.
  func images(threads: Int) -> Int {
    let fitting = max(1, max(Self.cachedFloats, threads * Self.cachedFloatsForThread) / max(1, floats))
    // Batches are cut into parts of one size.
    return 1 << (Int.bitWidth - 1 - fitting.leadingZeroBitCount)
  }

  /// 16 MB, and 4 MB for each thread where they are many.
  private static let cachedFloats = 1 << 22
  private static let cachedFloatsForThread = 1 << 20

  /// All steps, in their order.
  static func stages(of steps: [InferenceSteps.Step], _ plan: LoweredPlan) -> [InferenceStage] {
    func floats(_ value: LoweredPlan.Value) -> Int {
      value == LoweredPlan.image ? plan.image.count : plan.operations[value - 1].output.count
    }
    var stages: [InferenceStage] = []
    var present: Set<LoweredPlan.Value> = [LoweredPlan.image]
    var (first, most) = (0, 0)
    for (place, step) in steps.enumerated() {
      present.insert(step.output)
      most = max(most, present.reduce(0) { $0 + floats($1) })
      for input in step.inputs where input.isLast { present.remove(input.value) }
      guard present.count == 1 || place == steps.count - 1 else { continue }
      stages.append(InferenceStage(steps: first..<(place + 1), output: step.output, floats: most))
      (first, most) = (place + 1, 0)
    }
    return stages
  }
}
