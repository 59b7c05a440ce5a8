// What a person does in the inspector's views: moving in the matrix and in the sheet, marking, sorting, the threshold, the
// lists, and the mouse.

import Canvas
import Messages

extension InspectorPane {
  // MARK: The matrix

  /// Rows and columns of the matrix in view.
  static func matrixExtent(_ state: WorkbenchState) -> (rows: Int, columns: Int) {
    matrixLayout(state)?.extent ?? (1, 1)
  }

  static func matrixLayout(_ state: WorkbenchState) -> ConfusionLayout? {
    guard let report = state.inspector.report, let inner = state.layout[id]?.interior else { return nil }
    let layout = InspectorLayout(state.inspector, in: inner)
    return layout.content(layout.matrix).map { confusionLayout(report, state, in: $0) }
  }

  static func performInMatrix(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    guard let report = state.inspector.report else { return nil }
    let extent = matrixExtent(state)
    let page = max(1, extent.rows - 1)
    func move(rows: Int = 0, columns: Int = 0) {
      state.inspector.confusion.move(rows: rows, columns: columns, extent: extent)
    }
    switch action {
    case .up: move(rows: -1)
    case .down: move(rows: 1)
    case .left: move(columns: -1)
    case .right: move(columns: 1)
    case .pageUp: move(rows: -page)
    case .pageDown: move(rows: page)
    case .halfPageUp: move(rows: -max(1, page / 2))
    case .halfPageDown: move(rows: max(1, page / 2))
    case .first: state.inspector.confusion.stand(row: 0, column: 0, extent: extent)
    case .last: state.inspector.confusion.stand(row: .max, column: .max, extent: extent)
    case .next: goToPair(by: 1, &state, extent: extent)
    case .previous: goToPair(by: -1, &state, extent: extent)
    case .order: state.inspector.confusion.toggleOrder(report.confusion, extent: extent)
    case .shares: state.inspector.confusion.showsShares.toggle()
    case .flip: state.inspector.confusion.flip()
    case .open: openCell(&state)
    case .filter:
      state.notify(.information, "the images have a filter: Enter opens those of the cell")
    default: return handled.contains(action) ? [] : nil
    }
    return []
  }

  /// To the next of the most confused pairs.
  static func goToPair(by places: Int, _ state: inout WorkbenchState, extent: (rows: Int, columns: Int)) {
    let (pairs, confusion) = (state.inspector.confused, state.inspector.confusion)
    guard !pairs.isEmpty else { return state.notify(.information, "no mistakes at all") }
    let place = pairs.firstIndex { $0.truth == confusion.truth && $0.predicted == confusion.predicted }
    let next = place.map { ($0 + places + pairs.count) % pairs.count } ?? (places > 0 ? 0 : pairs.count - 1)
    state.inspector.confusion.stand(truth: pairs[next].truth, predicted: pairs[next].predicted, extent: extent)
  }

  /// The filter that leaves the images of the cell at the cursor.
  static func cellFilter(_ state: WorkbenchState) -> String? {
    guard let report = state.inspector.report, let truth = state.inspector.confusion.truth,
      let predicted = state.inspector.confusion.predicted
    else { return nil }
    return ImageQuery.pair(report.className(truth), report.className(predicted))
  }

  /// Where the sheet stands beside the matrix it has the images of the cell.
  static func showCell(_ state: inout WorkbenchState) {
    guard state.inspector.view == .confusion, let inner = state.layout[id]?.interior,
      InspectorLayout(state.inspector, in: inner).sheet != nil, let filter = cellFilter(state),
      state.inspector.images.list.filter != filter
    else { return }
    state.inspector.images.narrow(to: filter)
    state.inspector.images.list.select(0, page: 1)
  }

  static func openCell(_ state: inout WorkbenchState) {
    guard let filter = cellFilter(state), let report = state.inspector.report else { return }
    let confusion = state.inspector.confusion
    if confusion.truth == confusion.predicted, !state.inspector.images.isWhole {
      state.notify(.information, state.inspector.noTable)
      return
    }
    if let truth = confusion.truth, let predicted = confusion.predicted, report.confusion[truth, predicted] == 0 {
      state.notify(.information, "no image is in this cell")
      return
    }
    showImages(of: filter, in: &state)
  }

  // MARK: The images

