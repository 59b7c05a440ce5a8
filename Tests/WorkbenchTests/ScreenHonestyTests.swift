// What the screen must not get wrong: which checkpoint Enter evaluates, what a key starts or ends, what pasted text
// does, which warnings still hold, what an axis leaves out.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `Checkpoints and runs` {
  private func checkpoint(
    _ name: String, _ run: String, epoch: Int = 1, minute: Int, fit: DataFit? = .own,
    data: String = "data/sign-digits"
  ) -> CheckpointInfo {
    var checkpoint = Fixtures.checkpoint(name, run: run, epoch: epoch, minute: minute)
    (checkpoint.fit, checkpoint.data) = (fit, data)
    return checkpoint
  }

  private func paths(_ state: WorkbenchState) -> [String] {
    (state.inspector.checkpoints ?? []).map { $0.runName + "/" + $0.name }
  }

  @Test func `they stand by run, the newest first, the best before the last, other data's behind`() {
    var state = WorkbenchState.opened()
    state.hear(
      .checkpoints([
        checkpoint("last", "old", minute: 10), checkpoint("best", "old", minute: 9),
        checkpoint("best", "foreign", minute: 59, fit: .otherClasses, data: "data/rings"),
        checkpoint("epoch-0001", "new", epoch: 1, minute: 20), checkpoint("last", "new", epoch: 3, minute: 23),
        checkpoint("best", "new", epoch: 2, minute: 21), checkpoint("epoch-0003", "new", epoch: 3, minute: 23),
      ]))
    #expect(
      paths(state) == [
        "new/best", "new/last", "new/epoch-0003", "new/epoch-0001", "old/best", "old/last", "foreign/best",
      ])
    #expect(state.inspector.selectedCheckpoint?.runName == "new")
    state.press(.character("4"))
    #expect(state.text.contains("new/best"))
  }

  @Test func `after a run Enter evaluates that run's best, whatever was chosen before it`() {
    var state = WorkbenchState.opened()
    state.hear(.checkpoints([checkpoint("best", "old", minute: 1), checkpoint("last", "old", minute: 2)]))
    state.press(.character("4"), .down)
    #expect(state.inspector.selectedCheckpoint?.name == "last")
    state.hear(.training(.started(Fixtures.run())), .state(.training))
    state.hear(.training(.checkpointSaved(checkpoint("last", "cifar20-3", minute: 30, fit: nil))))
    state.hear(.training(.checkpointSaved(checkpoint("best", "cifar20-3", minute: 31, fit: nil))))
    #expect(state.inspector.selectedCheckpoint?.path == "runs/cifar20-3/checkpoints/best.safetensors")
    // Chosen while it is trained, it stays chosen when new ones come.
    state.press(.down)
    let chosen = state.inspector.selectedCheckpoint?.path
    state.hear(.training(.checkpointSaved(checkpoint("epoch-0002", "cifar20-3", epoch: 2, minute: 32, fit: nil))))
    state.hear(.training(.checkpointSaved(checkpoint("best", "cifar20-3", epoch: 2, minute: 33, fit: nil))))
    #expect(state.inspector.selectedCheckpoint?.path == chosen)
  }

  @Test func `one of data with other classes is not evaluated, and Enter says why`() {
    var state = WorkbenchState.opened()
    state.hear(.checkpoints([checkpoint("best", "rings-1", minute: 1, fit: .otherClasses, data: "data/rings")]))
    state.press(.character("4"))
    #expect(!state.hints.contains { $0.action == .evaluate })
    #expect(state.press(.enter).isEmpty)
    #expect(state.message?.text.contains("was trained on data/rings") == true)
    #expect(state.message?.text.contains("skipline evaluate") == true)
    // With classes in common it can be measured on the other data.
    state.hear(.checkpoints([checkpoint("best", "rings-1", minute: 1, fit: .otherData, data: "data/rings")]))
    #expect(state.press(.enter).count == 1)
  }

  @Test func `whoever attaches gets the run's checkpoints and its layers`() {
    var state = WorkbenchState.opened()
    var run = Fixtures.run()
    (run.settings.network.name, run.settings.batchSize) = ("resnet18", 7)
    #expect(
      state.hear(.training(.started(run))) == [
        .browse(.listCheckpoints(project: "runs")),
        .browse(.describeNetwork(run.settings.network, imageSize: 32, classes: 10, batchSize: 7)),
      ])
  }

  @Test func `evaluating is offered only where the run's engine does it`() {
    var state = WorkbenchState.training()
    state.press(.character("4"))
    #expect(state.hints.contains { $0.action == .evaluate })
    var run = Fixtures.run()
    run.evaluates = false
    state.hear(.training(.started(run)), .state(.training))
    #expect(!state.hints.contains { $0.action == .evaluate })
    #expect(state.press(.enter).isEmpty)
    #expect(state.message?.text.contains("skipline evaluate") == true)
  }

  private var history: RunHistory {
    RunHistory(
      run: Fixtures.run(history: (1...5).map { Fixtures.epoch($0) }),
      outcome: RunOutcome(
        folder: "runs/cifar20-3", reason: .completed, epochs: 5, steps: 130, bestValidationAccuracy: 0.8, seconds: 9
      ))
  }

  @Test func `the curves of a run that has ended are those of the checkpoint that is chosen`() {
    var state = WorkbenchState.opened()
    #expect(state.press(.character("4")) == [.browse(.readRun(folder: "runs/cifar20-3"))])
    // One at a time.
    #expect(state.press(.down, .up).isEmpty)
    state.hear(.runHistory(folder: "runs/cifar20-3", history, reason: nil))
    #expect(state.curves.epochs.count == 5 && state.curves.isHistory)
    #expect(state.phaseName == "idle")
    // In a narrow pane the name alone: how it ended stands below.
    #expect(state.text.contains("cifar20-3 ─╮") && state.text.contains("completed · 5 epochs"))
    var wide = state
    wide.size = Size(width: 120, height: 36)
    #expect(wide.text.contains("cifar20-3 · finished ─╮"))
    #expect(state.press(.down).isEmpty)
    // Another run's, then one that cannot be read: once.
    #expect(state.press(.end) == [.browse(.readRun(folder: "runs/resnet18-1"))])
    #expect(state.hear(.runHistory(folder: "runs/resnet18-1", nil, reason: "run.json is damaged")).isEmpty)
    #expect(state.message?.text.contains("run.json is damaged") == true)
    #expect(state.press(.home, .end).isEmpty)
  }

  @Test func `a run under way keeps the curves`() {
    var state = WorkbenchState.training()
    #expect(state.press(.character("4"), .end).isEmpty)
    state.hear(.runHistory(folder: "runs/old", history, reason: nil))
    #expect(!state.curves.isHistory)
  }

  @Test func `a screen for a run that has ended shows it and changes nothing`() {
    var state = WorkbenchState(
      data: "data/sign-digits", settings: Fixtures.settings, rules: TrainingRules(networks: ["cifar20"]),
      themeNames: ["Dark"],
      looksOnly: true)
    #expect(update(&state, .showRun(folder: "runs/cifar20-3")) == [.browse(.readRun(folder: "runs/cifar20-3"))])
    state.hear(.dataset(Fixtures.dataset), .runHistory(folder: "runs/cifar20-3", history, reason: nil))
    #expect(state.focus == .curves && state.curves.epochs.count == 5)
    for key: Key in [.character(" "), .character("X"), .character("s"), .character("+"), .character("L")] {
      #expect(state.press(key).isEmpty)
      #expect(state.overlay == nil)
    }
    state.press(.character("1"), .enter)
    #expect(!state.type("xmu").contains { if case .browse(.decide) = $0 { true } else { false } })
  }
}

