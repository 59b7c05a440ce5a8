// A checkpoint: a network's weights with all that is needed to use them, and, in `last`, all that is needed to go on
// training. One self-contained safetensors file; what is not a tensor is JSON in its metadata.

import Datasets
import Files
import FoundationEssentials
import Messages
import Networks
import Tensors
import WeightFiles

/// What makes weights usable: which network, which classes, which input.
public struct ModelDescription: Codable, Sendable, Equatable {
  /// With every default filled in.
  public var network: NetworkSettings
  /// In the order of the labels.
  public var classes: [String]
  public var preprocessing: Preprocessing

  public init(network: NetworkSettings, classes: [String], preprocessing: Preprocessing) {
    self.network = network
    self.classes = classes
    self.preprocessing = preprocessing
  }

  /// Files may hold any number.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    network = try container.decode(NetworkSettings.self, forKey: .network)
    classes = try container.decode([String].self, forKey: .classes)
    preprocessing = try container.decode(Preprocessing.self, forKey: .preprocessing)
    do { try network.checkNumbers(at: "network") } catch {
      throw DecodingError.dataCorruptedError(forKey: .network, in: container, debugDescription: "\(error)")
    }
  }

  /// The plan of the described network.
  /// - Throws: `NetworkError`.
  public func plan() throws -> NetworkPlan {
    try NetworkPlan(network, imageSize: preprocessing.imageSize, classes: classes.count)
  }

  /// - Throws: `CheckpointError.doesNotFit` for classes that no dataset has: without a name, or two with one name.
  func validate(path: String) throws {
    if classes.contains("") || Set(classes).count != classes.count {
      throw CheckpointError.doesNotFit(
        path: path, reason: "its description has a class without a name, or two of one name; use another checkpoint"
      )
    }
  }
}

/// Writing and reading checkpoints.
public enum Checkpoint {
  private static let modelKey = "skipline.model"
  private static let stateKey = "skipline.training_state"
  private static let versionKey = "skipline.version"
  private static let formatKey = "skipline.format"
  /// The version of the description's layout: the only one that is written, and read.
  private static let currentFormat = "3"
  private static let kernelsKey = "skipline.kernels"

  /// Writes a checkpoint, atomically and checked.
  ///
  /// Without `resumable` the file's arrays are exactly a PyTorch `state_dict`; with it, the optimizer's state of each
  /// trained parameter follows under names such as `skipline.momentum.`, so that training can go on from it bit for bit;
  /// and under `skipline.trained.` the weights that are trained, where those of the network are others (see
  /// `SavedWeights`).
  /// - Throws: `FileOperationError`.
  public static func save(
    _ network: Network, _ model: ModelDescription, info: CheckpointInfo,
    resumable: (TrainingState, any Optimizer)? = nil
  ) throws {
    try contents(network, model, info: info, resumable: resumable).write()
  }

  /// What `save` writes, as a value that can be written later.
  static func contents(
    _ network: Network, _ model: ModelDescription, info: CheckpointInfo,
    resumable: (TrainingState, any Optimizer)? = nil, trained: NetworkWeights? = nil
  ) throws -> CheckpointContents {
    var arrays = network.stateArrays()
    var metadata = info.metadata.merging(try describing(model)) { $1 }
    if let (state, optimizer) = resumable {
      metadata[stateKey] = try json(state)
      metadata[kernelsKey] = Kernels.description
      for part in optimizer.state {
        for (parameter, tensor) in zip(network.trainedParameters, part.tensors) {
          arrays.append(
            NamedArray(
              name: name(of: part, parameter), shape: parameter.fileShape, floats: parameter.fileOrder(tensor)))
        }
      }
      if let trained {
        for (parameter, tensor) in zip(network.parameters, trained.parameters) {
          arrays.append(
            NamedArray(
              name: trainedPrefix + parameter.name, shape: parameter.fileShape, floats: parameter.fileOrder(tensor))
          )
        }
        for (buffer, tensor) in zip(network.buffers, trained.buffers) {
          arrays.append(
            NamedArray(name: trainedPrefix + buffer.name, shape: tensor.shape, floats: tensor.values))
        }
      }
    }
    return CheckpointContents(info: info, arrays: arrays, metadata: metadata)
  }

