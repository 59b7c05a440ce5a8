// Data and settings at the edge: bad files, no validation images, odd batches, rates that no network survives.

import Foundation
import Messages
import Networks
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct AwkwardDataTests {
  @Test func `a bad training image is skipped, counted each epoch and named once`() throws {
    let project = try ToyProject()
    try project.data.addBroken("train/red/broken.png")
    let run = try project.train(project.settings(epochs: 3))
    #expect(run.epochs.map(\.skippedImages) == [1, 1, 1])
    #expect(run.warnings.count { $0.contains("red/broken.png") } == 1)
    #expect(try String(contentsOfFile: run.run.logPath, encoding: .utf8).contains("red/broken.png"))
  }

  @Test func `a batch in which nothing decodes is counted too, wherever in the epoch it comes`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 1, validation: 1))
    try project.data.addBroken("train/red/broken.png")
    let run = try project.train(
      project.settings(epochs: 12) {
        $0.batchSize = 1
        $0.preprocessing.normalization = .given(mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2])
      })
    #expect(run.epochs.map(\.skippedImages) == Array(repeating: 1, count: 12))
    #expect(run.warnings.count { $0.contains("red/broken.png") } == 1)
    #expect(run.steps.count == 36)
  }

  @Test func `a bad validation image is left out and named once`() throws {
    let project = try ToyProject()
    try project.data.addBroken("val/green/broken.png")
    let run = try project.train(project.settings(epochs: 2))
    #expect(run.warnings.count { $0.contains("val/green/broken.png") } == 1)
    #expect(run.epochs.allSatisfy { $0.skippedImages == 0 && $0.validation != nil })
  }

  @Test func `without validation images there is no accuracy, no best checkpoint and no error`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 3))
    let run = try project.train(project.settings(epochs: 2) { $0.earlyStoppingPatience = 1 })
    #expect(run.outcome.reason == .completed)
    #expect(run.outcome.bestValidationAccuracy == nil)
    #expect(run.epochs.map(\.validation) == [nil, nil])
    #expect(try run.checkpointNames == ["last.safetensors"])
    #expect(!run.events.map(\.label).contains { $0.hasPrefix("validating") })
    #expect(try CheckpointLocation(run.run.path).path == run.run.path(of: .last))
  }

  @Test func `validation images of which none decodes are as good as none`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 3))
    try project.data.addBroken("val/green/broken.png")
    let run = try project.train(project.settings(epochs: 2))
    #expect(run.epochs.map(\.validation) == [nil, nil])
    #expect(run.warnings.count == 1)
  }

  @Test func `a last image by itself joins the batch before it`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 3, validation: 1))
    let run = try project.train(project.settings(epochs: 2))
    // Nine images are a batch of four and one of five; each accuracy is a number of fifths or quarters.
    #expect(run.steps.map(\.step) == [1, 2, 3, 4])
    #expect(run.steps.allSatisfy { $0.loss.isFinite })
    for (index, images) in [4.0, 5, 4, 5].enumerated() {
      let hits = run.steps[index].accuracy * images
      #expect(abs(hits - hits.rounded()) < 1e-9, "step \(index + 1) has \(images) images")
    }
  }

  @Test func `one batch an epoch, one image a batch, more than the set in a batch: all train`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 1, validation: 1))
    for (batch, steps) in [(3, 2), (1, 6), (100, 2)] {
      let run = try project.train(project.settings(epochs: 2) { $0.batchSize = batch })
      #expect(run.steps.count == steps)
      #expect(run.epochs.count == 2)
    }
  }

  @Test func `when no training image decodes, the run ends and says how many were tried`() throws {
    let folder = try TemporaryFolder()
    let data = try ToyDataset(folder.file("data"), counts: SplitCounts(validation: 1))
    for name in ["a", "b", "c"] { try data.addBroken("train/red/\(name).png") }
    let project = try ToyProject()
    let error = #expect(throws: TrainingError.self) {
      try project.train(
        project.settings {
          $0.data = data.root
          $0.preprocessing.normalization = .given(mean: [0, 0, 0], std: [1, 1, 1])
          $0.safety.acceptsErrors = true
        })
    }
    #expect(error == .nothingDecodes(data: data.root, skipped: 3))
  }

  private func expectFinite(_ path: String) throws {
    let file = try Safetensors.read(path: path)
    for name in file.names where file.dtype(of: name) == .float32 {
      #expect(try file.floats(name).allSatisfy(\.isFinite), "'\(name)' in \(path)")
    }
  }

  @Test func `a diverging run ends before the update, names the images and leaves a finite checkpoint`() throws {
    let project = try ToyProject()
    let run = project.folder.file("runs/cifar8-1")
    let error = #expect(throws: TrainingError.self) {
      try project.train(project.settings(epochs: 100) { $0.learningRate = 1e12 }) { event in
        if case .step = event { [.saveCheckpoint] } else { [] }
      }
    }
    guard case .diverged(let step, _, let files)? = error else {
      Issue.record("\(String(describing: error)) instead of a divergence")
      return
    }
    #expect(step > 1)
    #expect(files.count >= 2 && files.allSatisfy { $0.hasPrefix("train/") && $0.hasSuffix(".png") })
    #expect(error?.description.contains(files[0]) == true)
    try expectFinite(run + "/checkpoints/last.safetensors")
  }

  /// A finite gradient and a rate beyond Float's range: the update itself makes infinities, at the end of an epoch.
  @Test func `weights that overflow in the last step of an epoch are not saved`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 1, validation: 1))
    let error = #expect(throws: TrainingError.self) {
      try project.train(project.settings(epochs: 9)) { $0.isStep(2) ? [.setLearningRate(1e39)] : [] }
    }
    guard case .weightsOverflowed(step: 3, _)? = error else {
      Issue.record("\(String(describing: error)) instead of an overflow")
      return
    }
    let last = project.folder.file("runs/cifar8-1/checkpoints/last.safetensors")
    try expectFinite(last)
    #expect(try Checkpoint.trainingState(path: last).step == 2)
  }

  @Test func `data that changed since the run was started are refused`() throws {
    let project = try ToyProject()
    let stopped = try project.train(project.settings()) { $0.isStep(2) ? [.stop] : [] }
    let before = try stopped.arrays()
    try project.data.add("train/red/more.png", color: "red")
    for change in ["another image", "another class"] {
      let error = #expect(throws: DataChangedError.self, "\(change)") { try project.resume(stopped.run) }
      #expect(error?.description.contains("changed since") == true)
      #expect(error?.description.contains(project.data.root) == true)
      try project.data.add("train/aqua/0.png", color: "aqua")
    }
    #expect(try stopped.arrays() == before)
  }

  @Test func `weights of a run with other classes start all but the classifier`() throws {
    let source = try ToyProject()
    let weights = try source.train(source.settings(epochs: 1))
    let project = try ToyProject()
    try project.data.add("train/aqua/0.png", color: "aqua")
    let warned = Session { _ in [] }
    let job = try TrainingJob.new(
      project.settings { $0.initialWeights = weights.run.path(of: .best) }, commandLine: [])
    let network = try job.loop(hooks: warned.hooks).network
    #expect(warned.events.map(\.label) == ["warning"])

    let best = try weights.arrays(.best)
    for array in network.stateArrays() {
      switch array.name {
      case "fc.weight": #expect(array.shape == [4, 16])
      case "fc.bias": #expect(array.shape == [4])
      default: #expect(array == best[array.name], "'\(array.name)'")
      }
    }
  }

  @Test func `weights of a run with the same classes start the classifier too, and nothing is warned of`() throws {
    let project = try ToyProject()
    let weights = try project.train(project.settings(epochs: 1))
    let session = Session { _ in [] }
    let job = try TrainingJob.new(
      project.settings {
        $0.initialWeights = weights.run.path(of: .last)
        $0.seed = 5
      }, commandLine: [])
    let network = try job.loop(hooks: session.hooks).network
    let last = try weights.arrays()
    for array in network.stateArrays() { #expect(array == last[array.name], "'\(array.name)'") }
    #expect(session.events.isEmpty)
  }

  @Test func `settings, data and weights that cannot be used leave no folder behind`() throws {
    let project = try ToyProject()
    let other = try project.train(project.settings(epochs: 1) { $0.name = "other" })
    let weights = other.run.path(of: .best)
    for change: (inout TrainingSettings) -> Void in [
      { $0.batchSize = 0 }, { $0.data += "/nowhere" }, { $0.network.name = "resnet8" },
      { $0.initialWeights = "nowhere.safetensors" },
      {
        $0.initialWeights = weights
        $0.network.widthMultiplier = 0.5
      },
    ] {
      #expect(throws: (any Error).self) {
        try TrainingJob.new(project.settings(change: change), commandLine: [])
      }
    }
    #expect(try project.folder.names(in: "runs") == ["other"])
  }
}
