// What files of weights go through before a number of them is used, on bytes: for the fuzzer.

import Messages
import Networks
import WeightFiles
import WeightFiles

/// Takes the bytes of a file of weights as far as comparing it with a network and with the network it describes.
/// - Returns: whether it is a safetensors file.
package func fuzzWeights(_ bytes: [UInt8]) -> Bool {
  guard let contents = Safetensors.contents(of: bytes),
    let plan = try? NetworkPlan(NetworkSettings(name: "cifar8", widthMultiplier: 0.0625), imageSize: 8, classes: 2)
  else { return false }
  if let fit = try? StateFit(plan, contents.outline, classifier: .ofOtherClasses) {
    _ = try? StoredState(contents, fit, plan)
  }
  if let model = try? Checkpoint.model(contents.outline), let described = try? model.plan() {
    _ = try? StateFit(described, contents.outline)
  }
  return true
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
