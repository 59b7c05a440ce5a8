// What a file is by its content, and the advice for it.

import Testing

@testable import WeightFiles

@Suite struct WeightsFileKindTests {
  @Test func `every kind has a name and says what to do`() {
    for kind in WeightsFileKind.allCases {
      let advice = kind.advice(path: "a folder/w.pth")
      #expect(advice.hasPrefix(kind.name) && advice.utf8.count > kind.name.utf8.count + 10, "\(advice)")
    }
    let line = WeightsFileKind.torchScript.advice(path: "a folder/w.pth")
    #expect(line.hasSuffix("'a folder/w.pth' 'a folder/w.safetensors'"), "\(line)")
  }

  @Test func `no bytes at all, and a safetensors file that is damaged, are no other format`() {
    #expect(WeightsFileKind(head: [], tail: []) == nil)
    let names = Array("cat\ndog\nbird\n".utf8)
    #expect(WeightsFileKind(head: names, tail: names) == .text)
    let cut: [UInt8] = [0x40, 0x1f, 0, 0, 0, 0, 0, 0] + Array(#"{"a":{"dtype":"F32""#.utf8)
    #expect(WeightsFileKind(head: cut, tail: cut) == nil)
  }
}
