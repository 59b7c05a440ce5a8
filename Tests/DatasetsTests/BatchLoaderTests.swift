// Batches: which images, in which order, the same for any number of threads, with bad files among them.

import Foundation
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

private let preprocessing = Preprocessing(
  imageSize: 8, resize: .stretch, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])

private let everything = BatchLoader.Mode.training(
  augmentation: Augmentation(
    resolving: AugmentationSettings(crop: .padAndCrop, colorJitter: 0.2), resize: .stretch), seed: 11)

/// A folder of images that differ, and the items in it.
private final class Images {
  let folder: TemporaryFolder
  let items: [DatasetItem]

  init(_ count: Int, broken: Set<Int> = []) throws {
    folder = try TemporaryFolder()
    items = (0..<count).map { DatasetItem(path: "\($0 % 3)/\($0).png", label: $0 % 3, split: .train) }
    for (number, item) in items.enumerated() {
      let pixels = (0..<(10 * 9 * 3)).map { UInt8(truncatingIfNeeded: $0 &* (number + 3) &+ number) }
      let file = PNGFile.rgb(PixelImage(width: 10, height: 9, pixels: pixels))
      try folder.write(broken.contains(number) ? Array(file[..<50]) : file, to: item.path)
    }
  }

  func loader(
    _ mode: BatchLoader.Mode, batchSize: Int = 4, workers: Int = 1, ahead: Int = 4, items: [DatasetItem]? = nil,
    balancesClasses: Bool = false
  ) -> BatchLoader {
    BatchLoader(
      items: items ?? self.items, root: folder.path, preprocessing: preprocessing, batchSize: batchSize, mode: mode,
      balancesClasses: balancesClasses, workers: workers, ahead: ahead)
  }
}

@Test func `batches do not depend on the number of workers`() throws {
  let images = try Images(23, broken: [5, 6])
  for mode in [everything, .evaluation] {
    for epoch in 0..<2 {
      let one = Array(images.loader(mode, workers: 1).epoch(epoch))
      #expect(Array(images.loader(mode, workers: 2).epoch(epoch)) == one)
      #expect(Array(images.loader(mode, workers: 3, ahead: 1).epoch(epoch)) == one)
    }
  }
}

@Test(arguments: 0..<4) func `batches are the same where threads are refused, also all of them`(number: Int) throws
{
  let images = try Images(23, broken: [5, 6])
  let wanted = Array(images.loader(everything, workers: 1).epoch(1))
  let stream = FaultyResources(.thread, failing: number..<Int.max).during {
    images.loader(everything, workers: 3).epoch(1)
  }
  #expect(Array(stream) == wanted)
  #expect((stream.shortage == nil) == (number == 3))
}

@Test(arguments: 0..<4) func `a loop over files ends where threads are refused`(number: Int) {
  let found = FaultyResources(.thread, failing: number..<number + 1).during {
    concurrentMap(count: 1000, workers: 4) { $0 * $0 }
  }
  #expect(found == (0..<1000).map { $0 * $0 })
}

@Test(arguments: [0, 1, 4, 5, 8, 9, 10]) func `every image is in an epoch once`(count: Int) throws {
  let images = try Images(count)
  for mode in [everything, .evaluation] {
    let loader = images.loader(mode, workers: 2)
    let batches = Array(loader.epoch())
    #expect(batches.count == loader.batchCount)
    #expect(batches.map(\.index) == Array(0..<loader.batchCount))
    #expect(batches.flatMap(\.items).sorted() == Array(0..<count))
    for batch in batches {
      #expect(batch.labels == batch.items.map { $0 % 3 })
      #expect(batch.images.count == batch.items.count * 8 * 8 * 3)
      #expect(batch.images.allSatisfy { $0.isFinite && abs($0) <= 2 })
      #expect(batch.skipped.isEmpty)
    }
  }
}

@Test func `evaluation keeps the order and the last few`() throws {
  let images = try Images(9)
  let batches = Array(images.loader(.evaluation).epoch())
  #expect(batches.map(\.items) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]])
  var expected = [Float](repeating: 0, count: 8 * 8 * 3)
  let input = try preprocessing.evaluationInput(contentsOf: images.items[8].absolutePath(root: images.folder.path))
  expected.withUnsafeMutableBufferPointer { preprocessing.normalize(input, into: $0) }
  #expect(batches[2].images == expected)
}

