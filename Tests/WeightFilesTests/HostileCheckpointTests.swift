// Files that pretend to be of torch.save's: programs instead of tensors, nests and bombs, lies about sizes, names that lead
// elsewhere. Each is refused for what it is, quickly and without taking memory by its numbers, and none is executed.

import Foundation
import Testing
import TestSupport

@testable import WeightFiles

@Suite struct HostileCheckpointTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func fault(_ bytes: [UInt8]) throws -> (any Error)? {
    let path = try folder.write(bytes, to: "w.pth")
    do {
      _ = try WeightsFile.read(path)
      return nil
    } catch {
      #expect("\(error)".hasPrefix(path), "\(error)")
      return error
    }
  }

  private func fault(pickle: [UInt8], storages: [(String, [UInt8])] = []) throws -> String {
    let error = try fault(ZipWriter(pickle: Pickle.whole(pickle), storages: storages).bytes())
    return error.map { "\($0)" } ?? "read"
  }

  private static let good = Pickle.dictionary([("w", Pickle.tensor("0", shape: [2]))])
  private static let storage = ("0", floatBytes([1, 2]))

  @Test func `the file that the others are made from is right`() throws {
    let path = try folder.write(
      ZipWriter(pickle: Pickle.whole(Self.good), storages: [Self.storage]).bytes(), to: "w.pth")
    #expect(try WeightsFile.read(path).floats("w") == [1, 2])
  }

  // MARK: Programs

  static let calls = [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("builtins", "eval"),
    ("builtins", "exec"), ("builtins", "getattr"), ("__builtin__", "apply"), ("torch.hub", "load"),
    ("runpy", "run_path"),
    ("torch.serialization", "load"), ("torch.storage", "_load_from_bytes"), ("torch.jit", "load"),
    ("pickle", "loads"),
    ("numpy.core.multiarray", "fromfile"), ("numpy", "load"), ("pathlib.Path", "unlink"),
    ("builtins", "__import__"),
    ("torch._utils", "_rebuild_tensor_v4"), ("torch", "load"), ("collections", "namedtuple"), ("torch._C", "_load"),
  ]

  @Test(arguments: calls)
  func `what a pickle would call is named and refused, wherever it stands`(module: String, name: String) throws {
    let marker = folder.file("executed")
    let call = Pickle.call(module, name, [Pickle.text("touch \(marker)")])
    let stacked =
      Pickle.text(module) + Pickle.text(name) + [0x93] + Pickle.tuple([Pickle.text("touch \(marker)")]) + [0x52]
    let forms = [
      call, stacked, Pickle.dictionary([("w", call)]),
      Pickle.dictionary([("model", Self.good), ("args", call)]),
      // NEWOBJ, INST, OBJ.
      Pickle.global(module, name) + Pickle.tuple([]) + [0x81],
      Pickle.mark + Pickle.text("a") + Array("i\(module)\n\(name)\n".utf8),
      Pickle.mark + Pickle.global(module, name) + Pickle.text("a") + Array("o".utf8),
      // As the function of a tensor of another type.
      Pickle.call(
        "torch._tensor", "_rebuild_from_type_v2",
        [Pickle.global(module, name), Pickle.global("torch", "Tensor"), Pickle.tuple([]), [0x7d]]),
    ]
    for form in forms {
      let text = try fault(pickle: form, storages: [Self.storage])
      #expect(text.contains("\(module).\(name)"), "\(text)")
      // The same as a pickle by itself, and in the form before 1.6.
      for bytes in [
        Pickle.whole(form),
        PyTorchSample.magic + Pickle.whole(Pickle.integer(1001)) + Pickle.whole([0x7d]) + Pickle.whole(form),
      ] {
        let error = try #require(try fault(bytes) as? WeightsFileError)
        #expect(error.fault == .refusedObject("\(module).\(name)"))
      }
    }
    #expect(!FileManager.default.fileExists(atPath: marker))
  }

  @Test func `a program of protocol 0 is refused too`() throws {
    for text in [
      "cos\nsystem\n(S'true'\ntR.", "(S'true'\nios\nsystem\n.", "cposix\nsystem\np0\n(Vtrue\np1\ntp2\nRp3\n.",
    ] {
      let error = try #require(try fault(Array(text.utf8)))
      #expect("\(error)".contains("pickle"), "\(error)")
    }
    // Protocol 1, which is not all text.
    let binary = Array("cposix\nsystem\n".utf8) + [0x71, 0] + Pickle.tuple([Pickle.text("true")]) + [0x52, 0x2e]
    #expect(try fault(binary) as? WeightsFileError != nil)
  }

  @Test func `plain data beside the weights are passed over`() throws {
    let plain = [
      Pickle.call("argparse", "Namespace", []) + [0x7d] + Pickle.text("lr") + [0x4e] + Array("sb".utf8),
      Pickle.call("pathlib", "PosixPath", [Pickle.text("/")]), Pickle.call("collections", "Counter", [[0x7d]]),
      Pickle.call(
        "numpy.core.multiarray", "scalar", [Pickle.call("numpy", "dtype", [Pickle.text("f8")]), [0x43, 1, 0]]),
      Pickle.global("omegaconf.dictconfig", "DictConfig") + Pickle.empty + [0x81],
    ]
    for value in plain {
      #expect(
        try fault(
          pickle: Pickle.dictionary([("model", Self.good), ("args", value)]), storages: [Self.storage]) == "read")
    }
  }

  // MARK: Nests and bombs

  @Test func `nests of containers are refused`() throws {
    let count = 300_000
    let nests: [[UInt8]] = [
      Array(repeating: 0x5d, count: count) + Array(repeating: 0x61, count: count - 1),
      Pickle.empty + Array(repeating: 0x85, count: count), Array(repeating: 0x28, count: count),
      Array(repeating: 0x7d, count: count),
      [0x7d] + Array(repeating: [0x4e, 0x7d], count: count).joined() + Array(repeating: 0x73, count: count),
    ]
    for nest in nests {
      var writer = ZipWriter(pickle: Pickle.whole(nest))
      writer.entries[0].checksum = 0
      let text = try fault(writer.bytes()).map { "\($0)" } ?? "read"
      #expect(text.contains("too many") || text.contains("byte"), "\(text)")
    }
  }

  @Test func `lists that are made of each other over and over are refused`() throws {
    // A list of a thousand, which a million small pieces of pickle ask to be copied.
    let long = Pickle.tuple(Array(repeating: [0x4e], count: 1000)) + [0x71, 0]
    let copies = Array(repeating: Pickle.global("torch", "Size") + [0x68, 0, 0x85, 0x52, 0x30], count: 40_000)
      .joined()
    #expect(try fault(pickle: long + copies).contains("too many"))
    // Twice as many in each as in the one before.
    var doubling: [UInt8] = Pickle.tuple([[0x4e]]) + [0x71, 0]
    for number in 1..<100 as Range<UInt8> { doubling += [0x68, number - 1, 0x68, number - 1, 0x86, 0x71, number] }
    let text = try fault(pickle: doubling)
    #expect(text.contains("pickle"), "\(text)")
    // Memos beyond any number, and one that was never set.
    #expect(try fault(pickle: [0x4e, 0x72, 0xff, 0xff, 0xff, 0xff]).contains("no weights"))
    #expect(try fault(pickle: [0x6a, 0xff, 0xff, 0xff, 0xff]).contains("recalled"))
  }

  @Test func `a small list that a million shapes are said to be is not gone through a million times`() throws {
    let shape = Pickle.tuple(Array(repeating: Pickle.integer(1), count: 5000)) + [0x71, 0]
    let storage = Pickle.storage("0", count: 2) + [0x71, 1]
    let tensor =
      Pickle.global("torch._utils", "_rebuild_tensor_v2") + [
        0x28, 0x68, 1, 0x4b, 0, 0x68, 0, 0x68, 0, 0x89, 0x7d, 0x74, 0x52,
      ]
    #expect(try fault(pickle: shape + storage + tensor).contains("axes"))
  }

  // MARK: Sizes

  static let lies: [([UInt8], String)] = [
    (Pickle.tensor("0", shape: [3], count: 2), "outside"), (Pickle.tensor("0", shape: [3]), "has 8 bytes"),
    (Pickle.tensor("0", shape: [1 << 40]), "has 8 bytes"),
    (Pickle.tensor("0", shape: [1 << 62], count: 2), "outside"),
    (Pickle.tensor("0", shape: [1 << 32, 1 << 32], count: 2), "outside"),
    (Pickle.tensor("0", shape: [2], strides: [1 << 61], count: 2), "outside"),
    (Pickle.tensor("0", shape: [2], strides: [-1], count: 2), "shape that is none"),
    (Pickle.tensor("0", shape: [-2], count: 2), "shape that is none"),
    (Pickle.tensor("0", shape: [2], offset: 1, count: 2), "outside"),
    (Pickle.tensor("0", shape: [2], offset: .max, count: 2), "outside"),
    (Pickle.tensor("0", shape: [1], offset: -1, count: 2), "none"),
    (Pickle.tensor("0", shape: [2], count: .max), "is said to have"),
    (
      Pickle.tensor("0", shape: [1], type: "FloatStorage") + [0x30]
        + Pickle.tensor("0", shape: [2], type: "HalfStorage"), "has 8 bytes"
    ),
    (Pickle.tensor("1", shape: [2]), "not in it"), (Pickle.tensor("../0", shape: [2]), "not in it"),
    (Pickle.tensor("0", shape: [1 << 31], strides: [0], count: 2), "hold"),
    (Pickle.tensor("0", shape: [2], type: "QInt4Storage"), "torch.QInt4Storage"),
  ]

  @Test(arguments: lies)
  func `sizes that are not so`(tensor: [UInt8], word: String) throws {
    let text = try fault(pickle: Pickle.dictionary([("w", tensor)]), storages: [Self.storage])
    #expect(text.contains(word), "\(text)")
  }

  @Test func `many arrays of the same numbers are more than the file may hold`() throws {
    let values = floatBytes(Array(repeating: 1, count: 100_000))
    let tensor = Pickle.tensor("0", shape: [100_000]) + [0x71, 0, 0x30]
    var pickle = tensor + Array("}(".utf8)
    for number in 0..<2000 { pickle += Pickle.text("w\(number)") + [0x68, 0] }
    let text = try fault(pickle: pickle + Array("u".utf8), storages: [("0", values)])
    #expect(text.contains("may hold"), "\(text)")
  }

  @Test func `lengths of texts beyond the pickle`() throws {
    let lengths: [[UInt8]] = [
      [0x58, 0xff, 0xff, 0xff, 0xff], [0x8d] + Array(repeating: 0xff, count: 8),
      [0x8e] + Array(repeating: 0x7f, count: 8),
      [0x42, 0xff, 0xff, 0xff, 0x7f], [0x8b, 0xff, 0xff, 0xff, 0xff], [0x8b, 0xff, 0xff, 0xff, 0x7f],
      [0x8c, 200, 1],
      Array("I".utf8) + Array(repeating: 0x39, count: 100_000), Array("cos".utf8),
    ]
    for bytes in lengths {
      let text = try fault(pickle: bytes)
      #expect(text.contains("cut off") || text.contains("line"), "\(text)")
    }
  }

  // MARK: Archives

  private func refused(_ change: (inout ZipWriter) -> Void) throws -> String {
    var writer = ZipWriter(pickle: Pickle.whole(Self.good), storages: [Self.storage])
    change(&writer)
    return try fault(writer.bytes()).map { "\($0)" } ?? "read"
  }

  @Test func `an archive may have zip64 sizes, deflated entries, a comment and no checksums`() throws {
    #expect(try refused { for index in $0.entries.indices { $0.entries[index].isWide = true } } == "read")
    #expect(
      try refused {
        for index in $0.entries.indices {
          let bytes = $0.entries[index].bytes
          $0.entries[index].checksum = CRC32.value(bytes)
          $0.entries[index].size = bytes.count
          $0.entries[index].bytes = Deflate.stored(bytes)
          $0.entries[index].method = 8
        }
      } == "read")
    #expect(try refused { $0.comment = Array("made by hand".utf8) } == "read")
    #expect(try refused { for index in $0.entries.indices { $0.entries[index].checksum = 0 } } == "read")
    #expect(try refused { $0.entries[1].checksum = 1 }.contains("checksum"))
  }

  @Test func `names that lead elsewhere, and names that come twice`() throws {
    for name in ["../w/data/0", "/etc/passwd", "w/../../x", "w\\x", "w/\0", ""] {
      let text = try refused { $0.entries.append(.init(name: name, bytes: [])) }
      #expect(text.contains("which no weights are"), "\(text)")
    }
    #expect(try refused { $0.entries.append($0.entries[1]) }.contains("two entries"))
    #expect(try refused { $0.entries.append(.init(name: "v/data.pkl", bytes: [])) }.contains("2 entries data.pkl"))
    #expect(try refused { $0.entries[1].localName = "w/data/1" }.contains("another name"))
  }

  @Test func `sizes and places in an archive that are not so`() throws {
    for size in [7, 9, 1 << 20, 0xffff_fffe] {
      #expect(try refused { $0.entries[1].size = size }.contains("claims \(size)"))
      #expect(try refused { ($0.entries[1].size, $0.entries[1].isWide) = (size, true) }.contains("claims \(size)"))
    }
    for size in [Int.max, -1, .min] {
      for packed in [nil, size] {
        let text = try refused {
          ($0.entries[1].size, $0.entries[1].packedSize, $0.entries[1].isWide) = (size, packed, true)
        }
        #expect(text.contains("claims") || text.contains("longer"), "\(text)")
      }
    }
    for place in [Int.max, -1, 1 << 40] {
      #expect(try refused { ($0.entries[1].place, $0.entries[1].isWide) = (place, true) }.contains("outside"))
    }
    #expect(try refused { $0.entries[1].place = 1 }.contains("not where it should be"))
    #expect(try refused { $0.entries[0].place = 40 }.contains("not where it should be"))
    #expect(try refused { $0.count = 3 }.contains("directory"))
    #expect(try refused { $0.count = 1 }.contains("directory"))
    #expect(try refused { $0.directorySize = 1 << 30 }.contains("directory"))
    #expect(try refused { $0.directoryPlace = 0 }.contains("directory"))
    #expect(try refused { $0.entries[1].flags = 1 }.contains("encrypted"))
    #expect(try refused { $0.entries[1].method = 12 }.contains("method 12"))
  }

  @Test func `entries that lie in each other`() throws {
    let text = try refused {
      ($0.entries[1].packedSize, $0.entries[1].size) = (30, 30)
      $0.entries.append(.init(name: "w/data/1", bytes: Array(repeating: 0, count: 64)))
    }
    #expect(text.contains("within another"), "\(text)")
  }

  @Test func `a few bytes that inflate to gigabytes`() throws {
    // Honest about it: 103 MB of zeros in 650 kB.
    let count = 400_000
    let bomb = Deflate.zeros(count)
    let size = 1 + 258 * count
    func archive(claims: Int, numbers: Int) -> [UInt8] {
      var writer = ZipWriter(
        pickle: Pickle.whole(Pickle.dictionary([("w", Pickle.tensor("0", shape: [numbers], type: "CharStorage"))])))
      writer.entries.append(.init(name: "w/data/0", bytes: bomb, method: 8, size: claims, checksum: 1))
      return writer.bytes()
    }
    let honest = try fault(archive(claims: size, numbers: size))
    #expect(honest.map { "\($0)" }?.contains("may hold") == true, "\(String(describing: honest))")
    // It claims less than it is.
    let lying = try fault(archive(claims: 1000, numbers: 1000))
    #expect(lying.map { "\($0)" }?.contains("does not unpack to its size") == true, "\(String(describing: lying))")
    // A pickle that is one.
    var pickle = ZipWriter(pickle: [])
    pickle.entries[0] = .init(name: "w/data.pkl", bytes: bomb, method: 8, size: size, checksum: 1)
    let text = try fault(pickle.bytes()).map { "\($0)" } ?? "read"
    #expect(text.contains("may hold"), "\(text)")
  }

  // MARK: The form before 1.6

  private func old(_ content: [UInt8], keys: [[UInt8]], storages: [UInt8]) -> [UInt8] {
    PyTorchSample.magic + Pickle.whole(Pickle.integer(1001)) + Pickle.whole([0x7d]) + Pickle.whole(content)
      + Pickle.whole(Pickle.tuple(keys)) + storages
  }

  @Test func `storages of the old form that are not so`() throws {
    let whole = Pickle.little(2, 8) + floatBytes([1, 2])
    let zero = [Pickle.text("0")]
    #expect(try fault(old(Self.good, keys: zero, storages: whole)) == nil)
    let lies: [([[UInt8]], [UInt8], String)] = [
      (zero, Array(whole.dropLast()), "cut off"), (zero, [], "cut off"),
      (zero, Pickle.little(-1, 8) + floatBytes([1, 2]), "cut off"),
      (zero, Pickle.little(1 << 61, 8) + floatBytes([1, 2]), "cut off"),
      (zero, Pickle.little(1, 8) + floatBytes([1, 2]), "has 4 bytes"), ([], whole, "not in it"),
      ([Pickle.text("1")], whole, "no tensor has"), (zero + zero, whole + whole, "twice"),
      ([Pickle.integer(0)], whole, "no tensor has"),
    ]
    for (keys, storages, word) in lies {
      let text = try fault(old(Self.good, keys: keys, storages: storages)).map { "\($0)" } ?? "read"
      #expect(text.contains(word), "\(text)")
    }
    let twoTypes = Pickle.dictionary([
      ("w", Pickle.tensor("0", shape: [2])), ("v", Pickle.tensor("0", shape: [4], type: "HalfStorage")),
    ])
    let text = try fault(old(twoTypes, keys: zero, storages: whole)).map { "\($0)" } ?? "read"
    #expect(text.contains("two types"), "\(text)")
  }

  @Test func `checkpoints without one set of weights`() throws {
    let values: [([UInt8], String)] = [
      (Pickle.integer(3), "plain value"), (Pickle.tensor("0", shape: [2]), "single tensor"),
      (Pickle.dictionary([("epoch", Pickle.integer(3))]), "no dictionary of named tensors"),
      (
        Pickle.dictionary([("generator", Self.good), ("discriminator", Self.good)]), "'discriminator', 'generator'"
      ),
      (Pickle.dictionary([("optimizer", Self.good)]), "no dictionary"),
      (
        Pickle.dictionary([
          ("w", Pickle.tensor("0", shape: [2])), ("q", Pickle.call("torch._utils", "_rebuild_qtensor", [])),
        ]), "quantized"
      ),
      (
        Pickle.dictionary([("w", Pickle.tensor("0", shape: [2])), ("w", Pickle.tensor("0", shape: [2]))]),
        "two arrays"
      ),
    ]
    for (pickle, word) in values {
      let text = try fault(pickle: pickle, storages: [Self.storage])
      #expect(text.contains(word), "\(text)")
    }
    for name in ["state_dict", "model", "model_state_dict", "ema", "model_ema", "net", "generator"] {
      #expect(try fault(pickle: Pickle.dictionary([(name, Self.good)]), storages: [Self.storage]) == "read")
    }
    #expect(
      try fault(
        pickle: Pickle.dictionary([
          ("model", Pickle.dictionary([("state_dict", Self.good)])), ("optimizer", Self.good),
        ]),
        storages: [Self.storage]) == "read")
  }
}
