// What a person does around training, as keys and what comes of them: start, pause, resume, stop, the learning rate,
// leaving.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `Training by keys` {
  private let outcome = RunOutcome(
    folder: "runs/cifar20-3", reason: .stopped, epochs: 6, steps: 170, bestValidationAccuracy: 0.76, seconds: 31)

  @Test func `the first effects read the dataset, describe the network and list the checkpoints`() {
    let state = Fixtures.state()
    #expect(
      initialEffects(state) == [
        .browse(.openDataset(path: "data/sign-digits", split: SplitSettings(), checkingFiles: false)),
        .browse(
          .describeNetwork(Fixtures.settings.network, imageSize: 32, classes: 10, batchSize: 64)),
        .browse(.listCheckpoints(project: "runs")),
      ])
  }

  @Test func `space starts, pauses and resumes, and starts only once`() {
    var state = WorkbenchState.opened()
    #expect(state.press(.character(" ")).isEmpty)
    #expect(state.overlay == .confirmStart)
    #expect(state.press(.enter) == [.send(.start(Fixtures.settings))])
    #expect(state.engine == .preparing)
    #expect(state.press(.character(" ")).isEmpty)
    state.hear(.state(.preparing), .training(.started(Fixtures.run())), .state(.training))
    #expect(state.press(.character(" ")) == [.send(.training(.pause))])
    state.hear(.state(.paused))
    #expect(state.press(.character(" ")) == [.send(.training(.resume))])
    state.hear(.state(.validating))
    #expect(state.press(.character(" ")) == [.send(.training(.pause))])
    state.hear(.state(.evaluating(checkpoint: "a")))
    #expect(state.press(.character(" ")).isEmpty)
  }

  @Test func `a start that is refused leaves the workbench idle`() {
    var state = WorkbenchState.opened()
    state.press(.character(" "), .enter)
    state.hear(.failure("runs cannot be created: permission denied"))
    #expect(state.engine == .idle)
    #expect(state.message?.level == .failure)
    #expect(state.press(.character(" "), .enter) == [.send(.start(Fixtures.settings))])
  }

  @Test func `X asks, then stops once`() {
    var state = WorkbenchState.training()
    #expect(state.type("X").isEmpty)
    #expect(state.overlay == .confirmStop)
    #expect(state.type("n").isEmpty)
    #expect(state.overlay == nil)
    #expect(state.type("Xy") == [.send(.training(.stop))])
    #expect(state.engine == .stopping)
    #expect(state.type("X").isEmpty)
    #expect(state.overlay == nil)
    #expect(
      state.hear(.training(.finished(outcome)), .state(.idle)) == [
        .announce("cifar20-3 stopped and saved: 6 epochs, 31 s, best 76.0%"),
        .browse(.listCheckpoints(project: "runs")), .browse(state.describeNetwork),
      ])
    #expect(state.phaseName == "stopped")
  }

  @Test func `s saves only while there is a run`() {
    var state = WorkbenchState.opened()
    #expect(state.type("s").isEmpty)
    state = .training()
    #expect(state.type("s") == [.send(.training(.saveCheckpoint))])
  }

  @Test func `plus and minus double and halve the run's peak learning rate, also pressed quickly`() {
    var state = WorkbenchState.training()
    #expect(
      state.type("++") == [.send(.training(.setLearningRate(0.2))), .send(.training(.setLearningRate(0.4)))])
    state.hear(.training(.learningRateChanged(0.4)))
    #expect(state.type("-") == [.send(.training(.setLearningRate(0.2)))])
  }

  @Test func `without a run they change the next one's`() {
    var state = WorkbenchState.opened()
    #expect(state.type("-").isEmpty)
    #expect(state.settings.learningRate == 0.05)
  }

  @Test func `a learning rate is typed, refused and accepted`() {
    var state = WorkbenchState.training()
    state.type("L")
    state.press(.control("u"))
    state.type("-3")
    #expect(state.press(.enter).isEmpty)
    guard case .prompt(let prompt) = state.overlay else {
      Issue.record("the prompt closed on a bad number")
      return
    }
    #expect(prompt.entry.text == "-3")
    #expect(prompt.entry.error != nil)
    state.press(.backspace, .backspace)
    state.type("0.03")
    #expect(state.press(.enter) == [.send(.training(.setLearningRate(0.03)))])
    #expect(state.overlay == nil)
  }

  @Test func `q quits at once when nothing runs`() {
    var state = WorkbenchState.opened()
    #expect(state.type("q") == [.quit])
    state.hear(.state(.evaluating(checkpoint: "a")))
    #expect(state.type("q") == [.quit])
  }

  @Test func `q asks during a run, stops it, and quits when it is saved`() {
    var state = WorkbenchState.training()
    #expect(state.type("qc").isEmpty)
    #expect(!state.quitsWhenStopped)
    #expect(state.type("qs") == [.send(.training(.stop))])
    #expect(state.hear(.state(.stopping)).isEmpty)
    #expect(
      state.hear(.training(.finished(outcome))) == [
        .announce("cifar20-3 stopped and saved: 6 epochs, 31 s, best 76.0%"),
        .browse(.listCheckpoints(project: "runs")), .browse(state.describeNetwork), .quit,
      ])
    #expect(state.hear(.state(.idle)).isEmpty)
  }

  @Test func `the first ctrl-c saves and quits, the second is immediate, wherever the keys go`() {
    var state = WorkbenchState.training()
    state.type("o")
    #expect(state.press(.control("c")) == [.send(.training(.stop))])
    #expect(state.overlay == nil)
    #expect(state.press(.control("c")) == [.interruptNow])
    state = .opened()
    state.type("/")
    #expect(state.press(.control("c")) == [.quit])
  }

  @Test func `a terminal that is gone leaves the run going`() {
    var state = WorkbenchState.training()
    #expect(update(&state, .input(.endOfInput)) == [.quit])
  }

  @Test func `q leaves the run going when asked to`() {
    var state = WorkbenchState.training()
    #expect(state.press(.character("q")).isEmpty)
    #expect(state.overlay == .confirmQuit)
    #expect(state.press(.character("l")) == [.quit])
  }

  @Test func `live runs are offered at the start, and when asked for`() {
    let runs = ["runs/a", "runs/b"].map { LiveRun(folder: $0, network: "cifar20", data: "data") }
    var state = WorkbenchState.opened()
    #expect(update(&state, .liveRuns([], asked: false)).isEmpty)
    #expect(state.overlay == nil && state.notices.isEmpty)
    _ = update(&state, .liveRuns(runs, asked: false))
    #expect(state.press(.down).isEmpty)
    #expect(state.press(.enter) == [.attach(folder: "runs/b")])
    #expect(state.overlay == nil)
    #expect(state.press(.character("a")) == [.findLiveRuns])
    _ = update(&state, .liveRuns([], asked: true))
    #expect(state.notices.last?.text.contains("no other run") == true)
    // A run of this screen's own is not covered by a list of others.
    var training = WorkbenchState.training()
    _ = update(&training, .liveRuns(runs, asked: false))
    #expect(training.overlay == nil)
  }

  @Test func `ctrl-z and ctrl-l are passed on`() {
    var state = WorkbenchState.opened()
    #expect(state.press(.control("z")) == [.suspend])
    #expect(state.press(.control("l")) == [.redraw])
  }

  @Test func `a resumed run shows its earlier epochs and the steps that follow`() {
    var state = WorkbenchState.opened()
    state.type("4")
    state.press(.down)
    #expect(state.type("r") == [.send(.resumeRun(folder: "runs/cifar20-3"))])
    #expect(state.type("r").isEmpty)
    state.hear(.training(.started(Fixtures.run(history: (1...3).map { Fixtures.epoch($0) }))), .state(.training))
    state.hear(.training(.step(Fixtures.step(79))))
    #expect(state.curves.epochs.map(\.epoch) == [1, 2, 3])
    #expect(state.curves.series.all.map(\.step) == [26, 52, 78, 79])
  }

  @Test func `a checkpoint that is saved replaces the older one of its name`() {
    var state = WorkbenchState.training()
    state.hear(.training(.checkpointSaved(Fixtures.checkpoint("last", epoch: 7, minute: 50))))
    #expect(state.inspector.checkpoints?.map(\.epoch) == [6, 7, 5, 0])
    #expect(state.inspector.selectedCheckpoint?.name == "best")
  }

  @Test func `a checkpoint that the keep policy removed leaves the list`() throws {
    var state = WorkbenchState.training()
    let before = try #require(state.inspector.checkpoints)
    let removed = try #require(before.last)
    state.hear(.training(.checkpointRemoved(path: removed.path)))
    #expect(state.inspector.checkpoints == before.dropLast())
  }

  @Test func `a save that failed stands on the screen until that file is saved`() {
    var state = WorkbenchState.training()
    let (last, best) = (Fixtures.checkpoint("last", epoch: 7, minute: 50), Fixtures.checkpoints[2])
    state.hear(.training(.saveFailed(SaveFailure(path: last.path, reason: "the disk is full", retrySeconds: 30))))
    state.hear(.training(.checkpointSaved(best)))
    #expect(state.message?.text == "not saved: the disk is full")
    state.hear(.training(.checkpointSaved(last)))
    #expect(state.message?.text == "saved cifar20-3/last")
  }

  @Test func `good news passes, warnings stay until Esc, and all are listed`() {
    var state = WorkbenchState.opened()
    _ = update(&state, .tick(seconds: 100))
    state.hear(.training(.learningRateChanged(0.1)))
    #expect(state.message?.level == .information)
    _ = update(&state, .tick(seconds: 107))
    #expect(state.message == nil)
    state.hear(.warning("w"), .training(.learningRateChanged(0.2)))
    _ = update(&state, .tick(seconds: 500))
    #expect(state.message?.text == "w")
    state.press(.escape)
    #expect(state.message == nil)
    #expect(state.notices.map(\.text).contains("w"))
  }
}
