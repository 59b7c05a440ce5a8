// What a person is asked when a run diverges, and when the images of a run to be resumed changed.

import Canvas
import Messages
import Testing

@testable import Workbench

extension Fixtures {
  static func divergence(
    _ cause: DivergenceReport.Cause = .loss, savedStep: Int? = 156, best: CheckpointInfo? = nil,
    canLeaveOut: Bool = true, files: Int = 64
  ) -> DivergenceReport {
    DivergenceReport(
      cause: cause, step: 171, epoch: 7, loss: cause == .loss ? .nan : 2.5,
      gradientNorm: cause == .gradient ? .infinity : 31.25, learningRate: 0.0825, batch: 15,
      files: (0..<files).map { "\(classNames[$0 % 10])/IMG_\(1100 + $0 * 7).JPG" }, canLeaveOut: canLeaveOut,
      savedStep: savedStep, best: best)
  }

  static let best = CheckpointInfo(
    path: "runs/cifar20-3/checkpoints/best.safetensors", name: "best", epoch: 4, step: 104,
    validationAccuracy: 0.875, savedAt: "2026-01-02T03:04:05Z")

  static let dataChange = DataChangeReport(
    run: "runs/cifar20-3", data: "data/sign-digits",
    groups: [
      .init(kind: .added, count: 2, paths: ["four/IMG_9001.JPG", "nine/IMG_9002.JPG"]),
      .init(kind: .removed, count: 1234, paths: (0..<40).map { "six/IMG_\(2000 + $0).JPG" }),
      .init(kind: .relabeled, count: 1, paths: ["one/IMG_1130.JPG"]),
    ], classesChanged: false)
}

extension WorkbenchState {
  /// A run that has diverged and waits, long enough for the dialog to take answers.
  static func diverged(
    _ report: DivergenceReport = Fixtures.divergence(), size: Size = Size(width: 80, height: 24)
  ) -> WorkbenchState {
    var state = WorkbenchState.training(size: size)
    state.hear(.training(.diverged(report)), .state(.paused))
    _ = update(&state, .tick(seconds: state.time + 1))
    return state
  }

  fileprivate var asksAboutDivergence: Bool { if case .diverged = overlay { true } else { false } }

  fileprivate var screenText: String { render(self, size: size, theme: .dark).text() }
}

@Suite struct `A run that diverged` {
  private let recovered = RecoveryReport(recovery: .lowerRate, step: 170, learningRate: 0.01)

