// What nobody could have seen decides nothing, and what is said holds: keys on a screen too small to draw, answers that
// were typed before their question, runs that failed or are trained elsewhere, messages whose cause is over.

import Canvas
import Messages
import Testing

@testable import Workbench

extension WorkbenchState {
  /// What stands on the screen without the line breaks and frames that come between words.
  fileprivate var words: String { text.split { $0.isWhitespace || $0 == "│" }.joined(separator: " ") }

  /// The same of a question in the middle, which is 54 columns wide, alone.
  fileprivate var asked: String {
    let start = (size.width - 54) / 2
    return text.split(separator: "\n").map { String($0.dropFirst(start + 1).prefix(52)) }.joined(separator: " ")
      .split { $0.isWhitespace }.joined(separator: " ")
  }

  fileprivate func at(_ width: Int, _ height: Int) -> WorkbenchState {
    var state = self
    state.size = Size(width: width, height: height)
    return state
  }
}

@Suite struct `A terminal that is too small` {
  private static let small = Size(width: 59, height: 16)

  @Test(arguments: [small, Size(width: 60, height: 15), Size(width: 10, height: 3)])
  func `takes only what leaves, and asks nothing`(size: Size) {
    for start in [WorkbenchState.opened(), .training()] {
      var state = start
      _ = update(&state, .input(.resized(size)))
      let before = state
      for key: Key in [
        .character(" "), .enter, .character("X"), .character("y"), .character("s"), .character("+"),
        .character("o"),
        .character("L"), .character(":"), .character("1"), .character("D"), .tab, .escape,
      ] {
        #expect(state.press(key).isEmpty, "\(key)")
        #expect(state.overlay == nil && state.engine == before.engine)
      }
      for input: Canvas.Input in [.paste("Xy"), .burst("X\ny\n"), .click(x: 1, y: 1), .scroll(x: 1, y: 1, rows: 3)]
      {
        #expect(update(&state, .input(input)).isEmpty)
      }
      #expect(state.press(.control("l")) == [.redraw])
      #expect(state.press(.character("q")) == [.quit], "a run is left running")
      #expect(state.engine == before.engine)
    }
  }

  @Test func `an open question is not answered, and a divergence asks once there is room`() {
    var state = WorkbenchState.training()
    state.type("X")
    _ = update(&state, .input(.resized(Self.small)))
    #expect(state.type("y").isEmpty && state.press(.enter).isEmpty)
    #expect(state.engine == .training)
    state = .training()
    _ = update(&state, .input(.resized(Self.small)))
    state.hear(.training(.diverged(Fixtures.divergence())), .state(.paused))
    #expect(state.overlay == nil)
    _ = update(&state, .input(.resized(Size(width: 80, height: 24))))
    #expect(state.overlay?.question == .divergence)
  }

  @Test func `it says how to leave, and what becomes of a run`() {
    var state = WorkbenchState.training()
    state.size = Self.small
    #expect(state.words.contains("q quits; the run goes on"))
    state = .opened()
    state.size = Self.small
    #expect(state.words.contains("q quits.") && !state.words.contains("goes on"))
  }
}

@Suite struct `Keys of one read` {
  private func read(_ text: String, _ state: inout WorkbenchState) -> [Effect] {
    text.enumerated().flatMap { place, character in
      let key: Key = character == "\r" ? .enter : .character(character)
      return update(&state, .input(.key(key), isAhead: place > 0))
    }
  }

  @Test(arguments: ["Xy", "X\r", "qs", "q\r", "qsq", "Xjy"])
  func `do not answer the question that one of them opened`(keys: String) {
    var state = WorkbenchState.training()
    #expect(read(keys, &state).isEmpty)
    #expect(state.overlay?.question != nil && state.engine == .training)
    // Typed once it stands there, the answer counts.
    #expect(!state.press(.enter).isEmpty)
  }

  @Test func `may start a run, which loses nothing, and ctrl-c gets through`() {
    var state = WorkbenchState.opened()
    #expect(!read(" \r", &state).isEmpty)
    state = WorkbenchState.opened()
    #expect(read(" ", &state).isEmpty)
    #expect(update(&state, .input(.key(.control("c")), isAhead: true)) == [.quit])
  }

  @Test func `fill a line and end it as ever`() {
    var state = WorkbenchState.training()
    #expect(read("L0.05\r", &state) == [.send(.training(.setLearningRate(0.05)))])
  }
}

