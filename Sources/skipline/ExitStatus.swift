// How errors become exit statuses, by the conventions of sysexits.h.

import Datasets
import Files
import Engine
import Glibc
import Images
import Inspection
import MPIRanks
import Messages
import Networks
import Ranks
import Reports
import Resources
import Tensors
import Terminal
import Training
import Transport
import WeightFiles

/// What the program says to the shell.
enum ExitStatus: Int32 {
  case failure = 1
  case usage = 64
  case badData = 65
  case missingInput = 66
  case inputOutput = 74
  case inUse = 75

  /// nil for an error that is not ours, such as the argument parser's own.
  init?(of error: any Error) {
    switch error {
    case is SettingsError, is NetworkError, is ScheduleTextError, is UnknownKernels, is UnknownCommand,
      is TableRefusal, is ExportRefusal, is FeatureFileRefusal, is RecipeExists:
      self = .usage
    case DatasetError.notFound, DatasetError.noImagesThere, DatasetError.unknownImage, DatasetError.unreadableFile,
      DatasetError.noLists, DatasetError.noListFolder:
      self = .missingInput
    case is RunDataGone, is MissingImage: self = .missingInput
    case is LabelErrorRefusal, is CalibrationRefusal: self = .usage
    case is EvaluationRecordError, is NonFiniteOutputs: self = .badData
    case DatasetError.invalidSplit, DatasetError.splitFolder: self = .usage
    case DatasetError.ownDecisions, DatasetError.invalidGroups, DatasetError.noGroups, DatasetError.tooFewForFolds:
      self = .usage
    case DatasetError.noDecisions: self = .missingInput
    case is DataChangedError, is UnacceptedErrors, is UnreadParts: self = .badData
    case is DecisionsNotKept: self = .inputOutput
    case RecordExportError.noImages: self = .badData
    case RecordExportError.system: self = .inputOutput
    case is RecordExportError: self = .usage
    case is RecipeFileError, is SavedRecipeError: self = .badData
    // What is read may be right.
    case let error as WeightsFileError where error.isOfMemory: self = .failure
    case let error as FileOperationError where error.code == ENOMEM: self = .failure
    case is DatasetError, is DecodingFailure, is SafetensorsError, is WeightsFileError: self = .badData
    case CheckpointError.noCheckpoint: self = .missingInput
    case is CheckpointError: self = .badData
    case RunFolderError.missing: self = .missingInput
    case RunFolderError.unreadable, is RecordNotUsable: self = .badData
    case RunFolderError.inUse: self = .inUse
    case is RunFolderError: self = .usage
    case is NotPacked: self = .inputOutput
    case is MissingFolder, is NoLiveRun, is NoSampleData, is NoKeptEvaluation: self = .missingInput
    case let error as FileOperationError where error.isMissingInput: self = .missingInput
    case is FileOperationError: self = .inputOutput
    case TrainingError.notSaved, TrainingError.folderGone: self = .inputOutput
    case is MemoryShortage, is ResourceShortage, is TooFewFiles: self = .failure
    case is TrainingError, is TerminalFailure, is NoTerminal, is TransportError, is RunNotReached, is NoLogFolder,
      is TrialFailure, is NoRenderer, is RenderingFailure, is RanksRefusal, is MPILibraryError, is RankFailure:
      self = .failure
    default: return nil
    }
  }
}

extension FileOperationError {
  /// A file was to be read that is not there.
  fileprivate var isMissingInput: Bool { [.open, .read].contains(step) && code == ENOENT }
}