  @Test func `the dialog opens, names what happened, and closes when the run goes on`() {
    var state = WorkbenchState.diverged()
    let text = state.screenText
    for part in [
      "step 171", "epoch 7", "the loss became NaN", "batch 15/26", "peak rate 0.01", "step 156", "64 images",
      "IMG_1100.JPG",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(state.phaseName == "diverged")
    #expect(state.type("l") == [.send(.training(.recover(.lowerRate)))])
    #expect(state.overlay == nil)
    state.hear(.training(.recovered(recovered)), .state(.training))
    #expect(state.divergence == nil && state.phaseName == "training")
    #expect(state.curves.peakLearningRate == 0.01)
  }

  @Test func `after a validation without numbers it says so, and what there is to go back to`() {
    let report = DivergenceReport(
      cause: .validation, step: 171, epoch: 7, loss: 2.5, gradientNorm: 1, learningRate: 0.1, batch: 26,
      files: ["a.png"], images: 2000, canLeaveOut: true, savedStep: 130)
    // Without the line breaks and frames that come between words.
    let text = WorkbenchState.diverged(report, size: Size(width: 100, height: 30)).screenText
      .split { $0.isWhitespace || $0 == "│" }.joined(separator: " ")
    for part in [
      "the outputs for validation images became NaN or ", "counts as no improvement", "2,000 such images",
      "and 1,999 more",
      "with the next epoch", "the one before, step 130",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    var last = report
    (last.canLeaveOut, last.savedStep) = (false, nil)
    var state = WorkbenchState.diverged(last, size: Size(width: 100, height: 30))
    #expect(
      state.screenText.contains("this was the last epoch") && state.screenText.contains("no earlier checkpoint"))
    #expect(state.type("lb").isEmpty)
    #expect(state.type("a") == [.send(.training(.recover(.beginAgain)))])
  }

  @Test(arguments: [("b", Recovery.rollBack), ("s", .stop), ("l", .lowerRate), ("a", .beginAgain)])
  func `each key sends its answer once`(key: String, recovery: Recovery) {
    var state = WorkbenchState.diverged()
    #expect(state.type(key) == [.send(.training(.recover(recovery)))])
    #expect(!state.asksAboutDivergence)
    #expect(state.type("b").isEmpty, "behind the dialog it means nothing")
  }

  @Test func `where nothing is saved the way back is closed and says why, and the run can begin again`() {
    var state = WorkbenchState.diverged(Fixtures.divergence(savedStep: nil))
    #expect(state.screenText.contains("no checkpoint was saved yet"))
    #expect(state.type("b").isEmpty)
    #expect(state.asksAboutDivergence)
    #expect(state.type("a") == [.send(.training(.recover(.beginAgain)))])
  }

  @Test func `an older best is offered beside last, and only where there is one`() {
    var state = WorkbenchState.diverged(Fixtures.divergence(best: Fixtures.best))
    #expect(state.screenText.contains("roll back to best (87.5%), step 104: peak rate 0.01"))
    #expect(state.type("B") == [.send(.training(.recover(.rollBackToBest)))])
    var without = WorkbenchState.diverged()
    #expect(!without.screenText.contains("best"))
    #expect(without.type("B").isEmpty)
    #expect(without.asksAboutDivergence)
  }

  @Test func `weights that are not finite cannot be gone on from`() {
    var state = WorkbenchState.diverged(Fixtures.divergence(.weights, canLeaveOut: false))
    #expect(state.screenText.contains("unavailable: weights became NaN"))
    #expect(state.type("l").isEmpty)
    #expect(state.asksAboutDivergence)
  }

  @Test func `a key that was meant for what the dialog covers decides nothing`() {
    var state = WorkbenchState.training()
    _ = update(&state, .tick(seconds: 10))
    state.hear(.training(.diverged(Fixtures.divergence())), .state(.paused))
    #expect(state.type("ls").isEmpty)
    #expect(state.asksAboutDivergence)
    _ = update(&state, .tick(seconds: 10.6))
    #expect(state.type("l").count == 1)
  }

  @Test func `it waits until nothing is typed any more`() {
    for keys in ["L", ":", "o", "?"] {
      var state = WorkbenchState.training()
      state.type(keys)
      let before = state.overlay
      state.hear(.training(.diverged(Fixtures.divergence())), .state(.paused))
      #expect(state.overlay == before)
      state.press(.escape)
      #expect(state.asksAboutDivergence, "\(keys)")
    }
    var filtering = WorkbenchState.training()
    filtering.type("/s")
    filtering.hear(.training(.diverged(Fixtures.divergence())), .state(.paused))
    #expect(filtering.overlay == nil)
    filtering.press(.escape)
    #expect(filtering.asksAboutDivergence)
  }

  @Test func `put off, it is asked again by space, by D and by name`() {
    for keys in [" ", "D", ":decide how"] {
      var state = WorkbenchState.diverged()
      state.press(.escape)
      #expect(state.overlay == nil)
      #expect(state.screenText.contains("diverged: space asks"))
      #expect(state.type(keys).isEmpty)
      if keys.count > 1 { state.press(.enter) }
      #expect(state.asksAboutDivergence, "\(keys)")
    }
    var direct = WorkbenchState.diverged()
    direct.press(.escape)
    direct.type(":diverged: back to")
    #expect(direct.press(.enter) == [.send(.training(.recover(.rollBack)))])
  }

  @Test func `without a divergence its commands say so`() {
    var state = WorkbenchState.training()
    #expect(state.type("D").isEmpty)
    #expect(state.message?.text.contains("none has diverged") == true)
    state.type(":diverged: stop")
    #expect(state.press(.enter).isEmpty)
    #expect(state.engine == .training)
  }

  @Test func `whoever attaches to a run that waits is asked, and another screen's answer closes the dialog`() {
    var state = WorkbenchState.opened()
    // As the record of a run replays it.
    state.hear(
      .training(.started(Fixtures.run())), .training(.step(Fixtures.step(170))),
      .training(.diverged(Fixtures.divergence())), .state(.paused))
    #expect(state.asksAboutDivergence)
    state.hear(.training(.recovered(recovered)), .state(.training))
    #expect(state.overlay == nil)
    state.hear(.training(.diverged(Fixtures.divergence())), .state(.paused), .state(.stopping))
    #expect(state.overlay == nil)
  }

  @Test func `every file can be scrolled to, and no further`() {
    var state = WorkbenchState.diverged(size: Size(width: 60, height: 16))
    #expect(!state.screenText.contains("IMG_1541.JPG"))
    for _ in 0..<200 { state.press(.down) }
    #expect(state.screenText.contains("IMG_1541.JPG"))
    let end = state.overlay
    state.press(.down)
    #expect(state.overlay == end)
    for _ in 0..<100 { state.press(.pageUp) }
    #expect(state.screenText.contains("IMG_1100.JPG"))
  }

  @Test(arguments: [
    "the loss is 40.5, far above its best of 0.3: lower the learning rate",
    "the loss has not improved for 900 steps and is 2.3: try another learning rate",
    "the network gives the class 'six' to every validation image: lower the learning rate",
  ])
  func `notices of a run that does not learn stand on the screen until they are dismissed`(text: String) {
    var state = WorkbenchState.training(size: Size(width: 120, height: 36))
    state.hear(
      .training(.warning(text)), .training(.learningRateChanged(0.1)), .training(.step(Fixtures.step(171))))
    #expect(state.screenText.contains("warning: " + text))
    state.press(.escape)
    #expect(!state.screenText.contains(text))
    state.type("!")
    #expect(state.screenText.contains("warning: " + text.prefix(40)))
  }
}

@Suite struct `Resuming on changed images` {
  private func asked(_ report: DataChangeReport = Fixtures.dataChange, size: Size = Size(width: 80, height: 24))
    -> WorkbenchState
  {
    var state = WorkbenchState.opened(size: size)
    state.type("4")
    state.press(.down)
    state.type("r")
    state.hear(.state(.preparing), .dataChanged(report), .state(.idle))
    return state
  }