@Test func `a single last training image joins the batch before`() throws {
  let images = try Images(9)
  #expect(Array(images.loader(everything).epoch()).map(\.items.count) == [4, 5])
  #expect(Array(images.loader(everything, batchSize: 9).epoch()).map(\.items.count) == [9])
  #expect(Array(images.loader(everything, batchSize: 8).epoch()).map(\.items.count) == [9])
  #expect(Array(images.loader(everything, batchSize: 10).epoch()).map(\.items.count) == [9])
  #expect(Array(images.loader(everything, batchSize: 7).epoch()).map(\.items.count) == [7, 2])
  let three = try Images(3)
  #expect(Array(three.loader(everything, batchSize: 1).epoch()).map(\.items.count) == [1, 1, 1])
  let one = try Images(1)
  #expect(Array(one.loader(everything).epoch()).map(\.items.count) == [1])
}

@Test func `each epoch and seed has its own order and changes`() throws {
  let images = try Images(20)
  let loader = images.loader(everything)
  let first = Array(loader.epoch(0))
  #expect(Array(loader.epoch(0)) == first)
  let order = first.flatMap(\.items)
  #expect(order != Array(0..<20))
  #expect(Array(loader.epoch(1)).flatMap(\.items) != order)
  let otherSeed = BatchLoader.Mode.training(
    augmentation: Augmentation(
      resolving: AugmentationSettings(crop: .none, horizontalFlip: false), resize: .stretch), seed: 12)
  #expect(Array(images.loader(otherSeed).epoch(0)).flatMap(\.items) != order)
}

@Test func `what happens to an image does not depend on the others`() throws {
  let images = try Images(12)
  func values(of path: String, in items: [DatasetItem]) throws -> [Float] {
    for batch in images.loader(everything, batchSize: 5, items: items).epoch(3) {
      for (place, position) in batch.items.enumerated() where items[position].path == path {
        return Array(batch.images[(place * 192)..<((place + 1) * 192)])
      }
    }
    Issue.record("\(path) is in no batch")
    return []
  }
  for path in ["0/0.png", "1/4.png"] {
    #expect(try values(of: path, in: images.items) == values(of: path, in: Array(images.items[..<6].reversed())))
  }
}

@Test func `each image has changes of its own`() throws {
  let images = try Images(1)
  // The same picture under several names.
  let names = (0..<8).map { "\($0).png" }
  for name in names { try images.folder.link(name, to: images.items[0].path) }
  let items = names.map { DatasetItem(path: $0, label: 0, split: .train) }
  let batch = try #require(images.loader(everything, batchSize: 8, items: items).epoch().next())
  let inputs = (0..<8).map { Array(batch.images[($0 * 192)..<(($0 + 1) * 192)]) }
  #expect(Set(inputs).count > 1)
}

@Test func `an epoch can be entered in the middle`() throws {
  let images = try Images(22)
  let loader = images.loader(everything, workers: 2)
  let whole = Array(loader.epoch(5))
  for start in 0...loader.batchCount {
    #expect(Array(loader.epoch(5, fromBatch: start)) == Array(whole[start...]))
  }
}

@Test func `broken images are left out and named, and batches of nothing else passed over`() throws {
  let images = try Images(13, broken: [1, 4, 5, 6, 7, 12])
  let stream = images.loader(.evaluation, workers: 2).epoch()
  let batches = Array(stream)
  #expect(batches.map(\.items) == [[0, 2, 3], [8, 9, 10, 11]])
  #expect(batches.map(\.index) == [0, 2])
  #expect(batches.map { $0.images.count } == [3 * 192, 4 * 192])
  #expect(batches[0].skipped.map(\.path) == ["1/1.png"])
  #expect(batches[1].skipped.map(\.path) == ["1/4.png", "2/5.png", "0/6.png", "1/7.png"])
  #expect(stream.skipped.map(\.path) == ["1/1.png", "1/4.png", "2/5.png", "0/6.png", "1/7.png", "0/12.png"])
  #expect(stream.skipped.allSatisfy { !$0.reason.isEmpty })
}

@Test func `images of which none decodes give no batches and no crash`() throws {
  let images = try Images(6, broken: Set(0..<6))
  let stream = images.loader(everything).epoch()
  #expect(stream.next() == nil)
  #expect(stream.next() == nil)
  #expect(stream.skipped.count == 6)
}

@Test(.timeLimit(.minutes(5))) func `dropping a stream ends its threads`() throws {
  let images = try Images(40)
  var stream: BatchStream? = images.loader(everything, batchSize: 2, workers: 3, ahead: 2).epoch()
  #expect(stream?.next()?.items.count == 2)
  weak let queue = stream?.queue
  #expect(queue != nil)
  stream = nil
  // The threads hold the queue, and nobody else does.
  while queue != nil { usleep(1000) }
}