@Suite struct `What a key starts or ends` {
  @Test func `a start is asked about, with network, length and data`() {
    var state = WorkbenchState.opened()
    #expect(state.press(.character(" ")).isEmpty)
    for part in ["Start training?", "cifar20, 12 epochs on sign-digits (1,635 training", "images in 10 classes)"] {
      #expect(state.text.contains(part), "\(part)")
    }
    // The run began some other way meanwhile: there is nothing to ask any more.
    var begun = state
    begun.hear(.state(.preparing))
    #expect(begun.overlay == nil)
    #expect(state.press(.escape).isEmpty && state.engine == .idle)
    state.press(.character(" "))
    #expect(state.press(.character(" ")).isEmpty, "a key held down starts nothing")
    #expect(state.press(.enter) == [.send(.start(Fixtures.settings))])
  }

  private func stopped() -> WorkbenchState {
    var state = WorkbenchState.training()
    state.type("Xy")
    state.hear(
      .training(
        .finished(
          RunOutcome(
            folder: "runs/cifar20-3", reason: .stopped, epochs: 6, steps: 170, bestValidationAccuracy: 0.7,
            seconds: 3)
        )), .state(.idle))
    return state
  }

  @Test func `after a stop the run is called stopped, and a start offers to resume it`() {
    var state = stopped()
    #expect(state.phaseName == "stopped")
    state.press(.character(" "))
    #expect(state.text.contains("Resume cifar20-3?"))
    #expect(state.press(.enter) == [.send(.resumeRun(folder: "runs/cifar20-3"))])
    state = stopped()
    #expect(state.press(.character(" "), .character("s")) == [.send(.start(Fixtures.settings))])
  }

