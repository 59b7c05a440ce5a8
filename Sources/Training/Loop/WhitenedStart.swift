// What a network's first weights take from the training images: the filters of a whitening layer.

import Datasets
import Networks

extension RunSetup {
  /// So many images are measured at most, evenly spaced among the training images.
  static let mostWhiteningImages = 2000

  /// Sets the whitening layer, where the network has one, to what the training images' patches ask for, unchanged by
  /// augmentation. The same data give the same filters.
  func whiten(_ network: Network) {
    guard let parameter = network.whitening else { return }
    let items = training.items
    let count = min(items.count, Self.mostWhiteningImages)
    let loader = BatchLoader(
      items: (0..<count).map { items[$0 * items.count / count] }, root: index.root, cache: training.source.cache,
      preprocessing: model.preprocessing, batchSize: 100, mode: .evaluation, workers: training.workers)
    let size = model.preprocessing.imageSize
    var patches = PatchWhitening(kernel: parameter.value.shape[0], channels: parameter.value.shape[2])
    for batch in loader.epoch() { patches.add(batch.images, height: size, width: size) }
    // Without any image that decodes training says so itself.
    if let filters = patches.filters { parameter.value = filters }
  }
}
