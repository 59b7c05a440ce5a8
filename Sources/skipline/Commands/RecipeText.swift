// What a recipe chose, in lines for a terminal.

import Canvas
import Messages

enum RecipeText {
  /// A line a choice: the option, its value and the reason; then what it will take.
  static func lines(_ recipe: RecipeReport) -> [String] {
    let width = recipe.choices.map { $0.option.count + $0.value.count }.max() ?? 0
    let rows = recipe.choices.map { choice in
      let gap = String(repeating: " ", count: width - choice.option.count - choice.value.count + 2)
      return "  --\(choice.option) \(choice.value)\(gap)\(choice.reason)"
    }
    return ["recipe, from the data and a trial of this machine:"] + rows + [cost(recipe)]
  }

  /// `about 1 min 40 s in all: ...`
  static func cost(_ recipe: RecipeReport) -> String {
    let cost = recipe.cost
    return "about \(Format.duration(cost.total)) in all: \(Format.duration(cost.preparation)) to prepare, "
      + (cost.features.map { "\(Format.duration($0)) to compute features, " } ?? "")
      + "\(Format.counted(cost.epochs, "epoch")) of \(seconds(cost.epoch)), "
      + "\(seconds(cost.evaluation)) to measure the test images; \(Format.bytes(cost.memory)) of memory"
  }

  /// Other networks and sizes, the chosen one marked.
  static func table(_ recipe: RecipeReport) -> [String] {
    let rows = recipe.alternatives.map { other in
      [
        (other.isChosen ? "* " : "  ") + ([other.network.name] + other.network.optionWords).joined(separator: " "),
        "\(other.imageSize)", Format.short(other.multiplyAdds), seconds(other.epoch),
        Format.count(other.epochsInBudget), Format.bytes(other.memory),
      ]
    }
    let budget = Format.duration(recipe.budget)
    return Console.table(
      [["  network", "size", "multiply-adds", "an epoch", "epochs in \(budget)", "memory"]] + rows)
  }

  /// With a digit after the point where there are few.
  private static func seconds(_ seconds: Double) -> String {
    seconds < 10 ? "\(Format.fixed(seconds, 1)) s" : Format.duration(seconds)
  }
}
