// A dataset whose images lie in TFRecord shards: the same index as that of a folder of files, with images named by
// their place in a shard (`FileSlice`), so that whatever opens an image by its path opens these too.

import Messages

extension ScannedDataset {
  /// Reads a folder of TFRecord shards of `tf.train.Example`. Every record is read and its checksums are compared.
  ///
  ///     DATA/train-00000-of-00004.tfrecord, DATA/validation.tfrecord ...    the split is in the shard's name
  ///     DATA/{train,val,test}/...                                           or in its folder's
  ///     DATA/labels.txt                                                     names of labels, where there is no text
  ///
  /// Images of other shards are divided by a hash of their names. As with files, validation images are taken out of
  /// the training shards where there are no others.
  ///
  /// - Parameters: see `read`.
  /// - Returns: nil for a folder that holds no shards.
  /// - Throws: `DatasetError` where there is nothing to train on; damage is in the index's findings.
  static func readRecords(
    root: String, listing: FolderListing, division: ImageDivision, minimumClasses: Int,
    progress: (DatasetProgress) -> Void, isCancelled: () -> Bool
  ) throws(DatasetError) -> ScannedDataset? {
    guard let folder = try RecordFolder(root: root, listing: listing, named: division.settings.folders) else {
      return nil
    }
    let table = RecordTable(
      root: root, folder: folder, progress: { progress(.scanning(files: $0, classes: [])) },
      isCancelled: isCancelled)
    if isCancelled() { throw .cancelled(path: root) }
    guard let first = table.classes.first else {
      throw .unreadableRecords(
        path: root,
        reason: "holds no usable image in its shards (" + (table.findings.first?.message ?? "empty") + ")")
    }
    guard table.classes.count >= minimumClasses else { throw .tooFewClasses(path: root, only: first) }

    let hasValidation = table.shards.contains { $0.split == .validation }
    let images = table.images.map { label, image in
      let origin: SplitOrigin =
        switch table.shards[image.shard].split {
        case nil: .rule
        case .train where !hasValidation: .ruleWithinTraining
        case let part?: .named(part)
        }
      return UndividedImage(path: table.path(image), label: label, origin: origin)
    }
    let divided = try division.divided(images, classes: table.classes)
    return ScannedDataset(
      root: root, split: division.settings, classes: table.classes, items: divided.items,
      unlisted: divided.unlisted,
      splitSource: division.lists != nil ? .lists : table.shards.contains { $0.split != nil } ? .folders : .hash,
      findings: table.findings + divided.findings)
  }
}
