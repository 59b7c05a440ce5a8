// The command that starts a run from a shell, from the table of settings. Only what differs from what is usual is
// written, and what would else be taken from a file of weights.

import Support

extension TrainingSettings {
  /// `skipline train DATA --net cifar20 --epochs 30`.
  public var commandLine: String {
    let options = said.flatMap(\.words)
    let command = ["skipline", "train"]
    // A folder whose name begins with a dash is no option.
    let words = data.hasPrefix("-") ? options + ["--", shellQuoted(data)] : [shellQuoted(data)] + options
    return (command + words).joined(separator: " ")
  }

  /// The settings that have to be said, and the words that say each.
  var said: [(row: any SettingRow, words: [String])] {
    let usual = TrainingSettings(data: data, automatic: .all, network: NetworkSettings(name: network.name))
    // What is usual for the rest depends on the optimizer.
    var usualWith = usual
    usualWith.optimizer.method = optimizer.method
    usualWith.optimizerChanged(from: usual.optimizer.method)
    // Where nothing is left to choose there is nothing to fit into a time.
    let isFitted = automatic.contains(Settings.epochs)
    return Settings.all.filter { isFitted || $0.option != Settings.budget.option }.compactMap { row in
      let words = row.words(for: self, usual: row.option == Settings.optimizer.option ? usual : usualWith)
      return words.isEmpty ? nil : (row, words)
    }
  }
}

extension NetworkSettings {
  /// The options that differ from the network's defaults.
  public var optionWords: [String] {
    let usual = TrainingSettings(data: "", network: NetworkSettings(name: name))
    return Settings.networkOptions.flatMap {
      $0.words(for: TrainingSettings(data: "", network: self), usual: usual)
    }
  }
}

extension SplitFolders {
  /// The options that say the same: `--train day --test=-night`.
  public var optionWords: [String] {
    let settings = TrainingSettings(
      data: "", split: SplitSettings(folders: orNone), network: Settings.usual.network)
    return Settings.splitFolders.flatMap { $0.words(for: settings, usual: Settings.usual) }
  }
}
