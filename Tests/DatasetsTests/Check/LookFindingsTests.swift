// Findings about what the network would not see, or should not: cropped sides, hidden colors, transparency that tells
// the class; and files that could not be looked into.

import Images
import Messages
import Testing

@testable import Datasets

private func found(_ kind: DatasetFinding.Kind, _ images: [Invented]) -> [DatasetFinding] {
  report(images).findings.filter { $0.kind == kind }
}

private func sized(_ width: Int, _ height: Int, count: Int = 10) -> [Invented] {
  (0..<count).map { Invented(path: "train/\(width)x\(height)-\($0).jpg", width: width, height: height) }
}

@Suite struct `What is said of` {
  @Test func `wide and tall images names what a crop cuts away`() throws {
    for images in [sized(600, 150), sized(150, 600), sized(1920, 1080)] {
      let finding = try #require(found(.croppedAway, images).first)
      #expect(finding.severity == .warning && finding.advice.contains("--resize stretch"))
      #expect(finding.message.contains(images[0].height == 1080 ? "57%" : "81%"))
    }
    // Photographs of 4:3 lose less than half, which is as the articles have it.
    #expect(found(.croppedAway, sized(400, 300)).map(\.severity) == [.note])
    #expect(found(.croppedAway, sized(100, 100)).isEmpty)
    #expect(found(.croppedAway, sized(100, 104)).isEmpty)
    let few = found(.croppedAway, sized(100, 100, count: 50) + sized(500, 100, count: 1))
    #expect(few.map(\.severity) == [.note] && few[0].message.contains("train/500x100-0.jpg"))
  }

  @Test func `hidden colors is one note, whatever their number`() {
    var images = usualImages(10)
    #expect(found(.transparency, images).isEmpty)
    for number in [2, 5, 13] { images[number].transparency = Transparency(isUsed: true, hidesColors: true) }
    images[7].transparency = Transparency(isUsed: true, hidesColors: false)
    let findings = found(.transparency, images)
    #expect(findings.count == 1 && findings[0].severity == .note)
    #expect(findings[0].message.contains("4 images") && findings[0].message.contains("3 of them"))
    #expect(findings[0].paths == [2, 5, 13].map { images[$0].path } && findings[0].advice.contains("--background"))
  }

  @Test func `transparency that goes with the class is a warning`() {
    var images = usualImages(10)
    for number in 0..<10 { images[number].transparency = Transparency(isUsed: true, hidesColors: false) }
    let findings = found(.transparency, images)
    #expect(
      findings.map(\.severity) == [.warning] && findings[0].message.contains("10 of 10 images of the class \"a\""))
    // Where both have some, nothing follows from it.
    for number in 10..<15 { images[number].transparency = Transparency(isUsed: true, hidesColors: false) }
    #expect(found(.transparency, images).isEmpty)
  }

  @Test func `a file that was refused by the moment does not blame the file`() {
    func finding(_ cause: DecodingFailure.Cause) -> DatasetFinding? {
      found(.undecodable, usualImages(10) + [Invented(path: "train/x.png", failure: "a reason", cause: cause)])
        .first
    }
    for cause in [DecodingFailure.Cause.content, .pixelLimit(required: 5), .circumstances] {
      #expect(finding(cause)?.severity == .error && finding(cause)?.message.contains("a reason") == true)
    }
    #expect(finding(.content)?.advice.contains("repair or replace") == true)
    #expect(finding(.circumstances)?.advice.contains("exclude") == false)
    #expect(finding(.circumstances)?.message.contains("cannot be decoded") == false)
  }
}
