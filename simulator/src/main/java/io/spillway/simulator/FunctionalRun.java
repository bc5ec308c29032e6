package io.spillway.simulator;

import io.spillway.platform.Progress;
import io.spillway.simulator.functional.FunctionalEngine;
import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Memory;
import io.spillway.simulator.machine.ProgramFault;
import io.spillway.simulator.machine.Scheduler;
import java.util.Optional;

/// Executes a program without timing and reports how it went.
public final class FunctionalRun {
  /// How instructions are executed when no timing is asked for.
  public enum Kind {
    /// Translated to bytecode where it is hot.
    FUNCTIONAL,
    /// One at a time: the slow reference.
    INTERPRETER
  }

  /// What a run did.
  ///
  /// @param exitStatus the program's exit status; 128 plus the signal if it faulted
  /// @param finished whether the program came to its end within the limit
  /// @param instructions executed, all harts together
  /// @param seconds wall time of this run
  /// @param millionsPerSecond instructions executed in this run per second, in millions
  /// @param peakMemoryBytes the most memory that the program had mapped
  /// @param fault why it was ended, if it was
  public record Outcome(
      int exitStatus,
      boolean finished,
      long instructions,
      double seconds,
      double millionsPerSecond,
      long peakMemoryBytes,
      Optional<String> fault) {}

  private FunctionalRun() {}

  /// The engine of that kind.
  public static Engine engine(Kind kind, Machine machine) {
    return switch (kind) {
      case FUNCTIONAL -> new FunctionalEngine(machine);
      case INTERPRETER -> new Interpreter(machine);
    };
  }

  /// Loads and links what takes milliseconds before a first run; may be called on another thread.
  public static void prepare() {
    new Memory().close();
    FunctionalEngine.prepare();
  }

  /// Runs until the program ends or all harts together have executed `total` instructions.
  public static Outcome run(Machine machine, Kind kind, long total) {
    return run(machine, kind, total, Progress.silent());
  }

  /// Runs until the program ends or all harts together have executed `total` instructions, and
  /// shows how far it is.
  public static Outcome run(Machine machine, Kind kind, long total, Progress progress) {
    long before = machine.retired();
    long begin = System.nanoTime();
    Optional<String> fault = Optional.empty();
    int status = 0;
    long wanted = total == Long.MAX_VALUE ? total : total - before;
    try (RunProgress shown = new RunProgress(progress, "run", wanted)) {
      Scheduler scheduler = new Scheduler(machine, engine(kind, machine));
      scheduler.watchedBy(shown);
      scheduler.runUntil(total);
      status = machine.exitStatus();
    } catch (ProgramFault e) {
      fault = Optional.ofNullable(e.getMessage());
      status = e.exitStatus();
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    long executed = machine.retired() - before;
    return new Outcome(
        status,
        machine.isFinished(),
        machine.retired(),
        seconds,
        executed / seconds / 1e6,
        machine.memory().peakBytes(),
        fault);
  }
}
