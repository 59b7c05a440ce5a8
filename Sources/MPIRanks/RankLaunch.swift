// Whether this process was started as one of several ranks, and by what: what launchers put into the environment.
// Nothing of MPI is loaded to know it.

/// A start of several processes that are to work together.
public struct RankLaunch: Equatable, Sendable {
  /// What started them, in words.
  public var launcher: String
  /// How many there are, at least 2.
  public var size: Int

  /// A launcher's variable that holds the number of processes.
  ///
  /// Slurm's is that of a step, which `srun` alone sets: a script that `sbatch` runs has the number of tasks that were
  /// asked for in `SLURM_NTASKS`, and is one process.
  static let variables = [
    ("OMPI_COMM_WORLD_SIZE", "mpirun of Open MPI"), ("MV2_COMM_WORLD_SIZE", "mpirun of MVAPICH"),
    ("PMI_SIZE", "mpirun of MPICH, or another launcher that speaks PMI"), ("SLURM_STEP_NUM_TASKS", "srun"),
  ]

  /// nil for a process that was started alone, by a launcher or without.
  public init?(environment: [String: String]) {
    for (variable, launcher) in Self.variables {
      guard let size = environment[variable].flatMap({ Int($0) }), size > 1 else { continue }
      (self.launcher, self.size) = (launcher, size)
      return
    }
    return nil
  }
}
