// Looks at the layers in every so many steps: what comes out of them, their gradients, and what the step makes of their
// weights. It only reads, so that a run with it has the same bits as one without.

import Messages
import Networks
import Tensors

/// What is known so far of a step whose layers are looked at.
public struct LayerWatch {
  /// Steps between two looks; 0 for none.
  public let interval: Int

  private var probe: LayerProbe?
  /// Of the rows that are trained: parameters before the step, and the norm of their gradient.
  private var before: [Int: [Tensor]] = [:]
  private var gradientNorms: [Int: Double] = [:]

  public init(interval: Int) { self.interval = interval }

  /// Called before a batch goes forwards.
  /// - Parameters:
  ///   - step: the number, from 1, of the step that the batch is for.
  ///   - isFirst: whether it is the first of its batches: that one stands for all.
  /// - Returns: what has to look on; nil where nothing does.
  public mutating func begin(step: Int, isFirst: Bool) -> LayerProbe? {
    guard isFirst, interval > 0, step % interval == 0 else { return nil }
    abandon()
    probe = LayerProbe()
    return probe
  }

  /// Called before the step changes anything. The weights are not copied here: whoever changes them does that.
  public mutating func keepWeights(of network: Network) {
    guard probe != nil else { return }
    for row in network.rowsWithParameters {
      let parameters = network.parameters(ofRow: row)
      if parameters.contains(where: \.isTrained) { before[row] = parameters.map(\.value) }
    }
  }

  /// Called with the gradient that the step is taken by.
  /// - Parameter scale: what it is to be multiplied by.
  public mutating func keepGradients(of network: Network, scale: Double, _ pool: ThreadPool) {
    guard probe != nil else { return }
    let ops = Ops(pool)
    for row in before.keys {
      let squares = network.parameters(ofRow: row).filter(\.isTrained).reduce(0) {
        $0 + ops.sumOfSquares($1.gradient)
      }
      gradientNorms[row] = squares.squareRoot() * scale
    }
  }

  /// Called when the step is done.
  /// - Parameter rate: the step's learning rate.
  /// - Returns: nil where the step was not looked at.
  public mutating func end(_ network: Network, rate: Double, _ pool: ThreadPool) -> [LayerMeasure]? {
    guard let probe else { return nil }
    let ops = Ops(pool)
    var layers = network.measures(probe, pool) { row, weights in
      guard let before = before[row] else { return }
      weights.gradientNorm = gradientNorms[row]
      let length = before.reduce(0) { $0 + ops.sumOfSquares($1) }
      let change = zip(network.parameters(ofRow: row), before).reduce(0) {
        $0 + ops.squaredDistance($1.0.value, $1.1)
      }
      let ratio = (change / length).squareRoot()
      weights.updateRatio = length > 0 && !ratio.isNaN ? ratio : nil
    }
    LayerHealth.assess(&layers, learns: rate > 0)
    abandon()
    return layers
  }

  /// Ends it without a result.
  public mutating func abandon() { (probe, before, gradientNorms) = (nil, [:], [:]) }
}
