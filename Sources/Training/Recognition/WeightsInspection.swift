// A file of weights looked at: what it is, which network its arrays are of, what it says of itself, and the numbers of
// each array. Nothing is refused here that can be shown: what training and evaluation would refuse is named.

import Datasets
import Files
import FoundationEssentials
import Messages
import Networks
import WeightFiles

/// What is in a file of weights.
public struct WeightsInspection: Codable, Sendable, Equatable {
  /// An array and its numbers; norm and bounds are of those that are finite.
  public struct Array: Codable, Sendable, Equatable {
    public var name: String
    public var shape: [Int]
    /// The element type, as the format calls it.
    public var type: String
    /// What a network here calls it; nil where it has none, or none was recognized.
    public var own: String?
    /// Euclidean; nil for types whose numbers are not read, and where none is finite.
    public var norm: Double?
    public var minimum: Double?
    public var maximum: Double?
    public var nan: Int
    public var infinite: Int

    public var count: Int { shape.contains(0) ? 0 : shape.reduce(1, *) }
  }

  public struct Network: Codable, Sendable, Equatable {
    public var name: String
    /// `--stem large --width 0.5`
    public var options: [String]
    /// nil where the file has no classifier.
    public var classes: Int?
    /// Other options with which the network has the same arrays.
    public var alternatives: [String]
    /// How names were read, where they are not as here.
    public var names: String?
    /// Whether the file says so itself, rather than its arrays.
    public var isDescribed: Bool
  }

  public var path: String
  /// As a person calls it: `safetensors`.
  public var format: String
  public var bytes: Int
  public var network: Network?
  /// Why no network was recognized, or why the file does not fit the one that it describes.
  public var mismatch: String?
  /// Where the file names them.
  public var classes: [String]?
  /// Where the file says it.
  public var preprocessing: Preprocessing?
  public var metadata: [String: String]
  /// Sorted by name.
  public var arrays: [Array]

  /// Arrays that neither training nor evaluation takes, for numbers that are none.
  public var unusable: [Array] { arrays.filter { $0.nan + $0.infinite > 0 } }

  /// Reads the whole file.
  /// - Parameter name: a run's folder, which stands for its best checkpoint, or a file.
  /// - Throws: what finding and reading it throws: `RunFolderError`, `SafetensorsError`, `FileOperationError`.
  public init(_ name: String) throws {
    let path = try CheckpointLocation(name).path
    let contents = try WeightsFile.read(path)
    let outline = contents.outline
    self.path = path
    format = outline.format.name
    bytes = try InputFile(path: outline.path).size
    metadata = outline.metadata
    var own: [String: String] = [:]
    do {
      if let model = try Checkpoint.model(outline) {
        classes = model.classes
        preprocessing = model.preprocessing
        let plan = try model.plan()
        network = Network(
          name: plan.settings.name, options: model.network.optionWords, classes: model.classes.count,
          alternatives: [],
          names: nil, isDescribed: true)
        own = try StateFit(plan, outline, network: "the network it describes").stored
      } else {
        let found = try outline.network(NetworkRequest())
        network = Network(
          name: found.settings.name, options: found.settings.optionWords, classes: found.classes,
          alternatives: found.twins, names: found.readingText, isDescribed: false)
        own = found.comparison.stored
      }
    } catch CheckpointError.doesNotFit(_, let reason) {
      mismatch = reason
    } catch let error as NetworkError {
      mismatch = "\(error)"
    }
    let here = Dictionary(own.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    arrays = try outline.names.map { try Array($0, contents, own: here[$0]) }
  }
}

extension WeightsInspection.Array {
  /// - Throws: `WeightsFileError` where there is no memory for it.
  fileprivate init(_ name: String, _ contents: WeightsContents, own: String?) throws {
    let outline = contents.outline
    func numbers<Number>(_ read: (String) throws -> [Number]) throws -> [Number]? {
      do { return try read(name) } catch let error as WeightsFileError {
        guard case .unsupportedDType = error.fault else { throw error }
        return nil
      }
    }
    if let floats = try numbers(contents.floats) {
      self.init(name, outline, numbers: floats.lazy.map(Double.init), own: own)
    } else if let integers = try numbers(contents.integers) {
      self.init(name, outline, numbers: integers.lazy.map(Double.init), own: own)
    } else {
      self.init(name, outline, numbers: EmptyCollection(), own: own)
    }
  }

  /// - Parameter numbers: none of an element type that is not read.
  private init(_ name: String, _ outline: WeightsOutline, numbers: some Sequence<Double>, own: String?) {
    self.name = name
    self.own = own
    shape = outline.shape(of: name) ?? []
    type = outline.dtype(of: name)?.rawValue ?? ""
    (nan, infinite) = (0, 0)
    var squares = 0.0
    for number in numbers {
      if number.isNaN {
        nan += 1
      } else if number.isInfinite {
        infinite += 1
      } else {
        squares += number * number
        minimum = Swift.min(minimum ?? number, number)
        maximum = Swift.max(maximum ?? number, number)
      }
    }
    norm = minimum == nil ? nil : squares.squareRoot()
  }
}
