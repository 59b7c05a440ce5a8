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

  /// Others in the place of those parameters of a network that are trained; all else is the network's.
  init(_ trained: [Tensor], inPlaceOfTrained network: Network) {
    self.init(of: network)
    var trained = trained[...]
    for (index, parameter) in network.parameters.enumerated() where parameter.isTrained {
      if let value = trained.popFirst() { parameters[index] = value }
    }
  }

  func put(into network: Network) {
    for (parameter, value) in zip(network.parameters, parameters) { parameter.value = value }
    for (buffer, value) in zip(network.buffers, buffers) { buffer.value = value }
  }
}
