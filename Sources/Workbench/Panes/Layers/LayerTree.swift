// A network as lines that fold: its stages, their blocks, the layers in these with their branches. A layer is what learns,
// together with the norm and the activation behind it. Nothing here knows any figures.

import Messages

/// One line of the tree.
struct LayerLine: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    /// Something that learns, with what belongs to it.
    case layer
    /// Where branches come together; for a sum, how large they are is told.
    case join
    case block
    case stage
  }

  /// A piece of the drawing at the left.
  enum Rail: Sendable, Equatable {
    case blank, line, fork, corner, split, joint, folded, unfolded
  }

  var kind: Kind
  /// By which it is folded; empty for a line that hides nothing.
  var id = ""
  /// Rows of the network's summary that it stands for, in order; the first of a layer is what learns.
  var rows: [Int]
  var rails: [Rail]
  var title: String
  /// Kernel, or what is in it.
  var detail = ""
}

/// Puts the rows of a network together.
struct LayerTree {
  private let layers: [LayerRow]
  private let isUnfolded: (_ id: String, _ kind: LayerLine.Kind) -> Bool
  private(set) var lines: [LayerLine] = []

  /// Trees of so few lines have their stages unfolded.
  static let shortTree = 18

  /// - Parameter toggled: stages and blocks that are not as they are at first: stages of small networks unfolded, all else
  ///   folded.
  init(_ network: NetworkSummary, toggled: Set<String>) {
    layers = network.layers
    let entries = Self.entries(network.layers)
    let length = entries.reduce(0) { $0 + $1.length }
    isUnfolded = { id, kind in
      (kind == .stage && length <= Self.shortTree) != toggled.contains(id)
    }
    for entry in entries {
      switch entry {
      case .layers(let rows): lines += units(rows).compactMap { line(of: $0, in: nil, rails: [.blank]) }
      case .block(let block): add(block, in: nil, isLast: true)
      case .stage(let name, let blocks): add(stage: name, blocks)
      }
    }
  }

  // MARK: Parts

  private struct Block {
    var name: String
    var rows: [Int]
  }

  private enum Entry {
    case layers([Int])
    case block(Block)
    case stage(String, [Block])

    /// Lines, with stages unfolded and blocks folded.
    var length: Int {
      switch self {
      case .layers, .block: 1
      case .stage(_, let blocks): 1 + blocks.count
      }
    }
  }

  private static func entries(_ layers: [LayerRow]) -> [Entry] {
    let names = blockNames(layers)
    var entries: [Entry] = []
    var start = 0
    while start < layers.count {
      let end = (start..<layers.count).first { names[$0] != names[start] } ?? layers.count
      let rows = Array(start..<end)
      start = end
      guard let name = names[rows[0]] else {
        // What has nothing to tell stands between no blocks.
        if rows.contains(where: { layers[$0].isTold }) { entries.append(.layers(rows)) }
        continue
      }
      let block = Block(name: name, rows: rows)
      guard let stage = stage(of: name) else {
        entries.append(.block(block))
        continue
      }
      if case .stage(stage, let blocks)? = entries.last {
        entries[entries.count - 1] = .stage(stage, blocks + [block])
      } else {
        entries.append(.stage(stage, [block]))
      }
    }
    return entries.map { entry -> Entry in
      if case .stage(_, let blocks) = entry, blocks.count == 1 { .block(blocks[0]) } else { entry }
    }
  }

  /// `layer1` of `layer1.0`.
  private static func stage(of block: String) -> String? {
    block.lastIndex(of: ".").map { String(block[..<$0]) }
  }

  /// Of each row the block that it is in; a plain network's are told by the names of its layers, `layer1.0.conv1`.
  private static func blockNames(_ layers: [LayerRow]) -> [String?] {
    var names: [String?] = []
    for (row, layer) in layers.enumerated() {
      if let block = layer.block {
        names.append(block)
      } else if layer.belongsToLayerBefore, !layer.name.contains("."), let before = row > 0 ? names[row - 1] : nil,
        layer.inputs == [row], layers[row - 1].block == nil
      {
        names.append(before)
      } else {
        let parts = layer.name.split(separator: ".")
        let isNumbered = parts.count > 2 && parts[1].allSatisfy(\.isNumber)
        names.append(isNumbered ? parts.prefix(2).joined(separator: ".") : nil)
      }
    }
    return names
  }

  /// Rows that belong together: what learns or joins, and what only it is read by.
  private func units(_ rows: [Int]) -> [[Int]] {
    var units: [[Int]] = []
    for row in rows {
      let layer = layers[row]
      if layer.belongsToLayerBefore, layer.inputs.count == 1,
        let place = units.lastIndex(where: { $0.last.map { $0 + 1 } == layer.inputs[0] })
      {
        units[place].append(row)
      } else if layer.isTold {
        units.append([row])
      }
    }
    return units
  }

