package io.spillway.training.run;

import io.spillway.models.DecoderConfig;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.Device;
import io.spillway.training.engine.Lanes;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.Placement;
import io.spillway.training.plan.Predictor;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.Timeline;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.Workload;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// Runs real training steps of one model under several schedules, one after another on the same
/// device, each predicted from the same measurements. Weights and tokens are random: only times,
/// memory and the equality of the final weights matter.
public final class ScheduleComparison implements AutoCloseable {
  private static final int WARM = 2;

  private final DecoderConfig config;
  private final TrainSettings settings;
  private final Device device;
  private final boolean ownsDevice;
  private final Ranks ranks;
  private final FlatParameters parameters;
  private final MemorySegment weights;
  private final MemorySegment gradients;
  private final BlockedDecoder decoder;
  private final TensorHolder held = new TensorHolder();
  private final TokenSource.Batch batch;
  private final List<Subgroup> subgroups;
  private final OptimizerOptions options;
  private final Workload workload;
  private final DeviceRates rates;
  private final DeviceRoom room;
  private final Progress progress;
  private Timeline timeline = new Timeline();

  /// Opens the device and measures it.
  ///
  /// @param hostMemory bytes of host memory for the optimizer
  public ScheduleComparison(
      DecoderConfig config,
      TrainDevice where,
      TrainSettings settings,
      int threads,
      long hostMemory,
      Progress progress) {
    this(
        config,
        where,
        requireLink(where).open(),
        true,
        Optional.empty(),
        settings,
        threads,
        hostMemory,
        progress);
  }

  /// On a device that is open already and stays so, with rates that were measured on it before.
  public static ScheduleComparison on(
      Device device,
      DecoderConfig config,
      TrainDevice where,
      Optional<DeviceRates> rates,
      TrainSettings settings,
      int threads,
      long hostMemory,
      Progress progress) {
    return new ScheduleComparison(
        config, where, device, false, rates, settings, threads, hostMemory, progress);
  }

  private static TrainDevice requireLink(TrainDevice where) {
    if (!where.offloads()) {
      throw SpillwayException.badInput(
          "comparing schedules needs a device; add --device cuda or --simulate-device"
              + " memory=2GiB,link=4GB/s");
    }
    return where;
  }

  private ScheduleComparison(
      DecoderConfig config,
      TrainDevice where,
      Device device,
      boolean ownsDevice,
      Optional<DeviceRates> known,
      TrainSettings settings,
      int threads,
      long hostMemory,
      Progress progress) {
    if (settings.sequence() > config.maxPositions()) {
      throw SpillwayException.badInput(
          "sequences of %d tokens, the model was made for at most %d (max_position_embeddings)",
          settings.sequence(), config.maxPositions());
    }
    this.device = device;
    this.ownsDevice = ownsDevice;
    this.config = config;
    this.settings = settings;
    this.progress = progress;
    ranks = Ranks.current(device.processor());
    parameters = new FlatParameters(config);
    long n = parameters.size();
    long from = ranks.from(n, ranks.rank());
    long to = ranks.from(n, ranks.rank() + 1);
    subgroups = RunOptions.subgroups(settings, from, to);
    RunOptions.requireRoom(settings, n, subgroups, device.capacity());
    device.releaseUnused();
    options = RunOptions.optimizer(settings, where, threads, from, hostMemory);
    long bytes = n * settings.precision().bytes();
    weights = device.allocate(bytes, "weights");
    gradients = device.allocate(bytes, "gradients");
    decoder =
        new BlockedDecoder(
            config,
            parameters,
            device,
            weights,
            gradients,
            settings.precision(),
            settings.checkpointActivations());
    batch = randomTokens();
    randomWeights();
    workload = PassTimes.measure(decoder, device, () -> batch, 1, settings.accumulation());
    rates =
        known.orElseGet(
            () -> where.rates(device, settings.precision(), settings.master(), threads));
    ranks.rehearse(device, weights, gradients, settings.precision(), parameters.size());
    room = DeviceRoom.of(device, subgroups, options);
  }

  private TokenSource.Batch randomTokens() {
    RandomGenerator random = new Seeds(settings.seed()).stream("tokens", ranks.rank());
    long count = (long) settings.microBatch() * settings.sequence();
    long[] ids = random.longs(count, 0, config.vocabulary()).toArray();
    long[] next = random.longs(count, 0, config.vocabulary()).toArray();
    try (TensorScope scope = TensorScope.open()) {
      long[] shape = {settings.microBatch(), settings.sequence()};
      return new TokenSource.Batch(
          held.hold(Tensors.to(scope.adopt(Tensors.of(ids, shape)), device.processor())),
          held.hold(Tensors.to(scope.adopt(Tensors.of(next, shape)), device.processor())));
    }
  }

