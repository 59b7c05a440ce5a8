// The small pieces: numbers as text, schedules, command lines, lists, step series, resampling.

import Support
import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `Numbers as text` {
  @Test func `counts, shares, losses and rates`() {
    #expect([0, 999, 1000, -1_234_567].map(Format.count) == ["0", "999", "1,000", "-1,234,567"])
    #expect(
      [0, 999, 1000, 9_999, 12_345, 999_999, 40_551_000, 4_089_000_000].map(Format.short)
        == ["0", "999", "1.00k", "10.0k", "12.3k", "1.00M", "40.6M", "4.09G"])
    #expect([512, 123_456_789].map(Format.bytes) == ["512 B", "118 MiB"])
    #expect(
      [0.1, 0.05, 5e-4, 0.081_254, 1, 12_345, 1e-9].map(Format.general)
        == ["0.1", "0.05", "5e-4", "0.08125", "1", "12345", "1e-9"])
    #expect(Format.percent(0.9345) == "93.5%")
    #expect(Format.percent(nil) == "-")
    #expect(Format.loss(.nan) == "NaN")
    #expect(Format.loss(.infinity) == "inf")
    #expect(Format.loss(6.453674940725642e27) == "6.45e27")
    #expect([-0.004, -0.006, 1e300].map { Format.fixed($0, 2) } == ["0.00", "-0.01", "1e+300"])
  }

  @Test func `durations`() {
    #expect(
      [0, 59.4, 125, 4020, 273_600].map(Format.duration)
        == ["0 s", "59 s", "2 min 05 s", "1 h 07 min", "3 d 4 h"])
    #expect([Double.nan, .infinity, -5, 1e300].map(Format.duration) == ["-", "-", "0 s", "-"])
  }
}

@Suite struct `Command lines` {
  @Test func `only what differs from the defaults is written`() {
    let plain = TrainingSettings(data: "images", network: NetworkSettings(name: "resnet18"))
    #expect(plain.commandLine == "skipline train images --recipe none --net resnet18")
  }

