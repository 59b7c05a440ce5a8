// The chooser of a class on the screen: the classes that match what is typed beside the picture that they are chosen
// for, and the command that does the same.

import Canvas
import Messages

enum ClassChooserView {
  static func draw(
    _ chooser: ClassChooser, _ state: WorkbenchState, into frame: inout Frame, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    let theme = theme.over(.overlay)
    let (list, foot) = SearchBox.draw(
      title: chooser.others.isEmpty
        ? "Relabel \(lastComponent(chooser.path)) (\(chooser.current)) as"
        : "Relabel \(Format.count(chooser.images.count)) images as", trailing: "Enter relabels",
      typed: chooser.text, into: &frame, theme: theme)
    let (names, picture) = list.splitLeft(list.width / 2)
    if let path = state.panes[state.focus].image(in: state)?.path {
      frame.put(picture: state.pictures[path], in: picture.inset(left: 2, top: 1), theme: theme, drawn: &pictures)
    }
    guard chooser.list.count > 0 else {
      frame.put(notice: "no class matches", in: names, style: theme[.dimmed])
      return
    }
    let columns = [
      Table.Column("", width: .flexible(minimum: 12, weight: 1), truncation: .middle),
      Table.Column("", width: .fixed(10), alignment: .trailing),
    ]
    Table.of(chooser.list, columns: columns, height: names.height, focused: true, showsHeader: false) { item in
      let name = chooser.names[item]
      return [.text(name), .spans([Span(name == chooser.original ? "its folder" : "", theme[.dimmed])])]
    }.draw(into: &frame, in: names, theme: theme)
    if let chosen = chooser.selected {
      let command = ShellCommand.decide(
        .relabel(path: chooser.path, to: chosen), data: state.dataset.path, state.settings.split)
      frame.put("$ " + command, in: foot, style: theme[.dimmed])
    }
  }
}
