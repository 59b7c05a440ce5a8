// Folders that programs wrote, ours and others': runs, lists, shards, caches. They may lie in a dataset's folder, and
// what is in them is no data. They are told by what they hold, never by their names.

import Files
import Images

/// What a folder holds that no person put there.
enum ProgramOutput {
  /// Whose output a folder is, in words; nil for any other folder.
  /// - Parameters:
  ///   - path: the folder.
  ///   - files: names of regular files in it.
  ///   - folders: names of folders in it.
  static func author(ofFolder path: String, files: some Sequence<String>, folders: some Sequence<String>) -> String?
  {
    var marks: Set<String> = []
    var hasImage = false
    // Of a folder whose every file is one of ours.
    var (holdsLists, holdsShards, holdsCaches, hasOther, hasThumbnails) = (false, false, false, false, false)
    for name in files {
      if !hasImage, ImageFormat.isImageName(name) { hasImage = true }
      if fileMarks.contains(name) {
        marks.insert(name)
      } else if name.hasPrefix("SYNOPHOTO_") || name.hasPrefix("SYNOFILE_") {
        hasThumbnails = true
      }
      if hasImage { continue }
      if listNames.contains(name) {
        holdsLists = true
      } else if let shard = ShardName(name), shard.hasExtension || shard.place != nil {
        holdsShards = true
      } else if name.hasSuffix(ImageCacheFolder.cacheEnding) {
        holdsCaches = true
      } else if name.hasPrefix("events.out.tfevents.") {
        marks.insert("events")
      } else if name.hasSuffix(".wandb") {
        marks.insert("wandb")
      } else if name != LabelsFile.name {
        hasOther = true
      }
    }
    var inner: Set<String> = []
    var hasInner = false
    for name in folders {
      hasInner = true
      if folderMarks.contains(name) { inner.insert(name) }
    }
    func has(_ names: String...) -> Bool { names.allSatisfy { marks.contains($0) } }
    func holds(_ names: String...) -> Bool { names.allSatisfy { inner.contains($0) } }

    if !hasImage {
      if has("run.json"), holds("checkpoints") || has("images.txt") { return "a run of Skipline" }
      // One that was ended while it was made.
      if holds("checkpoints", "evaluations") { return "a run of Skipline" }
      if holdsLists, !holdsShards, !holdsCaches, !hasOther, !hasInner { return "lists of a split" }
      if holdsShards, !holdsLists, !holdsCaches, !hasInner { return "TFRecord shards" }
      if holdsCaches, !holdsLists, !holdsShards { return "caches" }
      if marks.contains("events") { return "logs of TensorBoard" }
      if marks.contains("wandb") { return "a run of Weights & Biases" }
      if has("saved_model.pb"), holds("variables") { return "a saved model" }
    }
    if has("CACHEDIR.TAG"), isTagged("\(path)/CACHEDIR.TAG") { return "a cache" }
    if has("args.yaml"), holds("weights") || has("results.csv") { return "a run of Ultralytics" }
    if has("hparams.yaml"), holds("checkpoints") || has("metrics.csv") { return "a run of Lightning" }
    if has("meta.yaml"), holds("artifacts") || holds("metrics") || holds("params") { return "a run of MLflow" }
    if has("meta.yaml"), names(["artifact_location:", "artifact_uri:"], in: "\(path)/meta.yaml") {
      return "an experiment of MLflow"
    }
    if FilePath.isFolder("\(path)/.hydra/config.yaml") == false { return "a run of Hydra" }
    if has("wandb-metadata.json") { return "a run of Weights & Biases" }
    if has("pyvenv.cfg") { return "a Python environment" }
    if hasThumbnails { return "thumbnails of a file server" }
    return nil
  }

  private static let listNames: Set<String> = ["train.txt", "val.txt", "test.txt"]
  private static let fileMarks: Set<String> = [
    "run.json", "images.txt", "CACHEDIR.TAG", "args.yaml", "results.csv", "hparams.yaml", "metrics.csv",
    "meta.yaml",
    "wandb-metadata.json", "pyvenv.cfg", "saved_model.pb",
  ]
  private static let folderMarks: Set<String> = [
    "checkpoints", "evaluations", "weights", "artifacts", "metrics", "params", "variables",
  ]

  /// The first line of a cache's tag (Cache Directory Tagging Specification 0.6).
  private static let signature = "Signature: 8a477f597d28d172789f06886806bc55"

  /// Names of folders that programs give to what they write, and people hardly ever to a class.
  private static let usualNames: Set<String> = [
    "mlruns", "mlartifacts", "wandb", "lightning_logs", "tb_logs", "outputs", "output", "multirun", "runs",
    "checkpoint",
    "checkpoints", "ckpt", "ckpts", "logs", "thumbs", "thumbnails", "cache", "tmp", "temp", "__pycache__",
    "snapshots",
    "results", "predictions", "visualizations", "debug",
  ]

  /// Whether a folder of images is called as programs call their output: worth a word, and no more.
  static func isUsualName(_ name: String) -> Bool { usualNames.contains(name.lowercased()) }

  /// Whether a small text file has a line that begins with one of some words.
  private static func names(_ words: [String], in file: String) -> Bool {
    guard let file = try? InputFile(path: file), let start = try? file.read(upTo: min(file.size, 4096)) else {
      return false
    }
    return start.split(separator: 0x0a).contains { line in words.contains { line.starts(with: $0.utf8) } }
  }

  private static func isTagged(_ path: String) -> Bool {
    guard let file = try? InputFile(path: path),
      let start = try? file.read(upTo: min(file.size, signature.utf8.count))
    else { return false }
    return start == Array(signature.utf8)
  }
}
