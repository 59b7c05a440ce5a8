// A long series in bounded memory, for curves: the one place where metrics are thinned out.

/// Elements at rising steps, of which there are ever fewer the longer the series is: whenever as many are kept as there
/// is room for, every two of them become one, and from then on each new one stands for twice as many.
///
/// One of a group is either the first of its elements (`sampled`) or what they come to together (`averaged`). A sampled
/// series also has its newest element and the one that stands out most. Adding takes constant time on average.
public struct ThinnedSeries<Element: Sendable>: Sendable {
  /// One for each full group, in order, fewer than the capacity.
  public private(set) var kept: [Element] = []
  /// Elements in a group: a power of two.
  public private(set) var stride = 1
  /// The element that stands out most of all that were added, for a sampled series that keeps it.
  public private(set) var extreme: Element?

  /// Averaged: the elements of the unfinished group. Sampled: the newest, where it is not kept.
  private var pending: [Element] = []
  /// Elements of the unfinished group so far.
  private var inGroup = 0

  private let capacity: Int
  private let step: @Sendable (Element) -> Int
  private let average: (@Sendable ([Element]) -> Element)?
  /// Whether the first stands out more than the second, or at all where there is no second.
  private let standsOut: (@Sendable (Element, Element?) -> Bool)?

  private init(
    capacity: Int, step: @escaping @Sendable (Element) -> Int, average: (@Sendable ([Element]) -> Element)?,
    standsOut: (@Sendable (Element, Element?) -> Bool)?
  ) {
    precondition(capacity >= 2 && capacity.isMultiple(of: 2), "pairs are made of what is kept")
    self.capacity = capacity
    self.step = step
    self.average = average
    self.standsOut = standsOut
  }

  /// - Parameter standsOut: whether an element must be kept rather than another; its second argument is nil where there
  ///   is none yet.
  public static func sampled(
    capacity: Int, step: @escaping @Sendable (Element) -> Int,
    standsOut: (@Sendable (Element, Element?) -> Bool)? = nil
  ) -> ThinnedSeries {
    ThinnedSeries(capacity: capacity, step: step, average: nil, standsOut: standsOut)
  }

  /// - Parameter average: of one or more elements in order, with the step of the last one.
  public static func averaged(
    capacity: Int, step: @escaping @Sendable (Element) -> Int, average: @escaping @Sendable ([Element]) -> Element
  ) -> ThinnedSeries {
    ThinnedSeries(capacity: capacity, step: step, average: average, standsOut: nil)
  }

  // MARK: Adding

  /// Adds an element. One whose step is not after the last goes back: what lay from there on is dropped.
  public mutating func add(_ element: Element) {
    if let last, step(element) <= step(last) { drop(after: step(element) - 1) }
    note(element)
    append(element)
  }

  /// Adds an element that is only made if its turn has come, for series of which most are not worth making. One that
  /// does not come after what is kept is left out. Sampled series only.
  public mutating func offer(_ make: () -> Element?) {
    precondition(average == nil, "an average is of all elements")
    guard inGroup == 0 else {
      inGroup = (inGroup + 1) % stride
      return
    }
    guard let element = make(), comesLast(element) else {
      inGroup = (inGroup + 1) % stride
      return
    }
    note(element)
    append(element)
  }

  /// Keeps an element if it stands out more than all before it, whether or not its turn has come.
  public mutating func note(_ element: Element) {
    if let standsOut, standsOut(element, extreme) { extreme = element }
  }

  /// Says which was the newest of those that were offered.
  public mutating func close(with newest: Element?) {
    if let newest, comesLast(newest) { pending = [newest] }
  }

  /// Drops what lies after a step: the run went back to it.
  public mutating func drop(after last: Int) {
    let step = step
    kept.removeAll { step($0) > last }
    pending.removeAll { step($0) > last }
    if average != nil { inGroup = pending.count } else if kept.isEmpty { inGroup = 0 }
    if let gone = extreme, step(gone) > last {
      extreme = nil
      for element in kept + pending { note(element) }
    }
  }

  private mutating func append(_ element: Element) {
    if let average {
      pending.append(element)
      inGroup = pending.count
      guard inGroup == stride else { return }
      kept.append(average(pending))
      (pending, inGroup) = ([], 0)
    } else {
      if inGroup == 0 {
        kept.append(element)
        pending = []
      } else {
        pending = [element]
      }
      inGroup = (inGroup + 1) % stride
    }
    if kept.count == capacity { halve() }
  }

  private mutating func halve() {
    if average == nil, let newest = kept.last {
      // It was the first of its group and is now in the middle of one.
      pending = [newest]
      inGroup = (stride + 1) % (2 * stride)
    }
    kept = Swift.stride(from: 0, to: capacity, by: 2).map { first in
      average.map { $0([kept[first], kept[first + 1]]) } ?? kept[first]
    }
    stride *= 2
  }

  private func comesLast(_ element: Element) -> Bool { last.map { step(element) > step($0) } ?? true }

  // MARK: Reading

  /// The newest element there is.
  private var last: Element? { pending.last ?? kept.last }

  /// In order, each step once: what is kept, the unfinished group or the newest, and what stands out.
  public var all: [Element] {
    var all = kept
    if !pending.isEmpty { all.append(average.map { $0(pending) } ?? pending[pending.count - 1]) }
    guard let extreme, let last = all.last, step(extreme) < step(last) else { return all }
    let place = all.firstIndex { step($0) >= step(extreme) } ?? all.endIndex
    if step(all[place]) != step(extreme) { all.insert(extreme, at: place) }
    return all
  }
}

extension ThinnedSeries: Equatable where Element: Equatable {
  /// By what they hold. How a series is thinned is decided where it is made, once.
  public static func == (left: ThinnedSeries, right: ThinnedSeries) -> Bool {
    left.kept == right.kept && left.stride == right.stride && left.pending == right.pending
      && left.extreme == right.extreme && left.inGroup == right.inGroup
  }
}

extension ThinnedSeries<StepMetrics> {
  /// Steps as they are, with the one of the largest loss that is a number.
  public static func sampled(capacity: Int) -> ThinnedSeries {
    sampled(capacity: capacity, step: { $0.step }) { new, old in
      new.loss.isFinite && old.map { new.loss > $0.loss } ?? true
    }
  }

  /// Means of steps, each metric over the values that are finite numbers.
  public static func averaged(capacity: Int) -> ThinnedSeries {
    averaged(capacity: capacity, step: { $0.step }) { steps in
      var mean = StepMetrics(step: steps.last?.step ?? 0, epoch: steps.last?.epoch ?? 0)
      for metric in Metric.ofSteps {
        let values = steps.compactMap { $0[metric] }.filter(\.isFinite)
        mean[metric] = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
      }
      return mean
    }
  }
}

extension ThinnedSeries<EpochMetrics> {
  /// Epochs as they are, with the one of the best validation.
  /// - Parameter metric: by which it is the best.
  public static func sampled(capacity: Int, best metric: BestMetric = .top1) -> ThinnedSeries {
    sampled(capacity: capacity, step: { $0.step }) { new, old in
      guard let value = metric.value(in: new.validation) else { return false }
      return metric.isBetter(value, than: metric.value(in: old?.validation))
    }
  }
}
