// Evaluations of a toy dataset, made once by a tiny run.

import Datasets
import Foundation
import Messages
import Support
import TestSupport
import Testing
import WeightFiles

@testable import Inspection
@testable import Training

extension ToyProject {
  /// Trains a run.
  func trained(_ settings: TrainingSettings) throws -> RunFolder {
    let job = try TrainingJob.new(settings, commandLine: [], caches: nil)
    _ = try job.loop(hooks: TrainingLoop.Hooks()).train()
    return job.run
  }

  /// Evaluates a run and keeps what was found.
  func evaluated(
    _ run: RunFolder, _ split: EvaluationSplit, parts: RecordedParts = .all, mostBytes: Int = 1 << 30
  ) throws -> (report: EvaluationReport, record: EvaluationRecord, kept: (path: String, bytes: Int)?) {
    let job = try EvaluationJob(checkpoint: run.path, data: nil, split: split, caches: nil)
    let evaluation = RecordedEvaluation(job, checkpoint: run.path, parts: parts, mostBytes: mostBytes)
    let (report, record) = try #require(try evaluation.run(threads: 1))
    return (report, record, try evaluation.keep(report, record))
  }
}

/// A record made of outputs that a test gives.
func record(
  _ images: [(path: String, truth: Int, logits: [Float], features: [Float])], split: Split = .validation,
  isOwn: Bool = true, checkpoint: String = "runs/r", parts: RecordedParts = .all, mostBytes: Int = 1 << 30
) throws -> EvaluationRecord {
  let classes = (0..<images[0].logits.count).map { "class\($0)" }
  var recorder = EvaluationRecorder(classes: classes, parts: parts, mostBytes: mostBytes)
  for image in images {
    recorder.add(
      MeasuredImage(
        path: image.path, truth: image.truth, outputs: Softmax(image.logits), split: split,
        features: image.features.isEmpty ? nil : image.features[...]))
  }
  let report = EvaluationReport(
    checkpoint: checkpoint, data: "/data", split: .all, images: images.count, loss: 0, top1: 0, top5: 0,
    classes: [],
    confusion: [], misclassified: [], skipped: [], unknownClasses: [], imagesPerSecond: 1,
    provenance: EvaluationProvenance(
      checkpoint: "crc32c:00000000", splitFingerprint: "s", imagesFingerprint: "i", excluded: 0, relabeled: 0,
      isRunsOwn: isOwn))
  return recorder.record(report, checkpoint: checkpoint, layer: "fc")
}
