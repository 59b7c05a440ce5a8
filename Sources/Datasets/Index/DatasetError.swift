// What can be wrong with a dataset as a whole. Every description says what happened, to which path, and what to do;
// names are given as they are on disk, whoever prints them makes them harmless.

import Images
import Messages

/// Why a folder cannot be used as a dataset.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
  case notFound(path: String)
  case notAFolder(path: String)
  case unreadable(path: String, reason: String)
  case noClassFolders(path: String)
  case tooFewClasses(path: String, only: String)
  case noImages(path: String)
  case noDecodableImages(path: String, first: DecodingFailure?)
  /// TFRecord shards, or what is called so.
  case unreadableRecords(path: String, reason: String)
  case invalidSplit(SplitSettings)
  case invalidPreprocessing(reason: String)

  public var description: String {
    switch self {
    case .notFound(let path):
      "\(path): there is no such folder; check the spelling, or give the full path"
    case .notAFolder(let path):
      "\(path) is a file, not a folder; give the folder that holds one folder of images for each class"
    case .unreadable(let path, let reason):
      "\(path) cannot be read (\(reason)); check its permissions"
    case .noClassFolders(let path):
      "\(path) holds no class folders; put the images of each class in a folder of their own in it"
    case .tooFewClasses(let path, let only):
      "\(path) has images of one class only, \"\(only)\"; a classifier needs two or more class folders"
    case .noImages(let path):
      "\(path) holds no PNG or JPEG images; put some in each class folder"
    case .noDecodableImages(let path, let first):
      "none of the training images of \(path) can be decoded"
        + (first.map { " (first: \($0.path): \($0.reason))" } ?? "") + "; replace the broken files"
    case .unreadableRecords(let path, let reason): "\(path) \(reason)"
    case .invalidSplit(let split):
      "the split \(split.train)/\(split.validation)/\(split.test) is not valid; "
        + "give three percentages of 0 to 100 that add up to 100"
    case .invalidPreprocessing(let reason):
      "the preprocessing is not valid: \(reason)"
    }
  }
}
