package io.spillway.simulator.timing;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.RunProgress;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProgramFault;
import io.spillway.simulator.machine.Scheduler;
import io.spillway.simulator.memory.CacheCounts;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.predict.BranchUnit;
import io.spillway.simulator.system.CacheLevel;
import io.spillway.simulator.system.SystemDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Runs a program on a timing model: every instruction is executed, then given its time.
public final class TimingRun {
  /// What part of a program is measured, in instructions.
  ///
  /// @param skip executed first while only caches warm
  /// @param warm executed next with timing that is not counted
  /// @param run measured
  /// @param period 0 measures once; else one sample of `run` instructions in every `period`, each
  ///   after `warm` of timing, the rest only warming caches (systematic sampling)
  public record Window(long skip, long warm, long run, long period) {
    /// The whole program.
    public static final Window ALL = new Window(0, 0, Long.MAX_VALUE, 0);

    /// Instructions of a run, `Long.MAX_VALUE` where the program's end decides.
    long length() {
      return period > 0 || run > Long.MAX_VALUE - skip - warm ? Long.MAX_VALUE : skip + warm + run;
    }

    public Window {
      if (skip < 0 || warm < 0 || run < 1 || period < 0) {
        throw SpillwayException.badInput(
            "skip %d, warm %d, run %d, period %d: run must be positive, the others not negative",
            skip, warm, run, period);
      }
      if (period > 0 && warm + run > period) {
        throw SpillwayException.badInput(
            "warm %d and run %d do not fit into a period of %d instructions", warm, run, period);
      }
    }
  }

  /// Instructions of a turn where several cores share lines: short, so that they meet as they would
  /// side by side.
  static final long FINE_TURN = 20;

  private final Machine machine;
  private final SystemDescription system;
  private final MemorySystem memory;
  private final TimingEngine engine;
  private final Scheduler scheduler;
  private long cyclesBefore;
  private long retiredBefore;

  public TimingRun(SystemDescription system, Machine machine) {
    this.machine = machine;
    this.system = system;
    this.memory = new MemorySystem(system);
    for (ElfImage.Segment s : machine.image().segments()) {
      memory.frames().reserve(s.address(), s.memoryBytes());
    }
    this.engine = new TimingEngine(system, machine, memory);
    this.scheduler =
        new Scheduler(machine, engine, system.cores() > 1 ? FINE_TURN : Scheduler.TURN);
    double hertz = system.core().clock().rate(system.fast().hertz());
    machine.setClocks(
        hart -> engine.cores().get(0).cycles(),
        () -> (long) (engine.cores().get(0).cycles() / hertz * 1e9));
  }

  /// Runs the whole program.
  public void run() {
    scheduler.run();
  }

  /// Runs a part of the program and answers with what it measured.
  public TimingResult run(Window window) {
    return run(window, Progress.silent());
  }

  /// Runs a part of the program, shows how far it is, and answers with what it measured.
  public TimingResult run(Window window, Progress progress) {
    try (RunProgress shown = new RunProgress(progress, system.name(), window.length())) {
      scheduler.watchedBy(shown);
      return measure(window);
    }
  }

  private TimingResult measure(Window window) {
    long begin = System.nanoTime();
    long first = machine.retired();
    Optional<TimingResult.Samples> samples = Optional.empty();
    int status = 0;
    long measured = 0;
    long cycles = 0;
    try {
      if (window.period() > 0) {
        List<double[]> taken = new ArrayList<>();
        while (!machine.isFinished()) {
          stretch(window.period() - window.warm() - window.run(), true);
          stretch(window.warm(), false);
          mark();
          stretch(window.run(), false);
          long n = machine.retired() - retiredBefore;
          if (n == window.run()) {
            taken.add(new double[] {n, longest() - cyclesBefore});
          }
        }
        samples = Optional.of(estimate(taken));
        measured = machine.retired();
        cycles = Math.round(samples.get().cpi() * measured);
      } else {
        stretch(window.skip(), true);
        stretch(window.warm(), false);
        mark();
        stretch(window.run(), false);
      }
      status = machine.exitStatus();
    } catch (ProgramFault fault) {
      System.err.println("spillway: the program ended: " + fault.getMessage());
      status = fault.exitStatus();
    }
    if (window.period() == 0) {
      measured = machine.retired() - retiredBefore;
      cycles = longest() - cyclesBefore;
    }
    double host = (System.nanoTime() - begin) / 1e9;
    return result(measured, cycles, status, host, machine.retired() - first, samples);
  }