  @Test func `x stops nothing anywhere`() {
    for pane in ["1", "2", "3", "4"] {
      var state = WorkbenchState.training()
      state.type(pane + "x")
      #expect(state.overlay == nil, "pane \(pane)")
    }
  }

  @Test func `in the question whether to quit, Enter leaves the run going and says so`() {
    var state = WorkbenchState.training()
    state.type("q")
    #expect(state.text.contains("Enter or l"))
    #expect(state.press(.enter) == [.quit])
    #expect(state.farewell?.contains("skipline watch runs/cifar20-3") == true)
    state = .training()
    #expect(state.type("qy").isEmpty)
    #expect(state.overlay == .confirmQuit, "y is not taken for an answer")
  }

  @Test func `whoever leaves is told the run's folder and how to go on`() {
    var state = WorkbenchState.opened()
    #expect(state.farewell == nil)
    state = stopped()
    #expect(state.farewell?.contains("skipline train --resume runs/cifar20-3") == true)
    state = .training()
    state.press(.control("c"))
    #expect(state.farewell?.contains("skipline train --resume runs/cifar20-3") == true)
  }

  @Test func `the first key replaces the rate in the prompt, later ones follow`() {
    var state = WorkbenchState.training()
    state.type("L0.05")
    #expect(state.overlay == .prompt(TextPrompt(.learningRate, TextEntry(text: "0.05"))))
    #expect(state.press(.enter) == [.send(.training(.setLearningRate(0.05)))])
    state.type("L")
    state.press(.backspace)
    state.type("7")
    #expect(state.overlay == .prompt(TextPrompt(.learningRate, TextEntry(text: "0.07"))))
  }
}

@Suite struct `Pasted text` {
  private let text = "xray images\nof the\tchest\u{1B}[A\u{7F}\u{9B}y"

  @Test func `outside a line to type in it does nothing and is told`() {
    for input: Canvas.Input in [.paste(text), .burst(text)] {
      for pane in ["1", "2", "3", "4"] {
        var state = WorkbenchState.training()
        state.type(pane)
        let before = state
        #expect(update(&state, .input(input)).isEmpty)
        #expect(state.message?.text.contains("pasted") == true)
        (state.message, state.notices) = (before.message, before.notices)
        #expect(state == before)
      }
    }
  }

