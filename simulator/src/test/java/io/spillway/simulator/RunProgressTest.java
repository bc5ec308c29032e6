package io.spillway.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Progress;
import io.spillway.simulator.functional.FunctionalEngine;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Scheduler;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// How far a run is, as it is told.
final class RunProgressTest {
  /// Keeps what it was told.
  private static final class Told implements Progress {
    private final List<String> started = new ArrayList<>();
    private final List<Long> steps = new ArrayList<>();
    private int closed;

    @Override
    public Task start(String name, long total) {
      started.add(name + " of " + total);
      return new Task() {
        @Override
        public void advance(long n) {
          steps.add(n);
        }

        @Override
        public void note(String text) {}

        @Override
        public void close() {
          closed++;
        }
      };
    }
  }

  @Test
  void countsMillionsFromWhereTheRunBegan() {
    Told told = new Told();
    try (RunProgress run = new RunProgress(told, "o3", 30_500_000, 0)) {
      run.accept(5_000_000);
      run.accept(15_900_000);
      run.accept(26_000_000);
    }
    assertThat(told.started).containsExactly("o3, million instructions of 31");
    assertThat(told.steps).containsExactly(0L, 10L, 11L);
    assertThat(told.closed).isEqualTo(1);
  }

  @Test
  void saysNothingOfAShortRun() {
    Told told = new Told();
    try (RunProgress run = new RunProgress(told, "o3", Long.MAX_VALUE)) {
      run.accept(0);
      run.accept(50_000_000);
    }
    assertThat(told.started).isEmpty();
    assertThat(told.closed).isZero();
  }

  @Test
  void aRunTellsHowFarItIs() throws Exception {
    List<Long> told = new ArrayList<>();
    byte[] lu = Workloads.read("lu"); // 75 million instructions
    try (Machine machine = Programs.machine(lu, new ByteArrayOutputStream(), "lu", "S")) {
      Scheduler scheduler = new Scheduler(machine, new FunctionalEngine(machine));
      scheduler.watchedBy(told::add);
      scheduler.runUntil(20_000_000);
      scheduler.runUntil(40_000_000);
      scheduler.run();
    }
    assertThat(told).startsWith(0L, 20_000_000L, 40_000_000L).isSorted();
  }

  private static TimingResult timed(Progress progress) throws Exception {
    byte[] program = Workloads.read("branch");
    try (Machine machine = Programs.machine(program, new ByteArrayOutputStream(), "branch", "2")) {
      return new TimingRun(SystemFiles.load("minor"), machine).run(TimingRun.Window.ALL, progress);
    }
  }

  @Test
  void watchingDoesNotChangeTheResult() throws Exception {
    assertThat(timed(new Told()).cycles()).isEqualTo(timed(Progress.silent()).cycles());
  }
}
