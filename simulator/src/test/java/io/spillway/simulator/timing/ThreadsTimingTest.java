package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.spillway.platform.units.Hertz;
import io.spillway.simulator.Programs;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A threaded program on two cores: its result is right, and counters in one line cost more than
/// counters in lines of their own.
class ThreadsTimingTest {
  private static final String COMPILER = "/usr/bin/riscv64-linux-gnu-gcc";

  /// Two threads count to 100,000 each, in counters `GAP` longs apart, and add up under a lock.
  private static final String SOURCE =
      """
      #include <pthread.h>
      #include <stdio.h>
      static volatile long counter[64] __attribute__((aligned(64)));
      static long total;
      static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
      static void *count(void *at) {
        volatile long *mine = at;
        for (long i = 0; i < 100000; i++) __atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
        pthread_mutex_lock(&lock);
        total += *mine;
        pthread_mutex_unlock(&lock);
        return 0;
      }
      int main(void) {
        pthread_t other;
        pthread_create(&other, 0, count, (void *)&counter[GAP]);
        count((void *)&counter[0]);
        pthread_join(other, 0);
        printf("%ld\\n", total);
        return 0;
      }
      """;

  @TempDir Path folder;

  @BeforeEach
  void compilerIsThere() {
    assumeTrue(Files.isExecutable(Path.of(COMPILER)), "needs " + COMPILER);
  }

  private byte[] compiled(int gap) throws Exception {
    Path source = Files.writeString(folder.resolve("count.c"), SOURCE);
    Path program = folder.resolve("count" + gap);
    Process process =
        new ProcessBuilder(
                COMPILER,
                "-O2",
                "-static",
                "-pthread",
                "-DGAP=" + gap,
                "-o",
                program.toString(),
                source.toString())
            .inheritIO()
            .start();
    assertThat(process.waitFor()).isZero();
    return Files.readAllBytes(program);
  }

  private static TimingResult run(byte[] elf, ByteArrayOutputStream out) {
    SystemDescription s = SystemFiles.load("minor").at(Hertz.parse("4 GHz"));
    SystemDescription two =
        new SystemDescription(
            s.name(),
            s.description(),
            s.fast(),
            2,
            s.core(),
            s.predictor(),
            s.l1i(),
            s.l1d(),
            s.levels(),
            s.memoryBus(),
            s.dram());
    try (Machine machine = Programs.machine(elf, out, "/count")) {
      return new TimingRun(two, machine).run(TimingRun.Window.ALL);
    }
  }

  @Test
  void falseSharingCostsMoreThanPadding() throws Exception {
    // given the same program with its counters in one line and 64 bytes apart
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TimingResult sharing = run(compiled(1), out);
    TimingResult padded = run(compiled(8), out);
    // when both have run on two cores, then both counted to 200,000 in all
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("200000\n200000\n");
    // and the second core has a first-level cache of its own
    assertThat(padded.caches())
        .extracting(TimingResult.CacheResult::name)
        .contains("core1.l1i", "core1.l1d");
    // and the line changes hands at every turn of a core, which padding avoids
    assertThat(sharing.cycles()).isGreaterThan(padded.cycles() * 5 / 4);
    assertThat(misses(sharing)).isGreaterThan(5 * misses(padded));
  }

  private static long misses(TimingResult result) {
    return result.caches().stream()
        .filter(c -> c.name().endsWith("l1d"))
        .mapToLong(TimingResult.CacheResult::misses)
        .sum();
  }

  @Test
  void aThreadedRunRepeatsExactly() throws Exception {
    byte[] elf = compiled(1);
    TimingResult once = run(elf, new ByteArrayOutputStream());
    TimingResult again = run(elf, new ByteArrayOutputStream());
    assertThat(again.cycles()).isEqualTo(once.cycles());
    assertThat(again.instructions()).isEqualTo(once.instructions());
  }
}
