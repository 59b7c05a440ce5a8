// Replicas of a network that go forwards and back together, each with a part of a batch, so that batch norms can go by the
// statistics of the whole batch. What they have in common is weights; activations and gradients are each replica's own.

import Tensors

/// A network and copies of it that have its weights while a step is under way.
///
///     let replicas = NetworkReplicas(of: network, count: 2, make: { Network(plan, seed: 0) })
///     replicas.begin()
///     let outputs = try replicas.forward(images, passes, meeting)
///     try replicas.backward(gradients, heads: heads, leaving: { _ in }, passes, meeting)
///     replicas.end()    // before the weights change
///
/// Batch normalization over parts of a batch that lie on several devices: Peng et al. 2018 (MegDet), arXiv:1711.07240,
/// section 3.2.
public final class NetworkReplicas {
  /// The first one is the network itself.
  public let networks: [Network]
  private let graphs: [LayerGraph]

  /// - Parameter make: makes a network of the same plan that trains the same layers.
  public init(of network: Network, count: Int, make: () -> Network) {
    precondition(count > 0, "at least one replica")
    networks = [network] + (1..<count).map { _ in make() }
    graphs = networks.map(\.graph)
    end()
  }

  /// Gives all the network's weights and running statistics, which takes no memory as long as nobody changes them.
  public func begin() {
    for copy in networks.dropFirst() {
      for (own, parameter) in zip(copy.parameters, networks[0].parameters) { own.value = parameter.value }
      for (own, buffer) in zip(copy.buffers, networks[0].buffers) { own.value = buffer.value }
    }
  }

  /// Leaves the weights to the network alone.
  public func end() {
    for copy in networks.dropFirst() {
      for own in copy.parameters { own.value = Tensor(uninitialized: [0]) }
      for own in copy.buffers { own.value = Tensor(uninitialized: [0]) }
    }
  }

  /// A training pass of all. The network's running statistics follow the whole batch.
  /// - Parameters:
  ///   - images: as `Network.forward` takes them, for each replica; nil where it has none.
  ///   - passes: for each replica.
  /// - Returns: as `Network.forwardWithHeads`.
  /// - Throws: what `meeting` throws.
  public func forward(
    _ images: consuming [Tensor?], _ passes: [Pass], _ meeting: some NormMeeting
  ) throws -> [(output: Tensor, heads: [Tensor])?] {
    try LayerGraph.forward(graphs, images, passes, meeting)
  }

  /// Its way back.
  /// - Parameters:
  ///   - gradients, heads: as `Network.backward` takes them, for each replica.
  ///   - leave: called behind each layer with the network's parameters, when all replicas have their gradients.
  /// - Throws: what `meeting` and `leave` throw.
  public func backward(
    _ gradients: consuming [Tensor?], heads: [[Tensor]], leaving leave: ([Parameter]) throws -> Void,
    _ passes: [Pass], _ meeting: some NormMeeting
  ) throws {
    try LayerGraph.backward(graphs, gradients, heads: heads, leaving: leave, passes, meeting)
  }
}
