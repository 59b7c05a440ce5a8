// The dataset pane's statistics: what a file check measured. As lines where there is little room; as tables with bars
// where there is more.

import Canvas
import Messages

extension DatasetPane {
  /// Rows from which each size, format and kind of channels gets a line of its own.
  private static let roomyHeight = 20

  static func drawStatistics(
    _ report: DatasetReport, _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme
  ) {
    let (head, rest) = inner.splitTop(1)
    let back = Span(String(theme.glyphs.leftArrow) + " ", theme[.header])
    guard let statistics = report.statistics else {
      frame.put([back, Span("statistics", theme[.header])], in: head)
      if case .checking(let progress) = state.dataset.reading {
        drawInspecting(progress, into: &frame, in: rest.row(0), theme: theme)
      } else {
        frame.put(
          notice: "No statistics yet. c decodes every file and measures sizes, formats, channels, mean and std.",
          in: rest, style: theme[.dimmed])
      }
      return
    }
    frame.put(
      pieces: [
        [back, Span("statistics of \(Format.counted(statistics.images, "image"))", theme[.header])],
        [Span(Format.bytes(statistics.bytes), theme[.dimmed])],
        statistics.undecodable.isEmpty
          ? [Span("every file decodes", theme[.success])]
          : [Span("\(Format.counted(statistics.undecodable.count, "file")) not decodable", theme[.error])],
      ], in: head, style: theme[.text])
    if rest.height + 1 < roomyHeight {
      drawBrief(statistics, into: &frame, in: rest, theme: theme)
    } else if rest.width < 110 {
      let (left, right) = rest.splitTop(4).top.splitLeft(numbersWidth)
      drawSpreads(statistics, into: &frame, in: left, theme: theme)
      drawColors(statistics, into: &frame, in: right.inset(left: 1), theme: theme)
      drawShares(statistics, into: &frame, in: rest.inset(top: 5), theme: theme)
    } else {
      let (left, right) = rest.inset(top: 1).splitLeft(numbersWidth)
      drawSpreads(statistics, into: &frame, in: left.splitTop(4).top, theme: theme)
      drawColors(statistics, into: &frame, in: left.inset(top: 5).splitTop(3).top, theme: theme)
      drawShares(statistics, into: &frame, in: right.inset(left: 3), theme: theme)
    }
  }

  /// Ten rows: what the smallest focused pane has.
  private static func drawBrief(
    _ statistics: DatasetStatistics, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    drawSpreads(statistics, into: &frame, in: rect.splitTop(4).top, theme: theme)
    let lines = [
      ("sizes", statistics.commonSizes.map { (text(of: $0.size), $0.count) }),
      ("formats", statistics.formats.map { ($0.name, $0.count) }),
      ("channels", statistics.channels.map { ($0.name, $0.count) }),
    ]
    for (row, line) in lines.enumerated() {
      let (left, right) = rect.row(4 + row).splitLeft(labelWidth)
      frame.put(line.0, in: left, style: theme[.dimmed])
      let shares = line.1.map { "\($0.0) \(share($0.1, of: statistics.images))" }
      frame.put(facts: shares, in: right, theme: theme)
    }
    drawColors(statistics, into: &frame, in: rect.inset(top: 7), theme: theme)
  }

  private static let labelWidth = 10
  /// Of a label and three numbers.
  private static let numbersWidth = 39

  // MARK: Parts

  /// A heading and three rows.
  private static func drawSpreads(
    _ statistics: DatasetStatistics, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    func whole(_ value: Double) -> String { Format.general(value) }
    func ratio(_ value: Double) -> String { Format.fixed(value, 2) }
    let rows: [(name: String, spread: DatasetStatistics.Spread, text: (Double) -> String)] = [
      ("width", statistics.width, whole), ("height", statistics.height, whole),
      ("aspect", statistics.aspect, ratio),
    ]
    drawNumbers(
      titles: ["least", "median", "greatest"],
      rows: rows.map {
        ($0.name, [$0.text($0.spread.least), $0.text($0.spread.median), $0.text($0.spread.greatest)])
      },
      into: &frame, in: rect, theme: theme)
  }

  /// A heading and two rows.
  private static func drawColors(
    _ statistics: DatasetStatistics, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    drawNumbers(
      titles: ["red", "green", "blue"],
      rows: [
        ("mean", statistics.mean.prefix(3).map { Format.fixed($0, 3) }),
        ("std", statistics.std.prefix(3).map { Format.fixed($0, 3) }),
      ], into: &frame, in: rect, theme: theme)
  }

  private static func drawNumbers(
    titles: [String], rows: [(name: String, values: [String])], into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let columns =
      [Table.Column("", width: .fixed(labelWidth - 1))]
      + titles.map { Table.Column($0, width: .fixed(9), alignment: .trailing) }
    let cells = rows.map { row in
      [Table.Content.spans([Span(row.name, theme[.dimmed])])] + row.values.map { .text($0) }
    }
    Table(columns: columns, rows: cells).draw(into: &frame, in: rect, theme: theme)
  }

  /// Formats, channels and sizes, each with its heading and a bar a line; the sizes take what is left.
  private static func drawShares(
    _ statistics: DatasetStatistics, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let tables: [(title: String, role: ThemeRole, rows: [(name: String, count: Int)])] = [
      ("format", .barThird, statistics.formats.map { ($0.name, $0.count) }),
      ("channels", .barSecond, statistics.channels.map { ($0.name, $0.count) }),
      ("size", .bar, statistics.commonSizes.map { (text(of: $0.size), $0.count) }),
    ]
    let name = max(labelWidth, tables.flatMap(\.rows).map(\.name.columns).max() ?? 0)
    var rest = rect
    for (index, table) in tables.enumerated() where !table.rows.isEmpty {
      let isLast = index == tables.count - 1
      let rows = isLast ? rest.height : min(table.rows.count + 1, max(2, rest.height / 3))
      let columns = [
        Table.Column(table.title, width: .fixed(name), truncation: .middle),
        Table.Column("images", width: .fixed(9), alignment: .trailing),
        Table.Column("", width: .fixed(6), alignment: .trailing),
        Table.Column("", width: .flexible(minimum: 1, weight: 1)),
      ]
      let cells: [[Table.Content]] = table.rows.prefix(max(0, rows - 1)).map { row in
        let part = Double(row.count) / Double(max(1, statistics.images))
        return [
          .text(row.name), .text(Format.count(row.count)),
          .spans([Span(share(row.count, of: statistics.images), theme[.dimmed])]),
          .bar(fraction: part, role: table.role),
        ]
      }
      Table(columns: columns, rows: cells).draw(into: &frame, in: rest.splitTop(rows).top, theme: theme)
      rest = rest.inset(top: rows + 1)
    }
  }

  private static func text(of size: DatasetStatistics.Size) -> String { "\(size.width)x\(size.height)" }

  private static func share(_ count: Int, of total: Int) -> String {
    Format.percent(Double(count) / Double(max(1, total)))
  }
}
