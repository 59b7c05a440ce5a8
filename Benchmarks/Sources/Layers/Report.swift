// The tables of `layers`, printed row by row as the figures come.

import Foundation
import Measuring
import Messages
import Networks
import Tensors

/// One run of `layers`.
struct Report {
  let workload: Workload
  let threads: Int
  let only: String?
  let json: Bool
  let attainable: Attainable
  let timer: LayerTimer
  /// Seconds of the whole step and of the optimizer in it; nil when not wanted.
  private var step: (whole: Double, update: Double)?
  private var accounted = 0.0

  init(
    workload: Workload, threads: Int, only: String?, json: Bool, attainable: Attainable, timer: LayerTimer
  ) {
    self.workload = workload
    self.threads = threads
    self.only = only
    self.json = json
    self.attainable = attainable
    self.timer = timer
    say(
      "\(workload.net), \(workload.size) px, batch \(workload.batch), \(threads) thread\(threads == 1 ? "" : "s"): "
        + "milliseconds of \(threads == 1 ? "CPU" : "wall") time, medians; \(Kernels.description)")
    say(
      "attainable, one thread: \(attainable.arithmetic.text()) GFLOP/s in registers, "
        + "\(attainable.matrixProduct.text()) by sgemm 1024^3, copy of 256 MiB \(copySpeed(1 << 28).text()) GB/s")
  }

  mutating func timeStep() throws {
    let prepared = try PreparedWorkload(workload, threads: threads)
    let whole = timer.time(prepared.step)
    let update = timer.time(prepared.update)
    step = (whole, update)
    let speed = Double(workload.batch) / whole
    say("step: \((whole * 1000).figure) ms, \(speed.figure) images/s")
  }

  // MARK: Convolutions

  mutating func timeConvolutions(_ layers: [PlannedLayer]) throws {
    let table = TextTable([
      .init("convolution", -24), .init("shape", -28), .init("x", 3),
      .init("forward", 8), .init("GF/s", 6), .init("", 4),
      .init("by input", 8), .init("GF/s", 6), .init("", 4),
      .init("by weight", 9), .init("GF/s", 6), .init("", 4), .init("share", 6),
    ])
    say("")
    if !json { table.printHeader() }
    var total = (forward: 0.0, input: 0.0, weight: 0.0)
    var operations = (each: 0.0, input: 0.0)
    for layer in layers {
      guard case .convolution(let shape) = layer.shape else { continue }
      let text = Self.text(shape)
      guard isWanted(layer.name, text) else { continue }
      let (forward, byInput, byWeight) = time(shape)
      let count = Double(layer.count)
      let work = shape.operations * Double(workload.batch)
      let all = count * (forward + (byInput ?? 0) + byWeight)
      accounted += all
      total = (
        total.forward + count * forward, total.input + count * (byInput ?? 0), total.weight + count * byWeight
      )
      operations = (
        operations.each + count * work, operations.input + (byInput == nil ? 0 : count * work)
      )
      if json {
        print(
          try jsonLine(
            ConvolutionLine(
              name: layer.name, shape: text, count: layer.count, forwardMs: forward * 1000,
              inputMs: byInput.map { $0 * 1000 }, weightMs: byWeight * 1000, gigaOperations: work * 1e-9,
              attainable: attainable, share: step.map { all / $0.whole })))
      } else {
        table.printRow(
          [layer.name, text, "\(layer.count)"] + speedCells(forward, work) + speedCells(byInput, work)
            + speedCells(byWeight, work) + [share(all)])
      }
    }
    guard !json, operations.each > 0 else { return }
    table.printRow(
      ["all of them", "", ""] + speedCells(total.forward, operations.each)
        + speedCells(total.input, operations.input) + speedCells(total.weight, operations.each)
        + [share(total.forward + total.input + total.weight)])
  }

  /// Seconds: forward, gradient by the input (nil where it is not needed), gradient by the weights.
  private func time(_ shape: ConvolutionShape) -> (forward: Double, byInput: Double?, byWeight: Double) {
    let weight = Tensor([shape.kernel.height, shape.kernel.width, shape.input.channels, shape.output.channels]) {
      Float($0 % 13) * 0.01 - 0.06
    }
    func times(_ inputGradient: Convolution.InputGradient) -> LayerTimes {
      timer.time(
        Convolution(
          name: "timed", weight: weight, stride: shape.stride, padding: shape.padding, inputGradient: inputGradient),
        input: tensorShape(shape.input))
    }
    let weightAlone = times(.omitted)
    guard shape.propagates else { return (weightAlone.forward, nil, weightAlone.backward) }
    let both = times(.computed)
    return (both.forward, max(0, both.backward - weightAlone.backward), weightAlone.backward)
  }