  @Test func `every option is written`() {
    let settings = TrainingSettings(
      data: "my images/it's", split: SplitSettings(train: 70, validation: 20, test: 10),
      network: NetworkSettings(
        name: "cifar20", shortcut: .projection, zeroPlacement: .end, version: .v1_5, stem: .small,
        widthMultiplier: 0.5, head: .regularized),
      preprocessing: PreprocessingSettings(imageSize: 48, resize: .crop),
      augmentation: AugmentationSettings(crop: .padAndCrop, horizontalFlip: false, colorJitter: 0.2),
      optimizer: OptimizerSettings(momentum: 0.8, nesterov: true, weightDecay: 1e-5, gradientClip: 5),
      learningRate: 0.01, schedule: .step(epochs: [3, 6], factor: 0.1), labelSmoothing: 0.1, batchSize: 32,
      epochs: 9,
      seed: 7, project: "more runs", name: "first")
    #expect(
      settings.commandLine
        == "skipline train 'my images/it'\\''s' --recipe none --net cifar20 --shortcut B --zeros end --block v1.5 --stem small "
        + "--width 0.5 --head regularized --imgsz 48 --resize crop --crop pad --no-flip --jitter 0.2 "
        + "--split 70/20/10 --batch 32 --epochs 9 --lr 0.01 --schedule step:3,6:0.1 --momentum 0.8 --nesterov "
        + "--weight-decay 1e-05 --clip 5 --label-smoothing 0.1 --seed 7 --name first --project 'more runs'")
  }

  @Test(arguments: ["", "a b", "$HOME", "a;b", "日本", "*", "~x", "#x"])
  func `words that a shell would change are quoted`(word: String) {
    #expect(shellQuoted(word) == "'\(word)'")
  }

  @Test(arguments: [
    ("a\nb", #"$'a\nb'"#), ("\u{1B}]0;x\u{7}", #"$'\x1b]0;x\x07'"#), ("it's\u{202E}", #"$'it\'s\xe2\x80\xae'"#),
    (String(pathBytes: Array("latin1_".utf8) + [0xe9]), #"$'latin1_\xe9'"#),
  ])
  func `words that no screen can show are written as escapes`(word: String, quoted: String) {
    #expect(shellQuoted(word) == quoted)
    #expect(Sanitizer.isSafe(quoted))
  }

  @Test(arguments: [
    SplitSettings(train: 70, validation: 20, test: 10), SplitSettings(lists: "my lists"),
    SplitSettings(train: 70, validation: 20, test: 10, lists: "a:b"), SplitSettings(lists: "70/20/10"),
    SplitSettings(lists: "1/2/3:x"), SplitSettings(lists: "0.8/0.1/0.1"), dividing("lists"),
  ])
  func `a split reads back from its option`(split: SplitSettings) throws {
    let settings = TrainingSettings(data: "d", split: split, network: NetworkSettings(name: "cifar20"))
    #expect(settings.commandLine.hasSuffix(" --split \(shellQuoted(split.description))"))
    #expect(try SplitSettings(argument: split.description) == split)
  }

  private static func dividing(_ lists: String) -> SplitSettings {
    var split = SplitSettings(lists: lists)
    split.dividesUnlisted = true
    return split
  }

  @Test(arguments: [
    "33.3/33.3/33.4", "80:10:10", "0.8/0.1/0.1", "nan/0/0", "80-10-10", "80%/10%/10%", "80", "80/10", "1e2/0/0",
    "80;10;10", "inf:0:0", "80 10 10",
  ])
  func `what looks like percentages and is none is no folder`(text: String) throws {
    let error = #expect(throws: SplitTextError.self) { try SplitSettings(argument: text) }
    #expect("\(try #require(error))".contains("not percentages"))
    #expect(try SplitSettings(argument: "./\(text)").lists == "./\(text)")
    #expect(try SplitSettings(argument: "lists-\(text)").lists == "lists-\(text)")
  }
}

@Suite struct `Lists and series` {
  private let items = ["alpha", "beta", "gamma", "delta", "omega"]

  @Test func `the window holds the selection and never leaves the list`() {
    var list = BrowsableList(total: 5)
    list.select(4, page: 3)
    #expect(list.window(height: 3) == 2..<5)
    list.move(by: -1, page: 3)
    #expect(list.window(height: 3) == 2..<5)
    list.move(by: -9, page: 3)
    #expect(list.window(height: 3) == 0..<3)
    #expect(list.window(height: 9) == 0..<5)
    #expect(list.window(height: 0).isEmpty)
    #expect(BrowsableList().window(height: 5).isEmpty)
    #expect(BrowsableList().selectedItem == nil)
  }

  @Test func `a filter keeps the selected item where it can`() {
    var list = BrowsableList(total: 5)
    list.select(2, page: 5)
    list.narrow(to: "MM") { items[$0] }
    #expect(list.selectedItem == 2)
    list.narrow(to: "ta") { items[$0] }
    #expect(list.selectedItem == 1)
    list.narrow(to: "zzz") { items[$0] }
    #expect(list.selectedItem == nil)
    list.narrow(to: "") { items[$0] }
    #expect(list.count == 5)
  }

  @Test func `points become positions with lines between them and gaps where there is none`() {
    func values(_ points: [(Double, Double?)], _ window: ClosedRange<Double>, _ positions: Int) -> [Double?] {
      CurveSampling.values(points.map { CurvePoint(x: $0.0, value: $0.1) }, in: window, positions: positions)
    }
    #expect(values([(0, 0), (4, 4)], 0...8, 5) == [0, 2, 4, nil, nil])
    #expect(values([(0, 1), (1, 3), (100, 5)], 0...100, 3).map { $0.map { ($0 * 10).rounded() } } == [20, 40, 50])
    #expect(values([(0, 1), (2, nil), (4, 5)], 0...4, 5) == [1, nil, nil, nil, 5])
    #expect(values([], 0...4, 2) == [nil, nil])
    // A part of it: the lines go on to points out of view.
    #expect(values([(0, 0), (10, 10)], 4...6, 3) == [4, 5, 6])
    #expect(values([(0, 0), (5, 5)], 4...6, 3) == [4, 5, nil])
    #expect(values([(8, 1), (9, 1)], 4...6, 3) == [nil, nil, nil])
  }

  @Test func `smoothing starts at the first value and keeps gaps`() {
    let points = [1.0, 1, nil, 3].enumerated().map { CurvePoint(x: Double($0.offset), value: $0.element) }
    let smooth = CurveSampling.smoothed(points, factor: 0.5).map(\.value)
    #expect(smooth[0] == 1 && smooth[1] == 1 && smooth[2] == nil)
    // (0.5·(0.25 + 0.5) + 0.5·3) / (1 - 0.5³)
    #expect(abs((smooth[3] ?? 0) - 1.875 / 0.875) < 1e-12)
    #expect(CurveSampling.smoothed(points, factor: 0) == points)
  }

  @Test func `a window follows what is newest until it is moved, and a place stays where it is while it is zoomed`()
  {
    var window = CurveWindow()
    #expect(window.range(length: 40, newest: 10) == 0...40)
    window.narrow()
    #expect(window.range(length: 40, newest: 10) == 0...20)
    #expect(window.range(length: 40, newest: 30) == 10...30)
    window.pan(by: -0.25, length: 40, newest: 30)
    #expect(!window.follows && window.range(length: 40, newest: 40) == 5...25)
    window.zoom(in: true, at: 10, length: 40, newest: 30)
    let narrow = window.range(length: 40, newest: 30)
    #expect(narrow == 7.5...17.5)
    window.pan(by: -9, length: 40, newest: 30)
    #expect(window.range(length: 40, newest: 30) == 0...10)
    window.toggleFollowing(length: 40, newest: 30)
    #expect(window.range(length: 40, newest: 30) == 20...30)
    window.toggleFollowing(length: 40, newest: 30)
    #expect(window.range(length: 40, newest: 35) == 20...30)
    for _ in 0..<20 { window.zoom(in: false, at: nil, length: 40, newest: 30) }
    #expect(window == CurveWindow())
    for _ in CurveWindow.shares { window.narrow() }
    #expect(window.isWhole)
  }
}

/// A class has one name in two Unicode spellings; a file has the bytes that it has.
@Suite struct `Names in two spellings` {
  private static let composed = "caf\u{e9}"
  private static let decomposed = "cafe\u{301}"

  @Test func `a picture is that of its own file`() {
    var store = PictureStore()
    store.set(.failed("one"), for: "\(Self.composed).png")
    store.set(.failed("other"), for: "\(Self.decomposed).png")
    #expect(store["\(Self.composed).png"] == .failed("one"))
    #expect(store["\(Self.decomposed).png"] == .failed("other"))
  }

  @Test func `a class is found and left out in either`() {
    var chooser = ClassChooser(
      path: "a.png", current: "eau", original: nil, classes: [Self.composed, "eau", "the"], likely: Self.decomposed)
    #expect(chooser.selected == Self.composed)
    chooser.narrow(to: Self.decomposed)
    #expect(chooser.list.count == 1 && chooser.selected == Self.composed)
    let own = ClassChooser(
      path: "a.png", current: Self.decomposed, original: nil, classes: [Self.composed, "eau"], likely: nil)
    #expect(own.names == ["eau"])
  }
}
