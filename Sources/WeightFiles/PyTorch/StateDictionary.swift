// Which of what torch.save was given are the network's arrays: a state_dict itself, or one among a checkpoint's other
// values under one of the names that training programs use.

/// The arrays in a pickled value.
struct StateDictionary {
  private(set) var arrays: [String: PickledTensor] = [:]
  /// Plain values that lie beside the arrays, such as an epoch.
  private(set) var metadata: [String: String] = [:]
  private(set) var notes: [String] = []

  /// In the order in which they are looked for: the trained weights come before an average of them.
  private static let networks = [
    "state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params", "model_state",
    "net_state_dict", "backbone", "encoder", "teacher", "student",
    "state_dict_ema", "model_ema", "ema", "ema_state_dict", "model_ema_state_dict", "ema_model", "params_ema",
    "shadow",
  ]

  /// What training programs keep beside the network, by words of the names.
  private static let others = ["optim", "sched", "scaler", "loss", "criterion", "callback", "loop", "amp"]

  private static let mostArrays = 200_000
  /// Of values and of texts in them that are told of a checkpoint.
  private static let (mostValues, longestText) = (64, 256)

  /// - Throws: `WeightsFileError.Fault`.
  init(_ root: PickleValue, _ machine: PickleMachine, _ format: WeightsFormat) throws {
    guard let found = try Self.find(root, machine, depth: 0) else { throw Self.nothing(root) }
    var skipped: [String] = []
    for (key, value) in machine.dictionaries[found.dictionary] {
      guard case .text(let name) = key else { continue }
      switch value {
      case .tensor(let number):
        guard arrays.updateValue(machine.tensors[number], forKey: name) == nil else {
          throw WeightsFileError.Fault.malformed("two arrays are named \"\(name)\"", format)
        }
      case .opaque(let what) where what.hasSuffix("tensor") || what.contains("device meta"):
        throw WeightsFileError.Fault.unfit(
          "\"\(name)\" is \(what), which is not read here; save the network's ordinary weights")
      default: skipped.append(name)
      }
    }
    guard arrays.count <= Self.mostArrays else {
      throw WeightsFileError.Fault.malformed("it has \(arrays.count) arrays", format)
    }
    if !found.place.isEmpty { notes.append("the arrays under '\(found.place)' are taken") }
    if !found.passedOver.isEmpty {
      notes.append("those under \(Self.listed(found.passedOver)) are not")
    }
    if !skipped.isEmpty {
      notes.append("\(Self.listed(skipped)) beside the arrays is no tensor and was passed over")
    }
    if case .dictionary(let number) = root, number != found.dictionary {
      for (key, value) in machine.dictionaries[number].prefix(10 * Self.mostValues) {
        guard case .text(let name) = key, metadata.count < Self.mostValues, !name.hasPrefix("skipline."),
          name.utf8.count <= Self.longestText, let text = Self.text(value)
        else { continue }
        metadata[name] = text
      }
    }
  }

  private struct Found {
    var dictionary: Int
    /// The names that lead to it, joined by dots.
    var place: String
    /// Other networks beside it.
    var passedOver: [String]
  }

  private static func find(_ value: PickleValue, _ machine: PickleMachine, depth: Int) throws -> Found? {
    guard depth < 4 else { return nil }
    switch value {
    case .dictionary(let number):
      let pairs = machine.dictionaries[number]
      var inner: [String: PickleValue] = [:]
      var isState = false
      for (key, value) in pairs {
        guard case .text(let name) = key else { continue }
        switch value {
        case .dictionary, .sequence: inner[name] = value
        case .tensor: isState = true
        default: break
        }
      }
      var found: [(name: String, found: Found)] = []
      for name in networks {
        if let value = inner[name], let there = try find(value, machine, depth: depth + 1) {
          found.append((name, there))
        }
      }
      if found.isEmpty, isState { return Found(dictionary: number, place: "", passedOver: []) }
      if found.isEmpty {
        for (name, value) in inner.sorted(by: { $0.key < $1.key }) where !isOther(name) {
          if let there = try find(value, machine, depth: depth + 1) { found.append((name, there)) }
        }
        if found.count > 1 {
          throw WeightsFileError.Fault.unfit(
            "it holds several sets of arrays, under \(listed(found.map(\.name))); save the one that is meant by itself, "
              + "with torch.save")
        }
      }
      guard let (name, first) = found.first else { return nil }
      return Found(
        dictionary: first.dictionary, place: first.place.isEmpty ? name : "\(name).\(first.place)",
        passedOver: first.passedOver + found.dropFirst().map(\.name))
    case .sequence(let number):
      // A pair of weights and something else, as old training programs saved it.
      let items = machine.sequences[number]
      guard items.count <= 8 else { return nil }
      let found = try items.compactMap { try find($0, machine, depth: depth + 1) }
      return found.count == 1 ? found[0] : nil
    default: return nil
    }
  }

  private static func isOther(_ name: String) -> Bool {
    let name = name.lowercased()
    return others.contains { name.contains($0) }
  }

  private static func nothing(_ root: PickleValue) -> WeightsFileError.Fault {
    let what =
      switch root {
      case .tensor: "a single tensor"
      case .dictionary, .sequence: "no dictionary of named tensors"
      case .opaque(let name), .global(let name): "\(name) and no tensors"
      default: "a plain value"
      }
    return .unfit("it holds \(what), no weights of a network; save the network's state_dict() with torch.save")
  }

  private static func text(_ value: PickleValue) -> String? {
    switch value {
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .text(let text): text.utf8.count <= longestText ? text : nil
    default: nil
    }
  }

  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}