@Suite struct `A start or a resume` {
  private func stopped(data: String? = nil, fit: DataFit? = nil) -> WorkbenchState {
    var state = WorkbenchState.opened()
    var run = Fixtures.run(history: (1...5).map { Fixtures.epoch($0) })
    run.settings.learningRate = 0.033
    if let data { run.settings.data = data }
    if let fit {
      var checkpoint = Fixtures.checkpoint("best", epoch: 5, minute: 4)
      checkpoint.fit = fit
      state.hear(.checkpoints([checkpoint]))
    }
    state.press(.character("4"))
    state.hear(
      .runHistory(
        folder: run.folder,
        RunHistory(
          run: run,
          outcome: RunOutcome(
            folder: run.folder, reason: .stopped, epochs: 5, steps: 130, bestValidationAccuracy: 0.7, seconds: 9)),
        reason: nil))
    return state
  }

  @Test func `the question is about what Enter does, the new run stands beside its key`() {
    var state = stopped()
    state.settings.network.name = "resnet18"
    state.type(" ")
    for part in ["Resume cifar20-3?", "cifar20 on sign-digits, epoch 7/12", "peak rate 0.033", "start a new run:"] {
      #expect(state.asked.contains(part), "\(part)")
    }
    #expect(state.asked.contains("resnet18, 12 epochs"))
    #expect(!state.text.contains("Start training?"))
    #expect(state.press(.enter) == [.send(.resumeRun(folder: "runs/cifar20-3"))])
  }

  @Test(
    arguments: [("data/rings", nil), ("data/rings", DataFit.otherData), (nil, .otherClasses)]
      as [(String?, DataFit?)])
  func `a run of other data is resumed by its own key only`(data: String?, fit: DataFit?) {
    var state = stopped(data: data, fit: fit)
    state.type(" ")
    #expect(state.text.contains("Start training?") && state.text.contains("resume cifar20-3:"))
    var other = state
    #expect(state.press(.enter) == [.send(.start(Fixtures.settings))])
    #expect(other.type("r") == [.send(.resumeRun(folder: "runs/cifar20-3"))])
  }

  @Test func `what began is called by how it began`() {
    var state = WorkbenchState.opened()
    state.press(.character(" "), .enter)
    state.hear(.training(.started(Fixtures.run())))
    #expect(state.message?.text == "run cifar20-3 started")
    state = stopped()
    state.press(.character(" "), .enter)
    state.hear(
      .state(.idle), .state(.preparing),
      .training(.started(Fixtures.run(history: (1...5).map { Fixtures.epoch($0) }))))
    #expect(state.message?.text == "resumed cifar20-3 at epoch 6")
    state = .opened()
    state.hear(.training(.started(Fixtures.run())))
    #expect(state.message?.text == "attached to cifar20-3")
  }

  @Test func `nothing is started on a dataset that cannot be read`() {
    var state = Fixtures.state()
    state.hear(.failure("data/sign-digits has images of one class only"))
    #expect(state.press(.character(" "), .enter).isEmpty)
    #expect(state.overlay == nil && !state.hints.contains { $0.action == .train })
    #expect(state.text.contains("one class only. R"))
  }
}

@Suite struct `A run of somebody else` {
  @Test func `ctrl-c asks before it is stopped, and a second one leaves it`() {
    var state = WorkbenchState.opened()
    state.hear(.training(.started(Fixtures.run())), .state(.training))
    #expect(state.press(.control("c")).isEmpty)
    #expect(state.overlay == .confirmQuit && state.engine == .training)
    #expect(state.press(.control("c")) == [.quit])
    #expect(state.engine == .training)
    // One that was begun here is saved and left, as it was asked for.
    state = .training()
    #expect(state.press(.control("c")) == [.send(.training(.stop))])
  }

  @Test func `the inspector begins with the best of the run that is watched or attached to`() {
    let watched = Fixtures.checkpoint("best", run: "old", epoch: 3, minute: 1)
    let list = [
      Fixtures.checkpoint("best", run: "new", epoch: 9, minute: 50), watched,
      Fixtures.checkpoint("last", run: "old", epoch: 4, minute: 2),
    ]
    var state = WorkbenchState.opened()
    _ = update(&state, .showRun(folder: "runs/old"))
    state.hear(.checkpoints(list))
    #expect(state.inspector.selectedCheckpoint?.path == watched.path)
    state = .opened()
    state.hear(.checkpoints(list))
    #expect(state.inspector.selectedCheckpoint?.runName == "new")
    var run = Fixtures.run()
    run.folder = "runs/old"
    state.hear(.training(.started(run)), .state(.training), .checkpoints(list.reversed()))
    #expect(state.inspector.selectedCheckpoint?.path == watched.path)
    // A choice holds, and a new start follows the new run.
    state.press(.character("4"), .home)
    state.hear(.checkpoints(list))
    #expect(state.inspector.selectedCheckpoint?.runName == "new")
    state.hear(.training(.started(Fixtures.run())))
    state.hear(.training(.checkpointSaved(Fixtures.checkpoint("best", epoch: 1, minute: 3))))
    #expect(state.inspector.selectedCheckpoint?.runName == "cifar20-3")
  }