  private func speedCells(_ seconds: Double?, _ work: Double) -> [String] {
    guard let seconds, seconds > 0 else { return ["-", "", ""] }
    let speed = work / seconds * 1e-9
    return [(seconds * 1000).figure, speed.text(), speed.percent(of: attainable.arithmetic * Double(threads))]
  }

  // MARK: Other layers

  mutating func timeOthers(_ layers: [PlannedLayer]) throws {
    let table = TextTable([
      .init("layer", -24), .init("shape", -28), .init("x", 3), .init("forward", 8), .init("GB/s", 6), .init("", 4),
      .init("backward", 8), .init("GB/s", 6), .init("", 4), .init("copy", 6), .init("share", 6),
    ])
    say("")
    if !json { table.printHeader() }
    for layer in layers {
      guard let probe = probe(of: layer.shape), isWanted(layer.name, probe.text) else { continue }
      let times = probe.time(timer)
      try printRow(
        OtherLine(
          name: layer.name, shape: probe.text, count: layer.count, forwardMs: times.forward * 1000,
          backwardMs: times.backward * 1000, forwardMB: probe.forwardBytes * 1e-6,
          backwardMB: probe.backwardBytes * 1e-6, copy: copySpeed(probe.elements * 4),
          share: step.map { Double(layer.count) * (times.forward + times.backward) / $0.whole }), table)
    }
    guard let step, isWanted("optimizer", "SGD") else { return }
    let values = Double(try workload.plan().summary(batchSize: workload.batch).parameters)
    // Reads gradient, velocity and value, writes the last two.
    try printRow(
      OtherLine(
        name: "optimizer", shape: "SGD, \((values * 1e-6).figure) M values", count: 1,
        forwardMs: step.update * 1000, backwardMs: 0, forwardMB: 5 * 4 * values * 1e-6, backwardMB: 0,
        copy: copySpeed(Int(values) * 4), share: step.update / step.whole), table)
  }

  private mutating func printRow(_ line: OtherLine, _ table: TextTable) throws {
    accounted += Double(line.count) * (line.forwardMs + line.backwardMs) / 1000
    if json { return print(try jsonLine(line)) }
    func cells(_ milliseconds: Double, _ megabytes: Double) -> [String] {
      guard milliseconds > 0 else { return ["-", "", ""] }
      let speed = megabytes / milliseconds
      return [milliseconds.figure, speed.text(), speed.percent(of: line.copy)]
    }
    table.printRow(
      [line.name, line.shape, "\(line.count)"] + cells(line.forwardMs, line.forwardMB)
        + cells(line.backwardMs, line.backwardMB) + [line.copy.text(), line.share.map { $0.percent(of: 1) } ?? "-"])
  }

