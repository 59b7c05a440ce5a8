// Classes of unequal size: an epoch in which each is drawn equally often, and weights by which each counts as much in
// the loss. Both are functions of the training images' labels alone, and of a generator.

import Support

extension BatchLoader.EpochPlan {
  /// An epoch of as many images as there are in which the classes have equal numbers of them, to one. A class goes
  /// through its images in a random order again and again: those of a small class come several times, equally often to
  /// one, of a large class only some come, others in the next epoch (oversampling and undersampling in one; Buda et al.
  /// 2018, arXiv:1710.05381).
  /// - Parameter labels: of the images.
  init(epoch: Int, drawing labels: [Int], generator: inout RandomGenerator) {
    let classes = Dictionary(grouping: labels.indices, by: { labels[$0] }).sorted { $0.key < $1.key }.map(\.value)
    var drawn: [(item: Int, repeats: Int)] = []
    drawn.reserveCapacity(labels.count)
    if !classes.isEmpty {
      let (each, rest) = labels.count.quotientAndRemainder(dividingBy: classes.count)
      // Which classes have one more is drawn too.
      let places = generator.permutation(classes.count)
      for (members, place) in zip(classes, places) {
        var order: [Int] = []
        for draw in 0..<(each + (place < rest ? 1 : 0)) {
          let (round, next) = draw.quotientAndRemainder(dividingBy: members.count)
          if next == 0 { order = generator.permutation(members.count) }
          drawn.append((members[order[next]], round))
        }
      }
    }
    let order = generator.permutation(drawn.count)
    self.init(epoch: epoch, order: order.map { drawn[$0].item }, repeats: order.map { drawn[$0].repeats })
  }
}

/// Weights of classes.
public enum ClassWeights {
  /// For each class one over its share of the images, by as much that the mean weight of the images is 1: images /
  /// (classes with images * images of the class), as scikit-learn's "balanced" (King and Zeng 2001, "Logistic
  /// regression in rare events data", section 4.2). A class without images has 0.
  public static func balanced(labels: [Int], classes: Int) -> [Double] {
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    let present = counts.count { $0 > 0 }
    return counts.map { $0 > 0 ? Double(labels.count) / (Double(present) * Double($0)) : 0 }
  }
}