  @Test func `what changed is listed, and accepted it goes on`() {
    var state = asked(size: Size(width: 100, height: 60))
    let text = state.screenText
    for part in [
      "2 added", "nine/IMG_9002.JPG", "1,234 removed", "and 1,194 more", "1 in another class",
      "--accept-changes",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(
      state.type("y") == [.send(.resumeRun(folder: "runs/cifar20-3", changes: ResumeChanges(acceptsData: true)))])
    #expect(state.engine == .preparing && state.overlay == nil)
  }

  @Test func `declined, nothing is done`() {
    var state = asked()
    #expect(state.type("n").isEmpty)
    #expect(state.overlay == nil && state.engine == .idle && state.dataChange == nil)
    #expect(state.press(.down).isEmpty)
    #expect(state.overlay == nil)
  }

  @Test func `other classes cannot be accepted`() {
    var report = Fixtures.dataChange
    report.classesChanged = true
    var state = asked(report)
    #expect(state.screenText.contains("--weights"))
    #expect(state.type("y").isEmpty)
    #expect(state.overlay == .dataChanged(scroll: 0))
    state.press(.escape)
    #expect(state.overlay == nil)
  }

  @Test func `a run that only knows that something changed can be gone on with`() {
    var state = asked(DataChangeReport(run: "runs/a", data: "d", groups: [], classesChanged: false))
    #expect(state.type("y").count == 1)
  }
}

@Suite struct `Questions look as recorded` {
  private static let sizes = [Size(width: 60, height: 16)] + `The screen looks as recorded`.sizes

  private func name(_ subject: String, _ size: Size) -> String { "\(subject)-\(size.width)x\(size.height)" }

  @Test(arguments: sizes) func `a divergence`(size: Size) throws {
    try expectSnapshot(.diverged(size: size), name("diverged", size))
  }

  @Test func `a divergence with an older best`() throws {
    try expectSnapshot(.diverged(Fixtures.divergence(best: Fixtures.best)), "diverged-best-80x24")
  }

  @Test func `a divergence before the first checkpoint, and one put off`() throws {
    var state = WorkbenchState.diverged(Fixtures.divergence(.weights, savedStep: nil, canLeaveOut: false, files: 3))
    try expectSnapshot(state, "diverged-unsaved-80x24")
    state.press(.escape)
    try expectSnapshot(state, "diverged-later-80x24")
  }

  @Test(arguments: sizes) func `changed images`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.hear(.dataChanged(Fixtures.dataChange))
    try expectSnapshot(state, name("data-changed", size))
  }

  @Test func `changed classes`() throws {
    var state = WorkbenchState.opened()
    var report = Fixtures.dataChange
    report.classesChanged = true
    state.hear(.dataChanged(report))
    try expectSnapshot(state, "classes-changed-80x24")
  }
}
