// The order in which another program numbered the classes of a dataset's folders: it saw the names on disk.

import Datasets
import Messages

extension DatasetIndex {
  /// The classes in the order of another program.
  /// - Throws: `SettingsError` where a class has folders of two spellings, which are two classes to the other program.
  func ordered(_ order: ClassOrder) throws(SettingsError) -> [String] {
    guard order == .alphabetical else { return order.ordered(classes) }
    let spelled = folderNames
    if let place = spelled.indices.first(where: { spelled[$0].count > 1 }) {
      throw SettingsError(
        "\(root) has \(spelled[place].count) folders of the class \"\(classes[place])\", in other Unicode spellings: to "
          + "ImageFolder they are as many classes; name those of the file with --classes")
    }
    return order.ordered(classes, spelled: spelled.map { $0[0] })
  }

  /// What a person says about the outputs of a file, with the names themselves where the order of the folders' names is
  /// not that of the classes'.
  func resolved(_ naming: LabelNaming?) throws(SettingsError) -> LabelNaming? {
    guard case .order(let order)? = naming else { return naming }
    let names = try ordered(order)
    return names == order.ordered(classes) ? naming : .names(names)
  }
}
