// The inspector and the dataset pane while a run trains: the hardest validation images after each epoch, recall of each
// class, and the weights of this moment evaluated on a key.

import Canvas
import Messages
import Testing

@testable import Workbench

extension Fixtures {
  /// The validation after an epoch: fifteen images, the first few wrong, the later the fewer.
  static func validated(_ epoch: Int) -> ValidationDetails {
    let wrong = max(0, 12 - epoch)
    var images: [HardImage] = []
    for place in 0..<15 {
      // Every epoch another one is the worst.
      let truth = (place * 3 + epoch) % 10
      let number = 1100 + (place + epoch) * 7 + truth
      var image = HardImage(
        path: "\(classNames[truth])/IMG_\(number).JPG", truth: truth,
        predicted: place < wrong ? (truth + 2) % 10 : truth, probability: 0.98 - Double(place) * 0.04,
        loss: 4.13 / Double(place + 1))
      if epoch > 1, place == 1 { image.change = .new }
      if epoch > 1, place == wrong { image.change = .fixed }
      images.append(image)
    }
    func recalls(_ epoch: Int) -> [Double?] {
      (0..<10).map { (label: Int) -> Double? in
        let recall = 0.5 + Double(label * 3 % 7) * 0.05 + Double(epoch) * 0.03
        return label == 7 ? nil : min(1, recall)
      }
    }
    return ValidationDetails(
      epoch: epoch, step: epoch * 26, images: 189, wrong: wrong, fixed: epoch == 1 ? nil : 2,
      broken: epoch == 1 ? nil : 1, recalls: recalls(epoch), recallsBefore: epoch == 1 ? [] : recalls(epoch - 1),
      confused: ConfusedClasses(first: 1, second: 7, count: 4), hardest: images)
  }
}

extension WorkbenchState {
  /// In a run that was validated after six epochs.
  static func validated(size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState.training(size: size)
    state.answerPictures(state.hear(.training(.validated(Fixtures.validated(6)))))
    state.message = nil
    return state
  }
}

