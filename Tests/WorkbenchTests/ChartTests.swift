// A chart is a row: what it draws and what its heading says come from its metric, and it finds its place by itself.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `A chart` {
  private static let rate = CurveChart(name: "learning rate", brief: "lr", step: .learningRate)
  private static let loss = [CurveChart.all[0]]

  private func text(
    of table: [CurveChart]?, _ size: Size, change: (inout CurvesState) -> Void = { _ in }
  ) -> String {
    var curves = WorkbenchState.training().curves
    change(&curves)
    var frame = Frame(size: size)
    CurvesPane.drawCharts(curves, into: &frame, in: Rect(size), theme: .dark, table: table)
    return frame.text()
  }

  @Test func `is a row of the table: its heading and its curve come from the metric`() {
    let alone = text(of: [Self.rate], Size(width: 60, height: 9))
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
      #expect(!text(of: Self.loss, size).contains("mixed"))
      let mixed = text(of: Self.loss, size) { $0.run?.settings.augmentation.mixup = 0.2 }
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
    let shown = text(of: CurveChart.main + [Self.rate], size)
    #expect(shown.contains("loss"))
    #expect((shown.contains("accuracy") || shown.contains("acc ")) == (count > 1), "\(shown)")
    #expect((shown.contains("learning rate") || shown.contains("lr ")) == (count > 2), "\(shown)")
  }

  @Test func `v goes through all charts and back to the main ones, V the other way`() {
    var state = WorkbenchState.training()
    state.type("3")
    for view in CurvesState.View.all.dropFirst() {
      state.type("v")
      #expect(state.curves.view == view)
    }
    state.type("v")
    #expect(state.curves.view == .main && CurveChart.main.map(\.brief) == ["loss", "acc"])
    state.type("V")
    #expect(state.curves.view == CurvesState.View.all.last && state.curves.view == .classes(.recall))
  }

  @Test func `there is one of every metric, and the palette finds it by its name and by its key`() {
    let shown = Set(CurveChart.all.flatMap { [$0.step, $0.epoch, $0.validation].compactMap { $0 } })
    let missing = [Metric.Scope.step, .epoch, .validation].flatMap(Metric.all).filter { !shown.contains($0) }
    #expect(missing.isEmpty, "\(missing.map(\.key))")
    for (typed, brief) in [("grad norm alone", "|g|"), ("imagesPerSecond", "img/s"), ("top5", "top-5")] {
      var state = WorkbenchState.training()
      // Also from another pane.
      state.type("1:" + typed)
      state.press(.enter)
      #expect(state.curves.view.charts.map(\.brief) == [brief], "\(typed)")
    }
    var state = WorkbenchState.training()
    state.type(":loss by")
    state.press(.enter)
    #expect(state.curves.view == .classes(.loss))
    var help = WorkbenchState.training()
    help.type("?")
    #expect(!render(help, size: Size(width: 100, height: 400), theme: .dark).text().contains("curves: grad norm"))
  }

  @Test func `by class has the worst ones, reads them, and follows a run`() {
    var state = WorkbenchState.training()
    let classes = state.curves.run?.classes.count ?? 0
    func details(_ epoch: Int, _ shift: Int) -> ValidationDetails {
      let values = (0..<classes).map { Double(($0 + shift) % classes) }
      var losses: [Double?] = values
      losses[0] = nil
      return ValidationDetails(
        epoch: epoch, step: epoch * 10, images: 8, wrong: 1, recalls: values.map { 1 - $0 / Double(classes) },
        losses: losses, hardest: [])
    }
    for epoch in 1...4 { state.curves.handle(.validated(details(epoch, 0))) }
    let lines = ClassChart.loss.lines(state.curves)
    let names = state.curves.run?.classes ?? []
    #expect(lines.map(\.name) == names.suffix(5).reversed() && lines[0].points.count == 4)
    #expect(lines[0].points.map(\.value) == Array(repeating: Double(classes - 1), count: 4))
    // The first class has no loss, and its recall is the best.
    state.curves.handle(.validated(details(5, 1)))
    #expect(ClassChart.loss.lines(state.curves)[0].name == names[classes - 2])
    #expect(ClassChart.recall.lines(state.curves)[0].name == names[classes - 2])
    state.curves.view = .classes(.loss)
    let size = Size(width: 140, height: 14)
    let shown = text(of: nil, size) { $0 = state.curves }
    #expect(shown.contains("loss by class, worst 5 of \(classes)") && shown.contains("\(names[classes - 2]) "))
    state.curves.cursor = state.curves.epochs(atStep: 11)
    let reading = text(of: nil, size) { $0 = state.curves }.split(separator: "\n").last ?? ""
    // Where the newest worst one stood then.
    #expect(reading.contains("\(names[classes - 2]) \(Format.loss(Double(classes - 2)))"), "\(reading)")
    // A run that goes back loses what came after.
    state.curves.handle(.recovered(RecoveryReport(recovery: .rollBack, step: 40, learningRate: 0.1)))
    #expect(ClassChart.loss.lines(state.curves)[0].name == names[classes - 1])
    #expect(text(of: nil, size) { $0.view = .classes(.recall) }.contains("no validation has measured the classes"))
  }

  @Test func `is smoothed, logarithmic, fitted and narrowed by keys, and escape shows all again`() {
    var state = WorkbenchState.training()
    state.type("3")
    state.type("m")
    #expect(state.curves.smoothing == .little)
    state.type("mmm")
    #expect(state.curves.smoothing == .none)
    state.type("y")
    #expect(text(of: Self.loss, Size(width: 60, height: 12)) { $0 = state.curves }.contains("loss, log"))
    let accuracy = [CurveChart.all[1]]
    #expect(!text(of: accuracy, Size(width: 60, height: 12)) { $0 = state.curves }.contains("log"))
    state.type("Y")
    #expect(state.curves.fit == .visible)
    state.type("x")
    let shown = state.curves.shownEpochs
    #expect(shown.upperBound - shown.lowerBound == 6 && state.curves.window.follows)
    state.type("f{")
    #expect(!state.curves.window.follows)
    state.press(.escape)
    #expect(state.curves.window.isWhole)
  }

  @Test func `its cursor reads every chart's value there, and goes to what is newest first`() {
    var state = WorkbenchState.training()
    state.type("3")
    state.press(.right)
    let newest = state.curves.cursor
    #expect(newest == state.curves.epochs(atStep: state.curves.reachedStep))
    for _ in 0..<5 { state.press(.left) }
    #expect((state.curves.cursor ?? 99) < (newest ?? 0))
    let shown = text(of: nil, Size(width: 140, height: 12)) { $0 = state.curves }
    let reading = shown.split(separator: "\n").last ?? ""
    #expect(
      reading.contains("epoch") && reading.contains("loss") && reading.contains("lr") && reading.contains("|g|"))
    state.press(.home)
    #expect(state.curves.cursor == 0)
    state.press(.escape)
    #expect(state.curves.cursor == nil)
  }

  @Test func `marks what happened to the run, and the best epoch`() {
    let marked = text(of: Self.loss, Size(width: 60, height: 14)) { curves in
      curves.handle(.learningRateChanged(0.01))
      curves.handle(.paused)
    }
    #expect(marked.contains("★") && marked.contains("·"))
    var curves = WorkbenchState.training().curves
    curves.handle(.learningRateChanged(0.01))
    curves.handle(.recovered(RecoveryReport(recovery: .rollBack, step: 1, learningRate: 0.001)))
    #expect(curves.marks == [RunMark(.recovery, step: 1, value: 0.001)])
  }
}