  @Test func `no question and no reading takes it`() {
    for keys in ["X", "q", "?", "!"] {
      var state = WorkbenchState.training()
      state.type(keys)
      let overlay = state.overlay
      #expect(update(&state, .input(.paste(text))).isEmpty)
      #expect(state.overlay == overlay, "\(keys)")
    }
  }

  @Test func `a line to type in takes it, without line feeds and controls`() {
    let plain = "xray imagesof thechest[Ay"
    var state = WorkbenchState.opened()
    state.type("/a")
    _ = update(&state, .input(.paste(text)))
    #expect(state.activeFilter == "a" + plain && state.filtering)
    state = .opened()
    state.type(":")
    _ = update(&state, .input(.paste(text)))
    guard case .palette(let palette) = state.overlay else {
      Issue.record("the palette closed")
      return
    }
    #expect(palette.text == plain)
    state = .opened()
    state.type("L")
    _ = update(&state, .input(.paste("0.0\n31")))
    #expect(state.overlay == .prompt(TextPrompt(.learningRate, TextEntry(text: "0.031"))))
    state = .opened()
    state.type("o")
    state.press(.end)
    _ = update(&state, .input(.paste("my run\n")))
    #expect(state.press(.enter) == [.ask(.plan(state.settings))])
    #expect(state.settings.name == "my run")
  }

  @Test func `an enormous paste is cut`() {
    var state = WorkbenchState.opened()
    state.type("/")
    _ = update(&state, .input(.paste(String(repeating: "ab", count: 100_000))))
    #expect(state.activeFilter?.count == 400)
  }

  @Test func `a burst in a line to type in ends with Enter where its text does, and may open the line`() {
    var state = WorkbenchState.opened()
    _ = update(&state, .input(.burst("/images of digits")))
    #expect(state.activeFilter == "images of digits" && state.filtering)
    _ = update(&state, .input(.burst(" and more\r")))
    #expect(state.activeFilter == "images of digits and more" && !state.filtering)
  }
}

@Suite struct `Messages that are told` {
  @Test func `a warning goes with its cause, and is marked in the list`() {
    var state = WorkbenchState.training()
    state.hear(.training(.warning("the network gives the class 'six' to every image")))
    #expect(state.message?.level == .warning)
    state.hear(.training(.warningEased("the network gives the class 'six' to every image")))
    #expect(state.message == nil)
    #expect(state.notices.last?.isOver == true)
    state.type("!")
    #expect(state.text.contains("over: the network gives"))
    // Another warning is not touched.
    state.press(.escape)
    state.hear(.warning("w"), .training(.warningEased("v")))
    #expect(state.message?.text == "w")
  }

  @Test func `routine saves are shown and not kept`() {
    var state = WorkbenchState.training()
    state.hear(.warning("the important one"))
    state.press(.escape)
    for minute in 10..<60 {
      state.hear(.training(.checkpointSaved(Fixtures.checkpoint("last", epoch: 7, minute: minute))))
    }
    #expect(state.message?.text == "saved cifar20-3/last")
    #expect(!state.notices.contains { $0.text.contains("saved") })
    state.type("!")
    #expect(state.text.contains("the important one"))
  }

  @Test func `a routine save does not push away the answer to a key`() {
    var state = WorkbenchState.training()
    state.press(.escape)
    state.hear(.training(.learningRateChanged(0.4)))
    let answer = state.message?.text
    state.hear(.training(.checkpointSaved(Fixtures.checkpoint("last", epoch: 7, minute: 10))))
    #expect(state.message?.text == answer)
    // Once it has had its time, what is routine is shown again.
    _ = update(&state, .tick(seconds: state.time + WorkbenchState.informationLasts))
    state.hear(.training(.checkpointSaved(Fixtures.checkpoint("last", epoch: 7, minute: 11))))
    #expect(state.message?.text == "saved cifar20-3/last")
  }

  @Test func `a remark about the terminal is kept`() {
    var state = WorkbenchState.opened()
    _ = update(&state, .remark("the locale en_US.UTF-8 (LANG) is not installed: C.UTF-8 is used instead"))
    #expect(state.message?.level == .information)
    #expect(state.notices.count == 1)
  }
}

