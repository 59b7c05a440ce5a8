// Line charts, their axis and sparklines, by the rows of text they draw.

import Testing

@testable import Canvas

/// The text of what a drawing leaves in a frame of its own.
func drawn(
  _ width: Int, _ height: Int, theme: Theme = .dark, _ draw: (inout Frame, Rect, Theme) -> Void
) -> String {
  var frame = Frame(size: Size(width: width, height: height), ellipsis: theme.glyphs.ellipsis)
  draw(&frame, Rect(frame.size), theme)
  return frame.text()
}

private let ascii = Theme.dark.with(glyphs: .ascii)

struct LineChartTests {
  private func text(_ chart: LineChart, _ width: Int, _ height: Int, theme: Theme = ascii) -> String {
    drawn(width, height, theme: theme) { chart.draw(into: &$0, in: $1, theme: $2) }
  }

  @Test func `a rising line goes from the lower left to the upper right`() {
    let chart = LineChart(series: [.init([0, 1, 2, 3, 4], role: .bar)])
    #expect(text(chart, 5, 5) == "    *\n   *\n  *\n *\n*")
  }

  @Test func `in braille a cell has two by four dots`() {
    let chart = LineChart(series: [.init([0, 1, 2, 3, 4, 5, 6, 7], role: .bar)], range: 0...7)
    #expect(text(chart, 4, 2, theme: .dark) == "  ⡠⠊\n⡠⠊")
  }

