// Why shards could not be written. Names are given as they are on disk; whoever prints them makes them harmless.

import Glibc
import Files

/// Why an export failed. The folder that was to be written to is as it was before, unless the text says otherwise.
public enum RecordExportError: Error, Equatable, Sendable, CustomStringConvertible {
  case noImages(root: String)
  case insideDataset(folder: String, root: String)
  case notAFolder(path: String)
  /// There are shards, or a labels.txt, that would lie beside the new ones.
  case occupied(folder: String, file: String, count: Int)
  /// Another process is writing there.
  case busy(folder: String)
  case system(FileOperationError)
  case cancelled

  public var description: String {
    switch self {
    case .noImages(let root): "\(root) has no images to write"
    case .insideDataset(let folder, let root):
      "\(folder) lies in the dataset \(root), which is never written to; choose a folder outside of it"
    case .notAFolder(let path): "\(path) is a file, not a folder; choose another name for the shards' folder"
    case .occupied(let folder, let file, let count):
      "\(folder) already has \(file)\(count > 1 ? " and \(count - 1) more such files" : ""); choose another folder, "
        + "or replace all of its shards with --overwrite"
    case .busy(let folder): "another export is writing to \(folder); wait for it to end or choose another folder"
    case .system(let error) where error.code == EFBIG:
      "\(error.summary); write smaller shards (--shard-size), or raise the limit on file sizes (ulimit -f)"
    case .system(let error): "\(error)"
    case .cancelled: "the export was cancelled; nothing was changed"
    }
  }
}