  // MARK: Lines

  private mutating func add(stage name: String, _ blocks: [Block]) {
    let isOpen = isUnfolded(name, .stage)
    let rows = blocks.flatMap(\.rows)
    let strides = blocks.first.map { halves($0) } == true ? " /2" : ""
    lines.append(
      LayerLine(
        kind: .stage, id: name, rows: rows, rails: [isOpen ? .unfolded : .folded], title: name,
        detail: "\(blocks.count) blocks\(strides)"))
    guard isOpen else { return }
    for (place, block) in blocks.enumerated() { add(block, in: name, isLast: place == blocks.count - 1) }
  }

  /// Whether the map is smaller behind it.
  private func halves(_ block: Block) -> Bool {
    guard let first = block.rows.first, let last = block.rows.last, let input = layers[first].inputs.first,
      input > 0, input <= layers.count
    else { return false }
    return layers[last].output.height < layers[input - 1].output.height
  }

  private mutating func add(_ block: Block, in stage: String?, isLast: Bool) {
    let isOpen = isUnfolded(block.name, .block)
    let units = units(block.rows)
    let branches = branches(of: block)
    let own = stage.map { String(block.name.dropFirst($0.count)) } ?? block.name
    let body = units.filter { layers[$0[0]].isLearned && (branches[$0[0]] ?? 0) == 0 }
    let names = body.map { shortName(of: layers[$0[0]], in: block.name) }
    let isJoined = units.contains { layers[$0[0]].isJoin }
    let rails: [LayerLine.Rail] =
      stage == nil
      ? [isOpen ? .unfolded : .folded] : [isLast && !isOpen ? .corner : .fork, isOpen ? .split : .folded]
    lines.append(
      LayerLine(
        kind: .block, id: block.name, rows: block.rows, rails: rails, title: own,
        detail: names.joined(separator: "·") + (isJoined ? " +" : "")))
    guard isOpen else { return }
    // The line that goes on beside the block, to the next one and to the sum.
    let trunk: LayerLine.Rail = isJoined || !isLast ? .line : .blank
    var begun: Set<Int> = []
    let last = branches.values.max() ?? 0
    for unit in units {
      let row = unit[0]
      if layers[row].isJoin {
        if let line = line(of: unit, in: block.name, rails: [isLast || stage == nil ? .corner : .fork, .joint]) {
          lines.append(line)
        }
        continue
      }
      let branch = branches[row]
      let rail: LayerLine.Rail
      if let branch, branch >= 0 {
        let isFirst = begun.insert(branch).inserted
        rail = branch == last && branch > 0 ? (isFirst ? .corner : .blank) : isFirst ? .fork : .line
      } else {
        rail = .blank
      }
      if let line = line(of: unit, in: block.name, rails: [trunk, rail]) { lines.append(line) }
    }
  }

  private func line(of unit: [Int], in block: String?, rails: [LayerLine.Rail]) -> LayerLine? {
    guard let first = unit.first else { return nil }
    let layer = layers[first]
    return LayerLine(
      kind: layer.isJoin ? .join : .layer, rows: unit, rails: rails,
      title: layer.isJoin ? "" : shortName(of: layer, in: block),
      detail: layer.kernel ?? (layer.isJoin || layer.kind == .convolution ? "" : layer.kind.rawValue))
  }

  private func shortName(of layer: LayerRow, in block: String?) -> String {
    guard let block, layer.name.hasPrefix(block + ".") else { return layer.name }
    return String(layer.name.dropFirst(block.count + 1))
  }

  /// Of each row of a block that is on one of its branches alone, which: from 0, in the order in which they are joined.
  private func branches(of block: Block) -> [Int: Int] {
    guard let join = block.rows.last(where: { layers[$0].isJoin }), let first = block.rows.first else { return [:] }
    var seen: [Int: [Int]] = [:]
    for (branch, input) in layers[join].inputs.enumerated() {
      var value = input
      while value > first, value <= layers.count {
        seen[value - 1, default: []].append(branch)
        guard let before = layers[value - 1].inputs.first else { break }
        value = before
      }
    }
    return seen.compactMapValues { $0.count == 1 ? $0[0] : nil }
  }
}

extension LayerRow {
  /// Whether it goes on with what the layer before it made.
  fileprivate var belongsToLayerBefore: Bool { [.batchNorm, .relu, .tanh].contains(kind) }
  fileprivate var isJoin: Bool { [.addition, .concatenation].contains(kind) }
  /// Whether it has weights of more than a scale and a shift.
  var isLearned: Bool { parameters > 0 && kind != .batchNorm }
  fileprivate var isTold: Bool { parameters > 0 || isJoin }
}