  /// How to time a layer that moves data more than it computes, and the bytes that it moves at least.
  private func probe(of shape: LayerShape) -> Probe? {
    switch shape {
    case .convolution: nil
    case .batchNorm(let map):
      // Forward reads once for the moments and once to write; backward reads value and gradient, twice, and writes.
      layerProbe("batch norm", map, reads: (3, 5)) { BatchNorm(name: "timed", channels: map.channels) }
    case .relu(let map): layerProbe("ReLU", map, reads: (2, 3)) { ReLU() }
    case .maxPool(let map, let kernel, let stride, let padding):
      // The output has about a stride squared fewer pixels, and a place of a byte beside each value.
      layerProbe(
        "max pool \(kernel)x\(kernel)/\(stride)", map,
        reads: (1 + 1.25 / Double(stride * stride), 1 + 1.25 / Double(stride * stride))
      ) { MaxPool(kernel: kernel, stride: stride, padding: padding) }
    case .averagePool(let map, let side):
      layerProbe("average pool \(side)x\(side)", map, reads: (1, 1)) { AdaptiveAveragePool(side: side) }
    case .zeroPadding(let map, let stride, let channels, let placement):
      // Some of the pixels are read and all of the output is written; on the way back the whole input is.
      layerProbe(
        "zero pad \(placement.rawValue)/\(stride)", map,
        reads: (
          (1 + Double(channels) / Double(map.channels)) / Double(stride * stride), 1 + 1 / Double(stride * stride)
        )
      ) { ZeroPaddedShortcut(stride: stride, channels: channels, placement: placement) }
    case .addition(let map):
      Probe(
        text: "addition \(Self.text(map))", elements: map.count * workload.batch,
        forwardBytes: 12 * Double(map.count * workload.batch),
        backwardBytes: 12 * Double(map.count * workload.batch)
      ) { [shape = tensorShape(map)] timer in
        // Forward adds the shortcut to the body, backward the gradients of both.
        let seconds = timer.timeAddition(shape)
        return LayerTimes(forward: seconds, backward: seconds)
      }
    case .dense(let inputs, let outputs):
      // The weights are read, and on the way back read and their gradient written.
      Probe(
        text: "dense \(inputs)>\(outputs)", elements: inputs * outputs, forwardBytes: 4 * Double(inputs * outputs),
        backwardBytes: 8 * Double(inputs * outputs)
      ) { [batch = workload.batch] timer in
        let map = [1, 1, inputs]
        return timer.time(
          Dense(
            name: "timed", weight: Tensor(zeros: [inputs, outputs]), bias: Tensor(zeros: [outputs]), map: map,
            weightDecay: nil), input: [batch, inputs])
      }
    }
  }

  /// - Parameter reads: arrays of the input's size that are read or written, forward and backward.
  private func layerProbe(
    _ kind: String, _ map: FeatureShape, reads: (forward: Double, backward: Double),
    _ make: @escaping () -> any Layer
  ) -> Probe {
    let elements = map.count * workload.batch
    return Probe(
      text: "\(kind) \(Self.text(map))", elements: elements, forwardBytes: 4 * Double(elements) * reads.forward,
      backwardBytes: 4 * Double(elements) * reads.backward
    ) { [shape = tensorShape(map)] timer in timer.time(make(), input: shape) }
  }

  private struct Probe {
    var text: String
    var elements: Int
    var forwardBytes: Double
    var backwardBytes: Double
    var time: (LayerTimer) -> LayerTimes
  }

  // MARK: Parts

  func printEnd(_ again: Attainable) {
    if let step, only == nil {
      say(
        "\nlayers by themselves: \((accounted * 1000).figure) ms, \(accounted.percent(of: step.whole)) of the step")
    }
    if again.arithmetic > 1.05 * attainable.arithmetic {
      say(
        "the machine was slower at first: \(again.arithmetic.text()) GFLOP/s in registers now; measure again")
    }
  }

  private func say(_ text: String) { if !json { print(text) } }

  private func isWanted(_ name: String, _ text: String) -> Bool {
    only.map { name.contains($0) || text.contains($0) } ?? true
  }

  private func share(_ seconds: Double) -> String { step.map { seconds.percent(of: $0.whole) } ?? "-" }

  /// Of as many threads as compute, if memory were no limit to them together.
  private func copySpeed(_ bytes: Int) -> Double { Attainable.copy(bytes: bytes) }

  private func tensorShape(_ map: FeatureShape) -> [Int] { [workload.batch, map.height, map.width, map.channels] }

  private static func text(_ map: FeatureShape) -> String { "\(map.height)x\(map.width)x\(map.channels)" }

  /// `3x3/2 64>128 56x56`: kernel, stride, channels, input map.
  private static func text(_ shape: ConvolutionShape) -> String {
    let window = "\(shape.kernel)" + (shape.stride == 1 ? "" : "/\(shape.stride)")
    return
      "\(window) \(shape.input.channels)>\(shape.output.channels) \(shape.input.height)x\(shape.input.width)"
  }
}

private struct ConvolutionLine: Encodable {
  var name: String
  var shape: String
  var count: Int
  var forwardMs: Double
  var inputMs: Double?
  var weightMs: Double
  /// Of each pass.
  var gigaOperations: Double
  var attainable: Attainable
  var share: Double?
}

private struct OtherLine: Encodable {
  var name: String
  var shape: String
  var count: Int
  var forwardMs: Double
  var backwardMs: Double
  /// Moved at least.
  var forwardMB: Double
  var backwardMB: Double
  /// A copy of as many bytes as the input has, GB/s.
  var copy: Double
  var share: Double?
}