  /// Where the sheet stands; nil where it is not in view.
  static func sheet(_ state: WorkbenchState) -> SheetLayout? {
    guard let inner = state.layout[id]?.interior else { return nil }
    let layout = InspectorLayout(state.inspector, in: inner)
    return layout.content(layout.sheet).map { sheetLayout(state, in: $0) }
  }

  /// Scrolls so that the chosen image is in view.
  static func keepInView(_ state: inout WorkbenchState) {
    guard let sheet = sheet(state) else { return }
    let images = state.inspector.images
    state.inspector.images.top = sheet.top(images.top, selected: images.list.selected, count: images.list.count)
  }

  static func performInImages(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    let isSingle = state.inspector.images.isSingle
    let sheet = sheet(state)
    let (columns, page) = isSingle ? (1, 10) : (sheet?.columns ?? 1, sheet?.page ?? 1)
    func move(by places: Int) { state.inspector.images.list.move(by: places, page: 1) }
    switch action {
    case .up: move(by: -columns)
    case .down:
      // To the last one where the line below is short.
      let list = state.inspector.images.list
      let isLastLine = list.selected / columns == max(0, list.count - 1) / columns
      if !isLastLine { move(by: columns) }
    case .left: move(by: -1)
    case .right: move(by: 1)
    case .pageUp: move(by: -page)
    case .pageDown: move(by: page)
    case .halfPageUp: move(by: -max(columns, page / 2 / columns * columns))
    case .halfPageDown: move(by: max(columns, page / 2 / columns * columns))
    case .first: state.inspector.images.list.select(0, page: 1)
    case .last: state.inspector.images.list.select(.max, page: 1)
    case .next: state.inspector.images.list.cycle(by: 1, page: 1)
    case .previous: state.inspector.images.list.cycle(by: -1, page: 1)
    case .open:
      guard state.inspector.images.row != nil else { break }
      state.inspector.images.isSingle.toggle()
    case .mark:
      state.inspector.images.toggleMark()
      move(by: 1)
    case .markAll: state.inspector.images.markAll()
    case .changeSort:
      state.inspector.images.changeSort()
      state.notify(.information, "sorted by \(state.inspector.images.sort.title)")
    case .showAnswers: changeAnswers(&state)
    case .showHeat: showHeat(&state)
    default: return handled.contains(action) ? [] : nil
    }
    keepInView(&state)
    return []
  }

  /// All, the wrong ones, the right ones.
  static func changeAnswers(_ state: inout WorkbenchState) {
    var words = state.inspector.images.list.filter.split(separator: " ").map(String.init)
    let next = words.contains("wrong") ? "right" : words.contains("right") ? nil : "wrong"
    words.removeAll { ["right", "wrong"].contains($0) }
    if next == "right", !state.inspector.images.isWhole {
      state.notify(.information, state.inspector.noTable)
      return
    }
    state.inspector.images.narrow(to: (words + (next.map { [$0] } ?? [])).joined(separator: " "))
    state.notify(.information, next.map { "\($0) answers only" } ?? "right and wrong answers")
  }

  static func showHeat(_ state: inout WorkbenchState) {
    guard state.inspector.images.isWhole else {
      state.notify(.information, state.inspector.noTable)
      return
    }
    if state.inspector.images.isSingle {
      state.inspector.showsHeat.toggle()
    } else {
      state.inspector.images.isSingle = true
      state.inspector.showsHeat = true
    }
    if state.inspector.showsHeat { tell(.showHeat, &state) }
  }

  /// How a shell does what was just done.
  static func tell(_ action: Action, _ state: inout WorkbenchState) {
    if let command = command(for: action, in: state) { state.notify(.information, "$ " + command) }
  }

  /// From a class or a pair to its images.
  static func open(_ state: inout WorkbenchState) {
    guard let report = state.inspector.report else { return state.toggleZoom() }
    switch state.inspector.view {
    case .overview:
      guard let index = state.inspector.pairs.selectedItem else { return }
      let pair = state.inspector.confused[index]
      showImages(
        of: ImageQuery.pair(report.className(pair.truth), report.className(pair.predicted)), in: &state)
    case .classes:
      guard let index = state.inspector.classes.selectedItem else { return }
      showImages(of: ImageQuery.truth(report.className(index)), in: &state)
    default: state.toggleZoom()
    }
  }