@Suite struct `The hardest images of a run` {
  @Test func `come into view with the first validation, with what became of each`() {
    var state = WorkbenchState.training(size: Size(width: 140, height: 44))
    #expect(state.inspector.view == .checkpoints)
    let effects = state.hear(.training(.validated(Fixtures.validated(1))))
    #expect(state.inspector.view == .hardest)
    #expect(state.text.contains("hardest validation images, epoch 1") && state.text.contains("11 of 189 wrong"))
    // The pictures in view are asked for.
    guard case .browse(.thumbnails(let paths, _))? = effects.first else {
      return #expect(Bool(false), "\(effects)")
    }
    #expect(paths.first == "data/sign-digits/" + Fixtures.validated(1).hardest[0].path)
    state.hear(.training(.validated(Fixtures.validated(2))))
    #expect(
      state.text.contains("10 of 189 wrong") && state.text.contains("2 fixed") && state.text.contains("1 broken"))
    #expect(state.text.contains("tw→fo 98%") && state.text.contains("loss 4.1"))
    #expect(state.text.contains("new"))
  }

  @Test func `one opens and stays while the next validation comes`() {
    var state = WorkbenchState.validated()
    state.type("4")
    state.press(.right)
    let path = Fixtures.validated(6).hardest[1].path
    #expect(state.inspector.hardest.selected?.path == path)
    #expect(state.press(.enter) == [.browse(.preview(path: "data/sign-digits/" + path, maximumSide: 160))])
    #expect(state.text.contains("2 of 15") && state.text.contains("new among the hardest"))
    state.hear(.training(.validated(Fixtures.validated(7))))
    #expect(state.inspector.hardest.selected?.path == path && state.text.contains("after epoch 6"))
    // It can be mended where it is.
    state.type("x")
    #expect(state.message?.text.contains("$ skipline exclude data/sign-digits") == true)
    state.press(.escape)
    state.press(.escape)
    #expect(state.inspector.hardest.details?.epoch == 7 && !state.inspector.hardest.isSingle)
  }

  @Test func `who goes to the checkpoints stays there, and v comes back`() {
    var state = WorkbenchState.validated()
    state.type("4")
    state.press(.escape)
    #expect(state.inspector.view == .checkpoints && state.text.contains("cifar20-3/best"))
    state.hear(.training(.validated(Fixtures.validated(7))))
    #expect(state.inspector.view == .checkpoints)
    state.type("v")
    #expect(state.inspector.view == .hardest && state.inspector.hardest.details?.epoch == 7)
    // Whoever chose a checkpoint is not taken away from it either.
    var other = WorkbenchState.training()
    other.type("4")
    other.press(.down)
    other.hear(.training(.validated(Fixtures.validated(1))))
    #expect(other.inspector.view == .checkpoints)
    // Nor from an evaluation.
    state.hear(.evaluation(Fixtures.evaluation), .training(.validated(Fixtures.validated(8))))
    #expect(state.inspector.view == .confusion)
    // Nor from the list that an evaluation was left for: Enter would open an image.
    state = .validated()
    state.hear(.evaluation(Fixtures.evaluation))
    state.type("4")
    state.press(.escape)
    state.hear(.training(.validated(Fixtures.validated(7))))
    #expect(state.inspector.view == .checkpoints)
  }

  @Test func `make way for the checkpoints when the run ends, or another begins`() {
    for events: [Messages.Event] in [
      [
        .training(
          .finished(
            RunOutcome(
              folder: "runs/cifar20-3", reason: .completed, epochs: 6, steps: 156, bestValidationAccuracy: 0.8,
              seconds: 9)))
      ], [.failure("out of memory"), .state(.idle)], [.training(.started(Fixtures.run()))],
    ] {
      var state = WorkbenchState.validated()
      for event in events { state.hear(event) }
      #expect(state.inspector.view == .checkpoints, "\(events)")
    }
  }

  @Test func `are moved through by keys, wheel and mouse, and all of them are reached`() {
    var state = WorkbenchState.validated()
    state.type("4")
    var seen: Set<String> = []
    for _ in 0..<15 {
      seen.insert(state.inspector.hardest.selected?.path ?? "")
      state.type("n")
    }
    #expect(seen.count == 15)
    for key: Key in [.end, .home, .down, .up, .pageDown, .pageUp, .left] { state.press(key) }
    #expect(state.inspector.hardest.selected?.path == Fixtures.validated(6).hardest[0].path)
    let inner = state.layout[.inspector]?.interior ?? Rect(x: 0, y: 0, width: 0, height: 0)
    let tile = InspectorPane.hardestLayout(state, in: inner).tile(1, top: 0)
    guard let tile else { return #expect(Bool(false), "two images are in view") }
    _ = InspectorPane.clicked(x: tile.x + 1, y: tile.y + 1, in: inner, &state)
    #expect(state.inspector.hardest.list.selected == 1)
    _ = InspectorPane.clicked(x: tile.x + 1, y: tile.y + 1, in: inner, &state)
    #expect(state.inspector.hardest.isSingle)
  }
}

@Suite struct `Recall while a run trains` {
  @Test func `stands in the dataset pane with its change, and the most confused pair below`() {
    var state = WorkbenchState.validated(size: Size(width: 140, height: 44))
    #expect(state.text.contains("recall, 6") && state.text.contains("one ↔ seven: 4 of 6 mistakes"))
    let row = state.text.split(separator: "\n").first { $0.contains("│nine") }
    #expect(row?.contains("98%   +3") == true, "\(row ?? "")")
    let none = state.text.split(separator: "\n").first { $0.contains("│seven") }
    #expect(none?.contains("-") == true && none?.contains("%") == false)
    // Of a run of other data nothing is said there.
    var run = Fixtures.run()
    run.settings.data = "data/others"
    state.hear(.checkpoints([]), .training(.started(run)), .training(.validated(Fixtures.validated(6))))
    #expect(!state.text.contains("recall, 6"))
  }