  @Test func `axis, labels and legend stand around the plot`() {
    let chart = LineChart(
      series: [.init([0, 1], role: .bar, label: "loss")], reference: .init(0.4, label: "baseline"),
      ticks: [.init(0, "1"), .init(1, "epoch 2")])
    #expect(
      text(chart, 24, 7) == """
             * loss  -- baseline
        1.0 + .   .   .   .  ***
            |            ****
        0.5 +o.o o.o*****o.o o.o
            |   ****
        0.0 +***
             1           epoch 2
        """)
  }

  @Test func `nil is a gap, neither zero nor bridged`() {
    let chart = LineChart(series: [.init([1, 1, nil, 1, 1], role: .bar)], range: 0...1)
    #expect(text(chart, 5, 2) == "** **\n")
  }

  @Test func `NaN and infinite values are gaps`() {
    let chart = LineChart(series: [.init([1, .nan, 1, .infinity, -.infinity], role: .bar)], range: 0...1)
    #expect(text(chart, 5, 2) == "* *\n")
  }

  @Test func `a single value is one dot and a constant series a line in the middle`() {
    #expect(text(LineChart(series: [.init([7], role: .bar)]), 3, 3).filter { $0 == "*" }.count == 1)
    #expect(text(LineChart(series: [.init([7, 7, 7], role: .bar)]), 3, 3) == "\n***\n")
    #expect(text(LineChart(series: [.init([0, 0, 0], role: .bar)]), 3, 3) == "\n\n***")
  }

  @Test func `without values there is only the emptyText`() {
    for values: [Double?] in [[], [nil, nil], [.nan]] {
      let chart = LineChart(series: [.init(values, role: .bar, label: "x")], emptyText: "none yet")
      #expect(text(chart, 12, 3) == "\n  none yet\n")
    }
    #expect(text(LineChart(series: []), 12, 3) == "\n\n")
  }

  @Test func `a run of known length does not stretch while it grows`() {
    let chart = LineChart(series: [.init([1, 1], role: .bar)], range: 0...1, extent: 5)
    #expect(text(chart, 5, 2) == "**\n")
  }

  @Test func `more values than columns are averaged`() {
    let values: [Double?] = [0, 2, 4, nil, nil, nil, 0, .nan]
    let points = LineChart.points(values, count: values.count, width: 4)
    #expect(points.map(\.x) == [0, 1, 2, 3])
    #expect(points.map(\.value) == [1, 4, nil, 0])
  }

  @Test func `where curves meet, they have the cells by turns`() {
    let equal = [Double?](repeating: 1, count: 6)
    let chart = LineChart(series: [.init(equal, role: .bar), .init(equal, role: .barSecond)], range: 0...1)
    #expect(text(chart, 6, 2) == "*o*o*o\n")
    let three = LineChart(
      series: chart.series + [.init([0, 0, 1, 1, 1, 1], role: .barThird)], range: 0...1)
    #expect(text(three, 6, 2) == "*o+*o+\n++")
  }

  @Test func `in braille both curves have their color where they meet`() {
    let chart = LineChart(
      series: [.init([1, 1, 1, 1], role: .trainingCurve), .init([1, 1, 1, 1], role: .validationCurve)], range: 0...1
    )
    var frame = Frame(size: Size(width: 2, height: 1))
    chart.draw(into: &frame, in: Rect(frame.size), theme: .dark)
    #expect(frame[0, 0].style == Theme.dark[.trainingCurve] && frame[1, 0].style == Theme.dark[.validationCurve])
  }

  @Test func `without braille there are quarters of cells`() {
    var glyphs = Glyphs.unicode
    glyphs.chartDots = .blocks
    let chart = LineChart(series: [.init([0, 1, 2, 3, 4, 5, 6, 7], role: .bar)], range: 0...7)
    #expect(text(chart, 4, 4, theme: Theme.dark.with(glyphs: glyphs)) == "   ▞\n  ▞\n ▞\n▞")
    let flat = LineChart(series: [.init([0, 0, 1, 1], role: .bar)], range: 0...1)
    #expect(text(flat, 2, 1, theme: Theme.dark.with(glyphs: glyphs)) == "▄▀")
  }

  @Test func `on a logarithmic scale equal factors are equal heights, and zero is a gap`() {
    let chart = LineChart(series: [.init([1, 10, 0, 100, 1000], role: .bar)], scale: .logarithmic)
    #expect(text(chart, 5, 4) == "    *\n   *\n *\n*")
    let none = LineChart(series: [.init([0, -1], role: .bar)], scale: .logarithmic)
    #expect(text(none, 20, 1).contains("nothing above zero"))
  }

  @Test func `in a high chart a line with ticks and marks stands below, and a cursor in it`() {
    var chart = LineChart(
      series: [.init([0, 1], role: .bar)], range: 0...1,
      ticks: [.init(0, "0"), .init(0.5, "10"), .init(0.55, "11"), .init(1, "20")])
    chart.marks = [.init(0.25, "*", role: .success), .init(7, "x", role: .error)]
    chart.cursor = 0.5
    let rows = text(chart, 26, 11).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(rows.suffix(2) == ["    ++----*----++--------+", "     0         10       20"])
    #expect(rows[0].dropFirst(15).first == "|" && rows[8].dropFirst(15).first == "|")
  }

  @Test func `values beyond a given range lie on its edge`() {
    let chart = LineChart(series: [.init([-9, 9], role: .bar)], range: 0...1)
    #expect(text(chart, 2, 2) == " *\n*")
  }

  @Test func `a chart of any size draws inside its rectangle, whatever its values`() {
    let values: [Double?] = [1e308, -1e308, .nan, nil, .leastNonzeroMagnitude, 0, -0.0, .infinity]
    let series = [LineChart.Series(values, role: .bar, label: "漢字"), .init([3], role: .barSecond, label: "b")]
    for (range, scale): (ClosedRange<Double>?, ValueScale) in [
      (nil, .linear), (0...0, .linear), (-1e308...1e308, .linear), (5...6, .linear), (nil, .logarithmic),
      (0...1, .logarithmic), (5...5, .logarithmic),
    ] {
      var chart = LineChart(
        series: series, range: range, scale: scale, reference: .init(.nan), format: .percent,
        ticks: [.init(0, "first"), .init(.nan, "none"), .init(1, "last")])
      chart.marks = [.init(0, "a", role: .bar), .init(1, "b", role: .bar), .init(.nan, "c", role: .bar)]
      chart.cursor = 1
      for theme in [ascii, Theme.dark] {
        for width in 0...14 {
          for height in 0...12 {
            var frame = Frame(size: Size(width: width + 2, height: height + 2), filledWith: Cell("·"))
            chart.draw(into: &frame, in: Rect(x: 1, y: 1, width: width, height: height), theme: theme)
            for x in 0..<width + 2 { #expect(frame[x, 0] == Cell("·") && frame[x, height + 1] == Cell("·")) }
            for y in 0..<height + 2 { #expect(frame[0, y] == Cell("·") && frame[width + 1, y] == Cell("·")) }
          }
        }
      }
    }
  }
}

struct ValueAxisTests {
  private func labels(
    _ values: [Double], format: ValueFormat = .number, ticks: Int = 5, rows: Int = 13, scale: ValueScale = .linear
  ) -> [String] {
    ValueAxis(values: values, range: nil, rows: rows, maximumTicks: ticks, scale: scale, format: format)
      .map { $0.ticks.map($0.label) } ?? []
  }

  @Test func `ticks are round numbers that hold the values`() {
    #expect(labels([0.03, 2.31]) == ["0", "1", "2", "3"])
    #expect(labels([0.12, 0.97]) == ["0.0", "0.5", "1.0"])
    #expect(labels([0.12, 0.97], format: .percent) == ["0%", "25%", "50%", "75%", "100%"])
    #expect(labels([0, 100]) == ["0", "50", "100"])
    #expect(labels([-3, 3]) == ["-4", "-2", "0", "2", "4"])
    #expect(labels([0, 50_000]) == ["0", "20k", "40k", "60k"])
    #expect(labels([0, 1e-9]).last?.contains("e-") == true)
  }

  @Test func `a range of nothing is widened`() throws {
    let axis = try #require(ValueAxis(values: [0, 0], range: 0...0, rows: 7, maximumTicks: 3, format: .number))
    #expect(axis.range.upperBound > axis.range.lowerBound)
    #expect(axis.position(of: 0) == 0)
  }

  @Test func `ticks of a logarithmic axis are a factor of 2, 4 or a power of ten apart`() {
    #expect(labels([0.12, 3.9], scale: .logarithmic) == ["0.0625", "0.25", "1", "4"])
    #expect(labels([1.1, 3.9], scale: .logarithmic) == ["1", "2", "4"])
    #expect(
      labels([1e-5, 0.3], ticks: 7, rows: 11, scale: .logarithmic) == ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1"])
    #expect(labels([0, -1], scale: .logarithmic) == [])
  }

  @Test func `ticks stand on whole rows, the same number of rows apart, whatever the height`() throws {
    for rows in 2...40 {
      for (values, range, scale): ([Double], ClosedRange<Double>?, ValueScale) in [
        ([0.03, 2.31], nil, .linear), ([-3, 3], nil, .linear), ([0.5, 0.9], 0...1, .linear),
        ([0.013, 4.4], nil, .logarithmic), ([99.7, 99.9], nil, .linear),
      ] {
        let axis = try #require(
          ValueAxis(
            values: values, range: range, rows: rows, maximumTicks: (rows + 1) / 3 + 1, scale: scale,
            format: range == nil ? .number : .percent))
        let places = axis.ticks.map { (1 - axis.position(of: $0)) * Double(rows - 1) }
        #expect(places.allSatisfy { abs($0 - $0.rounded()) < 1e-6 }, "\(rows) \(values): \(places)")
        let distances = Set(zip(places.dropFirst(), places).map { ($1 - $0).rounded() })
        #expect(distances.count == 1, "\(rows) \(values): \(places)")
        for value in values { #expect(axis.range.contains(value)) }
        #expect(axis.range.upperBound <= 1.5 || range == nil)
      }
    }
  }
}

struct SparklineTests {
  private func text(_ line: Sparkline, _ width: Int, _ height: Int = 1) -> String {
    drawn(width, height) { line.draw(into: &$0, in: $1, theme: $2) }
  }

  @Test func `the eight heights are used from least to greatest`() {
    #expect(text(Sparkline([0, 1, 2, 3, 4, 5, 6, 7]), 8) == "▁▂▃▄▅▆▇█")
  }

  @Test func `absent is not zero`() {
    #expect(text(Sparkline([0, nil, 7, .nan, 0]), 5) == "▁ █ ▁")
  }

  @Test func `the newest values are shown at the right`() {
    #expect(text(Sparkline([9, 9, 0, 7]), 2) == "▁█")
    #expect(text(Sparkline([0, 7]), 4) == "  ▁█")
  }

  @Test func `zero maximum and constant values divide by nothing`() {
    #expect(text(Sparkline([0, 0]), 2) == "▁▁")
    #expect(text(Sparkline([3, 3]), 2) == "▅▅")
    #expect(text(Sparkline([1, 2], range: 0...0), 2) == "▅▅")
    #expect(text(Sparkline([]), 2) == "")
    #expect(text(Sparkline([.nan]), 2) == "")
  }

  @Test func `two rows have sixteen heights`() {
    #expect(text(Sparkline([0, 15]), 2, 2) == " █\n▁█")
  }

  @Test func `no room draws nothing`() {
    #expect(text(Sparkline([1, 2]), 0, 3) == "\n\n")
    #expect(text(Sparkline([1, 2]), 3, 0) == "")
  }
}
