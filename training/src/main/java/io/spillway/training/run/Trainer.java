package io.spillway.training.run;

import io.spillway.kernels.Casts;
import io.spillway.kernels.Precision;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.tensor.TensorScope;
import io.spillway.training.config.LossScaling;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.Device;
import io.spillway.training.engine.Lanes;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.optimizer.StepResult;
import io.spillway.training.plan.PerformanceModel;
import io.spillway.training.plan.Predictor;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.Timeline;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.Workload;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;

/// Trains a decoder with the offloaded optimizer: data, passes, update, evaluation, checkpoints.
///
/// **Errors:** bad input before work starts; a loss or gradient that is no number stops the run,
/// says where, and leaves the last good checkpoint.
public final class Trainer implements AutoCloseable {
  private final TrainJob job;
  private final TrainSettings settings;
  private final Progress progress;
  private final AtomicBoolean stop;
  private final Ranks ranks;
  private final ModelSource model;
  private final FlatParameters parameters;
  private final Device device;
  private final Lanes lanes = new Lanes();
  private final MemorySegment weights;
  private final MemorySegment gradients;
  private final BlockedDecoder decoder;
  private final Checkpoints checkpoints;
  private final CheckpointWriter writer;
  private final TokenSource data;
  private final List<Subgroup> subgroups;
  private final OptimizerOptions options;
  private final Timeline timeline = new Timeline();
  private Predictor.@Nullable Prediction prediction;
  private boolean predictsStated;
  private long sequences;
  private double lossScale;
  private int goodSteps;
  private int skipped;

  /// @param stop set by a signal: the run ends after the step it is in
  public Trainer(TrainJob job, Progress progress, AtomicBoolean stop) {
    this.job = job;
    this.settings = job.settings();
    this.stop = stop;
    model = ModelSource.open(job.model());
    if (settings.sequence() > model.config().maxPositions()) {
      throw SpillwayException.badInput(
          "sequences of %d tokens, the model was made for at most %d (max_position_embeddings); set"
              + " --sequence",
          settings.sequence(), model.config().maxPositions());
    }
    device = job.device().open();
    ranks = Ranks.current(device.processor());
    this.progress = ranks.rank() == 0 ? progress : Progress.silent();
    parameters = new FlatParameters(model.config());
    long n = parameters.size();
    long from = ranks.from(n, ranks.rank());
    long to = ranks.from(n, ranks.rank() + 1);
    subgroups = RunOptions.subgroups(settings, from, to);
    options =
        RunOptions.optimizer(settings, job.device(), job.cpuThreads(), from, job.hostMemory());
    data = new TokenSource(job, model, ranks, device.processor(), this.progress);
    Precision p = settings.precision();
    long bytes = n * p.bytes();
    RunOptions.requireRoom(settings, n, subgroups, device.capacity());
    weights = device.allocate(bytes, "weights");
    gradients = device.allocate(bytes, "gradients");
    decoder =
        new BlockedDecoder(
            model.config(),
            parameters,
            device,
            weights,
            gradients,
            p,
            settings.checkpointActivations());
    checkpoints = new Checkpoints(job.output(), job.keep());
    writer = new CheckpointWriter(checkpoints, ranks, device);
    lossScale = settings.scaling().initial();
  }

  /// The spans of the last steps, for drawing.
  public Timeline timeline() {
    return timeline;
  }

  /// Whether this process reports.
  public boolean isFirstRank() {
    return ranks.rank() == 0;
  }

