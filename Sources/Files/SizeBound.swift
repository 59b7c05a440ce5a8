// How much is read of the small files that others may have written: what lies in a shared folder, or came from
// elsewhere, may be of any size, and a sparse file claims a terabyte for nothing.

/// The most bytes of each kind of file that is read whole. A larger one is something else, and is refused by its size
/// before memory is taken.
public enum SizeBound {
  /// The record of a run: settings and the names of classes.
  public static let runRecord = 64 << 20
  /// An evaluation of a run.
  public static let evaluation = 256 << 20
  /// The images of a run, lists of images, decisions: a line for each of some million paths.
  public static let imageList = 1 << 30
  /// A table with a row an epoch.
  public static let table = 256 << 20
  /// The file of one image.
  public static let imageFile = 1 << 30
  public static let theme = 1 << 20
}