  @Test func `is there in a narrow pane too`() {
    var state = WorkbenchState.validated()
    state.type("2")
    let row = state.text.split(separator: "\n").first { $0.contains("│nine") || $0.contains("│zero") }
    #expect(row?.contains("%") == true, "\(state.text)")
  }
}

@Suite struct `The weights of this moment` {
  private let moment = CheckpointInfo(
    path: "runs/cifar20-3/checkpoints/step-000170.safetensors", name: "step-000170", epoch: 6, step: 170,
    validationAccuracy: nil, savedAt: "2026-03-14T09:45:12Z")

  @Test func `are saved, evaluated on the chosen split, and the inspector opens on them`() {
    var state = WorkbenchState.validated()
    state.type("4")
    state.press(.escape)
    state.type("p1")
    #expect(state.type("W") == [.send(.training(.saveMoment))])
    #expect(state.message?.text.contains("$ skipline evaluate runs/cifar20-3 --now --split val") == true)
    #expect(state.type("W").isEmpty && state.message?.text.contains("under way") == true)
    // Another checkpoint is none of it.
    #expect(state.hear(.training(.checkpointSaved(Fixtures.checkpoints[1]))).isEmpty)
    #expect(
      state.hear(.training(.checkpointSaved(moment))) == [
        .send(
          .evaluate(checkpoint: moment.path, data: "data/sign-digits", split: .validation, folders: nil))
      ])
    #expect(state.inspector.evaluating?.checkpoint == moment.path)
    var report = Fixtures.evaluation
    report.checkpoint = moment.path
    state.hear(.state(.evaluating(checkpoint: moment.path)), .evaluation(report), .state(.training))
    #expect(state.focus == .inspector && state.inspector.view == .confusion && state.inspector.moment == nil)
    #expect(state.inspector.report?.checkpoint == moment.path)
    // It stands among the run's numbered checkpoints, the newest first.
    #expect(
      state.inspector.checkpoints?.first {
        $0.runFolder == "runs/cifar20-3" && $0.name != "best" && $0.name != "last"
      } == moment)
  }

  @Test func `of a run that is paused too; where it cannot be, it is said why`() {
    var state = WorkbenchState.opened()
    #expect(state.type("W").isEmpty && state.message?.text.contains("nothing is training") == true)
    state = .validated()
    state.hear(.state(.paused))
    #expect(state.type("W") == [.send(.training(.saveMoment))])
    // It could not be written: the next key asks again.
    state.hear(.training(.saveFailed(SaveFailure(path: moment.path, reason: "the disk is full", retrySeconds: 0))))
    #expect(state.type("W") == [.send(.training(.saveMoment))])
    state.hear(.state(.idle))
    #expect(state.inspector.moment == nil)

    state = .opened()
    var run = Fixtures.run()
    run.evaluates = false
    state.hear(.training(.started(run)), .state(.training))
    #expect(state.type("W").isEmpty && state.message?.text.contains("--now") == true)
    state = .validated()
    state.looksOnly = true
    #expect(state.type("W").isEmpty && state.message?.text.contains("read-only") == true)
  }
}

@Suite struct `The live inspector looks as recorded` {
  static let sizes = [Size(width: 80, height: 24), Size(width: 140, height: 44), Size(width: 200, height: 60)]

  @Test(arguments: sizes) func `while training`(size: Size) throws {
    var state = WorkbenchState.validated(size: size)
    state.answerPictures(state.type("4"))
    try expectSnapshot(state, "hardest-\(size.width)x\(size.height)")
    state.type("1")
    try expectSnapshot(state, "recall-\(size.width)x\(size.height)")
  }

  @Test func `one image, and without color`() throws {
    var state = WorkbenchState.validated()
    state.type("4")
    state.answerPictures(state.press(.right, .enter))
    try expectSnapshot(state, "hard-image-80x24")
    state = .validated()
    state.type("4z")
    state.answerPictures(state.press(.right))
    try expectSnapshot(state, "hardest-ascii-80x24", theme: .monochrome.with(glyphs: .ascii))
  }
}