@Suite struct `The palette` {
  private func first(_ text: String, _ state: WorkbenchState = .opened()) -> Action? {
    var palette = CommandPalette(state)
    palette.narrow(to: text)
    return palette.selected?.action
  }

  @Test func `what leaves is never chosen beforehand`() {
    var states = [WorkbenchState.opened(), .training(), .evaluated()]
    for pane in ["2", "3", "4"] {
      var state = WorkbenchState.training()
      state.type(pane)
      states.append(state)
    }
    for state in states {
      let palette = CommandPalette(state)
      #expect(palette.selected.map { [.interrupt, .quit, .stop].contains($0.action) } == false)
      #expect(palette.entry(palette.list.total - 1).context == .always)
    }
  }

  @Test func `what the pane offers and what was chosen last come first`() {
    var state = WorkbenchState.opened()
    #expect(CommandPalette(state).selected?.context == .dataset)
    state.type("4")
    #expect(CommandPalette(state).selected?.context == .checkpoints)
    state.type(":theme")
    state.press(.enter)
    #expect(CommandPalette(state).selected?.action == .themes)
  }

  @Test(arguments: [
    ("exit", Action.quit), ("fullscreen", .zoom), ("begin", .train), ("reload", .readAgain),
    ("duplicates", .checkFiles), ("evalaute", .evaluate), ("evl", .evaluate), ("undo", .undoDecision),
    ("shortcuts", .help), ("hyperparameters", .settings), ("lr double", .raiseLearningRate),
    ("RATE halve", .lowerLearningRate),
    ("confusion", .nextView), ("dark", .themes), ("warnings", .notices), ("quit", .quit),
  ])
  func `other words, other spellings and parts of words find a command`(text: String, action: Action) {
    #expect(first(text) == action)
  }

  @Test(arguments: [("abort", Action.stop), ("save", .saveCheckpoint), ("detach", .leaveRunning), ("stop", .stop)])
  func `and those about a run while there is one`(text: String, action: Action) {
    #expect(first(text, .training()) == action)
  }

  @Test func `what nothing matches says so, and Enter does nothing`() {
    var state = WorkbenchState.opened()
    state.type(":zzqqxx")
    #expect(state.text.contains("no command matches \"zzqqxx\""))
    #expect(state.press(.enter).isEmpty)
  }
}

@Suite struct `Loss beyond the axis` {
  @Test func `it is marked, and the heading says how large it was`() {
    var state = WorkbenchState.training(size: Size(width: 100, height: 30))
    state.type("3")
    #expect(!state.text.contains("max ") && !state.text.contains("↑"))
    var step = Fixtures.step(171)
    for number in 171...182 {
      step.step = number
      step.loss = 25.17
      state.hear(.training(.step(step)))
    }
    state.hear(.training(.step(Fixtures.step(190))))
    // As much as there is room for.
    #expect(state.text.contains("val 0.700  ↑25.2"))
    var wide = state
    wide.size = Size(width: 160, height: 50)
    #expect(wide.text.contains("↑max 25.2"))
    let frame = render(state, size: state.size, theme: .dark)
    let marks = frame.cells.filter { $0.character == "↑" && $0.style == Theme.dark[.trainingCurve] }
    #expect(!marks.isEmpty)
  }
}

@Suite struct `Memory that lacks` {
  @Test func `what would be refused stands in the layers, the form and the question, in red`() {
    var state = WorkbenchState.opened()
    var summary = Fixtures.summary
    (summary.trainingMemory, summary.availableMemory) = (186 << 30, Int(18.8 * Double(1 << 30)))
    state.hear(.network(summary))
    func isRed(_ text: String) -> Bool {
      let frame = render(state, size: state.size, theme: .dark)
      let width = frame.size.width
      return (0..<frame.size.height).contains { y in
        let row = frame.cells[y * width..<(y + 1) * width]
        let red = row.filter { $0.style.foreground == Theme.dark[.error].foreground }.compactMap(\.character)
        return String(red).contains(text)
      }
    }
    #expect(isRed("186 of 18.8 GiB"))
    state.type("o")
    #expect(isRed("186 of 18.8 GiB"))
    state.press(.escape, .character(" "))
    #expect(isRed("186 of 18.8 GiB"))
    state.press(.escape)
    summary.availableMemory = 500 << 30
    state.hear(.network(summary))
    #expect(!isRed("GiB"))
  }
}

