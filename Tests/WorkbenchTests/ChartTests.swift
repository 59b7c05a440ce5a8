// A chart is a row: what it draws and what its heading says come from its metric, and it finds its place by itself.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `A chart` {
  private static let rate = CurveChart(name: "learning rate", brief: "lr", step: .learningRate)

  private func text(
    of table: [CurveChart], _ size: Size, view: CurvesState.View = .all,
    change: (inout CurvesState) -> Void = { _ in }
  ) -> String {
    var curves = WorkbenchState.training().curves
    curves.view = view
    change(&curves)
    var frame = Frame(size: size)
    CurvesPane.drawCharts(curves, into: &frame, in: Rect(size), theme: .dark, table: table)
    return frame.text()
  }

  @Test func `is a row of the table: its heading and its curve come from the metric`() {
    let table = CurveChart.all + [Self.rate]
    let alone = text(of: table, Size(width: 60, height: 9), view: .one(2))
    #expect(alone.contains("learning rate 0.0575") && !alone.contains("val") && !alone.contains("train"))
    #expect(alone.contains("12 epochs") && !alone.contains("no metrics"))
    for metric in Metric.ofSteps {
      let chart = CurveChart(name: metric.name, brief: metric.key, step: metric)
      #expect(!text(of: [chart], Size(width: 60, height: 9)).contains("no metrics"), "\(metric.key)")
    }
  }

  @Test func `says where its training values are of mixed images`() {
    for (width, words) in [(60, " train (mixed) "), (40, " mixed ")] {
      let size = Size(width: width, height: 9)
      #expect(!text(of: CurveChart.all, size, view: .one(0)).contains("mixed"))
      let mixed = text(of: CurveChart.all, size, view: .one(0)) { $0.run?.settings.augmentation.mixup = 0.2 }
      #expect(mixed.contains(words), "\(mixed)")
    }
  }

  @Test func `its unit says how a value is written`() {
    let units: [Metric.Unit] = [.nats, .share, .imagesPerSecond, .seconds, .number]
    #expect(units.map { $0.text(0.0125) } == ["0.013", "1.3%", Format.speed(0.0125), "0.013 s", "0.0125"])
    #expect(units.allSatisfy { $0.text(nil) == Format.absent })
    #expect(Metric.Unit.seconds.text(125) == "2 min 05 s")
  }

  @Test(arguments: [
    (Size(width: 46, height: 8), 2), (Size(width: 39, height: 8), 1), (Size(width: 78, height: 8), 3),
    (Size(width: 46, height: 21), 3), (Size(width: 46, height: 20), 2), (Size(width: 120, height: 30), 3),
  ])
  func `stands with the others where there is room for it`(size: Size, count: Int) {
    let shown = text(of: CurveChart.all + [Self.rate], size)
    #expect(shown.contains("loss"))
    #expect((shown.contains("accuracy") || shown.contains("acc ")) == (count > 1), "\(shown)")
    #expect((shown.contains("learning rate") || shown.contains("lr ")) == (count > 2), "\(shown)")
  }

  @Test func `v goes through all charts and back to all of them`() {
    var state = WorkbenchState.training()
    state.type("3")
    for index in CurveChart.all.indices {
      state.type("v")
      #expect(state.curves.view == .one(index))
    }
    state.type("v")
    #expect(state.curves.view == .all)
  }
}
