// The same place named from different folders.

@testable import Support
import Messages
import Testing

@Suite struct PathPlaceTests {
  @Test(arguments: [
    ("runs/a", "/home/me/runs/a"), ("./runs//a/", "/home/me/runs/a"), ("../you/x", "/home/you/x"),
    ("../../../x", "/x"), (".", "/home/me"), ("/a/./b//c", "/a/b/c"), ("/a/../b", "/a/../b"),
    ("link/../x", "/home/me/link/../x"),
  ])
  func `a path from a folder is one from the root`(path: String, whole: String) {
    #expect(path.path(from: "/home/me") == whole)
    #expect(whole.path(from: "/elsewhere") == whole)
  }

  @Test(arguments: [
    ("/home/me/runs/a", "runs/a"), ("/home/me", "."), ("/home/meadow/a", "/home/meadow/a"), ("/a", "/a"),
    ("runs//a", "runs/a"), ("../x", "/home/x"),
  ])
  func `below a folder it is written the short way, and that leads to the same place`(path: String, shown: String) {
    #expect(path.shownPath(from: "/home/me") == shown)
    #expect(shown.shownPath(from: "/home/me") == shown)
    #expect(shown.path(from: "/home/me") == path.path(from: "/home/me"))
  }

  @Test func `names are compared as bytes`() {
    // The accent joins the slash or letter before it into one character; to a file system it is a byte of a name.
    let accent = "/home/me/\u{301}x"
    #expect(accent.shownPath(from: "/home/me") == "\u{301}x")
    #expect("/home/e\u{301}/x".shownPath(from: "/home/\u{e9}").utf8.elementsEqual("/home/e\u{301}/x".utf8))
  }

  @Test func `in a text, paths below the folder are short and others stay`() {
    let text = "/home/me/runs/a: gone; see '/home/me/b', not /mnt/home/me/c (/home/me/d)"
    #expect(text.shownPaths(from: "/home/me") == "runs/a: gone; see 'b', not /mnt/home/me/c (d)")
    #expect(text.shownPaths(from: "/") == text)
  }

  @Test func `what one process tells, another one in the same folder shows as it was asked for`() {
    let settings = TrainingSettings(
      data: "data", split: SplitSettings(lists: "lists"), network: NetworkSettings(name: "cifar8"),
      initialWeights: "w.safetensors")
    let sent = settings.absolute(from: "/home/me")
    #expect(
      [sent.data, sent.project, sent.initialWeights] == [
        "/home/me/data", "/home/me/runs", "/home/me/w.safetensors",
      ])
    #expect(sent.split.lists == "/home/me/lists")
    let run = RunDescription(
      folder: "/home/me/runs/a", settings: sent, classes: [], trainingImages: 0, validationImages: 0,
      stepsPerEpoch: 1, parameters: 0, majorityBaseline: 0)
    guard case .training(.started(let here)) = Event.training(.started(run)).shown(from: "/home/me"),
      case .training(.started(let there)) = Event.training(.started(run)).shown(from: "/tmp")
    else {
      Issue.record("another event")
      return
    }
    #expect(here.folder == "runs/a" && here.settings == settings)
    #expect(there == run)
    let saved = CheckpointInfo(
      path: "/home/me/runs/a/last", name: "last", epoch: 1, step: 1, validationAccuracy: nil, savedAt: "")
    var shown = saved
    shown.path = "runs/a/last"
    #expect(Event.checkpoints([saved]).shown(from: "/home/me") == .checkpoints([shown]))
    #expect(Event.training(.checkpointSaved(saved)).shown(from: "/home/me") == .training(.checkpointSaved(shown)))
    #expect(
      WorkCommand.evaluate(checkpoint: "runs/a/last", data: "data", split: .test).absolute(from: "/home/me")
        == .evaluate(checkpoint: "/home/me/runs/a/last", data: "/home/me/data", split: .test))
  }
}
