// What can be wrong with a dataset as a whole. Every description says what happened, to which path, and what to do;
// names are given as they are on disk, whoever prints them makes them harmless.

import Images
import Messages
import Support

/// Why a folder cannot be used as a dataset.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
  case notFound(path: String)
  /// Neither an image nor a folder of images.
  case noImagesThere(path: String)
  case notAFolder(path: String)
  case unreadable(path: String, reason: String)
  case noClassFolders(path: String)
  case tooFewClasses(path: String, only: String)
  case noImages(path: String)
  /// Folders that could mean two things, or not what they are called.
  case unclearLayout(path: String, reason: String, advice: String)
  /// A folder that the user named for a split and that cannot be it.
  case splitFolder(split: Split, folder: String, reason: String)
  case noDecodableImages(path: String, first: DecodingFailure?)
  /// TFRecord shards, or what is called so.
  case unreadableRecords(path: String, reason: String)
  case invalidSplit(SplitSettings)
  case invalidPreprocessing(reason: String)
  /// The scan was cancelled, as `isCancelled` asked.
  case cancelled(path: String)
  /// Decisions or lists that are there, or should be, and cannot be read.
  case unreadableFile(path: String, reason: String)
  /// A line of the decisions or of a list that means nothing.
  case malformedLine(file: String, line: Int, reason: String)
  /// What was named as the folder of lists is not there.
  case noListFolder(path: String)
  /// A folder named for its lists has none.
  case noLists(path: String)
  /// Lists none of whose lines names an image of the dataset. `first` is a line of them; nil where there is none.
  case foreignLists(folder: String, root: String, first: String?)
  /// `--group-by` that is no rule.
  case invalidGroups(rule: String, reason: String)
  /// No image is in a group. `first` is an image; nil where there is none.
  case noGroups(rule: String, root: String, first: String?)
  /// Fewer images, or groups of them, than folds.
  case tooFewForFolds(path: String, count: Int, units: Int, areGroups: Bool)
  /// No image of a dataset has this path.
  case unknownImage(path: String, root: String)
  /// Nothing is known to be decided about what a path names.
  case noDecisions(path: String, folder: String)
  /// Decisions that were to be ignored are the dataset's own.
  case ownDecisions(path: String)
  /// A dataset has no such class.
  case unknownClass(name: String, known: [String])

  public var description: String {
    switch self {
    case .notFound(let path):
      "\(path): there is no such folder; check the spelling, or give the full path"
    case .noImagesThere(let path):
      "\(path): there is no such image or folder; check the spelling, or give the full path"
    case .notAFolder(let path):
      "\(path) is a file, not a folder; give the folder that holds one folder of images for each class"
    case .unreadable(let path, let reason):
      "\(path) cannot be read (\(reason)); ask its owner for the right to read it, or give it to yourself with chmod"
    case .noClassFolders(let path):
      "\(path) holds no class folders; put the images of each class in a folder of their own in it"
    case .tooFewClasses(let path, let only):
      "\(path) has images of one class only, \"\(only)\"; a classifier needs two or more class folders"
    case .noImages(let path):
      "\(path) holds no images (PNG, JPEG, WebP or GIF); put some in each class folder"
    case .unclearLayout(let path, let reason, let advice): "\(path): \(reason); \(advice)"
    case .splitFolder(let split, let folder, let reason):
      "\(shellOption("--\(split.rawValue)", folder)): \(reason)"
    case .noDecodableImages(let path, let first):
      "none of the training images of \(path) can be decoded"
        + (first.map { " (first: \($0.path): \($0.reason))" } ?? "") + "; replace the broken files"
    case .unreadableRecords(let path, let reason): "\(path) \(reason)"
    case .invalidSplit(let split):
      "the split \(split.train)/\(split.validation)/\(split.test) is not valid; "
        + "give three percentages of 0 to 100 that add up to 100"
    case .invalidPreprocessing(let reason):
      "the preprocessing is not valid: \(reason)"
    case .cancelled(let path):
      "reading \(path) was cancelled"
    case .unreadableFile(let path, let reason):
      "\(path) cannot be read (\(reason)); check the name and its permissions"
    case .malformedLine(let file, let line, let reason):
      "\(file), line \(line): \(reason); correct the line or remove it"
    case .noListFolder(let path):
      "--split \(path): there is no such folder; name the folder of lists that 'skipline split --export' wrote, or give "
        + "percentages, such as 80/10/10"
    case .noLists(let path):
      "\(path) holds none of train.txt, val.txt and test.txt; give the folder that 'skipline split --export' wrote"
    case .foreignLists(let folder, let root, let first?):
      "\(folder)/\(first) is not an image of \(root), and no other line of the lists is one; give the lists of this dataset, "
        + "with paths below its folder, or rewrite them: skipline split DATA --export FOLDER"
    case .foreignLists(let folder, let root, nil):
      "the lists in \(folder) are empty: they name no image of \(root); rewrite them: skipline split DATA --export "
        + "FOLDER"
    case .invalidGroups(let rule, let reason): "\(shellOption("--group-by", rule)): \(reason)"
    case .noGroups(rule: "folder", let root, let first):
      "--group-by folder: no image of \(root) lies in a folder below its class folder"
        + (first.map { " (\($0), for one, does not)" } ?? "")
        + "; leave --group-by out, or give a pattern in the path"
    case .noGroups(let rule, let root, let first):
      "\(shellOption("--group-by", rule)): the pattern is found in the path of no image of \(root)"
        + (first.map { ", for one in \($0)" } ?? "") + "; correct it, or leave --group-by out"
    case .tooFewForFolds(let path, let count, let units, let areGroups):
      "\(path) has \(units) \(areGroups ? "groups of images" : "images") to divide into \(count) folds; ask for fewer "
        + "with --folds"
    case .unknownImage(let path, let root):
      "\(path) is not an image of \(root); give it as 'skipline check' names it, or as a path that lies in \(root)"
    case .noDecisions(let path, let folder):
      "no decisions about \(path) are kept; name one of the files in \(folder), or the folder in which the dataset lay"
    case .ownDecisions(let path):
      "\(path) stands for the decisions that are kept about this very dataset; take them back with 'skipline include' "
        + "and 'skipline relabel'"
    case .unknownClass(let name, let known):
      "there is no class \"\(name)\"; there are \(known.joined(separator: ", "))"
    }
  }
}