  @Test func `one that another process trains is called so, and not offered to be resumed`() {
    var state = WorkbenchState.opened()
    state.press(.character("4"))
    let effects = state.hear(
      .runHistory(
        folder: "runs/cifar20-3",
        RunHistory(run: Fixtures.run(history: [Fixtures.epoch(1)]), outcome: nil, trainer: 0), reason: nil))
    #expect(effects == [.browse(.listCheckpoints(project: "runs"))])
    #expect(state.text.contains("being trained elsewhere"))
    #expect(!state.hints.contains { $0.action == .resumeRun })
    #expect(state.type("r").isEmpty)
    #expect(state.message?.text.contains("a attaches") == true)
    #expect(state.resumable == nil)
    #expect(state.type("a") == [.findLiveRuns])
    #expect(state.type("R").count == 2, "its figures are read again with its checkpoints")
  }

  @Test func `a run that failed is called so and can be resumed`() {
    var state = WorkbenchState.training()
    state.hear(.failure("the engine has ended without a word"), .state(.idle))
    #expect(state.phaseName == "failed" && state.text.contains("failed after epoch 6"))
    #expect(!state.text.contains(" left"))
    #expect(state.resumable != nil && !state.runUnderWay)
    // An evaluation meanwhile does not make it live again.
    state.hear(.state(.evaluating(checkpoint: "c")))
    #expect(!state.runUnderWay)
    state.hear(.state(.idle))
    state.type(" ")
    #expect(state.text.contains("Resume cifar20-3?"))
  }

  @Test func `the way back to it has its folder`() {
    var state = WorkbenchState.training()
    var run = Fixtures.run()
    run.folder = "../my runs/r1"
    state.hear(.training(.started(run)))
    state.type("q")
    #expect(state.asked.contains("skipline watch '../my runs/r1'"))
  }
}

@Suite struct `Figures of an earlier run` {
  private func shown(_ history: RunHistory) -> WorkbenchState {
    var state = WorkbenchState.opened(size: Size(width: 120, height: 36))
    state.press(.character("4"))
    state.hear(.runHistory(folder: "runs/cifar20-3", history, reason: nil))
    return state
  }

  @Test func `a completed run is at its last epoch, whatever step was logged last`() {
    var run = Fixtures.run(history: (1...12).map { Fixtures.epoch($0) })
    run.steps = [Fixtures.step(260)]
    let outcome = RunOutcome(
      folder: run.folder, reason: .completed, epochs: 12, steps: 312, bestValidationAccuracy: 0.9, seconds: 50)
    #expect(shown(RunHistory(run: run, outcome: outcome)).text.contains("epoch 12/12"))
    // Without any figures, by what the log says.
    (run.steps, run.history) = ([], [])
    var lost = outcome
    lost.seconds = .nan
    let state = shown(
      RunHistory(
        run: run, outcome: lost, reached: .init(epoch: 12, step: 312), gap: "metrics.jsonl is missing"))
    #expect(state.text.contains("epoch 12/12") && state.text.contains("metrics.jsonl is missing"))
    #expect(!state.text.contains("nan"))
  }

  @Test func `one that did not end counts the epochs it came to, not those that are drawn`() {
    let run = Fixtures.run(history: [Fixtures.epoch(2), Fixtures.epoch(4)])
    #expect(shown(RunHistory(run: run, outcome: nil)).text.contains("not finished · 4 epochs"))
    let cut = RunHistory(
      run: run, outcome: nil, reached: .init(epoch: 7, step: 182), gap: "metrics.jsonl ends at epoch 4")
    let state = shown(cut)
    #expect(state.text.contains("7 epochs") && state.text.contains("ends at epoch 4"))
  }

  @Test func `the layers say that they are the next run's`() {
    #expect(shown(RunHistory(run: Fixtures.run(), outcome: nil)).text.contains("next run: cifar20"))
    #expect(!WorkbenchState.training(size: Size(width: 120, height: 36)).text.contains("next run"))
  }
}

@Suite struct `What an evaluation takes` {
  private func state(fit: DataFit, source: SplitSource) -> WorkbenchState {
    var state = WorkbenchState.opened()
    var report = Fixtures.dataset
    report.splitSource = source
    var checkpoint = Fixtures.checkpoint("best", run: "rings-1", epoch: 2, minute: 1)
    checkpoint.fit = fit
    state.hear(.dataset(report), .checkpoints([checkpoint]))
    state.press(.character("4"))
    return state
  }

