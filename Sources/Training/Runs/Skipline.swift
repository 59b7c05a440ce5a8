/// Facts about the program itself.
public enum Skipline {
  /// Recorded in runs and checkpoints.
  public static let version = "0.1.0"
}