  private void stretch(long count, boolean warming) {
    engine.warm(warming);
    long until = machine.retired() + count;
    scheduler.runUntil(until < 0 ? Long.MAX_VALUE : until);
  }

  private void mark() {
    cyclesBefore = longest();
    retiredBefore = machine.retired();
    engine.memories().forEach(MemorySystem::resetCounts);
    for (TimingCore core : engine.cores()) {
      core.stack().reset();
      core.branches().resetCounts();
    }
    if (cyclesBefore == 1) {
      cyclesBefore = 0;
      engine.cores().forEach(core -> core.stack().charge(1, 1, 0, 0, 0, 0));
    }
  }

  private long longest() {
    long cycles = 0;
    for (TimingCore core : engine.cores()) {
      cycles = Math.max(cycles, core.cycles());
    }
    return cycles;
  }

  private static TimingResult.Samples estimate(List<double[]> taken) {
    if (taken.size() < 2) {
      throw SpillwayException.doesNotFit(
          "the program gave %d samples, at least 2 are needed: choose a shorter period",
          taken.size());
    }
    double mean = taken.stream().mapToDouble(t -> t[1] / t[0]).average().orElse(0);
    double square =
        taken.stream().mapToDouble(t -> Math.pow(t[1] / t[0] - mean, 2)).sum() / (taken.size() - 1);
    return new TimingResult.Samples(taken.size(), mean, 1.96 * Math.sqrt(square / taken.size()));
  }

  private TimingResult result(
      long measured,
      long cycles,
      int status,
      double host,
      long executed,
      Optional<TimingResult.Samples> samples) {
    double fast = system.fast().hertz();
    double hertz = system.core().clock().rate(fast);
    double seconds = cycles / hertz;
    List<CacheLevel> levels = new ArrayList<>(List.of(system.l1i(), system.l1d()));
    levels.addAll(system.levels());
    List<TimingResult.CacheResult> caches = new ArrayList<>();
    List<TimingResult.Bandwidth> bandwidth = new ArrayList<>();
    for (int i = 0; i < levels.size(); i++) {
      CacheCounts c =
          i == 0 ? memory.instructionCounts() : i == 1 ? memory.dataCounts() : memory.counts(i);
      caches.add(cache(levels.get(i).name(), c));
      if (i > 1) {
        bandwidth.add(
            new TimingResult.Bandwidth(
                levels.get(i).name(), memory.bytes(i) / seconds, memory.limit(i)));
      }
    }
    for (int core = 1; core < engine.memories().size(); core++) {
      MemorySystem other = engine.memories().get(core);
      caches.add(cache("core" + core + "." + system.l1i().name(), other.instructionCounts()));
      caches.add(cache("core" + core + "." + system.l1d().name(), other.dataCounts()));
    }
    double dramBytes = (memory.dramReads() + memory.dramWrites()) * (double) system.l1d().line();
    bandwidth.add(new TimingResult.Bandwidth("memory", dramBytes / seconds, memory.dramLimit()));
    BranchUnit branches = engine.cores().get(0).branches();
    return new TimingResult(
        system.name(),
        fast,
        hertz,
        measured,
        cycles,
        measured == 0 ? 0 : (double) cycles / measured,
        seconds,
        engine.cores().get(0).stack().byCause(),
        caches,
        bandwidth,
        branches.conditional,
        branches.mispredicted,
        branches.unknownTarget,
        branches.mispredictedAside,
        branches.redirected,
        branches.corrected,
        memory.dramReads(),
        memory.dramWrites(),
        status,
        machine.isFinished(),
        host,
        executed / host / 1e6,
        Energy.of(system, memory, measured, seconds),
        samples);
  }

  private static TimingResult.CacheResult cache(String name, CacheCounts c) {
    return new TimingResult.CacheResult(name, c.accesses, c.misses, c.prefetches, c.dirtyEvictions);
  }

  /// Core cycles so far.
  public long cycles() {
    return longest();
  }

  /// Instructions executed so far.
  public long instructions() {
    return machine.retired();
  }

  /// The memory side of the first core.
  public MemorySystem memory() {
    return memory;
  }

  /// The branch prediction of the first core.
  public BranchUnit branches() {
    return engine.cores().get(0).branches();
  }

  /// Where the cycles of the first core went.
  public CycleStack stack() {
    return engine.cores().get(0).stack();
  }
}
