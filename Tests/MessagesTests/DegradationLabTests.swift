// The lab's question: which depths can be compared, and what follows from the errors.

import Messages
import Testing

@Suite struct DegradationLabTests {
  @Test func `depths are of one family, different and two at least`() throws {
    #expect(try LabDepths(argument: "56,20").layers == [20, 56])
    #expect(try LabDepths(argument: "34,18").isLarge)
    #expect(LabDepths.small.networks.map(\.name) == ["plain20", "plain56", "cifar20", "cifar56"])
    #expect(LabDepths.large.networks.map(\.name) == ["plain18", "plain34", "resnet18", "resnet34"])
    for text in ["", "20", "20,20", "18,20", "20,57", "20,x", "20,,56", "20 56", "2,8", "8,1208", "18", "-20,56"] {
      #expect(throws: SettingRefusal.self, "\(text)") { try LabDepths(argument: text) }
    }
  }

  @Test func `only residual networks have shortcuts, and those of large ones no parameters`() {
    let template = NetworkSettings(name: "", widthMultiplier: 0.5)
    let large = LabDepths.large.networks.map { $0.settings(like: template) }
    #expect(large.map(\.shortcut) == [nil, nil, .zeroPadding, .zeroPadding])
    #expect(large.allSatisfy { $0.widthMultiplier == 0.5 })
    let projected = NetworkSettings(name: "", shortcut: .projection)
    #expect(
      LabDepths.small.networks.map { $0.settings(like: projected).shortcut } == [
        nil, nil, .projection, .projection,
      ])
  }

  private func report(_ errors: [Double?], images: Int = 1000) -> LabReport {
    let plan = LabPlan(
      name: "lab-1", depths: .small,
      settings: TrainingSettings(data: "d", network: NetworkSettings(name: "plain20")),
      budget: nil, given: [], fingerprint: "f", trainingImages: images, validationImages: 10, testImages: 10,
      seconds: 1)
    return LabReport(
      plan: plan,
      rows: zip(plan.depths.networks, errors).map { network, error in
        var row = LabReport.Row(
          network: network, run: plan.path(network), state: error == nil ? .unfinished : .finished, parameters: 1)
        row.trainingError = error
        return row
      })
  }

  @Test(arguments: [
    (
      [0.10, 0.20, 0.10, 0.05], "higher", "lower",
      "Yes: plain56 20%, plain20 10%. With shortcuts the deeper one has the lower"
    ),
    (
      [0.20, 0.10, 0.10, 0.20], "lower", "higher",
      "No: plain56 10%, plain20 20%. With shortcuts the deeper one has the higher"
    ),
    // Of 1,000 images a point is less than two standard errors.
    ([0.10, 0.11, 0.10, 0.10], "unclear", "unclear", "It cannot be told"),
    ([0, 0, 0, 0], "unclear", "unclear", "It cannot be told"),
  ])
  func `the answer goes by the difference and by what chance makes`(
    errors: [Double], plain: String, residual: String, text: String
  ) throws {
    let report = report(errors)
    #expect(report.answer(isResidual: false)?.verdict.rawValue == plain)
    #expect(report.answer(isResidual: true)?.verdict.rawValue == residual)
    let said = try #require(report.answerText { "\(Int(($0 * 100).rounded()))%" })
    #expect(said.hasPrefix(text))
  }

  @Test func `there is no answer before both plain networks are trained`() {
    #expect(report([0.1, nil, 0.1, 0.1]).answerText { "\($0)" } == nil)
    #expect(report([0.1, .nan, 0.1, 0.1]).answer(isResidual: false) == nil)
    let half = report([0.1, 0.3, 0.1, nil])
    #expect(half.next?.network.name == "cifar56" && !half.isFinished)
    #expect(half.answerText { _ in "x" } == "Yes: plain56 x, plain20 x.")
    // A point of many images is no chance.
    #expect(report([0.10, 0.11, 0.1, 0.1], images: 60_000).answer(isResidual: false)?.verdict == .higher)
  }
}
