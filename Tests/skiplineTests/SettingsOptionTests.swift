// The options of `train` and the form against the table of settings that both are made from.

import ArgumentParser
import Canvas
import Dispatch
import Foundation
import Messages
import TestSupport
import Testing
import Training

@testable import Workbench
@testable import skipline

@Suite struct `Options and the table of settings` {
  private var train: DescribedCommand {
    get throws { try #require(DescribedCommand.all.first { $0.commandName == "train" }) }
  }

  /// Nothing in it is as usual.
  static let unusual: TrainingSettings = {
    var settings = TrainingSettings.unusual
    settings.split.folders = SplitFolders(train: "day", validation: "dusk", test: "-night")
    // Its network has no whitened form, and the one that has takes none of the other options.
    settings.network.isWhitened = false
    // It fixes most of them.
    settings.network.variant = nil
    // It is of other networks.
    settings.network.dropout = nil
    settings.network.auxiliaryHeads = nil
    return settings
  }()

  /// What `train` takes that is no setting.
  private static let own = [
    "resume", "like", "data", "accept-changes", "verbose", "json", "until-step", "save-recipe", "common-kernels",
    "version", "help",
  ]

  @Test func `each row has an option, and each option a row`() throws {
    let names = try (train.arguments ?? []).filter { $0.kind != "positional" }.map {
      String($0.option.dropFirst(2))
    }
    let inverses = names.filter { name in name.hasPrefix("no-") && names.contains(String(name.dropFirst(3))) }
    let options = Set(names).subtracting(inverses).subtracting(Self.own)
    #expect(options == Set(Settings.all.map(\.option)))
  }

  @Test func `an option that is given reaches the settings, by the name of its property`() throws {
    var settings = Self.unusual
    settings.initialClasses = .order(.natural)
    // It goes with a recipe, which has nothing left to choose here.
    settings.budget = nil
    let words = try shellWords([settings.commandLine])[0].dropFirst(2)
    let options = try TrainCommand.parse(Array(words)).options
    #expect(try options.settings(data: settings.data) == settings)
    let given = GivenOptions(options)
    // One of the two excludes the other.
    #expect(
      Set(given.values.keys)
        == Set(Settings.all.map(\.option)).subtracting([
          "classes", "whiten", "variant", "dropout", "aux-heads", "budget",
        ]))
    #expect(given.fixed.contains("--no-flip") && given.fixed.contains("--net") && !given.fixed.contains("--epochs"))
  }

  @Test func `a whitened network is asked for in the words that its settings say`() throws {
    let settings = TrainingSettings(
      data: "images", network: NetworkSettings(name: "resnet9", widthMultiplier: 0.25, isWhitened: true))
    let words = try shellWords([settings.commandLine])[0].dropFirst(2)
    #expect(words.contains("--whiten"))
    #expect(try TrainCommand.parse(Array(words)).options.settings(data: "images") == settings)
  }

  /// Whatever a line leaves out is the same default on both sides.
  @Test func `the usual settings need no option`() throws {
    var usual = Settings.usual
    usual.data = "images"
    #expect(usual.commandLine == "skipline train images")
    #expect(try TrainCommand.parse(["images"]).options.settings(data: "images") == usual)
  }