  /// The metadata of every checkpoint.
  static func describing(_ model: ModelDescription) throws -> [String: String] {
    [
      "format": "pt", versionKey: Skipline.version, formatKey: currentFormat, modelKey: try json(model),
    ]
  }

  /// A checkpoint's network, ready to use.
  ///
  /// Names and shapes are compared before any weight is read or made: a description costs no more than its file has.
  /// - Parameter pool: whose threads put weights in order; nil for the caller's alone.
  /// - Throws: `CheckpointError`, `SafetensorsError`, `WeightsFileError` or `NetworkError`.
  public static func load(path: String, _ pool: ThreadPool? = nil) throws -> LoadedModel {
    let outline = try WeightsFile.outline(of: path)
    guard let model = try model(outline) else { throw CheckpointError.noDescription(path: path) }
    return try load(outline, as: model, network: "the network it describes", pool)
  }

  /// The same, or with the weights that are trained where the file has their average in the network's place.
  /// - Throws: also `CheckpointError.doesNotFit` for a file that has no others than the network's own.
  public static func load(path: String, trained: Bool) throws -> LoadedModel {
    let model = try load(path: path)
    guard trained else { return model }
    let contents = try Safetensors.read(path: path)
    guard contents.names.contains(where: { $0.hasPrefix(trainedPrefix) }) else {
      throw CheckpointError.doesNotFit(
        path: path,
        reason:
          "it has one set of weights; only 'last' of a run with --ema or --lookahead has those that were trained "
          + "beside their average")
    }
    try trainedWeights(in: contents, of: model.network, areExpected: true)?.put(into: model.network)
    return model
  }

  /// The network of a file without our description, in any format that `WeightsFile` reads, described by the caller.
  /// - Throws: as `load(path:)`.
  public static func load(
    path: String, as model: ModelDescription, _ pool: ThreadPool? = nil
  ) throws -> LoadedModel {
    try load(try WeightsFile.outline(of: path), as: model, network: "the network", pool)
  }

  private static func load(
    _ outline: WeightsOutline, as model: ModelDescription, network: String, _ pool: ThreadPool?
  ) throws -> LoadedModel {
    let plan = try model.plan()
    let placement = try GraphPlacement(plan, outline)
    let fit = try StateFit(plan, placement?.outline ?? outline, network: network)
    var contents = try WeightsFile.read(outline.path)
    if let placement { contents = try placement.contents(contents) }
    let record = try QuantizationRecord(outline)
    var scales: [String: [Float]] = [:]
    if let record { (contents, scales) = try record.restored(contents) }
    let network = try Network(plan, contents, fit, pool)
    let info = CheckpointInfo(path: outline.path, metadata: outline.metadata)
    return LoadedModel(
      path: outline.path, description: model, network: network, checksum: contents.checksum,
      epoch: info?.epoch, weights: info?.weights, notes: contents.outline.notes + (record.map { [$0.text] } ?? []),
      quantization: try record?.quantization(of: network, scales, path: outline.path), record: record)
  }

  /// The description in a checkpoint, without its weights; nil for a file of another program.
  /// - Throws: `CheckpointError.doesNotFit` for one that makes no sense, or `SafetensorsError`.
  public static func model(path: String) throws -> ModelDescription? {
    try model(WeightsFile.outline(of: path))
  }

  /// What is to be told of how another program's file is read, a sentence each.
  /// - Throws: as `load(path:as:)`.
  static func notes(path: String, as model: ModelDescription?) throws -> [String] {
    let outline = try WeightsFile.outline(of: path)
    if let record = try QuantizationRecord(outline) { return [record.text] }
    guard outline.graph != nil, let plan = try model?.plan() else { return outline.notes }
    return try GraphPlacement(plan, outline)?.outline.notes ?? outline.notes
  }

