// What a person does in the panes, as keys and what comes of them: classes and files, layers, evaluations, mistakes,
// filters, the settings form, the palette, the mouse.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `Browsing by keys` {
  @Test func `a class is opened, its pictures are asked for once, and left again`() {
    var state = WorkbenchState.opened()
    let first = state.press(.down, .enter)
    #expect(state.dataset.level == .files(.classNamed("one")))
    #expect(first == [.browse(.preview(path: "data/sign-digits/one/IMG_1101.JPG", maximumSide: 160))])
    #expect(state.press(.down).count == 1)
    #expect(state.press(.up).isEmpty)
    state.press(.left)
    #expect(state.dataset.level == .classes)
    #expect(state.dataset.classes.selected == 1)
    state.press(.right, .escape)
    #expect(state.dataset.level == .classes)
  }

  @Test func `a picture that cannot be read says why`() {
    var state = WorkbenchState.opened()
    state.press(.enter)
    state.hear(.preview(path: "data/sign-digits/zero/IMG_1100.JPG", nil, reason: "truncated file"))
    #expect(render(state, size: state.size, theme: .dark).text().contains("truncated file"))
  }

  @Test func `counts come in while the folder is read, and another class count describes the network again`() {
    var state = Fixtures.state()
    state.hear(.datasetProgress(.scanning(files: 1234, classes: [])))
    #expect(render(state, size: state.size, theme: .dark).text().contains("1,234 images"))
    var report = Fixtures.dataset
    report.classes.removeLast(3)
    #expect(
      state.hear(.dataset(report)) == [
        .browse(.describeNetwork(Fixtures.settings.network, imageSize: 32, classes: 7, batchSize: 64))
      ])
  }

  @Test func `a new report keeps the open class by its name`() {
    var state = WorkbenchState.opened()
    state.press(.down, .down, .enter)
    var report = Fixtures.dataset
    report.classes.removeFirst()
    state.hear(.dataset(report))
    #expect(state.dataset.level == .files(.classNamed("two")))
    report.classes.removeAll { $0.name == "two" }
    state.hear(.dataset(report))
    #expect(state.dataset.level == .classes)
  }

  @Test func `a filter narrows as it is typed, stays with Enter, goes with Esc`() {
    var state = WorkbenchState.opened()
    state.type("/eN")
    #expect(state.filtering)
    #expect(state.dataset.classes.count == 1)
    state.press(.backspace)
    #expect(state.dataset.classes.count == 7)
    state.press(.enter)
    #expect(!state.filtering)
    state.press(.down)
    #expect(state.dataset.classes.selectedItem == 8)
    state.type("nN")
    #expect(state.dataset.classes.selectedItem == 8)
    state.press(.escape)
    #expect(state.dataset.classes.count == 10)
    #expect(state.dataset.classes.selectedItem == 8)
  }

  @Test func `next and previous match go round`() {
    var state = WorkbenchState.opened()
    state.type("2/pad")
    state.press(.enter)
    let names = (0..<3).map { _ -> String in
      let name = state.layers.rows.selectedItem.map { Fixtures.summary.layers[$0].name } ?? ""
      state.type("n")
      return name
    }
    #expect(names == ["layer2.0.pad", "layer3.0.pad", "layer2.0.pad"])
  }

  @Test func `space is text while a filter is typed`() {
    var state = WorkbenchState.opened()
    #expect(state.type("/ q").isEmpty)
    #expect(state.dataset.classes.filter == " q")
  }

  @Test func `p goes through the splits and all of them, and until then the data decide`() {
    var state = WorkbenchState.opened()
    state.type("4")
    var asked: [EvaluationSplit?] = []
    for _ in 0..<6 {
      for case .send(.evaluate(_, _, let split, _, _)) in state.press(.enter) { asked.append(split) }
      state.hear(.failure("enough"))
      state.type("p")
    }
    #expect(asked == [nil, .validation, .train, .all, .test, .validation])
  }

  @Test func `of a large report a screen shows what is in view, and says how many mistakes there are in all`() {
    func screen(_ state: WorkbenchState) -> String { render(state, size: state.size, theme: .dark).text() }
    let count = 10_000
    var report = EvaluationReport(
      checkpoint: Fixtures.evaluation.checkpoint, data: "d", split: .all, images: count, loss: nil, top1: 0,
      top5: 0,
      classes: (0..<count).map { ClassMetrics(name: "class \($0)", support: 1, precision: nil, recall: 0, f1: 0) },
      confusion: ConfusionMatrix(classes: count, cells: [.init(truth: 9_999, predicted: 9_998, count: 7)]),
      misclassified: Fixtures.evaluation.misclassified, nonFinite: ["a.png"], skipped: [], unknownClasses: [],
      imagesPerSecond: 1)
    report.mistakes = 5_000
    var state = WorkbenchState.opened()
    state.type("4z")
    state.hear(.evaluation(report))
    #expect(
      screen(state).contains("1 image with outputs that are NaN or infinite"))
    state.type("v")
    #expect(screen(state).contains("5,000 mistakes"))
    state.type("[")
    state.type("G")
    #expect(screen(state).contains("class 9999, right, 0 of 7"))
    state.press(.left)
    #expect(screen(state).contains("9,998") || screen(state).contains("class 9998"))
    state.type("vvv")
    #expect(screen(state).contains("(5,000 in all)"))
  }

  @Test func `an evaluation is asked for, followed, read and stepped through`() {
    var state = WorkbenchState.opened()
    state.type("4p")
    #expect(state.inspector.split == .validation)
    #expect(
      state.press(.enter) == [
        .send(
          .evaluate(
            checkpoint: "runs/cifar20-3/checkpoints/best.safetensors", data: "data/sign-digits", split: .validation)
        )
      ])
    #expect(state.press(.enter).isEmpty)
    state.hear(
      .state(.evaluating(checkpoint: Fixtures.evaluation.checkpoint)), .evaluationProgress(done: 3, total: 9))
    #expect(state.inspector.evaluating?.progress == TaskProgress(done: 3, total: 9))
    state.hear(.evaluation(Fixtures.evaluation), .state(.idle))
    #expect(state.inspector.evaluating == nil)
    #expect(state.inspector.view == .confusion)
    state.type("vvv")
    #expect(state.inspector.view == .images)
  }

  @Test func `mistakes go round and ask for their pictures`() {
    var state = WorkbenchState.evaluated()
    let all = Fixtures.evaluation.misclassified.count
    guard case .browse(.thumbnails(let paths, let side)) = state.type("vvv").last else {
      Issue.record("no small pictures were asked for")
      return
    }
    #expect(!paths.isEmpty && paths.count <= InspectorPane.thumbnailBatch && side == 128)
    #expect(state.inspector.images.list.count == all)
    let single = state.press(.enter)
    #expect(single == [.browse(.preview(path: state.inspector.imagePath ?? "", maximumSide: 160))])
    #expect(state.type("n").count == 1)
    #expect(state.inspector.images.list.selected == 1)
    state.type("NN")
    #expect(state.inspector.images.list.selected == all - 1)
    state.type("n")
    #expect(state.inspector.images.list.selected == 0)
    state.press(.escape)
    #expect(state.inspector.view == .images && !state.inspector.images.isSingle)
    state.press(.escape)
    #expect(state.inspector.view == .checkpoints)
  }

  @Test func `from a confused pair to its mistakes`() {
    var state = WorkbenchState.evaluated()
    state.type("v")
    state.press(.enter)
    #expect(state.inspector.view == .images)
    #expect(state.inspector.images.list.filter == "\"six\" > \"eight\"")
    #expect(state.inspector.images.list.count == 5)
    state.press(.escape)
    #expect(state.inspector.view == .overview)
  }

  @Test func `an evaluation that fails is over`() {
    var state = WorkbenchState.opened()
    state.press(.character("4"), .enter)
    state.hear(.failure("best.safetensors is damaged"))
    #expect(state.inspector.evaluating == nil)
    state.press(.enter)
    state.hear(.state(.evaluating(checkpoint: "x")), .failure("best.safetensors is damaged"), .state(.idle))
    #expect(state.inspector.evaluating == nil)
  }

  @Test func `the form changes settings field by field and the layers follow`() {
    var state = WorkbenchState.opened()
    state.type("o")
    var expected = Fixtures.settings.network
    expected.name = "resnet34"
    state.type("net34")
    func isAsked(_ effects: [Effect], imageSize: Int = 32) -> Bool {
      effects == [
        .browse(.describeNetwork(expected, imageSize: imageSize, classes: 10, batchSize: 64)),
        .ask(.plan(state.settings)),
      ]
    }
    #expect(isAsked(state.press(.enter)))
    expected.shortcut = .zeroPadding
    // Past the variant.
    state.press(.down)
    #expect(isAsked(state.press(.right)))
    state.press(.down, .down, .down, .down, .down, .down)
    #expect(state.type("64").isEmpty)
    #expect(isAsked(state.press(.down), imageSize: 64))
    state.press(.escape)
    #expect(state.overlay == nil)
    #expect(state.settings.preprocessing.imageSize == 64)
    #expect(
      state.settings.commandLine
        == "skipline train data/sign-digits --recipe none --net resnet34 --shortcut A --imgsz 64 --no-flip --epochs 12"
    )
  }

  @Test func `a refused text stays in its field and is not applied`() {
    var state = WorkbenchState.opened()
    state.type("o")
    for _ in 0..<10 { state.press(.down) }
    state.type("0")
    state.press(.enter)
    guard case .settings(let form) = state.overlay else {
      Issue.record("the form closed")
      return
    }
    #expect(form.field == .of(Settings.epochs))
    #expect(form.typed == "0")
    #expect(form.error == "it must be a whole number from 1 to 1,000,000")
    #expect(state.settings == Fixtures.settings)
    state.press(.escape)
    #expect(state.overlay != nil)
    state.press(.escape)
    #expect(state.overlay == nil)
  }

  @Test func `every field takes back the text it shows`() throws {
    // Whatever can be set is in the form.
    #expect(SettingsField.all.count == Settings.all.count)
    for field in SettingsField.all {
      var settings = Fixtures.settings
      try field.apply(field.text(in: settings), to: &settings, networks: ["cifar20"])
      #expect(settings == Fixtures.settings, "\(field.label)")
      for choice in field.choices(networks: ["cifar20", "vgg19"]) ?? [] {
        try field.apply(choice, to: &settings, networks: ["cifar20", "vgg19"])
        #expect(field.text(in: settings) == choice)
      }
    }
  }

  private func shown(_ state: WorkbenchState) -> String {
    render(state, size: state.size, theme: .dark).snapshot()
  }

  @Test func `a size that no run would be started with is refused in the engine's words`() {
    var state = WorkbenchState.opened(
      refusing: { $0.preprocessing.imageSize < 24 && $0.network.name == "vgg19" ? "too small for vgg19" : nil })
    // A network is taken, since the size can only be changed after it; the form says at once what does not fit.
    state.settings.preprocessing.imageSize = 16
    state.type("ovgg19")
    state.press(.enter)
    #expect(state.settings.network.name == "vgg19")
    #expect(shown(state).contains("too small for vgg19"))
    for _ in 0..<7 { state.press(.down) }
    state.type("20")
    state.press(.enter)
    // The same is wrong as before: what is typed is no worse.
    #expect(state.settings.preprocessing.imageSize == 20)
    state.press(.up)
    state.type("32")
    state.press(.enter, .up)
    #expect(!shown(state).contains("too small"))
    state.type("12")
    state.press(.enter)
    #expect(state.settings.preprocessing.imageSize == 32)
    guard case .settings(let form) = state.overlay else {
      Issue.record("the form closed")
      return
    }
    #expect(form.typed == "12" && form.error == "too small for vgg19")
  }

  @Test func `no run is started that would be refused`() {
    var state = WorkbenchState.opened(refusing: { _ in "too small for vgg19" })
    state.press(.character(" "))
    #expect(shown(state).contains("too small for vgg19"))
    #expect(state.type("y").isEmpty)
    #expect(state.message?.text == "too small for vgg19" && state.engine == .idle)
  }

  @Test func `the palette finds a command, goes to its pane and runs it`() {
    var state = WorkbenchState.opened()
    state.type(":evaluate the")
    #expect(
      state.press(.enter) == [
        .send(
          .evaluate(checkpoint: Fixtures.checkpoints[2].path, data: "data/sign-digits", split: nil)),
        // The inspector shows the curves of the run that the checkpoint is of.
        .browse(.readRun(folder: "runs/cifar20-3")),
      ])
    #expect(state.focus == .inspector)
    #expect(state.overlay == nil)
  }

  @Test func `no key has two meanings in one context, and the help names every binding`() {
    let keymap = Panes.standard.keymap
    let contexts = Set(keymap.bindings.map(\.context))
    for context in contexts {
      let keys = keymap.bindings.filter { $0.context == context }.flatMap(\.keys)
      #expect(Set(keys).count == keys.count, "\(context)")
      #expect(!keys.isEmpty, "\(context)")
    }
    #expect(contexts.isSuperset(of: Panes.standard.all.flatMap { $0.contexts }))
    let lines = HelpView.lines(.opened())
    let named = Set(lines.compactMap { if case .binding(let binding) = $0 { binding.context } else { nil } })
    let silent: Set<Context> = [
      .reading, .rates, .prompt, .themes, .liveRuns, .confirmStart, .confirmStop, .confirmQuit,
    ]
    #expect(named == contexts.subtracting(silent))
  }

  @Test func `a click takes the focus and the row, the wheel scrolls the pane below it`() {
    var state = WorkbenchState.opened()
    _ = update(&state, .input(.click(x: 4, y: 5)))
    #expect(state.dataset.classes.selectedItem == 2)
    _ = update(&state, .input(.click(x: 60, y: 17)))
    #expect(state.focus == .inspector)
    #expect(state.inspector.list.selectedItem == 1)
    _ = update(&state, .input(.scroll(x: 10, y: 4, rows: 3)))
    #expect(state.focus == .inspector)
    #expect(state.dataset.classes.selectedItem == 5)
  }

  @Test func `Tab goes round, z fills the screen, Esc gives it back`() {
    var state = WorkbenchState.opened()
    state.press(.tab, .tab, .tab, .tab, .backTab)
    #expect(state.focus == .inspector)
    state.type("z")
    #expect(state.layout.panes.count == 1)
    state.press(.escape)
    #expect(state.layout.panes.count == 4)
    state.press(.character("2"), .enter)
    #expect(state.zoomed)
  }
}
