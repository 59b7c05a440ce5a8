// What came out of a degradation lab, as a table and in sentences: printed by `skipline lab`, and on the screen.

import Canvas
import Messages

public enum LabText {
  /// A row a network, below the names of the columns.
  public static func table(_ report: LabReport) -> [[String]] {
    let head = ["errors", "layers", "parameters", "training", "validation", "test", "article, test", "run"]
    return [head]
      + report.rows.map { row in
        [
          row.network.name, "\(row.network.depth)", Format.count(row.parameters), share(row.trainingError),
          share(row.validationError), share(row.testError), published(row), row.run,
        ]
      }
  }

  private static func share(_ value: Double?) -> String { Format.percent(value, decimals: 2) }

  /// In percent, as the article has it.
  static func published(_ row: LabReport.Row) -> String {
    row.published.map { Format.fixed($0, 2) + "%" } ?? Format.absent
  }

  /// The question, the answer, and what the article found.
  public static func answer(_ report: LabReport) -> [String] {
    let answer = report.answerText { Format.percent($0, decimals: 2) }
    return [
      LabReport.question, answer ?? "Not known before all plain networks are trained.", report.article,
      "Trained here: \(report.plan.text). The article's errors are of other images and of many more steps.",
    ]
  }
}