  /// Trains to the end, or to the signal.
  public TrainReport run() {
    List<Path> foreign = checkpoints.foreign();
    if (!foreign.isEmpty()) {
      throw SpillwayException.badInput(
          "%s is a checkpoint of another program, it has no state.json; to go on from its weights name"
              + " it with --model and choose another --output",
          foreign.getLast());
    }
    Optional<Path> from = job.resume() ? checkpoints.latest() : Optional.empty();
    if (job.resume() && from.isEmpty()) {
      throw SpillwayException.notFound(
          "%s has no checkpoint to resume from; leave --resume out to begin", job.output());
    }
    if (!job.resume() && checkpoints.latest().isPresent()) {
      throw SpillwayException.badInput(
          "%s holds %s already; add --resume to go on from it or choose another --output",
          job.output(), checkpoints.latest().get().getFileName());
    }
    ranks.barrier();
    try (Arena arena = Arena.ofShared()) {
      long begin = subgroups.getFirst().from();
      Shard shard = CheckpointWriter.shard(arena, begin, subgroups.getLast().to());
      TrainState state = from.map(c -> resume(c, shard)).orElseGet(() -> begin(shard));
      Schedule schedule = schedule();
      try (OffloadedOptimizer optimizer =
          new OffloadedOptimizer(
              device,
              own(weights),
              own(gradients),
              subgroups,
              schedule,
              options,
              lanes,
              ranks::sum)) {
        optimizer.steps(state.updates());
        for (Subgroup g : subgroups) {
          long at = 4 * (g.from() - begin);
          optimizer.set(
              g,
              shard.master().asSlice(at, 4 * g.size()),
              shard.momentum().asSlice(at, 4 * g.size()),
              shard.variance().asSlice(at, 4 * g.size()));
        }
        return train(optimizer, schedule, state);
      }
    }
  }

  private MemorySegment own(MemorySegment flat) {
    long bytes = settings.precision().bytes();
    long from = subgroups.getFirst().from();
    return flat.asSlice(from * bytes, (subgroups.getLast().to() - from) * bytes);
  }

