package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.Precision;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.training.config.LearningRate;
import io.spillway.training.config.LossScaling;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.plan.Schedule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrainerTest {
  @TempDir Path folder;

  private static TrainSettings variant(
      TrainSettings s,
      int accumulation,
      Precision precision,
      MasterLayout master,
      boolean checkpointing,
      double clip,
      LossScaling scaling) {
    return new TrainSettings(
        s.microBatch(),
        accumulation,
        s.sequence(),
        precision,
        s.adam(),
        s.learningRate(),
        clip,
        s.subgroupSize(),
        s.schedule(),
        master,
        checkpointing,
        scaling,
        s.stateFolder(),
        s.buffers(),
        s.seed());
  }

  @Test
  void everyScheduleEndsInTheSameWeightsAndLearns() throws Exception {
    TinyRun run = new TinyRun(folder, false);
    byte[] expected = null;
    int number = 0;
    for (Optional<Schedule> schedule :
        List.<Optional<Schedule>>of(
            Optional.of(new Schedule.AllGpu()),
            Optional.of(new Schedule.Fraction(0.4, 0.2)),
            Optional.of(new Schedule.Stride(2)),
            Optional.of(new Schedule.ZeroOffload()),
            Optional.of(new Schedule.TwinFlow(0.5)),
            Optional.empty())) {
      for (boolean checkpointing : new boolean[] {false, true}) {
        TrainSettings s =
            variant(
                TinyRun.settings(schedule),
                2,
                Precision.BF16,
                checkpointing ? MasterLayout.SPLIT : MasterLayout.FULL,
                checkpointing,
                1,
                LossScaling.none());
        TrainReport report = TinyRun.run(run.job("out" + number++, s, 12, 0, false));
        byte[] weights = TinyRun.weights(report);
        if (expected == null) {
          expected = weights;
          assertThat(report.losses().getLast()).isLessThan(report.losses().getFirst() - 0.3);
        }
        assertThat(weights).as(schedule + " " + checkpointing).isEqualTo(expected);
      }
    }
  }

  @Test
  void resumesBitForBitAlsoWithTiedEmbeddingsAndDisk() throws Exception {
    TinyRun run = new TinyRun(folder, true);
    TrainSettings s = TinyRun.settings(Optional.of(new Schedule.Fraction(0.5, 0)));
    TrainReport whole = TinyRun.run(run.job("whole", s, 12, 0, false));
    TrainSettings disk =
        new TrainSettings(
            s.microBatch(),
            s.accumulation(),
            s.sequence(),
            s.precision(),
            s.adam(),
            s.learningRate(),
            s.clip(),
            1000,
            Optional.of(new Schedule.Stride(3)),
            s.master(),
            false,
            s.scaling(),
            Optional.of(folder.resolve("nvme")),
            2,
            s.seed());
    TrainReport first = TinyRun.run(run.job("parts", s, 5, 2, false));
    TrainReport second = TinyRun.run(run.job("parts", disk, 12, 0, true));
    assertThat(TinyRun.weights(second)).isEqualTo(TinyRun.weights(whole));
    assertThat(first.losses()).isEqualTo(whole.losses().subList(0, 5));
    assertThat(second.losses()).isEqualTo(whole.losses().subList(5, 12));
    List<String> rows = Files.readAllLines(folder.resolve("parts/metrics.csv"));
    assertThat(rows).hasSize(13);
    assertThat(rows.getLast()).startsWith("12,");
    assertThat(Files.readAllBytes(folder.resolve("parts/loss.png")))
        .startsWith(0x89, 'P', 'N', 'G');
  }

  @Test
  void fp16SkipsOverflowsAndLowersTheScale() throws Exception {
    TinyRun run = new TinyRun(folder, false);
    TrainSettings s =
        variant(
            TinyRun.settings(Optional.of(new Schedule.Fraction(0.5, 0))),
            1,
            Precision.F16,
            MasterLayout.FULL,
            false,
            1,
            new LossScaling(Math.scalb(1.0, 24), 100));
    TrainReport report = TinyRun.run(run.job("half", s, 16, 0, false));
    assertThat(report.skipped()).isPositive();
    assertThat(report.losses().getLast()).isLessThan(report.losses().getFirst());
  }

  @Test
  void aSignalEndsAfterTheStepWithACheckpoint() throws Exception {
    TinyRun run = new TinyRun(folder, false);
    AtomicBoolean stop = new AtomicBoolean();
    TrainJob job =
        run.job("signal", TinyRun.settings(Optional.of(new Schedule.AllGpu())), 1000, 0, false);
    Progress counting =
        (name, total) ->
            new Progress.Task() {
              private int steps;

              @Override
              public void advance(long n) {
                steps += name.equals("training") ? 1 : 0;
                if (steps == 3) {
                  stop.set(true);
                }
              }

              @Override
              public void note(String text) {}

              @Override
              public void close() {}
            };
    try (Trainer trainer = new Trainer(job, counting, stop)) {
      TrainReport report = trainer.run();
      assertThat(report.interrupted()).isTrue();
      assertThat(report.step()).isEqualTo(3);
      assertThat(Path.of(report.checkpoint())).endsWithRaw(Path.of("checkpoint-3"));
    }
  }

  @Test
  void aLossThatIsNoNumberStopsAndKeepsTheLastCheckpoint() throws Exception {
    TinyRun run = new TinyRun(folder, false);
    TrainSettings s = TinyRun.settings(Optional.of(new Schedule.Fraction(0.5, 0)));
    TrainSettings wild =
        new TrainSettings(
            s.microBatch(),
            s.accumulation(),
            s.sequence(),
            s.precision(),
            s.adam(),
            new LearningRate(1e38, 0, 0, 0, LearningRate.Shape.CONSTANT),
            s.clip(),
            s.subgroupSize(),
            s.schedule(),
            s.master(),
            false,
            s.scaling(),
            s.stateFolder(),
            2,
            s.seed());
    assertThatThrownBy(() -> TinyRun.run(run.job("wild", wild, 50, 1, false)))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("at step")
        .hasMessageContaining("checkpoint-1");
    assertThat(Checkpoints.read(folder.resolve("wild/checkpoint-1")).step()).isEqualTo(1);
  }

  @Test
  void badInputIsToldBeforeWorkStarts() throws Exception {
    TinyRun run = new TinyRun(folder, false);
    TrainSettings s = TinyRun.settings(Optional.of(new Schedule.AllGpu()));
    TrainJob job = run.job("bad", s, 2, 0, false);
    Path ids = Files.write(folder.resolve("ids.u16"), new byte[] {1, 0, 2, 0, 1, 1, 9, 9});
    assertThatThrownBy(() -> TinyRun.run(with(job, List.of(ids), job.device(), Long.MAX_VALUE)))
        .hasMessageContaining("token id 257 at position 2");
    Path empty = Files.createFile(folder.resolve("empty.txt"));
    assertThatThrownBy(() -> TinyRun.run(with(job, List.of(empty), job.device(), Long.MAX_VALUE)))
        .hasMessageContaining("0 tokens");
    assertThatThrownBy(
            () -> TinyRun.run(with(job, List.of(folder.resolve("no.txt")), job.device(), 1)))
        .hasMessageContaining("no such data file");
    TrainDevice small = new TrainDevice.Simulated(DeviceSpec.parse("memory=300kB,link=1GB/s"));
    assertThatThrownBy(() -> TinyRun.run(with(job, job.data(), small, Long.MAX_VALUE)))
        .hasMessageContaining("smallest");
    TrainJob offloaded =
        run.job("bad2", TinyRun.settings(Optional.of(new Schedule.ZeroOffload())), 2, 0, false);
    assertThatThrownBy(() -> TinyRun.run(with(offloaded, job.data(), job.device(), 1000)))
        .hasMessageContaining("smallest that works");
    assertThatThrownBy(() -> TinyRun.run(run.job("none", s, 2, 0, true)))
        .hasMessageContaining("no checkpoint to resume from");
  }

  private static TrainJob with(TrainJob j, List<Path> data, TrainDevice device, long hostMemory) {
    return new TrainJob(
        j.model(),
        data,
        j.output(),
        j.settings(),
        j.steps(),
        device,
        hostMemory,
        1,
        0,
        0,
        0,
        1,
        false);
  }
}