  static func model(_ outline: WeightsOutline) throws -> ModelDescription? {
    guard let text = outline.metadata[modelKey] else { return nil }
    guard outline.metadata[formatKey] == currentFormat else {
      throw CheckpointError.doesNotFit(
        path: outline.path,
        reason: "another version of Skipline (\(outline.metadata[versionKey] ?? "unknown")) wrote it, in format "
          + "\(outline.metadata[formatKey] ?? "1"), and this version reads format \(currentFormat) only; use that "
          + "version, or train again")
    }
    let model = try decode(ModelDescription.self, text, outline.path)
    try model.validate(path: outline.path)
    return model
  }

  /// Where training stood when a `last` checkpoint was saved, from its header alone.
  /// - Throws: `CheckpointError.notResumable` for one without, or `SafetensorsError`.
  public static func trainingState(path: String) throws -> TrainingState {
    try trainingState(try Safetensors.readMetadata(path: path), path)
  }

  /// What computed the state in a `last` checkpoint; nil for one that does not say.
  static func kernels(path: String) throws -> String? { try Safetensors.readMetadata(path: path)[kernelsKey] }

  private static func trainingState(_ metadata: [String: String], _ path: String) throws -> TrainingState {
    guard let text = metadata[stateKey] else { throw CheckpointError.notResumable(path: path) }
    let state = try decode(TrainingState.self, text, path)
    do { try state.checkNumbers() } catch {
      throw CheckpointError.doesNotFit(path: path, reason: "its training state has \(error)")
    }
    return state
  }

  /// Restores network and optimizer from a `last` checkpoint. The network freezes what it froze when that was saved, and
  /// the optimizer was made for what it trains.
  /// - Returns: where training stood.
  /// - Throws: `CheckpointError` or `SafetensorsError`; network and optimizer are then unchanged.
  public static func resume(
    path: String, network: Network, optimizer: inout some Optimizer
  ) throws -> TrainingState {
    var none: WeightAverage?
    return try resume(path: path, network: network, optimizer: &optimizer, average: &none)
  }

  /// The same with an average of the weights, where there is one.
  static func resume(
    path: String, network: Network, optimizer: inout some Optimizer, average: inout WeightAverage?
  ) throws -> TrainingState {
    let contents = try Safetensors.read(path: path)
    let state = try trainingState(contents.metadata, path)
    var restored = optimizer.state
    for index in restored.indices {
      restored[index].tensors = try network.trainedParameters.map { parameter in
        let name = name(of: restored[index], parameter)
        guard contents.shape(of: name) == parameter.fileShape else {
          throw CheckpointError.doesNotFit(
            path: path,
            reason: "the \(restored[index].name) of '\(parameter.name)' is not in it; start a new run from it with "
              + "--weights")
        }
        let values = try contents.floats(name)
        try StoredState.check(values, name: name, isVariance: false, path: path)
        return parameter.innerOrder(values)
      }
    }
    let isApart = average != nil || optimizer.evaluated != nil
    let trained = try trainedWeights(in: contents, of: network, areExpected: isApart)
    try network.loadState(contents)
    average?.set(NetworkWeights(of: network))
    trained?.put(into: network)
    optimizer.state = restored
    return state
  }

  private static let trainedPrefix = FileArrays.ownPrefix + "trained."

  /// The weights that are trained, where the file has others in the network's place.
  private static func trainedWeights(
    in contents: WeightsContents, of network: Network, areExpected: Bool
  ) throws -> NetworkWeights? {
    guard areExpected else {
      guard let name = contents.names.first(where: { $0.hasPrefix(trainedPrefix) }) else { return nil }
      throw CheckpointError.doesNotFit(
        path: contents.path,
        reason:
          "it has '\(name)', of a run with --ema or --lookahead, which this one is not; start a new run from it "
          + "with --weights")
    }
    func floats(_ own: String, _ shape: [Int]) throws -> [Float] {
      let name = trainedPrefix + own
      guard contents.shape(of: name) == shape else {
        throw CheckpointError.doesNotFit(
          path: contents.path, reason: "'\(name)' is not in it; start a new run from it with --weights")
      }
      let values = try contents.floats(name)
      try StoredState.check(values, name: name, isVariance: name.hasSuffix(".running_var"), path: contents.path)
      return values
    }
    var weights = NetworkWeights(of: network)
    weights.parameters = try network.parameters.map { $0.innerOrder(try floats($0.name, $0.fileShape)) }
    weights.buffers = try network.buffers.map { Tensor($0.value.shape, try floats($0.name, $0.value.shape)) }
    return weights
  }

