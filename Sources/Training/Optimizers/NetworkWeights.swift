// A network's numbers put aside, for whoever has two sets of them.

import Networks
import Tensors

/// Parameters and running statistics of a network, in its order. Taking and putting them copies nothing.
struct NetworkWeights {
  var parameters: [Tensor]
  var buffers: [Tensor]

  init(of network: Network) {
    parameters = network.parameters.map(\.value)
    buffers = network.buffers.map(\.value)
  }

  /// Other parameters with a network's running statistics.
  init(_ parameters: [Tensor], statisticsOf network: Network) {
    self.parameters = parameters
    buffers = network.buffers.map(\.value)
  }

  func put(into network: Network) {
    for (parameter, value) in zip(network.parameters, parameters) { parameter.value = value }
    for (buffer, value) in zip(network.buffers, buffers) { buffer.value = value }
  }
}