  private void randomWeights() {
    Torch.seed(settings.seed());
    int bytes = settings.precision().bytes();
    try (NoGrad _ = NoGrad.begin()) {
      TensorScope.run(() -> {
        for (FlatParameters.Weight w : parameters.weights()) {
          Tensor t =
              device.tensor(
                  weights.asSlice(w.from() * bytes, w.size() * bytes),
                  BlockedDecoder.dtype(settings.precision()),
                  w.shape());
          if (w.name().contains("norm")) {
            t.fill_(new Scalar(1.0));
          } else if (w.name().endsWith(".bias")) {
            t.fill_(new Scalar(0.0));
          } else {
            t.normal_(0, 0.02, new GeneratorOptional());
          }
        }
      });
    }
    device.mark().await();
  }

  /// What one schedule did.
  ///
  /// @param schedule its name
  /// @param cpu share of the parameters that the CPU updated
  /// @param streamed share that was streamed through the device
  /// @param resident share that stayed on the device
  /// @param predictedSeconds of a step
  /// @param stepSeconds of each measured step
  /// @param forwardSeconds median; with a schedule that overlaps, waiting for weights is in it
  /// @param backwardSeconds median, to the gradient's norm
  /// @param updateSeconds median, from the norm to the last task; beside the next forward pass if
  ///   the schedule overlaps
  /// @param bareUpdateSeconds median update when no pass runs: all gradients there, to the last
  ///   task
  /// @param upBytes that a step moves to the device
  /// @param downBytes that a step moves from the device
  /// @param deviceBytes in use, activations among it on a GPU
  /// @param hostBytes of the optimizer
  /// @param weightsChecksum CRC-32C of all weights at the end, empty if it was not taken
  public record Row(
      String schedule,
      double cpu,
      double streamed,
      double resident,
      double predictedSeconds,
      List<Double> stepSeconds,
      double forwardSeconds,
      double backwardSeconds,
      double updateSeconds,
      double bareUpdateSeconds,
      long upBytes,
      long downBytes,
      long deviceBytes,
      long hostBytes,
      String weightsChecksum) {
    public Row {
      stepSeconds = List.copyOf(stepSeconds);
    }

    /// The median step.
    public double seconds() {
      return median(stepSeconds);
    }
  }

  private static double median(List<Double> values) {
    return values.isEmpty() ? Double.NaN : values.stream().sorted().toList().get(values.size() / 2);
  }

  /// Parameters of the model.
  public long parameters() {
    return parameters.size();
  }

  /// Parameters whose optimizer state this process owns.
  public long owned() {
    return subgroups.getLast().to() - subgroups.getFirst().from();
  }

  public Device device() {
    return device;
  }

  public Workload workload() {
    return workload;
  }

  public DeviceRates rates() {
    return rates;
  }

  public boolean isFirstRank() {
    return ranks.rank() == 0;
  }

  /// The spans of the last schedule's last steps.
  public Timeline timeline() {
    return timeline;
  }

  /// The schedule that a name stands for: `auto` is the performance model's choice for this device,
  /// `auto:0` the choice with nothing resident, `twinflow` the least ratio whose rest fits.
  public Schedule schedule(String name) {
    return switch (name) {
      case "auto" -> room.choose(workload, rates.together(), 1).schedule();
      case "auto:0" -> room.choose(workload, rates.together(), 0).schedule();
      case "twinflow" -> new Schedule.TwinFlow(1 - room.residentAlone());
      default -> Schedule.parse(name);
    };
  }

  /// Trains some steps under `schedule` from the same random weights.
  ///
  /// @param sum whether the checksum of the weights is taken **Errors:** a schedule that the
  ///   budgets do not allow.
  public Row run(Schedule schedule, int steps, boolean sum) {
    randomWeights();
    UpdateGraph graph =
        new UpdateGraph(subgroups, schedule.place(subgroups.size()), options.graph());
    Rates mine = rates.of(schedule, subgroups.size());
    double predicted =
        Predictor.predict(graph, workload, mine, options.stateBytes(), schedule.overlapsForward())
            .iterationSeconds();
    timeline = new Timeline();
    try (Lanes lanes = new Lanes();
        OffloadedOptimizer optimizer =
            new OffloadedOptimizer(
                device,
                own(weights),
                own(gradients),
                subgroups,
                schedule,
                options,
                lanes,
                ranks::sum);
        Progress.Task task = progress.start(schedule.name(), WARM + (long) steps)) {
      optimizer.initialize();
      List<Double> seconds = new ArrayList<>();
      List<Double> forward = new ArrayList<>();
      List<Double> backward = new ArrayList<>();
      List<Double> update = new ArrayList<>();
      double before = now();
      for (int step = -WARM; step < steps; step++) {
        lanes.record(step >= steps - 2 ? timeline : null);
        double[] passes = step(optimizer);
        if (!schedule.overlapsForward()) {
          optimizer.drain();
        }
        double end = now();
        if (step >= 0) {
          seconds.add(end - before);
          forward.add(passes[0]);
          backward.add(passes[1]);
          update.add(optimizer.updateSeconds());
        }
        before = end;
        task.advance(1);
      }
      optimizer.drain();
      long used = device.used();
      String checksum = sum ? checksum() : "";
      lanes.record(null);
      return new Row(
          schedule.name(),
          graph.share(Placement.CPU),
          graph.share(Placement.STREAMED),
          graph.share(Placement.RESIDENT),
          predicted,
          seconds,
          median(forward),
          median(backward),
          median(update),
          bareUpdate(optimizer),
          bytes(graph, Placement.STREAMED, options.stateBytes().state())
              + bytes(graph, Placement.CPU, options.weights().bytes()),
          bytes(graph, Placement.STREAMED, options.stateBytes().state())
              + bytes(graph, Placement.CPU, options.gradients().bytes()),
          used,
          optimizer.tiers().hostBytes(),
          checksum);
    }
  }