  private static func name(of part: OptimizerState, _ parameter: Parameter) -> String {
    "\(FileArrays.ownPrefix)\(part.name).\(parameter.name)"
  }

  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String, _ path: String) throws -> Value {
    do {
      return try RunJSON.decode(type, from: Data(text.utf8))
    } catch let error as DecodingError {
      throw CheckpointError.doesNotFit(
        path: path, reason: "its description cannot be read: \(RunJSON.reason(error)); use another checkpoint")
    }
  }
}

/// A checkpoint that is made and not written yet.
struct CheckpointContents {
  private(set) var info: CheckpointInfo
  let arrays: [NamedArray]
  let metadata: [String: String]

  func moved(to path: String) -> CheckpointContents {
    var moved = self
    moved.info.path = path
    return moved
  }

  /// - Throws: `FileOperationError`.
  func write(calls: FileCalls = .system) throws {
    try Safetensors.write(arrays, metadata: metadata, to: info.path, calls: calls)
  }
}

/// A network with weights from a file, and what the file says about it. Not `Sendable`, like the network.
public struct LoadedModel {
  public let path: String
  public let description: ModelDescription
  public let network: Network
  /// Of the file: `crc32c:` and eight hexadecimal digits; empty for a network that is from none.
  public var checksum = ""
  /// Epochs that it was trained for, where its file tells.
  public var epoch: Int?
  /// What its weights are; nil for those that were trained.
  public var weights: SavedWeights?
  /// What is to be told of how another program's file was read, a sentence each.
  public var notes: [String] = []

  /// Of a quantized checkpoint: what is computed in bytes, and how it was made. `network` then has the weights that the
  /// bytes stand for.
  public var quantization: Quantization?
  public var record: QuantizationRecord?

  /// The network for inference, with the weights of now.
  /// - Parameter precision: one that `InferencePrecision.resolved` gave; nil for what its weights are of.
  public func inference(
    in precision: InferencePrecision? = nil, isForOneBatch: Bool = false
  ) -> InferenceNetwork {
    InferenceNetwork(
      network, convolutions: (precision ?? .fp32).convolutions, quantization: quantization,
      isForOneBatch: isForOneBatch)
  }

  /// What its weights are of.
  public var precision: InferencePrecision { quantization == nil ? .fp32 : .int8 }
}

/// A file of weights that cannot be used as asked.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  case noDescription(path: String)
  /// The reason says what to do.
  case doesNotFit(path: String, reason: String)
  /// An array has a value that no network computes with.
  case badValue(path: String, array: String, what: String)
  case notResumable(path: String)
  case noCheckpoint(run: String)
  /// A run's checkpoint is damaged or gone. `alternative` is the newest other one of the run that is whole.
  case lost(path: String, reason: String, alternative: CheckpointInfo?)

  public var description: String {
    switch self {
    case .noDescription(let path):
      "\(path) does not say which network it is; name it with --net, --imgsz and --classes, or --data for its classes"
    case .doesNotFit(let path, let reason): "\(path) does not fit: \(reason)"
    case .badValue(let path, let array, let what):
      "\(path) cannot be used: '\(array)' \(what); use another checkpoint"
    case .notResumable(let path):
      "\(path) holds weights only, no training to go on with; resume from the run's last.safetensors, or start a "
        + "new run from it with --weights"
    case .noCheckpoint(let run):
      "\(run) has no checkpoint yet; train it first, or name a .safetensors file"
    case .lost(_, let reason, let alternative?):
      "\(reason). The newest whole checkpoint of this run is \(alternative.path) (epoch \(alternative.epoch), step "
        + "\(alternative.step)): evaluate it, or start a new run from it with --weights \(alternative.path)"
    case .lost(_, let reason, nil):
      "\(reason). This run has no other whole checkpoint; restore the file from a copy, or start a new run"
    }
  }
}
