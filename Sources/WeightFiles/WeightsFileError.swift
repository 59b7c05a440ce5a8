// What can be wrong with a file of weights, whatever its format; what only a safetensors file can have is in
// SafetensorsError.swift.

import Files

/// A file of weights that was refused.
public struct WeightsFileError: Error, Equatable, Sendable, CustomStringConvertible {
  public var path: String
  public var fault: Fault

  public enum Fault: Error, Equatable, Sendable {
    case noSuchArray(String)
    /// The array's element type cannot be read as the kind of number asked for.
    case unsupportedDType(array: String, dtype: ElementType)
    /// Not as its format prescribes: what is wrong, and with which format.
    case malformed(String, WeightsFormat)
    /// A pickle asks for something that is neither a tensor nor plain data, `module.name`. It was not executed.
    case refusedObject(String)
    /// More numbers than a file of its size may hold.
    case tooLarge(String, limit: Int)
    /// The machine, or a limit, has none for so many bytes of what is in the file.
    case noMemory(bytes: Int)
    /// It can be read, and has no weights, or several sets of them. The text says what to do.
    case unfit(String)
  }

  public init(path: String, fault: Fault) {
    self.path = path
    self.fault = fault
  }

  public var description: String { "\(path): \(fault.text(path: path))" }

  /// Whether nothing is wrong with the file.
  public var isOfMemory: Bool { if case .noMemory = fault { true } else { false } }
}

extension WeightsFileError.Fault {
  fileprivate func text(path: String) -> String {
    switch self {
    case .noSuchArray(let name):
      return "has no array \"\(name)\"; check that it belongs to this network"
    case .unsupportedDType(let array, let dtype):
      return "array \"\(array)\" has the element type \(dtype.rawValue), which is not read here; convert it to F32"
    case .malformed(let what, let format):
      return "not a whole file of weights (\(format.name)): \(what); get it again or use another checkpoint"
    case .refusedObject(let name):
      return PickledObjects.advice(name, path: path)
    case .tooLarge(let what, let limit):
      return "\(what), and a file of its size may hold \(limit) bytes of numbers; no weights are like that, use "
        + "another file"
    case .noMemory(let bytes):
      return "there is no memory for the \(bytesText(bytes)) of an array; close other programs or raise the limit "
        + "on memory (ulimit -v)"
    case .unfit(let what): return what
    }
  }
}
