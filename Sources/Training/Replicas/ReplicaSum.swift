// The replicas' gradients and running statistics, added up in the tree's order as they come.

import Networks
import Tensors

/// Sums over the replicas of one rank. Replicas come in order; what can be added is added at once, so that of R replicas
/// hardly more than log2(R) gradients wait at one time.
struct ReplicaSum {
  struct Node {
    var replicas: Range<Int>
    /// In an order that is the same for all.
    var tensors: [Tensor]
  }

  let tree: ReplicaTree
  private(set) var nodes: [Node] = []

  init(_ tree: ReplicaTree) { self.tree = tree }

  /// Adds the next replica's tensors. One without images has tensors of zeros, which are added like any other: no sum
  /// depends on where it is made.
  mutating func add(_ tensors: consuming [Tensor], of replica: Int, _ ops: Ops) {
    nodes.append(Node(replicas: replica..<(replica + 1), tensors: tensors))
    while let (left, right) = joinable {
      for index in nodes[left].tensors.indices {
        ops.add(nodes[right].tensors[index], to: &nodes[left].tensors[index])
      }
      nodes[left].replicas = nodes[left].replicas.lowerBound..<nodes[right].replicas.upperBound
      nodes.removeLast()
    }
  }

  /// Begins the last replica of a block, whose tensors come one by one.
  /// - Parameter count: of its tensors.
  mutating func beginLast(_ replica: Int, count: Int) {
    nodes.append(
      Node(replicas: replica..<(replica + 1), tensors: Array(repeating: Tensor(uninitialized: [0]), count: count)))
  }

  /// Adds one of its tensors to what the nodes of the block have of it, as far as that can be added.
  mutating func putLast(_ tensor: consuming Tensor, _ key: Int, _ ops: Ops) {
    var (place, replicas) = (nodes.count - 1, nodes[nodes.count - 1].replicas)
    nodes[place].tensors[key] = tensor
    while place > 0, tree.joins(nodes[place - 1].replicas, replicas) {
      ops.add(nodes[place].tensors[key], to: &nodes[place - 1].tensors[key])
      replicas = nodes[place - 1].replicas.lowerBound..<replicas.upperBound
      place -= 1
    }
  }

  /// Ends it: the nodes are those of the block.
  mutating func endLast() {
    while let (left, right) = joinable {
      nodes[left].replicas = nodes[left].replicas.lowerBound..<nodes[right].replicas.upperBound
      nodes.removeLast()
    }
  }

  /// Begins replicas of a block that all come together, tensor by tensor.
  /// - Parameter count: of the tensors.
  mutating func beginTogether(_ block: Range<Int>, count: Int) {
    nodes = tree.nodes(in: block).map {
      Node(replicas: $0, tensors: Array(repeating: Tensor(uninitialized: [0]), count: count))
    }
  }

  /// Adds up a tensor of theirs, as far as that can be done within the block.
  /// - Parameter tensors: of each replica of the block.
  mutating func putTogether(_ tensors: consuming [Tensor], of block: Range<Int>, _ key: Int, _ ops: Ops) {
    precondition(tensors.count == block.count, "a tensor for each replica")
    var sums: [(replicas: Range<Int>, tensor: Tensor)] = []
    for (replica, tensor) in zip(block, tensors) {
      sums.append((replica..<(replica + 1), tensor))
      while sums.count > 1, tree.joins(sums[sums.count - 2].replicas, sums[sums.count - 1].replicas) {
        let right = sums.removeLast()
        ops.add(right.tensor, to: &sums[sums.count - 1].tensor)
        sums[sums.count - 1].replicas = sums[sums.count - 1].replicas.lowerBound..<right.replicas.upperBound
      }
    }
    for (place, sum) in sums.enumerated() { nodes[place].tensors[key] = sum.tensor }
  }

  /// What the nodes of a block have of a tensor once it was added for all of its replicas.
  /// - Parameter count: of these nodes.
  func tensors(_ key: Int, count: Int) -> [Tensor] { nodes.prefix(count).map { $0.tensors[key] } }

  private var joinable: (left: Int, right: Int)? {
    let (left, right) = (nodes.count - 2, nodes.count - 1)
    return left >= 0 && tree.joins(nodes[left].replicas, nodes[right].replicas) ? (left, right) : nil
  }

  /// The next replica of a block to be added; nil when all were.
  func next(in block: Range<Int>) -> Int? {
    let next = nodes.last?.replicas.upperBound ?? block.lowerBound
    return next < block.upperBound ? next : nil
  }

  /// Puts the sum of all that came from several ranks in the place of what was added here.
  mutating func replace(by whole: [Tensor]) { nodes = [Node(replicas: 0..<tree.replicas, tensors: whole)] }

  /// Takes the sum of all away, where this rank has all of it.
  mutating func takeWhole() -> [Tensor] {
    precondition(nodes.count == 1 && nodes[0].replicas.count == tree.replicas, "a sum of some replicas only")
    return nodes.removeLast().tensors
  }

  mutating func clear() { nodes = [] }
}
