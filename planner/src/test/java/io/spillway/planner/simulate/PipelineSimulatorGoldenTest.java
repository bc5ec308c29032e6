package io.spillway.planner.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.planner.simulate.PipelineSimulator.Operation;
import io.spillway.planner.simulate.PipelineSimulator.Pipeline;
import io.spillway.planner.simulate.PipelineSimulator.Timeline;
import io.spillway.testkit.Cases;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Schedules worked by hand, and the closed forms of Narayanan et al., SC 2021, section 2.2.
final class PipelineSimulatorGoldenTest {
  @Test
  void onePlainStageIsTheSumOfItsWork() {
    assertThat(PipelineSimulator.run(even(1, 1, 5, 2, 3, 0, true)).end()).isEqualTo(25);
  }

  @Test
  void withoutMessagesTheBubbleIsStagesMinusOne() {
    // (n + p - 1) (f + b) = (8 + 3) * 3
    assertThat(PipelineSimulator.run(even(4, 1, 8, 1, 2, 0, true)).end()).isEqualTo(33);
  }

  @Test
  void interleavingDividesTheBubble() {
    // n (f + b) + (p - 1) (f + b) / v with chunks of half the work: 8 * 6 + 3 * 3
    assertThat(PipelineSimulator.run(even(4, 2, 8, 1, 2, 0, false)).end()).isEqualTo(57);
  }

  @Test
  void twoStagesTwoMicroBatchesWithMessagesByHand() {
    // F0 0-1, sent until 1.5; stage 1: F0 1.5-2.5, B0 2.5-4.5, sent until 5
    // stage 0: F1 1.5-2.5 (sent until 3), B0 5-7; stage 1: F1 5-6, B1 6-8, sent until 8.5
    // stage 0: B1 8.5-10.5
    Timeline t = PipelineSimulator.trace(even(2, 1, 2, 1, 2, 0.5, true));
    assertThat(t.finish()).containsExactly(10.5, 8.5);
    assertThat(t.operations().getLast()).isEqualTo(new Operation(0, 0, 1, false, 8.5, 10.5));
  }

  @Test
  void theHiddenCriticalPathIsPaidOnceForEveryRoundOfThePipeline() {
    // Pipette's form for free senders: every p micro-batches pay one round trip of 2 (p - 1)
    // messages
    double send = 0.25;
    double one = PipelineSimulator.run(even(4, 1, 40, 1, 2, send, false)).end();
    double two = PipelineSimulator.run(even(4, 1, 80, 1, 2, send, false)).end();
    assertThat(two - one).isCloseTo(40 * 3 + 10 * 6 * send, within(1e-9));
  }

  @Test
  void theSlowestStageSetsThePace() {
    double[] f = {1, 1, 2, 1};
    double[] b = {2, 2, 4, 2};
    Pipeline line = Pipeline.plain(10, f, b, new double[4], true);
    // stage 2 is busy for 10 * 6; before it F of two stages, after it B of two stages, and once it
    // waits from 6 (its F1 ends) to 7 (B0 of stage 3 ends)
    assertThat(PipelineSimulator.run(line).end()).isCloseTo(60 + 2 + 4 + 1, within(1e-9));
  }

  @Test
  void everyScheduleKeepsItsDependencesAndItsBound() {
    Cases.run(
        150,
        random -> {
          int p = 1 + random.nextInt(6);
          int v = p == 1 ? 1 : 1 + random.nextInt(3);
          int n = v == 1 ? 1 + random.nextInt(12) : p * (1 + random.nextInt(3));
          double[] f = new double[p * v];
          double[] b = new double[p * v];
          double[] up = new double[p];
          double[] down = new double[p];
          Arrays.setAll(f, i -> 0.5 + random.nextDouble());
          Arrays.setAll(b, i -> 1 + random.nextDouble());
          Arrays.setAll(up, i -> random.nextDouble() * 0.3);
          Arrays.setAll(down, i -> random.nextDouble() * 0.3);
          Pipeline line = new Pipeline(p, v, n, f, b, up, down, random.nextBoolean());
          Timeline t = PipelineSimulator.trace(line);
          assertThat(t.operations()).hasSize(2 * p * v * n);
          checkDependences(line, t);
          for (int x = 0; x < p; x++) {
            double busy = 0;
            for (int c = 0; c < v; c++) {
              busy += n * (f[c * p + x] + b[c * p + x]);
            }
            double before = 0;
            for (int y = 0; y < x; y++) {
              before += f[y] + b[y];
            }
            assertThat(t.end()).isGreaterThanOrEqualTo(busy + before - 1e-9);
          }
        });
  }

  private static void checkDependences(Pipeline line, Timeline t) {
    int p = line.stages();
    Map<String, Operation> at = new HashMap<>();
    double[] free = new double[p];
    for (Operation o : t.operations()) {
      at.put(o.forward() + " " + (o.chunk() * p + o.stage()) + " " + o.microBatch(), o);
    }
    for (Operation o : t.operations()) {
      assertThat(o.start()).isGreaterThanOrEqualTo(free[o.stage()] - 1e-9);
      free[o.stage()] = o.end();
      int position = o.chunk() * p + o.stage();
      int from = o.forward() ? position - 1 : position + 1;
      if (from >= 0 && from < p * line.chunks()) {
        Operation before =
            java.util.Objects.requireNonNull(
                at.get(o.forward() + " " + from + " " + o.microBatch()));
        double send = o.forward() ? line.sendForward()[from % p] : line.sendBackward()[from % p];
        assertThat(o.start()).isGreaterThanOrEqualTo(before.end() + send - 1e-9);
      }
    }
  }

  private static Pipeline even(
      int p, int v, int n, double f, double b, double send, boolean blocking) {
    double[] forward = new double[p * v];
    double[] backward = new double[p * v];
    double[] sends = new double[p];
    Arrays.fill(forward, f);
    Arrays.fill(backward, b);
    Arrays.fill(sends, send);
    return new Pipeline(p, v, n, forward, backward, sends, sends, blocking);
  }
}
