// The seam between what a network computes and how: all that layers, the loss and optimizers are made of, tensor in,
// tensor out. Above it nobody holds a pointer or calls a kernel; below it are loops, their cuts, and the kernels in C.
// A file in this folder for each kind of operation; nothing here has parameters or remembers anything.

/// The operations on tensors, carried out by a pool's threads.
///
/// Each is coarse, a whole tensor or more, and its result has the same bits for any number of threads. Tensors of the
/// wrong shape are our own mistakes. What is `inout` is changed in place, in a copy where somebody else has it too.
///
///     let ops = Ops(ThreadPool(threads: 2))
///     var y = ops.dense(x, weight, bias)    // [N, I] by [I, O] and [O]: [N, O]
///     ops.relu(&y)
///
/// For another device, or another arithmetic, these are the functions to write: a type that has them all, with which
/// `Pass` in Networks is made.
public struct Ops: Sendable {
  let pool: ThreadPool

  public init(_ pool: ThreadPool) { self.pool = pool }

  public var threads: Int { pool.threads }
}
