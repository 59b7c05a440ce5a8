// What must not tell the classes apart: mean color, brightness and its spread, and the size of the PNG file. A
// classifier that sees only these is trained and must stay near chance.

import Testing

@testable import SampleData

@Suite struct CueTests {
  let set = SampleSet.standard

  /// Features of every picture, [pictures, features], with its class and whether it is a training picture.
  struct Table {
    var rows: [[Double]] = []
    var labels: [Int] = []
    var training: [Bool] = []
  }

  @Test func `mean color and brightness do not tell the class`() {
    let table = features { picture, _ in
      var sums = [Double](repeating: 0, count: 3)
      var (sum, squares) = (0.0, 0.0)
      for start in stride(from: 0, to: picture.pixels.count, by: 3) {
        let color = Color(
          Float(picture.pixels[start]), Float(picture.pixels[start + 1]), Float(picture.pixels[start + 2]))
        for channel in 0..<3 { sums[channel] += Double(color[channel]) }
        let brightness = Double(luma(color))
        (sum, squares) = (sum + brightness, squares + brightness * brightness)
      }
      let count = Double(picture.side * picture.side)
      let spread = (squares / count - (sum / count) * (sum / count)).squareRoot()
      return sums.map { $0 / count } + [sum / count, spread]
    }
    expectNearChance(table)
    for column in 0..<5 {
      // With 7 and 952 degrees of freedom, independent colors exceed 3.5 once in a thousand draws.
      let ratio = varianceRatio(table, column: column)
      #expect(ratio < 3.5, "feature \(column): variance between classes to variance within, \(ratio)")
    }
  }

  @Test func `file size does not tell the class`() throws {
    expectNearChance(try features { picture, _ in [Double(try picture.encodedAsPNG().count)] })
  }

  @Test func `every shape differs from its background in brightness`() {
    var brighter = [Int](repeating: 0, count: Shape.allCases.count)
    for (label, shape) in Shape.allCases.enumerated() {
      for item in set.items(of: shape) {
        let scene = set.scene(of: item)
        #expect(scene.contrast >= Scene.leastContrast, "\(item.path)")
        if luma(scene.foreground.base) > luma(scene.background.base) { brighter[label] += 1 }
      }
    }
    // 160 tosses of a coin a class: 80, with a std of 6.3.
    #expect(brighter.allSatisfy { (80 - 25...80 + 25).contains($0) }, "\(brighter)")
  }

  private func features(_ measure: (Drawing, SampleSet.Item) throws -> [Double]) rethrows -> Table {
    var table = Table()
    for (label, shape) in Shape.allCases.enumerated() {
      for item in set.items(of: shape) {
        table.rows.append(try measure(set.picture(of: item), item))
        table.labels.append(label)
        table.training.append(item.path.hasPrefix("train/"))
      }
    }
    return table
  }

  /// The nearest class mean of standardized features, fitted to the training pictures, on the test pictures.
  private func expectNearChance(_ table: Table, sourceLocation: SourceLocation = #_sourceLocation) {
    let classes = Shape.allCases.count
    let width = table.rows[0].count
    var sums = Array(repeating: [Double](repeating: 0, count: width), count: classes)
    var counts = [Double](repeating: 0, count: classes)
    for index in table.rows.indices where table.training[index] {
      counts[table.labels[index]] += 1
      for column in 0..<width { sums[table.labels[index]][column] += table.rows[index][column] }
    }
    let stds = (0..<width).map { column in
      let values = table.rows.map { $0[column] }
      let mean = values.reduce(0, +) / Double(values.count)
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }
    var (hits, cases) = (0.0, 0.0)
    for index in table.rows.indices where !table.training[index] {
      let distances = (0..<classes).map { label in
        (0..<width).reduce(0.0) { sum, column in
          let difference = (table.rows[index][column] - sums[label][column] / counts[label]) / stds[column]
          return sum + difference * difference
        }
      }
      cases += 1
      if distances.firstIndex(of: distances.min() ?? 0) == table.labels[index] { hits += 1 }
    }
    // Chance is 0.125 with a std of 0.018 over 320 pictures.
    #expect(hits / cases < 0.2, "accuracy \(hits / cases)", sourceLocation: sourceLocation)
  }

  /// The F ratio of a one-way analysis of variance over the training pictures: 1 for independence.
  private func varianceRatio(_ table: Table, column: Int) -> Double {
    let classes = Shape.allCases.count
    let groups = (0..<classes).map { label in
      table.rows.indices.filter { table.labels[$0] == label && table.training[$0] }.map { table.rows[$0][column] }
    }
    let means = groups.map { $0.reduce(0, +) / Double($0.count) }
    let grand = means.reduce(0, +) / Double(classes)
    let between = zip(groups, means).reduce(0) { $0 + Double($1.0.count) * ($1.1 - grand) * ($1.1 - grand) }
    let within = zip(groups, means).reduce(0) { sum, pair in
      sum + pair.0.reduce(0) { $0 + ($1 - pair.1) * ($1 - pair.1) }
    }
    let count = groups.reduce(0) { $0 + $1.count }
    return (between / Double(classes - 1)) / (within / Double(count - classes))
  }
}
