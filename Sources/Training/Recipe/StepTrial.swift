// A few steps on made-up images, to know what a step costs on this machine: how fast it computes a network cannot be
// told from the network alone.

import Messages
import Networks
import Support
import Tensors

/// Seconds of wall time an image.
public struct StepCost: Sendable, Equatable {
  public var training: Double
  public var inference: Double

  public init(training: Double, inference: Double) {
    self.training = training
    self.inference = inference
  }
}

struct StepTrial {
  let pool: ThreadPool
  /// A network's trial takes about so many seconds, and one step at least.
  var seconds = 0.4
  /// Images of a step are at most so many: the time of an image hardly depends on it beyond.
  var mostImages = 32
  /// Asked before each step; true ends a trial, whose figures are then worth nothing.
  var isCancelled: @Sendable () -> Bool = { false }

  /// Forward, backward and update, then forward alone, each until its time is used up; the fastest of each counts, since
  /// everything that disturbs makes a step slower.
  /// - Parameter trains: false where images only go forwards; training then costs nothing.
  func cost(_ plan: NetworkPlan, batch: Int, precision: TrainingPrecision, trains: Bool = true) -> StepCost {
    guard !isCancelled() else { return StepCost(training: 1, inference: 1) }
    let network = Network(plan, seed: 0, convolutions: precision.convolutions)
    var optimizer: any Optimizer = OptimizerSettings().optimizer(for: network.parameters)
    let count = min(batch, mostImages)
    let side = plan.input.height
    var generator = RandomGenerator(seed: 0)
    let images = (0..<count * side * side * plan.input.channels).map { _ in generator.uniform(in: -1...1) }
    let labels = (0..<count).map { $0 % plan.classes }
    func input() -> Tensor { Tensor([count, side, side, plan.input.channels], images) }

    guard trains else { return StepCost(training: 0, inference: inference(network, input) / Double(count)) }
    let training = fastest {
      let pass = Pass(.training, pool, seed: 0)
      let (logits, heads) = network.forwardWithHeads(input(), pass)
      let loss = TrainingLoss(logits, heads: heads, labels: MixedLabels(labels), pass.ops)
      network.backward(loss.gradient, heads: loss.heads, pass)
      optimizer.step(network.parameters, StepNumbers(rate: 0), pool)
    }
    return StepCost(
      training: training / Double(count), inference: inference(network, input) / Double(count))
  }

  /// Bytes a second of numbers that are added to others: sums of as many as a bucket of gradients has.
  func additionSpeed() -> Double {
    let count = ScalingModel.usualBucket / 4
    let x = Tensor([count], Array(repeating: 1, count: count))
    var y = x
    let pass = Pass(.inference, pool)
    var trial = self
    trial.seconds = min(seconds, 0.05)
    return Double(4 * count) / trial.fastest { pass.ops.add(x, to: &y) }
  }

  private func inference(_ network: Network, _ input: () -> Tensor) -> Double {
    fastest { _ = network.forward(input(), Pass(.inference, pool)) }
  }

  private func fastest(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    // The first one makes what later ones find.
    body()
    var (fastest, spent, rounds) = (Double.infinity, 0.0, 0)
    while rounds == 0 || (spent < seconds && rounds < 8 && !isCancelled()) {
      let seconds = clock.measure(body).seconds
      fastest = min(fastest, seconds)
      spent += seconds
      rounds += 1
    }
    return fastest
  }
}