  private static double now() {
    return System.nanoTime() / 1e9;
  }

  private long bytes(UpdateGraph graph, Placement placement, int each) {
    return Math.round(graph.share(placement) * owned()) * each;
  }

  private MemorySegment own(MemorySegment flat) {
    long bytes = settings.precision().bytes();
    return flat.asSlice(subgroups.getFirst().from() * bytes, owned() * bytes);
  }

  /// One step; seconds of its forward and of its backward pass.
  private double[] step(OffloadedOptimizer optimizer) {
    double begin = now();
    if (ranks.size() > 1) {
      optimizer.drain();
      ranks.gatherWeights(device, weights, settings.precision(), parameters.size());
    }
    double[] middle = new double[1];
    for (int pass = 0; pass < settings.accumulation(); pass++) {
      boolean first = pass == 0;
      boolean last = pass == settings.accumulation() - 1;
      DoubleConsumer between =
          _ -> {
            if (first) {
              device.zero(gradients);
            }
            if (last) {
              middle[0] = now();
              optimizer.beginBackward(1e-4);
            }
          };
      TensorScope.run(() ->
          decoder.train(
              batch.ids(),
              batch.targets(),
              1.0 / settings.accumulation(),
              listener(optimizer, first, last),
              between));
    }
    optimizer.finishBackward(1);
    return new double[] {middle[0] - begin, now() - middle[0]};
  }

  private StepListener listener(OffloadedOptimizer optimizer, boolean first, boolean last) {
    return new StepListener(
        optimizer, parameters, ranks, device, gradients, settings.precision(), first, last);
  }

  private double bareUpdate(OffloadedOptimizer optimizer) {
    List<Double> times = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      device.zero(gradients);
      device.mark().await();
      double begin = now();
      optimizer.beginBackward(1e-4);
      optimizer.gradientsReady(0, parameters.size());
      optimizer.finishBackward(1);
      optimizer.drain();
      times.add(now() - begin);
    }
    return median(times);
  }

  private String checksum() {
    if (ranks.size() > 1) {
      ranks.gatherWeights(device, weights, settings.precision(), parameters.size());
    }
    device.mark().await();
    CRC32C sum = new CRC32C();
    long piece = 64 << 20;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment host = arena.allocate(piece, 64);
      for (long at = 0; at < weights.byteSize(); at += piece) {
        MemorySegment part = host.asSlice(0, Math.min(piece, weights.byteSize() - at));
        device.download(weights.asSlice(at, part.byteSize()), part);
        sum.update(part.asByteBuffer());
      }
    }
    return Long.toHexString(sum.getValue());
  }

  /// The figures, for JSON.
  ///
  /// @param rows by the name that was asked for
  /// @param refused why others did not run
  public Map<String, Object> summary(Map<String, Row> rows, Map<String, String> refused) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("device", device.description());
    all.put("device_bytes", device.capacity());
    all.put("device_peak_bytes", device.peak());
    all.put("parameters", parameters());
    all.put("owned_parameters", owned());
    all.put("passes_seconds", workload.computeSeconds());
    all.put("rates_together", rates.together());
    all.put("rates_alone", rates.alone());
    List<Map<String, Object>> list = new ArrayList<>();
    rows.forEach((name, r) -> list.add(summary(name, r)));
    all.put("schedules", list);
    all.put("refused", refused);
    return all;
  }

  private Map<String, Object> summary(String name, Row r) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("name", name);
    all.put("row", r);
    all.put("median_seconds", r.seconds());
    all.put("error_percent", 100 * (r.seconds() / r.predictedSeconds() - 1));
    all.put("update_parameters_per_second", owned() / r.bareUpdateSeconds());
    all.put("up_bytes_per_second", r.upBytes() / r.seconds());
    all.put("down_bytes_per_second", r.downBytes() / r.seconds());
    all.put("up_bytes_per_second_of_update", r.upBytes() / r.bareUpdateSeconds());
    all.put("down_bytes_per_second_of_update", r.downBytes() / r.bareUpdateSeconds());
    return all;
  }

  @Override
  public void close() {
    decoder.close();
    held.close();
    if (ownsDevice) {
      device.close();
    } else {
      device.free(weights);
      device.free(gradients);
      device.releaseUnused();
    }
    ranks.close();
  }
}
