// What a pane is: a model, what changes it, what it draws, and its keys. A pane lives in a folder of its own and is
// named in one place, the list in Panes.swift; layout, focus, titles, help, hints and the command palette go by that
// list. What concerns more than one pane, such as starting a run or a question that covers the screen, is not here but
// in App.

import Canvas
import Messages

/// Which pane: by the title on its border.
public struct PaneID: Sendable, Hashable {
  let title: String

  init(_ title: String) { self.title = title }
}

/// One pane of the workbench. It is a namespace: its state is the model, which `WorkbenchState` keeps, and each
/// function takes the whole state, because a pane may show what another has.
protocol Pane: SendableMetatype {
  /// Its part of the state.
  associatedtype Model: Sendable, Equatable

  static var id: PaneID { get }

  /// The model at the start.
  /// - Parameter data: the dataset's folder, as the person wrote it.
  static func model(data: String) -> Model

  // MARK: Keys

  /// The contexts of its keys, in the order of the help.
  static var contexts: [Context] { get }
  /// Its rows of the keymap.
  static var keys: [Keymap.Binding] { get }
  /// Where keys are looked up while it has the focus, the innermost context first.
  static func contexts(in state: WorkbenchState) -> [Context]
  /// The hint of one of its keys in the present state; nil while the key would do nothing.
  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String?
  /// How an action is done without the screen; nil for one that is not its own, or has no such command.
  static func command(for action: Action, in state: WorkbenchState) -> String?

  // MARK: Update

  /// What it asks for before the first event.
  static func initialEffects(_ state: WorkbenchState) -> [Effect]
  /// Takes in what the engine says. The workbench takes it in after the panes: `state.engine` is as it was before.
  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect]
  /// Does an action while it has the focus, or one that is its own.
  /// - Returns: nil where the workbench does what it does in every pane.
  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]?
  /// A row of its list was chosen with the mouse.
  static func selected(_ state: inout WorkbenchState)
  /// Was clicked, where it shows something else than a list of rows.
  /// - Parameter inner: what the pane's border leaves.
  /// - Returns: false where nothing there is to be chosen so.
  static func clicked(x: Int, y: Int, in inner: Rect, _ state: inout WorkbenchState) -> Bool
  /// The wheel turned over it, where it shows something else than a list of rows.
  static func scrolled(by rows: Int, _ state: inout WorkbenchState) -> Bool
  /// What it wants to have now and has not asked for; called after each event.
  static func requests(_ state: inout WorkbenchState) -> [Effect]
  /// Whether something in it turns with the time.
  static func isAnimated(_ state: WorkbenchState) -> Bool

  // MARK: What the workbench goes by

  /// The list that it shows now; nil where it shows none.
  static func list(in state: WorkbenchState) -> ShownList?
  /// The rows of that list on the screen, without its header; empty where it has none.
  /// - Parameter inner: what the pane's border leaves.
  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect
  /// The image on show that decisions can be about.
  static func image(in state: WorkbenchState) -> ShownImage?
  /// All images of the dataset that a decision is about now, where that may be several.
  static func marked(in state: WorkbenchState) -> [ListedFile]

  // MARK: View

  /// What stands at the right of its upper edge.
  /// - Parameter width: of the pane with its border.
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span]
  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures)
}

/// What only some panes have.
extension Pane {
  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? { binding.hint }
  static func command(for action: Action, in state: WorkbenchState) -> String? { nil }
  static func contexts(in state: WorkbenchState) -> [Context] { contexts }
  static func initialEffects(_ state: WorkbenchState) -> [Effect] { [] }
  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] { [] }
  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? { nil }
  static func selected(_ state: inout WorkbenchState) {}
  static func clicked(x: Int, y: Int, in inner: Rect, _ state: inout WorkbenchState) -> Bool { false }
  static func scrolled(by rows: Int, _ state: inout WorkbenchState) -> Bool { false }
  static func requests(_ state: inout WorkbenchState) -> [Effect] { [] }
  static func isAnimated(_ state: WorkbenchState) -> Bool { false }
  static func list(in state: WorkbenchState) -> ShownList? { nil }
  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect {
    Rect(x: inner.x, y: inner.y, width: 0, height: 0)
  }
  static func image(in state: WorkbenchState) -> ShownImage? { nil }
  static func marked(in state: WorkbenchState) -> [ListedFile] { [] }
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] { [] }

  /// Whether its list is narrowed, or a filter is being typed in it.
  static func isFiltered(_ state: WorkbenchState) -> Bool {
    guard let list = list(in: state) else { return false }
    return !state[keyPath: list.path].filter.isEmpty || (state.filtering && state.focus == id)
  }

  /// Draws its filter where there is one.
  static func drawFilter(_ state: WorkbenchState, into frame: inout Frame, in footer: Rect, theme: Theme) {
    guard isFiltered(state), let list = list(in: state) else { return }
    frame.put(
      filterOf: state[keyPath: list.path], typing: state.filtering && state.focus == id,
      in: footer.splitBottom(1).bottom, theme: theme)
  }
}

/// A list that a pane shows.
struct ShownList {
  /// Where its selection, scroll position and filter are kept.
  var path: WritableKeyPath<WorkbenchState, BrowsableList>
  /// What a filter looks at, for each item.
  var text: (Int) -> String
  /// Narrows it, where that is not by such texts.
  var narrow: ((inout WorkbenchState, String) -> Void)?
  /// Whether what it is narrowed to came with it, so that going back leaves it.
  var isNarrowedByOrigin = false
}

/// An image that a pane shows.
struct ShownImage {
  /// As an image of the dataset; nil where it is of another one.
  var file: ListedFile?
  /// From the working folder: under this its picture is kept.
  var path: String
  /// The class that it more likely is of, where anything is known of that.
  var likely: String?
}

/// What one pane alone offers.
struct PaneAction: Sendable, Hashable {
  let pane: PaneID
  let name: String

  init(_ pane: PaneID, _ name: String) {
    self.pane = pane
    self.name = name
  }
}
