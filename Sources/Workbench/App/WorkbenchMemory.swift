// What the workbench remembers from one opening to the next: what a person set once and would have to set again. Plain
// values; where they are kept is for whoever opens the workbench.

import Canvas

/// The theme, the layout, how curves are drawn, and what was opened.
public struct WorkbenchMemory: Codable, Sendable, Equatable {
  /// nil for the one that fits the terminal.
  public var theme: String?
  /// From the root, the newest first.
  public var recentDatasets: [String] = []
  var dividers: Dividers = Dividers()
  var curves: Curves?

  /// How curves are drawn.
  struct Curves: Codable, Sendable, Equatable {
    var smoothing: CurvesState.Smoothing
    var fit: CurvesState.Fit
    var isLogarithmic: Bool
  }

  public static let mostDatasets = 20

  public init() {}

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    // What an earlier version kept otherwise is as on the first day.
    theme = try? values.decodeIfPresent(String.self, forKey: .theme)
    recentDatasets = (try? values.decodeIfPresent([String].self, forKey: .recentDatasets)) ?? []
    dividers = (try? values.decodeIfPresent(Dividers.self, forKey: .dividers)) ?? Dividers()
    curves = try? values.decodeIfPresent(Curves.self, forKey: .curves)
  }

  private enum CodingKeys: String, CodingKey { case theme, recentDatasets, dividers, curves }

}

extension WorkbenchState {
  /// What is to be remembered of it.
  public var memory: WorkbenchMemory {
    var memory = WorkbenchMemory()
    if isThemeChosen { memory.theme = themeNames.indices.contains(theme) ? themeNames[theme] : nil }
    memory.recentDatasets = recentDatasets
    memory.dividers = dividers
    memory.curves = .init(smoothing: curves.smoothing, fit: curves.fit, isLogarithmic: curves.isLogarithmic)
    return memory
  }

  /// Notes a dataset as the newest.
  /// - Parameter dataset: its folder from the root.
  public mutating func opened(_ dataset: String) {
    recentDatasets = Array(
      ([dataset] + recentDatasets.filter { $0 != dataset }).prefix(WorkbenchMemory.mostDatasets))
  }

  /// Takes in what was remembered, but for the theme, which the state begins with.
  public mutating func adopt(_ memory: WorkbenchMemory) {
    isThemeChosen = isThemeChosen || memory.theme != nil
    recentDatasets = memory.recentDatasets
    dividers = memory.dividers
    if let known = memory.curves {
      (curves.smoothing, curves.fit, curves.isLogarithmic) = (known.smoothing, known.fit, known.isLogarithmic)
    }
  }
}