  static func showImages(of filter: String, in state: inout WorkbenchState) {
    state.inspector.origin = InspectorState.Origin(view: state.inspector.view, filter: filter)
    state.inspector.view = .images
    state.inspector.images.isSingle = false
    if state.inspector.images.list.filter != filter { state.inspector.images.narrow(to: filter) }
    keepInView(&state)
  }

  // MARK: The other views

  static func performInConfidence(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    switch action {
    case .left: moveThreshold(by: -1, &state)
    case .right: moveThreshold(by: 1, &state)
    case .lowerThreshold: moveThreshold(by: -5, &state)
    case .raiseThreshold: moveThreshold(by: 5, &state)
    case .first: moveThreshold(by: -100, &state)
    case .last: moveThreshold(by: 100, &state)
    case .toggleReliability: state.inspector.confidence.showsReliability.toggle()
    case .open:
      // What the threshold would reject.
      let bound = Format.fixed(state.inspector.confidence.threshold, 2)
      showImages(of: "conf<\(bound)", in: &state)
    default: return handled.contains(action) ? [] : nil
    }
    return []
  }

  static func moveThreshold(by hundredths: Int, _ state: inout WorkbenchState) {
    let table = state.inspector.images.isWhole ? state.inspector.images.table : nil
    state.inspector.confidence.move(by: hundredths, table)
  }

  static func performInSuspects(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    switch action {
    case .ignoreSuspect:
      return confirmSelected(&state)
    case .open: state.toggleZoom()
    default: return handled.contains(action) ? [] : nil
    }
    return []
  }

  /// The label of the chosen suspect is right: that is kept where the dataset is the open one.
  private static func confirmSelected(_ state: inout WorkbenchState) -> [Effect] {
    guard let suspect = state.inspector.suspects.selected, !state.inspectsOpenDataset || state.mayChange() else {
      return []
    }
    let label = ConfirmedLabel(path: suspect.path, className: state.inspector.suspects.name(suspect.label))
    state.inspector.suspects.confirm(label)
    guard state.inspectsOpenDataset else {
      let data = state.inspector.suspects.report?.data ?? ""
      state.notify(
        .information,
        "left out for now; to keep it: $ "
          + ShellCommand.decide(.confirm(path: label.path, as: label.className), data: data))
      return []
    }
    return state.confirmLabel(label.path, as: label.className)
  }

  static func performInComparison(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    switch action {
    case .left, .lowerThreshold: state.inspector.comparison.changePart(by: -1)
    case .right, .raiseThreshold: state.inspector.comparison.changePart(by: 1)
    case .open: state.toggleZoom()
    default: return handled.contains(action) ? [] : nil
    }
    return []
  }

  /// Puts the evaluation on show beside that of another checkpoint: the one chosen in the list.
  static func compare(_ state: inout WorkbenchState) -> [Effect] {
    guard let source = state.inspector.source else {
      state.notify(.information, "evaluate a checkpoint first, then b on another one compares them")
      return []
    }
    guard state.inspector.view == .checkpoints else {
      if state.inspector.comparison.comparison != nil || state.inspector.comparison.wanted != nil {
        open(.comparison, in: &state)
      } else {
        state.inspector.view = .checkpoints
        state.notify(
          .information, "choose the checkpoint to compare \(name(of: source.checkpoint)) with, then b")
      }
      return []
    }
    guard let other = state.inspector.selectedCheckpoint else { return [] }
    guard other.path != source.checkpoint else {
      state.notify(.information, "\(name(of: source.checkpoint)) is the one on show: choose another one")
      return []
    }
    var before = source
    before.checkpoint = other.path
    let question = InspectionCommand.compare(before, source)
    state.inspector.comparison = ComparisonState()
    (state.inspector.comparison.wanted, state.inspector.comparison.question) = (question, question)
    if case .answer(.comparison(let known)) = state.inspector.answers[question] {
      state.inspector.comparison.take(known)
    } else if case .answer = state.inspector.answers[question] {
      state.inspector.answers.forget(question)
    }
    open(.comparison, in: &state)
    tell(.compare, &state)
    return []
  }

  static func open(_ view: InspectorState.View, in state: inout WorkbenchState) {
    guard state.inspector.report != nil else {
      state.notify(.information, "no evaluation yet: choose a checkpoint and press Enter")
      return
    }
    state.inspector.view = view
  }

