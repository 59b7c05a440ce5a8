// What a file is that was named as weights and is no safetensors file: told by its bytes, so that the advice is for
// what it is. Nothing of it is parsed further than it takes to name it, and nothing of it is ever executed.

import Files
import Images

/// A kind of file that people have weights in, or take for weights.
public enum WeightsFileKind: Sendable, Equatable, CaseIterable {
  /// A zip archive as `torch.save` writes since PyTorch 1.6.
  case pyTorch
  /// A pickle as `torch.save` wrote before.
  case oldPyTorch
  case torchScript
  /// A zip archive with a graph and its weights, as `torch.export.save` writes.
  case torchExport
  case executorch
  case onnx
  case kerasHDF5
  case kerasArchive
  case hdf5
  case tensorFlowCheckpoint
  case tensorFlowGraph
  case tensorFlowLite
  case numPyArchive
  case numPyArray
  case coreML
  case gguf
  case mxnet
  case flax
  case scikitLearn
  case pickle
  /// `model.safetensors.index.json`: which file of several each array is in.
  case safetensorsIndex
  case runRecord
  case json
  case gitLFSPointer
  case webPage
  case image
  case archive
  case compressed
  case zeros
  case text

  /// - Returns: nil where the bytes are of no kind that is known, and where they cannot be read.
  init?(of file: InputFile) {
    let (headLimit, tailLimit) = (64 << 10, 256 << 10)
    guard let head = try? file.read(upTo: headLimit),
      let tail = try? file.read(upTo: tailLimit, at: max(0, file.size - tailLimit))
    else { return nil }
    self.init(head: head, tail: tail, name: file.path)
  }

  /// - Parameters:
  ///   - head: a file's first bytes.
  ///   - tail: its last ones; both are the whole of a small file.
  ///   - name: of the file: some formats write parts that only their names tell.
  package init?(head: [UInt8], tail: [UInt8], name: String = "") {
    guard !head.isEmpty else { return nil }
    if let kind = Self.byMagic(head, tail) ?? Self.byText(head) ?? Self.byProtobuf(head) {
      self = kind
    } else if name.contains(/\.data-\d{5}-of-\d{5}$/) {
      self = .tensorFlowCheckpoint
    } else {
      return nil
    }
  }

  // MARK: By the bytes that formats begin or end with