@Suite struct `An idle screen` {
  private static let files: WorkbenchState = {
    var state = WorkbenchState.opened()
    state.answerPictures(state.press(.enter))
    return state
  }()

  private static let mistake: WorkbenchState = {
    var state = WorkbenchState.evaluated()
    state.type("vvv")
    state.answerPictures(state.press(.enter))
    return state
  }()

  @Test(arguments: [files, mistake])
  func `a picture is drawn once, and again when image, size, colors or theme are others`(shown: WorkbenchState) {
    var state = shown
    var pictures = DrawnPictures()
    var themes = Theme.dark.with(glyphs: .unicode, pictures: .indexed)
    let first = render(state, size: state.size, theme: themes, pictures: &pictures)
    #expect(pictures.draws == 1)
    // Other parts of the screen change, and the picture is where and what it was.
    for second in 1...20 {
      _ = update(&state, .tick(seconds: Double(second)))
      #expect(render(state, size: state.size, theme: themes, pictures: &pictures) == first)
    }
    state.notify(.warning, "the disk is full")
    #expect(
      render(state, size: state.size, theme: themes, pictures: &pictures)
        == render(state, size: state.size, theme: themes))
    #expect(pictures.draws == 1)
    let larger = Size(width: 120, height: 36)
    #expect(
      render(state, size: larger, theme: themes, pictures: &pictures) == render(state, size: larger, theme: themes))
    #expect(pictures.draws == 2)
    themes = Theme.dark.with(glyphs: .unicode, pictures: .eight)
    #expect(
      render(state, size: larger, theme: themes, pictures: &pictures) == render(state, size: larger, theme: themes))
    #expect(pictures.draws == 3)
    var other = Fixtures.picture
    other.pixels[0] ^= 0xFF
    for case .browse(.preview(let path, _)) in state.type(state.focus == .dataset ? "j" : "n") {
      state.hear(.preview(path: path, other, reason: nil))
    }
    #expect(
      render(state, size: larger, theme: themes, pictures: &pictures) == render(state, size: larger, theme: themes))
    #expect(pictures.draws == 4)
  }

  @Test func `a tick that changes nothing asks for no frame, and one that does is not missed`() {
    var preparing = WorkbenchState.opened()
    preparing.hear(.state(.preparing), .preparing(.scanning(files: 492)))
    var evaluating = WorkbenchState.opened()
    evaluating.hear(.state(.evaluating(checkpoint: Fixtures.checkpoints[0].path)))
    var reading = Fixtures.state()
    reading.hear(.datasetProgress(.scanning(files: 12, classes: [])))
    var told = WorkbenchState.opened()
    told.notify(.information, "something")
    let states: [WorkbenchState] = [
      Self.files, Self.mistake, .opened(), .training(), .evaluated(), .diverged(), preparing, evaluating, reading,
      told,
    ]
    for (index, state) in states.enumerated() {
      var state = state
      state.advance(to: 1)
      var before = render(state, size: state.size, theme: .dark)
      for quarter in 5...60 {
        let isNews = tick(&state, seconds: Double(quarter) / 4)
        let after = render(state, size: state.size, theme: .dark)
        #expect(isNews || after == before, "state \(index) at \(quarter)")
        before = after
      }
    }
    for state in [Self.files, Self.mistake, .opened(), .training(), .diverged()] {
      var state = state
      state.advance(to: 100)
      #expect(!tick(&state, seconds: 100.25))
    }
  }
}
