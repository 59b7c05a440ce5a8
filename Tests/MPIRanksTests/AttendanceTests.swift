// Who counts as lost, and who was started as one of several.

import Testing

@testable import MPIRanks

@Suite("Attendance")
struct AttendanceTests {
  @Test func `a rank that is silent for longer than the limit is missing, one that is heard of is not`() {
    var attendance = Attendance(1..<4, limit: .seconds(3))
    for _ in 0..<3 {
      attendance.pass(.seconds(1))
      attendance.hear(of: 1)
      attendance.hear(of: 3)
    }
    #expect(attendance.missing == nil)
    attendance.pass(.milliseconds(1))
    #expect(attendance.missing == 2)
    attendance.hear(of: 2)
    #expect(attendance.missing == nil)
  }

  @Test func `a job that was suspended misses nobody when it goes on`() {
    var attendance = Attendance([0], limit: .seconds(3))
    attendance.pass(.seconds(3600))
    #expect(attendance.missing == nil)
    attendance.hear(of: 0)
    for _ in 0..<3 { attendance.pass(.seconds(3600)) }
    #expect(attendance.missing == nil)
    attendance.pass(.seconds(3600))
    #expect(attendance.missing == 0)
  }

  @Test func `whoever has taken leave is not missed, nor heard of again`() {
    var attendance = Attendance(1..<3, limit: .seconds(1))
    attendance.takeLeave(of: 1)
    attendance.hear(of: 1)
    #expect(attendance.expected == [2])
    for _ in 0..<5 { attendance.pass(.seconds(1)) }
    #expect(attendance.missing == 2)
    attendance.takeLeave(of: 2)
    #expect(attendance.missing == nil)
  }
}

@Suite("Launchers")
struct RankLaunchTests {
  @Test func `a start of several is recognized by what launchers say`() {
    #expect(RankLaunch(environment: ["OMPI_COMM_WORLD_SIZE": "4"])?.size == 4)
    #expect(RankLaunch(environment: ["PMI_SIZE": "2"])?.size == 2)
    #expect(RankLaunch(environment: ["SLURM_STEP_NUM_TASKS": "64"])?.launcher == "srun")
  }

  @Test func `a start of one is none, nor is a script that sbatch runs for many tasks`() {
    #expect(RankLaunch(environment: [:]) == nil)
    #expect(RankLaunch(environment: ["OMPI_COMM_WORLD_SIZE": "1", "PMI_SIZE": "many"]) == nil)
    #expect(RankLaunch(environment: ["SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"]) == nil)
  }
}