  private static func byMagic(_ head: [UInt8], _ tail: [UInt8]) -> WeightsFileKind? {
    func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: bytes) }
    func begins(_ text: String, at offset: Int = 0) -> Bool { begins(Array(text.utf8), at: offset) }

    if begins("PK\u{3}\u{4}") { return zipped(head, tail) }
    // The integer that torch.save began with, pickled; a frame may come before it.
    if head.count > 2, head[0] == 0x80, head.prefix(24).firstRange(of: PyTorchFile.magic) != nil {
      return .oldPyTorch
    }
    if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]),
      // A frame, or what may come first: a container, a mark, a name, a value.
      [
        0x95, 0x7d, 0x5d, 0x29, 0x28, 0x63, 0x8a, 0x58, 0x8c, 0x4b, 0x4d, 0x4a, 0x4e, 0x88, 0x89, 0x47, 0x43, 0x42,
        0x55, 0x54,
      ]
      .contains(head[2])
    {
      return pickled(head)
    }
    // A pickle ends in a full stop; a list of names seldom does.
    if beginsWithPickledName(head) || begins("}q\0") || begins("]q\0"), tail.last == UInt8(ascii: ".") {
      return pickled(head)
    }
    // User blocks of 512 bytes and their doubles may come first.
    for offset in [0, 512, 1024, 2048] where begins([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], at: offset) {
      let isKeras = ["keras_version", "layer_names", "model_weights", "_layer_checkpoint_dependencies"].contains {
        head.holds($0) || tail.holds($0)
      }
      return isKeras ? .kerasHDF5 : .hdf5
    }
    if tail.suffix(8).elementsEqual([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]) {
      return .tensorFlowCheckpoint
    }
    if begins("TFL3", at: 4) { return .tensorFlowLite }
    if begins("ET1", at: 4) { return .executorch }
    if begins("PTMF", at: 4) { return .torchScript }
    if begins([0x93] + Array("NUMPY".utf8)) { return .numPyArray }
    if ["GGUF", "lmgg", "tjgg", "fmgg", "ggml", "ggjt"].contains(where: { begins($0) }) { return .gguf }
    if begins([0x12, 0x01] + Array(repeating: 0, count: 14)) { return .mxnet }
    // A MessagePack map whose first key is a string of lower-case letters.
    if (0x81...0x8f).contains(head[0]), head.count > 4, (0xa1...0xbf).contains(head[1]),
      head.dropFirst(2).prefix(Int(head[1] & 0x1f)).allSatisfy({ (0x61...0x7a).contains($0) || $0 == 0x5f })
    {
      return .flax
    }
    if begins([0x1f, 0x8b]) || begins("BZh") || begins([0xfd, 0x37, 0x7a, 0x58, 0x5a])
      || begins([0x28, 0xb5, 0x2f, 0xfd])
      || begins([0x37, 0x7a, 0xbc, 0xaf])
    {
      return .compressed
    }
    if begins("ustar", at: 257) || begins("Rar!") { return .archive }
    if ImageFormat(head) != nil || ImageFormat.unsupportedName(head) != nil { return .image }
    if head.count >= 16, head.allSatisfy({ $0 == 0 }) { return .zeros }
    return nil
  }

  /// Whether a pickle of the first protocols begins with what it calls: a module and a name, a line each.
  private static func beginsWithPickledName(_ head: [UInt8]) -> Bool {
    let rest = head.prefix(512).drop { $0 == UInt8(ascii: "(") }
    guard let code = rest.first, code == UInt8(ascii: "c") || code == UInt8(ascii: "i") else { return false }
    let lines = rest.dropFirst().split(
      separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    return lines.count == 3
      && lines.prefix(2).allSatisfy { line in
        !line.isEmpty
          && line.allSatisfy { byte in
            (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x5f || byte == 0x2e
          }
      }
  }

  /// By the names of its entries, which stand before each and, all together, at the end.
  private static func zipped(_ head: [UInt8], _ tail: [UInt8]) -> WeightsFileKind {
    func holds(_ text: String) -> Bool { head.prefix(8 << 10).holds(text) || tail.holds(text) }
    if holds("constants.pkl") && holds("/code/") { return .torchScript }
    if holds("models/model.json") || holds("serialized_exported_program.json") { return .torchExport }
    if holds("data.pkl") { return .pyTorch }
    if holds("model.weights.h5") { return .kerasArchive }
    if holds(".mlmodel") || holds("com.apple.CoreML") { return .coreML }
    if holds(".npy") { return .numPyArchive }
    return .archive
  }

  /// By the modules that it names.
  private static func pickled(_ head: [UInt8]) -> WeightsFileKind {
    if ["sklearn", "joblib", "xgboost", "lightgbm"].contains(where: { head.holds($0) }) { return .scikitLearn }
    return head.holds("torch") && head.holds("_rebuild_tensor") ? .oldPyTorch : .pickle
  }

  // MARK: By text

  private static func byText(_ head: [UInt8]) -> WeightsFileKind? {
    let sample = head.starts(with: [0xef, 0xbb, 0xbf]) ? head.dropFirst(3) : head[...]
    // A few bytes may be anything.
    guard sample.count >= 12, sample.prefix(512).allSatisfy({ $0 >= 0x20 || [0x09, 0x0a, 0x0d].contains($0) })
    else { return nil }
    let start = String(decoding: sample.drop { $0 <= 0x20 }.prefix(512), as: UTF8.self).lowercased()
    if start.hasPrefix("version https://git-lfs") { return .gitLFSPointer }
    if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") { return .webPage }
    if start.hasPrefix("model_checkpoint_path:") { return .tensorFlowCheckpoint }
    if start.hasPrefix("{") || start.hasPrefix("[") {
      if head.holds("\"weight_map\"") { return .safetensorsIndex }
      return head.holds("\"splitFingerprint\"") || head.holds("\"commandLine\"") ? .runRecord : .json
    }
    // Protocol 0 is text, a mark and a value.
    if start.prefixMatch(of: /\((dp|lp|s'|v[^\n]*\n|i[0-9]+\n)/) != nil {
      return pickled(head)
    }
    // A name ends or a line does within the first bytes of any text; eight bytes of a length seldom are all text.
    return String(validating: sample.prefix(512).dropLast(3), as: UTF8.self) == nil ? nil : .text
  }

  // MARK: By fields of a protocol buffer

  /// ONNX: ir_version = 1, producer and domain = 2...6, graph = 7. Core ML: specificationVersion = 1, description = 2
  /// (a message). TensorFlow's SavedModel: saved_model_schema_version = 1, meta_graphs = 2; its GraphDef: nodes = 1.
  private static func byProtobuf(_ head: [UInt8]) -> WeightsFileKind? {
    var reader = ProtobufFields(head)
    guard let first = reader.next() else { return nil }
    if first.number == 1, case .bytes(let node) = first.value {
      // A node begins with its name.
      var inner = ProtobufFields(Array(node))
      guard let name = inner.next(), name.number == 1, case .bytes(let text) = name.value, !text.isEmpty,
        text.allSatisfy({ (0x21...0x7e).contains($0) })
      else { return nil }
      return .tensorFlowGraph
    }
    guard first.number == 1, case .number(let version) = first.value, (1...64).contains(version) else { return nil }
    while let field = reader.next() {
      switch (field.number, field.value) {
      case (7, .bytes): return .onnx
      case (2, .bytes(let content)) where content.first == 0x0a:
        return content.holds("saved_model") || content.holds("serve") ? .tensorFlowGraph : .coreML
      case (2...6, .bytes(let text)) where text.allSatisfy({ $0 >= 0x20 }): continue
      case (5, .number): continue
      case (8, .bytes): continue
      default: return nil
      }
    }
    return nil
  }
}

/// The fields of a protocol buffer, one after the other, as far as the bytes go.
private struct ProtobufFields {
  enum Value {
    case number(UInt64)
    /// As many as there are of a field that is longer.
    case bytes(ArraySlice<UInt8>)
    case fixed
  }

  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> (number: Int, value: Value)? {
    guard let tag = varint(), let number = Int(exactly: tag >> 3), number > 0 else { return nil }
    switch tag & 7 {
    case 0: return varint().map { (number, .number($0)) }
    case 2:
      guard let length = varint(), length > 0 else { return nil }
      let content = bytes[at...].prefix(Int(min(length, UInt64(bytes.count))))
      at += content.count
      return (number, .bytes(content))
    case 1: at += 8
    case 5: at += 4
    default: return nil
    }
    return at <= bytes.count ? (number, .fixed) : nil
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 63, by: 7) {
      guard at < bytes.count else { return nil }
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }
}

extension Collection<UInt8> {
  /// Whether an ASCII text stands anywhere in the bytes.
  fileprivate func holds(_ text: String) -> Bool { firstRange(of: Array(text.utf8)) != nil }
}