@Test(.timeLimit(.minutes(5))) func `no more batches are prepared than asked for`() {
  let queue = BatchQueue(Array(0..<10), ahead: 3)
  #expect((0..<3).map { _ in queue.claim()?.batch } == [0, 1, 2])
  let claimer = Claimer(queue: queue)
  claimer.start()
  // Time enough for it to go wrong.
  usleep(20_000)
  #expect(claimer.claimed == nil)
  for index in [2, 1, 0] { queue.deliver(batch(index), turn: index) }
  #expect((0..<4).map { _ in queue.take()?.index } == [0, 1, 2, 3])
  #expect(claimer.claimed == 3)
}

/// Claims one batch on a thread of its own and delivers it.
private final class Claimer: Sendable {
  private let queue: BatchQueue
  private let index = Mutex<Int?>(nil)

  init(queue: BatchQueue) { self.queue = queue }

  var claimed: Int? { index.withLock { $0 } }

  func start() {
    Thread { [self] in
      guard let next = queue.claim() else { return }
      index.withLock { $0 = next.batch }
      queue.deliver(batch(next.batch), turn: next.turn)
    }.start()
  }
}

private func batch(_ index: Int) -> Batch {
  Batch(index: index, side: 1, images: [], labels: [], items: [], skipped: [])
}

// MARK: Balanced sampling

@Test func `with balanced sampling classes come equally often, in an order of the seed and the epoch alone`() throws
{
  let images = try Images(22)
  // One class of two images, one of four, one of seven.
  let items = images.items.filter {
    $0.label == 0 || $0.label == 1 && $0.path < "1/2" || $0.label == 2 && $0.path < "2/15"
  }
  let sizes = (0..<3).map { label in items.count { $0.label == label } }
  try #require(Set(sizes).count == 3)
  let loader = images.loader(everything, items: items, balancesClasses: true)
  #expect(loader.batchCount == images.loader(everything, items: items).batchCount)
  var orders: [[Int]] = []
  for epoch in 0..<3 {
    let batches = Array(loader.epoch(epoch))
    let drawn = batches.flatMap(\.items)
    orders.append(drawn)
    #expect(drawn.count == items.count)
    let counts = (0..<3).map { label in drawn.count { items[$0].label == label } }
    #expect(counts.max()! - counts.min()! <= 1, "\(counts)")
    // Within a class all images come equally often, to one.
    for label in 0..<3 {
      let times = items.indices.filter { items[$0].label == label }.map { item in drawn.count { $0 == item } }
      #expect(times.max()! - times.min()! <= 1, "\(times)")
    }
    #expect(
      Array(images.loader(everything, workers: 3, items: items, balancesClasses: true).epoch(epoch)) == batches)
    #expect(Array(loader.epoch(epoch, fromBatch: 2)) == Array(batches.dropFirst(2)), "from the middle")
  }
  #expect(orders[0] != orders[1] && orders[1] != orders[2])
}

@Test func `an image that is drawn again in an epoch is changed in another way`() throws {
  let images = try Images(9)
  let items = Array(images.items.filter { $0.label != 0 } + images.items.filter { $0.label == 0 }.prefix(1))
  let batch = try #require(
    Array(images.loader(everything, batchSize: 100, items: items, balancesClasses: true).epoch(0)).first)
  let last = items.count - 1
  let length = 8 * 8 * 3
  let seen = batch.items.indices.filter { batch.items[$0] == last }
    .map { Array(batch.images[($0 * length)..<(($0 + 1) * length)]) }
  #expect(seen.count >= 2 && Set(seen).count == seen.count)
}

@Test func `without balance an epoch is what it was`() throws {
  let images = try Images(11)
  #expect(images.loader(everything).plan(epoch: 3).repeats == nil)
  #expect(images.loader(everything).plan(epoch: 3).order.sorted() == Array(0..<11))
}

@Test func `weights of classes are those of scikit-learn, with a mean over the images of 1`() {
  // compute_class_weight("balanced", classes=[0, 1, 2], y=...): 6 / (3 * [3, 2, 1]).
  let labels = [0, 0, 0, 1, 1, 2]
  let weights = ClassWeights.balanced(labels: labels, classes: 3)
  for (own, reference) in zip(weights, [6.0 / 9, 1, 2]) { #expect(abs(own - reference) < 1e-15) }
  #expect(abs(labels.reduce(0) { $0 + weights[$1] } / 6 - 1) < 1e-15)
  // A class without images takes no part.
  #expect(ClassWeights.balanced(labels: [0, 0, 2, 2], classes: 3) == [1, 0, 1])
  #expect(ClassWeights.balanced(labels: [], classes: 2) == [0, 0])
}
