// The list of panes, and the models that belong to them.

/// The panes of a workbench in order: the first has the key 1 and the place at the top left.
struct Panes: Sendable, Equatable {
  /// **The one list.** A new pane is a folder beside this file and a line here.
  static let standard = Panes([
    DatasetPane.self, LayersPane.self, CurvesPane.self, InspectorPane.self, RunsPane.self,
    MachinePane.self,
  ])

  let all: [any Pane.Type]
  let ids: [PaneID]
  /// The keys of these panes and of all else.
  let keymap: Keymap

  init(_ all: [any Pane.Type]) {
    self.all = all
    ids = all.map { $0.id }
    keymap = Keymap(panes: all)
    precondition(Set(ids).count == ids.count, "two panes have one title")
  }

  subscript(id: PaneID) -> any Pane.Type { all[place(of: id)] }

  /// From 1: also the key that goes there.
  func number(of id: PaneID) -> Int { place(of: id) + 1 }

  /// The pane so many places on, round and round.
  func moved(_ id: PaneID, by places: Int) -> PaneID {
    let place = (place(of: id) + places) % ids.count
    return ids[(place + ids.count) % ids.count]
  }

  private func place(of id: PaneID) -> Int {
    guard let place = ids.firstIndex(of: id) else { preconditionFailure("\(id.title) is not in the list of panes") }
    return place
  }

  static func == (left: Panes, right: Panes) -> Bool { left.ids == right.ids }
}

/// The model of each pane, of a type that only the pane knows.
struct PaneModels: Sendable, Equatable {
  private var models: [PaneID: any Sendable & Equatable]

  init(_ panes: Panes, data: String) {
    models = Dictionary(uniqueKeysWithValues: panes.all.map { ($0.id, $0.model(data: data)) })
  }

  subscript<P: Pane>(pane: P.Type) -> P.Model {
    get {
      guard let model = models[P.id] as? P.Model else {
        preconditionFailure("\(P.id.title) is not in the list of panes")
      }
      return model
    }
    _modify {
      // Taken out meanwhile, so that it is changed in place: a copy of a long list would cost more than the change.
      var model = self[P.self]
      models[P.id] = nil
      defer { models[P.id] = model }
      yield &model
    }
  }

  static func == (left: PaneModels, right: PaneModels) -> Bool {
    func isEqual<Model: Equatable>(_ model: Model, _ other: any Sendable & Equatable) -> Bool {
      (other as? Model) == model
    }
    return left.models.count == right.models.count
      && left.models.allSatisfy { id, model in right.models[id].map { isEqual(model, $0) } ?? false }
  }
}