  @Test func `is said as the engine resolves it, and p changes that`() {
    var all = state(fit: .otherData, source: .hash)
    #expect(all.at(120, 36).text.contains("evaluates on all images"))
    all.type("p")
    #expect(all.inspector.split == nil && all.message?.text.contains("not divided") == true)
    for (fit, source) in [(DataFit.own, SplitSource.hash), (.otherData, .folders)] {
      var test = state(fit: fit, source: source)
      #expect(test.at(120, 36).text.contains("evaluates on test"))
      test.type("p")
      #expect(test.inspector.split == .validation)
      #expect(test.headless(for: .evaluate)?.contains("--split val") == true)
    }
  }

  @Test func `a checkpoint is found by run and name, and what no filter finds is said`() {
    var state = WorkbenchState.opened()
    state.type("4/cifar20-3/best")
    state.press(.enter)
    #expect(state.inspector.list.count == 1 && state.inspector.selectedCheckpoint?.name == "best")
    state.press(.escape)
    state.type("/zzz")
    state.press(.enter)
    #expect(state.text.contains("none of 4 checkpoints matches"))
    #expect(state.press(.enter).isEmpty)
    #expect(state.message?.text.contains("no checkpoint matches \"zzz\"") == true)
  }

  @Test func `in a narrow list best and last can be told apart`() {
    var state = WorkbenchState.opened()
    state.hear(
      .checkpoints(
        ["best", "last", "epoch-0002"].map {
          var checkpoint = Fixtures.checkpoint($0, run: "a-run-with-a-long-name-1", epoch: 2, minute: 1)
          (checkpoint.fit, checkpoint.data) = (.otherData, "data/other")
          return checkpoint
        }))
    for name in ["/best", "/last", "/epoch-0002"] { #expect(state.text.contains(name), "\(name)") }
  }
}

@Suite struct `Messages and their causes` {
  @Test func `what was said of a run goes when another begins, of a divergence when it is decided`() {
    var state = WorkbenchState.training()
    state.hear(.training(.diverged(Fixtures.divergence())), .state(.paused))
    #expect(state.message?.level == .failure)
    state.hear(.state(.idle))
    #expect(state.message?.level != .failure && state.notices.last { $0.level == .failure }?.isOver == true)
    state = .training()
    state.hear(.training(.warning("the network gives the class 'six' to every image")))
    state.hear(.training(.started(Fixtures.run())))
    #expect(state.message?.level == .information)
  }

  @Test func `the answer to a key shows over a failure that was seen, which comes back`() {
    var state = WorkbenchState.training()
    state.hear(.failure("data/x: cannot be read"))
    state.hear(.training(.learningRateChanged(0.4)))
    #expect(state.message?.level == .failure, "nobody has seen it yet")
    state.type("p")
    state.hear(.training(.learningRateChanged(0.2)))
    #expect(state.message?.text.contains("0.2") == true)
    _ = update(&state, .tick(seconds: state.time + WorkbenchState.informationLasts))
    #expect(state.message?.text == "data/x: cannot be read")
    // And a checkpoint that a key asked for.
    state.type("s")
    state.hear(.training(.checkpointSaved(Fixtures.checkpoint("last", epoch: 7, minute: 10))))
    #expect(state.message?.text == "saved cifar20-3/last")
  }
}

@Suite struct `Commands by name` {
  private func actions(_ text: String, _ state: WorkbenchState) -> [Action] {
    var palette = CommandPalette(state)
    palette.narrow(to: text)
    return (0..<palette.list.count).map { palette.entry($0).action }
  }

  @Test func `only what could be done is offered`() {
    #expect(actions("detach", .training()).first == .leaveRunning)
    var state = WorkbenchState.training()
    state.type(":detach")
    #expect(state.press(.enter) == [.quit])
    for text in ["best", "nan", "diverged"] {
      #expect(!actions(text, .training()).contains { if case .recover = $0 { true } else { false } }, "\(text)")
    }
    let idle = actions("", .opened())
    for action: Action in [.stop, .saveCheckpoint, .leaveRunning, .decideDivergence] {
      #expect(!idle.contains(action))
    }
    #expect(actions("stop", .training()).first == .stop)
  }

  @Test func `no key is named by a letter that is another key`() {
    #expect(Key.down.label(.ascii) == "down" && Key.up.label(.ascii) == "up")
    #expect(Key.left.label(.ascii) == "left" && Key.down.label(.unicode) == "↓")
  }
}
