// The layers pane: the tree and what it is made of, folding, whose figures are shown, the table, pictures; and frames.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `The layers pane` {
  private func watched(size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState.training(size: size)
    state.hear(.training(.layers(Fixtures.layers(step: 150))))
    state.type("2")
    return state
  }

  private func titles(_ state: WorkbenchState) -> [String] { state.layers.lines.map(\.title) }

  @Test func `stages hold blocks, blocks hold layers with what is behind them, and the sum comes last`() {
    func tree(_ toggled: Set<String>) -> [LayerLine] { LayerTree(Fixtures.summary, toggled: toggled).lines }
    // A small network shows its blocks.
    let open = tree([])
    #expect(
      open.map(\.title) == [
        "conv1", "layer1", ".0", ".1", ".2", "layer2", ".0", ".1", ".2", "layer3", ".0", ".1", ".2", "fc",
      ])
    #expect(open[0].rows == [0, 1, 2] && open[0].detail == "3x3/1" && open.last?.rows.count == 1)
    #expect(open[1].detail == "3 blocks" && open[5].detail == "3 blocks /2")
    #expect(
      open[2].detail == "conv1 +" && open[4].rails == [.corner, .folded] && open[3].rails == [.fork, .folded])
    #expect(tree(["layer1", "layer2", "layer3"]).map(\.title) == ["conv1", "layer1", "layer2", "layer3", "fc"])
    let block = tree(["layer1.0", "layer2.2"])
    #expect(block[2].rails == [.fork, .split])
    #expect(block[3].title == "conv1" && block[3].rails == [.line, .fork] && block[3].rows.count == 2)
    #expect(block[4].kind == .join && block[4].rails == [.fork, .joint])
    #expect(block.last { $0.kind == .join }?.rails == [.corner, .joint])
    // Every row that tells something is in some line.
    let everything = tree(["layer1.0", "layer1.1", "layer1.2", "layer2.0", "layer2.1", "layer2.2", "layer3.0"])
    let told = Fixtures.summary.layers.indices.filter { Fixtures.summary.layers[$0].parameters > 0 }
    #expect(Set(told).isSubset(of: everything.flatMap(\.rows)))
  }

  @Test func `branches that are joined are told apart, also without blocks in blocks`() {
    func row(_ name: String, _ kind: LayerRow.Kind, _ inputs: [Int]) -> LayerRow {
      LayerRow(
        name: name, kind: kind, output: FeatureShape(height: 4, width: 4, channels: 4),
        parameters: kind == .convolution ? 9 : 0, inputs: inputs, block: "mixed")
    }
    let network = NetworkSummary(
      network: NetworkSettings(name: "x"), input: FeatureShape(height: 4, width: 4, channels: 3), classes: 2,
      layers: [
        row("mixed.reduce", .convolution, [0]), row("mixed.one", .convolution, [1]),
        row("mixed.two.a", .convolution, [1]), row("mixed.two.b", .convolution, [3]),
        row("mixed.pool", .maxPool, [1]),
        row("mixed.three", .convolution, [5]), row("mixed", .concatenation, [2, 4, 6]),
      ], batchSize: 1, trainingMemory: 0)
    #expect(LayerTree(network, toggled: []).lines.map(\.id) == ["mixed"])
    let lines = LayerTree(network, toggled: ["mixed"]).lines
    #expect(lines.map(\.title) == ["mixed", "reduce", "one", "two.a", "two.b", "three", ""])
    #expect(
      lines.map(\.rails) == [
        [.unfolded], [.line, .blank], [.line, .fork], [.line, .fork], [.line, .line], [.line, .corner],
        [.corner, .joint],
      ])
    // A plain network's blocks are in the names alone.
    var plain = network
    plain.layers = (0..<4).map { number in
      LayerRow(
        name: "layer1.\(number / 2).conv\(number % 2 + 1)", kind: .convolution,
        output: FeatureShape(height: 4, width: 4, channels: 4), parameters: 9, inputs: [number])
    }
    #expect(LayerTree(plain, toggled: []).lines.map(\.title) == ["layer1", ".0", ".1"])
    #expect(LayerTree(plain, toggled: ["layer1.0"]).lines.map(\.rails)[2] == [.line, .blank])
  }

  @Test func `Enter and the arrows fold, the selection stays, and with nothing to fold Enter fills the screen`() {
    var state = watched()
    #expect(titles(state).count == 14)
    state.press(.down, .enter)
    #expect(titles(state).count == 11 && state.layers.selectedLine?.id == "layer1" && !state.zoomed)
    state.press(.right, .down, .right)
    #expect(state.layers.selectedLine?.id == "layer1.0" && titles(state).count == 16)
    state.press(.down, .down)
    #expect(state.layers.selectedLine?.kind == .join)
    // Back to what it is in, and that shut.
    state.press(.left)
    #expect(state.layers.selectedLine?.id == "layer1.0")
    state.press(.left, .left, .left)
    #expect(state.layers.selectedLine?.id == "layer1" && titles(state).count == 11)
    state.press(.home, .enter)
    #expect(state.zoomed)
  }

  @Test func `of several layers together the update is that of all weights, and the worst word is told`() throws {
    let work = try #require(
      LayersAtWork(origin: .run(step: 1), network: Fixtures.summary, Fixtures.layers(step: 1).layers))
    let lines = LayerTree(Fixtures.summary, toggled: []).lines
    let stage = try #require(lines.first { $0.id == "layer2" })
    let figures = work.figures(of: stage)
    let weights = stage.rows.filter { Fixtures.summary.layers[$0].kind == .convolution }.compactMap {
      work.measures[$0]?.weights
    }
    let changed = weights.reduce(0) { $0 + ($1.updateRatio ?? 0) * ($1.updateRatio ?? 0) * $1.norm * $1.norm }
    let length = weights.reduce(0) { $0 + $1.norm * $1.norm }
    #expect(weights.count == 3 && abs((figures.updateRatio ?? 0) - (changed / length).squareRoot()) < 1e-9)
    #expect(figures.condition == .dead && figures.shortcutShare == nil)
    #expect(
      figures.histogram?.counts.reduce(0, +) == weights.reduce(0) { $0 + ($1.histogram?.counts ?? []).reduce(0, +) }
    )
    let block = try #require(lines.first { $0.id == "layer1.0" })
    #expect(work.figures(of: block).shortcutShare == work.measures[block.rows.last ?? 0]?.balance?.shortcutShare)
    let merged = LayerHistogram(merging: [
      LayerHistogram(low: 0, high: 1, counts: [4, 4]), LayerHistogram(low: 1, high: 4, counts: [8]),
    ])
    #expect(merged?.low == 0 && merged?.high == 4 && merged?.counts[1] == 4 && merged?.counts[10] == 8)
    #expect(LayerHistogram(merging: []) == nil)
    // Of another network nothing is told.
    var other = Fixtures.summary
    other.layers.removeFirst()
    #expect(LayersAtWork(origin: .run(step: 1), network: other, Fixtures.layers(step: 1).layers) == nil)
    #expect(LayersAtWork(origin: .run(step: 1), network: nil, []) == nil)
  }

  @Test
  func `the newest look is shown; what lies behind a way back is not, and a run that is watched brings its own`() {
    var state = watched()
    #expect(state.text.contains("step 150") && state.text.contains("dead ReLU") && state.text.contains("no NaN"))
    state.hear(.training(.layers(Fixtures.layers(step: 200))))
    #expect(state.text.contains("step 200"))
    state.hear(.training(.recovered(RecoveryReport(recovery: .rollBack, step: 156, learningRate: 0.01))))
    #expect(!state.text.contains("step 200") && state.layers.atWork == nil)
    var run = Fixtures.run()
    run.layers = Fixtures.layers(step: 100)
    state.hear(.training(.started(run)))
    #expect(state.text.contains("step 100"))
    // Of a run that ended.
    var later = WorkbenchState.opened()
    later.curves.requestedHistory = run.folder
    later.hear(.runHistory(folder: run.folder, RunHistory(run: run, outcome: nil), reason: nil))
    later.type("2")
    #expect(later.text.contains("step 100"))
    later.type("v")
    #expect(later.layers.atWork == nil && later.text.contains("params"))
    later.type("v")
    #expect(later.layers.atWork != nil)
  }

  @Test func `c asks for the chosen checkpoint's layers, and goes back to the run's`() throws {
    var state = watched()
    let checkpoint = try #require(state.inspector.selectedCheckpoint?.path)
    let question = InspectionCommand.measureLayers(checkpoint: checkpoint)
    #expect(state.press(.character("c")) == [.inspect(question)])
    let report = LayerReport(
      checkpoint: checkpoint, data: "d", split: .validation, images: 64, network: Fixtures.summary,
      layers: Fixtures.layers(step: 1).layers)
    state.hear(.inspection(question, .layers(report)))
    #expect(state.text.contains("cifar20-3/best, 64 val"))
    state.type("c")
    #expect(state.text.contains("step 150"))
    // A failure is told, and may be tried again.
    state.type("c")
    state.hear(.inspection(question, .failure("the data are gone")))
    #expect(state.text.contains("the data are gone") && state.press(.character("c")) == [.inspect(question)])
    var none = WorkbenchState.opened()
    none.hear(.checkpoints([]))
    none.type("2c")
    #expect(none.text.contains("there is no checkpoint yet"))
  }

  @Test func `f draws the filters, F the maps of the chosen layer, and Esc goes back`() throws {
    var state = watched()
    let checkpoint = try #require(state.inspector.selectedCheckpoint?.path)
    #expect(state.press(.character("f")) == [.inspect(.drawFilters(checkpoint: checkpoint))])
    #expect(state.text.contains("drawing"))
    state.hear(
      .inspection(.drawFilters(checkpoint: checkpoint), .picture(Fixtures.picture, text: "conv1: 16 filters")))
    #expect(state.text.contains("conv1: 16 filters"))
    state.press(.escape)
    #expect(state.layers.picture == nil && state.text.contains("step 150"))
    #expect(state.press(.character("F")).isEmpty && state.text.contains("choose an image first"))
    state.answerPictures(state.press(.character("1"), .down, .enter, .down))
    let image = try #require(state.dataset.selectedPath)
    state.type("2")
    // Of a layer what comes out behind its norm, of a block what it is called.
    #expect(
      state.press(.character("F"))
        == [.inspect(.drawMaps(checkpoint: checkpoint, file: image, layer: "bn1"))])
    state.press(.escape, .down, .down)
    #expect(
      state.press(.character("F"))
        == [.inspect(.drawMaps(checkpoint: checkpoint, file: image, layer: "layer1.0"))])
    state.hear(
      .inspection(.drawMaps(checkpoint: checkpoint, file: image, layer: "layer1.0"), .failure("it is no image")))
    #expect(state.layers.picture == nil && state.text.contains("it is no image"))
  }

  @Test func `a filter finds layers in the tree`() {
    var state = watched()
    state.type("/layer2")
    state.press(.enter)
    #expect(state.layers.tree.count == 4)
    state.press(.escape)
    #expect(state.layers.tree.count == 14)
  }

  @Test(arguments: [Size(width: 80, height: 24), Size(width: 140, height: 44)])
  func `the layers at work`(size: Size) throws {
    var state = watched(size: size)
    state.press(.down, .down, .enter)
    try expectSnapshot(state, "layers-work-\(size.width)x\(size.height)")
    guard size.width == 140 else {
      return try expectSnapshot(state, "layers-work-ascii-80x24", theme: .monochrome.with(glyphs: .ascii))
    }
    state.type("z")
    try expectSnapshot(state, "layers-work-zoomed-140x44")
    var described = Fixtures.summary
    described.published = Fixtures.published
    state.hear(.network(described))
    state.type("v")
    try expectSnapshot(state, "layers-table-zoomed-140x44")
  }
}