  @Test func `what a command line says of settings, it reads back`() throws {
    var random = SystemRandomNumberGenerator()
    let many = (0..<40).map { _ in RandomSettings(&random).settings }
    let lines = try shellWords(many.map(\.commandLine))
    #expect(lines.count == many.count)
    for (settings, words) in zip(many, lines) {
      let command = try TrainCommand.parse(Array(words.dropFirst(2)))
      let parsed = try command.options.settings(data: try #require(command.data))
      #expect(parsed == settings, "\(settings.commandLine)")
    }
  }

  /// A text that is refused, by the form and on the command line.
  @Test(arguments: [
    ("imgsz", "0"), ("imgsz", "4097"), ("batch", "65537"), ("epochs", "0"), ("lr", "0"), ("lr", "nan"),
    ("momentum", "1"), ("optimizer", "adam"), ("schedule", "linear:1"), ("schedule", "one-cycle:0.3:0"),
    ("schedule", "restarts"), ("schedule", "restarts:0"), ("schedule", "restarts:3:1.5"), ("weight-decay", "-1"),
    ("label-smoothing", "1"), ("width", "17"), ("seed", "-1"),
    ("schedule", "cosine:2"), ("schedule", "sometimes"), ("schedule", "step:3,2"), ("name", "a/b"), ("name", ".x"),
  ])
  func `the form and the command line refuse the same with the same words`(option: String, text: String) throws {
    let field = try #require(SettingsField.all.first { $0.row.option == option })
    var settings = Settings.usual
    let refusal = #expect(throws: SettingRefusal.self) { try field.apply(text, to: &settings, networks: []) }
    let reason = try #require(refusal?.reason)
    #expect(settings == Settings.usual)
    do {
      _ = try TrainCommand.parse(["data", "--\(option)", text])
      Issue.record("taken")
    } catch {
      #expect(TrainCommand.message(for: error).contains(reason))
    }
  }

  /// Sizes that depend on the network are refused by the engine, and so by the form.
  @Test(arguments: [("vgg19", 31, false), ("vgg19", 32, true), ("vgg19_bn", 16, false), ("cifar20", 1, true)])
  func `the form takes the image sizes that the engine takes`(network: String, size: Int, isTaken: Bool) throws {
    var state = WorkbenchState(
      data: "d",
      settings: TrainingSettings(
        data: "d", network: NetworkSettings(name: network), preprocessing: .init(imageSize: 224)),
      rules: TrainingRules(networks: [network], refusing: { $0.refusal }), themeNames: ["dark"])
    var form = SettingsForm()
    form.select(try #require(SettingsField.all.firstIndex { $0.row.option == "imgsz" }))
    for digit in "\(size)" { form.type(digit) }
    #expect(form.commit(to: &state.settings, rules: state.rules) == isTaken)
    var settings = state.settings
    settings.preprocessing.imageSize = size
    #expect((settings.refusal == nil) == isTaken && form.error == settings.refusal)
    if !isTaken {
      let error = #expect(throws: (any Error).self) { try settings.requireTrainable() }
      #expect(form.error == error.map { "\($0)" })
    }
  }

  /// The words that a shell makes of lines.
  private func shellWords(_ lines: [String]) throws -> [[String]] {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    let (program, output) = (Pipe(), Pipe())
    (shell.standardInput, shell.standardOutput) = (program, output)
    try shell.run()
    let say = "say() { for word; do printf '%s\\001' \"$word\"; done; printf '\\002'; }"
    let script = Data(([say] + lines.map { "say \($0)" }).joined(separator: "\n").utf8)
    // A pipe holds less than all of it, so that the two ends must be used at once.
    let writing = DispatchQueue(label: "script")
    writing.async {
      try? program.fileHandleForWriting.write(contentsOf: script)
      try? program.fileHandleForWriting.close()
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    return text.split(separator: "\u{2}").map { line in
      line.split(separator: "\u{1}", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
  }
}

/// Settings that a command line can say, each as usual or not.
private struct RandomSettings {
  var settings: TrainingSettings

  init(_ random: inout some RandomNumberGenerator) {
    var generator = random
    func chance() -> Bool { Bool.random(using: &generator) }
    func whole(_ range: NumericRange<Int>) -> Int {
      chance()
        ? [range.lower, range.upper].randomElement(using: &generator) ?? 0
        : Int.random(in: range.lower...range.upper, using: &generator)
    }
    func number(_ range: NumericRange<Double>) -> Double {
      let number = Double.random(in: range.lower...range.upper, using: &generator)
      return chance() && range.includesUpper
        ? range.upper : range.contains(number) ? number : range.lower + (range.upper - range.lower) / 3
    }
    func text() -> String {
      ["a", "my images", "it's", "a/b c", "$HOME", "*", "~x", "日本", "a;b", "#x", "\"q\"", "a\\b", "70/20/10x", "!"]
        .randomElement(using: &generator) ?? "a"
    }
    func channels(_ range: NumericRange<Float>) -> [Float] {
      (0..<3).map { _ in Float.random(in: range.lower...range.upper, using: &generator) }
    }
    func choice<Value: CaseIterable>(_ type: Value.Type) -> Value {
      Value.allCases.randomElement(using: &generator)!
    }

    settings = TrainingSettings(data: text(), network: NetworkSettings(name: chance() ? "cifar20" : "resnet50"))
    if chance() { settings.data = "-" + text() }
    if chance() { settings.split = SplitSettings(train: whole(.from(0, to: 100)), validation: 3, test: 9) }
    if chance() { settings.split.lists = text() }
    if chance() { settings.split.folders = SplitFolders(train: chance() ? "-" + text() : nil, test: text()) }
    if chance() { settings.network.shortcut = choice(Shortcut.self) }
    if settings.network.shortcut == .zeroPadding { settings.network.zeroPlacement = choice(ZeroPlacement.self) }
    if chance() { settings.network.version = chance() ? .v1 : .v2 }
    if settings.network.name == "resnet50", chance() {
      settings.network.variant = .article
      settings.network.shortcut = chance() ? nil : .zeroPadding
      settings.network.version = chance() ? nil : .v2
      settings.network.zeroPlacement = .split
    }
    if chance() { settings.network.stem = choice(Stem.self) }
    if chance() { settings.network.widthMultiplier = number(Settings.width.range) }
    if chance() { settings.network.stemWidth = whole(Settings.stemWidth.range) }
    settings.network.head = choice(Head.self)
    if chance() { settings.network.dropPath = number(Settings.dropPath.range) }
    settings.convolutionInitialization = choice(ConvolutionInitialization.self)
    if chance() {
      settings.initialWeights = chance() ? text() : "-" + text()
      settings.freeze =
        [
          .none, FreezeSettings(layers: "backbone"), FreezeSettings(layers: "layer3.1", epochs: 5),
        ].randomElement(using: &generator) ?? .none
      let names = [text(), "Rose, red", "a \"b\""]
      if chance() { settings.initialClasses = chance() ? .order(choice(ClassOrder.self)) : .names(names) }
    }
    if chance() { settings.preprocessing.imageSize = whole(Settings.imageSize.range) }
    settings.preprocessing.resize = choice(PreprocessingSettings.Resize.self)
    settings.preprocessing.background =
      [.white, .black, .none, .noise, .color(red: 1, green: 20, blue: 255)].randomElement(using: &generator)
      ?? .none
    if settings.preprocessing.resize == .pad, chance() {
      settings.preprocessing.padColor = chance() ? .edge : .color(red: 1, green: 20, blue: 255)
    }
    if chance() {
      settings.preprocessing.normalization = .given(
        mean: channels(Settings.meanRange), std: channels(Settings.stdRange))
    }
    settings.augmentation = AugmentationSettings(
      crop: choice(AugmentationSettings.Crop.self),
      cropScale: chance() ? nil : number(Settings.cropScale.range), horizontalFlip: chance(),
      alternatesFlip: chance(), verticalFlip: chance(),
      rotation: chance() ? 0 : number(Settings.rotate.range),
      automatic: choice(AugmentationSettings.AutoAugment.self),
      colorJitter: chance() ? 0 : number(Settings.jitter.range),
      erasing: chance() ? 0 : number(Settings.erase.range),
      erasingFill: chance() ? nil : choice(AugmentationSettings.ErasingFill.self),
      mixup: chance() ? 0 : number(Settings.mixup.range), cutMix: chance() ? 0 : number(Settings.cutMix.range))
    settings.optimizer = choice(OptimizerMethod.self).usual
    if chance() { settings.optimizer.momentum = number(Settings.momentum.range) }
    if chance() { settings.optimizer.betas = AdamBetas(number(.from(0, below: 1)), 0.5) }
    if chance() { settings.optimizer.epsilon = number(Settings.epsilon.range) }
    settings.optimizer.nesterov = chance()
    if chance() { settings.optimizer.weightDecay = number(Settings.weightDecay.range) }
    settings.optimizer.decayNormsAndBiases = chance()
    if chance() { settings.optimizer.gradientClip = number(Settings.clip.range) }
    if chance() {
      settings.optimizer.lookahead = LookaheadSettings(steps: whole(.from(1, to: 1_000_000)), share: 0.3)
    }
    if chance() { settings.ema = number(Settings.ema.range) }
    if chance() { settings.accumulate = whole(Settings.accumulate.range) }
    if chance() { settings.replicas = whole(Settings.replicas.range) }
    settings.learningRate = chance() ? settings.optimizer.method.usualRate : number(Settings.learningRate.range)
    settings.schedule =
      [
        .constant, .cosine(warmUp: number(Limits.warmUp.range)), .step(epochs: [1, 30, 1_000_000], factor: 0.1),
        .plateau(factor: 0.25, patience: whole(Limits.schedulePatience.range)),
        .linear(warmUp: number(Limits.warmUp.range)),
        .oneCycle(warmUp: number(Limits.warmUp.range), divisor: number(Limits.cycleDivisor.range)),
        .restarts(epochs: whole(Limits.restartEpochs.range), factor: whole(Limits.restartFactor.range)),
      ].randomElement(using: &generator) ?? .constant
    settings.normStatistics = choice(NormStatistics.self)
    if chance() { settings.featureViews = whole(Settings.featureViews.range) }
    if chance() { settings.backboneRate = number(Settings.backboneRate.range) }
    if chance() { settings.labelSmoothing = number(Settings.labelSmoothing.range) }
    if chance() { settings.batchSize = whole(Settings.batchSize.range) }
    settings.precision = choice(TrainingPrecision.self)
    if chance() { settings.epochs = whole(Settings.epochs.range) }
    if chance() { settings.progressiveStart = number(Settings.progressive.range) }
    if chance() { settings.optimizer.normBiasRate = number(Settings.normBiasRate.range) }
    if chance() { settings.timeBudget = number(Settings.time.range) }
    if chance() { settings.earlyStoppingPatience = whole(.from(1, to: Settings.patience.range.upper)) }
    settings.seed = UInt64.random(in: 0 ... .max, using: &generator)
    if chance() { settings.threads = whole(Settings.threads.range) }
    if chance() { settings.workers = whole(Settings.workers.range) }
    settings.cache = CacheSettings(isEnabled: chance(), limit: chance() ? nil : whole(Settings.cacheLimit.range))
    settings.keep = KeepPolicy(
      everyEpochs: whole(Settings.saveEvery.range), newest: chance() ? nil : whole(Settings.keepRange))
    settings.safety = SafetySettings(
      saveMinutes: number(Settings.saveMinutes.range), divergence: choice(DivergencePolicy.self),
      ignoresMemory: chance(), acceptsErrors: chance())
    if chance() { settings.logEvery = whole(Settings.logEvery.range) }
    if chance() { settings.layerStats = whole(Settings.layerStats.range) }
    settings.tensorBoard = chance()
    if chance() { settings.project = chance() ? text() : "-" + text() }
    if chance() { settings.name = ["first", "my run", "it's"].randomElement(using: &generator) }
    random = generator
  }
}
