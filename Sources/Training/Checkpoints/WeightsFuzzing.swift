// What files of weights go through before a number of them is used, on bytes: for the fuzzer.

import Messages
import Networks

/// Takes the bytes of a file of weights as far as comparing it with a network and with the network it describes.
/// - Returns: whether it is a safetensors file.
package func fuzzWeights(_ bytes: [UInt8]) -> Bool {
  guard bytes.count >= 10 else { return false }
  let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  guard length <= bytes.count - 8 else { return false }
  do {
    let end = 8 + Int(length)
    let header = try SafetensorsHeader.scan(Array(bytes[8..<end]))
    try header.check(bufferLength: bytes.count - end)
    let file = SafetensorsOutline(path: "file", header: header)
    let contents = SafetensorsContents(
      path: "file", header: header, headerBytes: Array(bytes[8..<end]), buffer: Array(bytes[end...]))
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8", widthMultiplier: 0.0625), imageSize: 8, classes: 2)
    if let fit = try? StateFit(plan, file, classifier: .ofOtherClasses) {
      _ = try? StoredState(contents, fit, plan)
    }
    if let model = try? Checkpoint.model(file), let described = try? model.plan() {
      _ = try? StateFit(described, file)
    }
    return true
  } catch {
    return false
  }
}

/// Takes the bytes of a file that is no safetensors file as far as the advice for its kind.
/// - Returns: whether it is of a kind that is known.
package func fuzzForeignWeights(_ bytes: [UInt8]) -> Bool {
  let kind = WeightsFileKind(head: Array(bytes.prefix(64 << 10)), tail: Array(bytes.suffix(256 << 10)))
  return kind.map { !$0.advice(path: "file").isEmpty } ?? false
}

/// Seeds: a safetensors file of a small network with and without a description.
package func weightsSeeds() throws -> [[UInt8]] {
  let plan = try NetworkPlan(NetworkSettings(name: "cifar8", widthMultiplier: 0.0625), imageSize: 8, classes: 2)
  let description =
    #"{\"classes\":[\"a\",\"b\"],\"network\":{\"head\":\"standard\",\"name\":\"cifar8\","#
    + #"\"widthMultiplier\":0.0625,\"zeroPlacement\":\"split\"},\"preprocessing\":{\"std\":[1,1,1],"#
    + #"\"imageSize\":8,\"mean\":[0,0,0],\"resize\":\"stretch\"}}"#
  return [#""__metadata__":{"skipline.model":"\#(description)"},"#, ""].map { metadata in
    var (entries, buffer): ([String], [UInt8]) = ([], [])
    for entry in plan.state {
      let begin = buffer.count
      for _ in 0..<entry.shape.reduce(1, *) { buffer += [0, 0, 0x80, 0x3f] }
      entries.append(
        #""\#(entry.name)":{"dtype":"F32","shape":\#(entry.shape),"data_offsets":[\#(begin),\#(buffer.count)]}"#)
    }
    let header = Array("{\(metadata)\(entries.joined(separator: ","))}".utf8)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + buffer
  }
}

/// Seeds: beginnings of files of other kinds, whose kind is told by bytes, by fields, by modules and by text.
package let foreignWeightsSeeds: [[UInt8]] = [
  [0x08, 0x08, 0x12, 0x07] + Array("pytorch".utf8) + [0x3a, 0x02, 0x0a, 0x00],
  Array("PK\u{3}\u{4}  w/data.pkl".utf8),
  [0x80, 0x02, 0x7d] + Array("sklearn".utf8), Array(#"{"weight_map":{"a":"b"}}"#.utf8),
]