  static func changeView(by places: Int, in state: inout WorkbenchState) {
    let inspector = state.inspector
    let hasReport = inspector.report != nil
    // What was not asked for is not among them.
    let views = InspectorState.View.allCases.filter { view in
      switch view {
      case .checkpoints: true
      case .hardest: inspector.hardest.details != nil
      case .suspects: hasReport && (inspector.suspects.report != nil || inspector.view == view)
      case .comparison: hasReport && (inspector.comparison.comparison != nil || inspector.view == view)
      case .confusion, .overview, .classes, .images, .confidence: hasReport
      }
    }
    guard views.count > 1 else {
      state.notify(.information, "no evaluation yet: choose a checkpoint and press Enter")
      return
    }
    // What the matrix showed of its cell beside it is no filter that anybody wrote.
    if state.inspector.view == .confusion, !state.inspector.images.list.filter.isEmpty {
      state.inspector.images.narrow(to: "")
      state.inspector.images.list.select(0, page: 1)
    }
    let place = views.firstIndex(of: state.inspector.view) ?? 0
    leave(views[(place + places + views.count) % views.count], &state)
    state.inspector.images.isSingle = false
    if state.inspector.view == .images, state.inspector.origin?.view != .images { state.inspector.origin = nil }
    keepInView(&state)
    state.moveSelection(in: id, by: 0)
  }

  /// From the view to another one, by the person's choice.
  static func leave(_ view: InspectorState.View, _ state: inout WorkbenchState) {
    if state.inspector.view == .hardest { state.inspector.hardest.close() }
    // Who chose a view is not taken elsewhere by the next validation.
    state.inspector.hardest.isLeft = view != .hardest
    state.inspector.view = view
  }

  // MARK: The mouse

  static func clicked(x: Int, y: Int, in inner: Rect, _ state: inout WorkbenchState) -> Bool {
    let inspector = state.inspector
    if inspector.view == .hardest {
      clickedHardest(x: x, y: y, in: inner, &state)
      return true
    }
    guard [.confusion, .images, .confidence].contains(inspector.view), inspector.report != nil else { return false }
    let layout = InspectorLayout(inspector, in: inner)
    if layout.content(layout.matrix)?.contains(x: x, y: y) == true, let matrix = matrixLayout(state) {
      state.inspector.view = .confusion
      if let place = matrix.place(x: x, y: y, inspector.confusion) {
        state.inspector.confusion.stand(row: place.row, column: place.column, extent: matrix.extent)
      }
      return true
    }
    if let rect = layout.content(layout.sheet), rect.contains(x: x, y: y) {
      state.inspector.view = .images
      let sheet = sheetLayout(state, in: rect)
      let images = inspector.images
      let top = sheet.top(images.top, selected: images.list.selected, count: images.list.count)
      let position = sheet.window(top: top, count: images.list.count).first {
        sheet.tile($0, top: top)?.contains(x: x, y: y) == true
      }
      if let position {
        // A second click on the chosen one opens it.
        if position == images.list.selected, inspector.view == .images { state.inspector.images.isSingle = true }
        state.inspector.images.list.select(position, page: 1)
        state.inspector.images.top = top
      }
      return true
    }
    if layout.confidence?.contains(x: x, y: y) == true {
      state.inspector.view = .confidence
      return true
    }
    return layout.single?.contains(x: x, y: y) == true
  }

  static func scrolled(by rows: Int, _ state: inout WorkbenchState) -> Bool {
    if state.inspector.view == .hardest {
      _ = performInHardest(rows > 0 ? .down : .up, &state)
      return true
    }
    guard state.inspector.report != nil else { return false }
    switch state.inspector.view {
    case .confusion:
      state.inspector.confusion.move(rows: rows, columns: 0, extent: matrixExtent(state))
      return true
    case .images:
      let columns = state.inspector.images.isSingle ? 1 : sheet(state)?.columns ?? 1
      state.inspector.images.list.move(by: rows.signum() * columns, page: 1)
      keepInView(&state)
      return true
    case .confidence:
      moveThreshold(by: rows.signum(), &state)
      return true
    case .checkpoints, .hardest, .overview, .classes, .suspects, .comparison: return false
    }
  }
}

extension EvaluationSort {
  /// What comes first.
  var title: String {
    switch self {
    case .loss: "loss, the greatest first"
    case .confidence: "confidence, the least first"
    case .margin: "margin, the closest decision first"
    case .disagreement: "disagreement with the label, the strongest first"
    case .name: "name"
    }
  }
}