  private TrainState begin(Shard shard) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment master = arena.allocate(4 * parameters.size(), 64);
      model.fill(parameters, master, new Seeds(settings.seed()));
      round(master);
      MemorySegment.copy(master, 4 * shard.from(), shard.master(), 0, shard.master().byteSize());
    }
    return new TrainState(
        TrainState.FORMAT,
        0,
        0,
        0,
        lossScale,
        0,
        settings.seed(),
        parameters.size(),
        ranks.size(),
        List.of());
  }

  private void round(MemorySegment master) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment rounded = arena.allocate(weights.byteSize(), 64);
      Casts.fromFloats(master, rounded, settings.precision(), parameters.size());
      device.upload(rounded, weights);
    }
  }

  private TrainState resume(Path checkpoint, Shard shard) {
    TrainState state = Checkpoints.read(checkpoint);
    if (state.parameters() != parameters.size()) {
      throw SpillwayException.badFile(
          checkpoint,
          "",
          "it is of a model with %d parameters, %s has %d",
          state.parameters(),
          job.model(),
          parameters.size());
    }
    if (state.seed() != settings.seed()) {
      throw SpillwayException.badInput(
          "%s was trained with --seed %d, this run has %d: the data order would change",
          checkpoint, state.seed(), settings.seed());
    }
    Checkpoints.readShards(checkpoint, state, shard);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment master = arena.allocate(4 * parameters.size(), 64);
      ModelSource.open(checkpoint).fill(parameters, master, new Seeds(0));
      round(master);
    }
    sequences = state.sequences();
    lossScale = state.lossScale();
    goodSteps = state.goodSteps();
    return state;
  }

  /// Predicts the step of a stated schedule too, from rates and passes measured before the first
  /// step; without it only a chosen schedule has a prediction.
  public void predictStated() {
    predictsStated = true;
  }

  /// The schedule that was asked for, or the one that the performance model chooses from rates and
  /// passes measured now.
  private Schedule schedule() {
    Optional<Schedule> stated = settings.schedule();
    if (!job.device().offloads() || stated.isPresent() && !predictsStated) {
      return stated.orElse(new Schedule.AllGpu());
    }
    Workload workload =
        PassTimes.measure(
            decoder,
            device,
            () -> data.training(0, settings.microBatch()),
            lossScale,
            settings.accumulation());
    DeviceRates rates =
        job.device().rates(device, settings.precision(), settings.master(), job.cpuThreads());
    if (stated.isPresent()) {
      int n = subgroups.size();
      prediction =
          Predictor.predict(
              new UpdateGraph(subgroups, stated.get().place(n), options.graph()),
              workload,
              rates.of(stated.get(), n),
              options.stateBytes(),
              stated.get().overlapsForward());
      return stated.get();
    }
    ranks.rehearse(device, weights, gradients, settings.precision(), parameters.size());
    PerformanceModel.Choice choice =
        DeviceRoom.of(device, subgroups, options).choose(workload, rates.together(), 1);
    prediction = choice.prediction();
    return choice.schedule();
  }

  private TrainReport train(OffloadedOptimizer optimizer, Schedule schedule, TrainState begin) {
    List<Double> losses = new ArrayList<>();
    List<Double> times = new ArrayList<>();
    double evaluation = Double.NaN;
    long step = begin.step();
    long tokensOfStep =
        (long) settings.microBatch() * settings.accumulation() * settings.sequence() * ranks.size();
    try (Metrics metrics = ranks.rank() == 0 ? new Metrics(job.output(), step) : null;
        Progress.Task task = progress.start("training", job.steps() - step)) {
      while (step < job.steps() && !stopRequested()) {
        long beginNs = System.nanoTime();
        lanes.record(step >= job.steps() - 2 ? timeline : null);
        double rate = settings.learningRate().at(step);
        double scale = lossScale;
        double[] norm = new double[1];
        double loss = step(optimizer, step, rate, norm);
        step++;
        double seconds = (System.nanoTime() - beginNs) / 1e9;
        losses.add(loss);
        times.add(seconds);
        boolean evaluate = job.evaluateEvery() > 0 && step % job.evaluateEvery() == 0;
        evaluation = evaluate ? evaluate(optimizer) : evaluation;
        if (metrics != null) {
          metrics.write(
              step,
              loss,
              evaluate ? evaluation : Double.NaN,
              norm[0],
              rate,
              scale,
              seconds,
              tokensOfStep / seconds);
        }
        task.advance(1);
        task.note(
            String.format(Locale.ROOT, "loss %.4f, %.0f tokens/s", loss, tokensOfStep / seconds));
        checkMemory(optimizer);
        if (job.saveEvery() > 0 && step % job.saveEvery() == 0 && step < job.steps()) {
          save(optimizer, step);
        }
      }
    }
    save(optimizer, step);
    writer.await();
    ranks.barrier();
    return report(optimizer, schedule, step, losses, times, evaluation, tokensOfStep);
  }

  /// One rank's signal stops all.
  private boolean stopRequested() {
    return ranks.sum(stop.get() ? 1 : 0) > 0;
  }

  private void checkMemory(OffloadedOptimizer optimizer) {
    long host = optimizer.tiers().hostBytes();
    if (device.used() > device.capacity() || host > job.hostMemory()) {
      throw SpillwayException.doesNotFit(
          "memory in use exceeds its budget: device %s of %s, host %s of %s",
          new Bytes(device.used()),
          new Bytes(device.capacity()),
          new Bytes(host),
          new Bytes(job.hostMemory()));
    }
  }

  private double step(OffloadedOptimizer optimizer, long step, double rate, double[] norm) {
    double[] total = new double[1];
    if (ranks.size() > 1) {
      optimizer.drain();
      ranks.gatherWeights(device, weights, settings.precision(), parameters.size());
    }
    for (int pass = 0; pass < settings.accumulation(); pass++) {
      boolean first = pass == 0;
      boolean last = pass == settings.accumulation() - 1;
      long at = sequences + (long) ranks.rank() * settings.microBatch();
      DoubleConsumer between =
          loss -> {
            double mean = ranks.mean(loss);
            if (!Double.isFinite(mean)) {
              throw stopped("loss is " + mean, step, rate);
            }
            total[0] += mean / settings.accumulation();
            if (first) {
              device.zero(gradients);
            }
            if (last) {
              optimizer.beginBackward(rate);
            }
          };
      TensorScope.run(() -> {
        TokenSource.Batch batch = data.training(at, settings.microBatch());
        decoder.train(
            batch.ids(),
            batch.targets(),
            lossScale / settings.accumulation(),
            listener(optimizer, first, last),
            between);
      });
      sequences += (long) settings.microBatch() * ranks.size();
    }
    StepResult result = optimizer.finishBackward(1 / lossScale);
    norm[0] = result.norm();
    rescale(result, step, rate);
    return total[0];
  }

  private StepListener listener(OffloadedOptimizer optimizer, boolean first, boolean last) {
    return new StepListener(
        optimizer, parameters, ranks, device, gradients, settings.precision(), first, last);
  }

  private void rescale(StepResult result, long step, double rate) {
    LossScaling scaling = settings.scaling();
    if (!result.applied()) {
      if (settings.precision() != Precision.F16 || scaling.window() == 0 || lossScale <= 1) {
        throw stopped("gradient norm is " + result.norm(), step, rate);
      }
      lossScale /= 2;
      goodSteps = 0;
      skipped++;
    } else if (scaling.window() > 0 && ++goodSteps >= scaling.window()) {
      lossScale *= 2;
      goodSteps = 0;
    }
  }

  private SpillwayException stopped(String what, long step, double rate) {
    writer.await();
    String last =
        checkpoints
            .latest()
            .map(p -> "the last good checkpoint is " + p)
            .orElse("no checkpoint yet");
    return SpillwayException.badInput(
        "the %s at step %d (sequences %d to %d of the data, learning rate %s); %s; try a lower rate"
            + " or clipping",
        what,
        step + 1,
        sequences,
        sequences + (long) settings.microBatch() * ranks.size() - 1,
        rate,
        last);
  }

  private double evaluate(OffloadedOptimizer optimizer) {
    optimizer.awaitWeights(0, parameters.size());
    if (ranks.size() > 1) {
      optimizer.drain();
      ranks.gatherWeights(device, weights, settings.precision(), parameters.size());
    }
    double sum = 0;
    long done = 0;
    for (long at = 0; at < job.evaluation(); at += settings.microBatch()) {
      int count = (int) Math.min(settings.microBatch(), job.evaluation() - at);
      long begin = at;
      double[] loss = new double[1];
      TensorScope.run(() -> {
        TokenSource.Batch batch = data.evaluation(begin, count);
        loss[0] = decoder.loss(batch.ids(), batch.targets(), listener(optimizer, false, false));
      });
      sum += loss[0] * count;
      done += count;
    }
    return sum / done;
  }

  private void save(OffloadedOptimizer optimizer, long step) {
    if (ranks.size() > 1) {
      optimizer.drain();
      ranks.gatherWeights(device, weights, settings.precision(), parameters.size());
    }
    TrainState state =
        new TrainState(
            TrainState.FORMAT,
            step,
            optimizer.steps(),
            sequences,
            lossScale,
            goodSteps,
            settings.seed(),
            parameters.size(),
            ranks.size(),
            List.of());
    writer.save(
        optimizer,
        weights,
        state,
        (folder, copy) -> model.write(parameters, copy, settings.precision(), folder));
  }

  private TrainReport report(
      OffloadedOptimizer optimizer,
      Schedule schedule,
      long step,
      List<Double> losses,
      List<Double> times,
      double evaluation,
      long tokensOfStep) {
    List<Double> steady =
        times.subList(Math.min(times.size(), times.size() > 4 ? 2 : 0), times.size());
    double median =
        steady.isEmpty() ? Double.NaN : steady.stream().sorted().toList().get(steady.size() / 2);
    UpdateGraph graph = optimizer.graph();
    String shares =
        String.format(
            Locale.ROOT,
            "%s (CPU %.3f, streamed %.3f, resident %.3f of the parameters)",
            schedule.name(),
            graph.share(io.spillway.training.plan.Placement.CPU),
            graph.share(io.spillway.training.plan.Placement.STREAMED),
            graph.share(io.spillway.training.plan.Placement.RESIDENT));
    Predictor.Prediction p = prediction;
    return new TrainReport(
        job.device().offloads()
            ? device.description()
            : "the host's own processor, nothing is offloaded",
        shares,
        parameters.size(),
        step,
        losses,
        evaluation,
        tokensOfStep / median,
        p == null ? Double.NaN : p.iterationSeconds(),
        median,
        device.peak(),
        optimizer.tiers().hostBytes(),
        skipped,
        checkpoints.latest().map(Path::toString).orElse(""),
        stop.get());
  }

  @Override
  public void close() {
    writer.close();
    decoder.close();
    lanes.close();
    data.close();
    device.close();
    ranks.close();
  }
}
