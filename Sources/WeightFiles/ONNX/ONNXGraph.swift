// The graph of an ONNX file (github.com/onnx/onnx, onnx.proto): what is done with its arrays, in the file's order, which is
// one in which it can be done. It is read to find out what each array is for, and is never run.

/// Operations on named values.
public struct ONNXGraph: Sendable, Equatable {
  public struct Node: Sendable, Equatable {
    /// `Conv`, `Gemm`, `BatchNormalization`...; of another domain than ONNX's own with that before it.
    public var operation: String
    public var name: String
    /// Names of arrays, of the graph's inputs and of other nodes' outputs; empty for one that is left out.
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [String: Attribute]
  }

  public enum Attribute: Sendable, Equatable {
    case integer(Int)
    case integers([Int])
    case number(Float)
    case text(String)
    /// Tensors, graphs and lists of other things.
    case other
  }

  /// What goes in or comes out.
  public struct Port: Sendable, Equatable {
    public var name: String
    /// nil for an extent that is not fixed; empty where nothing is said.
    public var shape: [Int?]
  }

  public var nodes: [Node] = []
  /// Without those that are arrays of the file.
  public var inputs: [Port] = []
  public var outputs: [Port] = []
  /// Version of ONNX's own operations.
  public var operations = 0
  /// Arrays of indices that count up from zero.
  public var identities: Set<String> = []

  public init() {}
}

extension ONNXGraph.Node {
  /// An attribute's whole number, or what it is where it is left out.
  public func integer(_ name: String, default other: Int) -> Int {
    if case .integer(let value)? = attributes[name] { return value }
    return other
  }

  public func integers(_ name: String) -> [Int]? {
    if case .integers(let values)? = attributes[name] { return values }
    return nil
  }

  public func number(_ name: String, default other: Float) -> Float {
    if case .number(let value)? = attributes[name] { return value }
    return other
  }

  public func text(_ name: String) -> String? {
    if case .text(let value)? = attributes[name] { return value }
    return nil
  }
}
