package io.spillway.cli.training;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.Precision;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.platform.units.Bytes;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.training.config.DeepSpeedConfig;
import io.spillway.training.config.LearningRate;
import io.spillway.training.config.LossScaling;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.plan.Schedule;
import io.spillway.training.run.TrainDevice;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options that `train` and `train plan` share; they stand over the DeepSpeed file.
final class TrainOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "DeepSpeed configuration (JSON); the options here stand over it.")
  Optional<Path> config = Optional.empty();

  @Option(names = "--micro-batch", description = "Sequences of one pass on one rank (default: 1).")
  Optional<Integer> microBatch = Optional.empty();

  @Option(names = "--accumulate", description = "Passes of one optimizer step (default: 1).")
  Optional<Integer> accumulation = Optional.empty();

  @Option(names = "--sequence", description = "Tokens of a sequence (default: 512).")
  Optional<Integer> sequence = Optional.empty();

  @Option(
      names = "--precision",
      description = "Weights and gradients: bf16, fp16 or fp32 (default: bf16).")
  Optional<String> precision = Optional.empty();

  @Option(names = "--lr", description = "Highest learning rate (default: 3e-4).")
  Optional<Double> learningRate = Optional.empty();

  @Option(names = "--lr-schedule", description = "constant, linear or cosine (default: constant).")
  Optional<LearningRate.Shape> shape = Optional.empty();

  @Option(names = "--warmup", description = "Steps of linear warm-up (default: 0).")
  Optional<Long> warmup = Optional.empty();

  @Option(names = "--weight-decay", description = "Decay of AdamW (default: 0.1).")
  Optional<Double> weightDecay = Optional.empty();

  @Option(names = "--clip", description = "Gradient norm to clip at, 0 for none (default: 1).")
  Optional<Double> clip = Optional.empty();

  @Option(
      names = "--schedule",
      description =
          "Where the update runs: auto, fraction:CPU[:RESIDENT], stride:K, zero-offload,"
              + " twinflow:RATIO or all-gpu (default: auto, chosen by the performance model).")
  Optional<String> schedule = Optional.empty();

  @Option(names = "--subgroup", description = "Parameters of a subgroup (default: a 64th of all).")
  Optional<Long> subgroup = Optional.empty();

  @Option(names = "--buffers", description = "Streaming buffers on the device (default: 3).")
  Optional<Integer> buffers = Optional.empty();

  @Option(
      names = "--split-master",
      description = "Keep masters as two halves: 10 bytes a parameter travel instead of 12.")
  boolean split;

  @Option(
      names = "--activation-checkpointing",
      description = "Recompute each layer's activations in the backward pass.")
  boolean checkpointing;

  @Option(
      names = "--state-folder",
      paramLabel = "DIR",
      description = "Keep the optimizer state in a file there (NVMe tier) instead of memory.")
  Optional<Path> stateFolder = Optional.empty();

  @Option(
      names = "--simulate-device",
      paramLabel = "SPEC",
      description =
          "A device simulated in host memory: memory=2GiB,link=4GB/s[,duplex=true][,update=2e9]"
              + "[,host-update=RATE][,disk=RATE]; rates in parameters/s and bytes/s.")
  Optional<String> simulated = Optional.empty();

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]",
      description = "Where the model is trained (default: ${DEFAULT-VALUE}).",
      defaultValue = "cpu")
  String device = "cpu";

  @Option(
      names = "--gpu-memory",
      paramLabel = "SIZE",
      description =
          "Budget of device memory (default: all of the GPU; stands over that of"
              + " --simulate-device).")
  Optional<String> gpuMemory = Optional.empty();

  @Option(
      names = "--host-memory",
      paramLabel = "SIZE",
      description = "Budget of host memory for the optimizer (default: no bound).")
  Optional<String> hostMemory = Optional.empty();

  @Option(
      names = "--cpu-threads",
      description = "Threads of the CPU update (default: half of the processors).")
  Optional<Integer> cpuThreads = Optional.empty();

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of data order and initial weights (default: ${DEFAULT-VALUE}).")
  long seed;

  int threads() {
    return cpuThreads.orElse(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
  }

  long hostBytes() {
    return hostMemory.map(t -> Bytes.parse(t).bytes()).orElse(Long.MAX_VALUE);
  }

  /// The GPU, the simulated device or the host itself.
  TrainDevice trainDevice() {
    Optional<Long> budget = gpuMemory.map(text -> Bytes.parse(text).bytes());
    if (simulated.isPresent()) {
      if (!device.equals("cpu")) {
        throw SpillwayException.badInput(
            "--device %s and --simulate-device exclude each other; leave one out", device);
      }
      DeviceSpec spec = DeviceSpec.parse(simulated.get());
      return new TrainDevice.Simulated(
          budget
              .map(bytes ->
                  new DeviceSpec(
                      new Bytes(bytes),
                      spec.link(),
                      spec.duplex(),
                      spec.updateRate(),
                      spec.hostUpdateRate(),
                      spec.diskRate()))
              .orElse(spec));
    }
    ComputeDevice chosen = Devices.choose(device);
    if (chosen.isCuda()) {
      return new TrainDevice.Cuda(chosen, budget.orElse(Long.MAX_VALUE));
    }
    if (gpuMemory.isPresent()) {
      throw SpillwayException.badInput(
          "--gpu-memory needs a device; add --device cuda or --simulate-device"
              + " memory=%s,link=4GB/s",
          gpuMemory.get());
    }
    return new TrainDevice.Host();
  }

  TrainSettings settings(long steps) {
    TrainSettings s = TrainSettings.defaults();
    Optional<DeepSpeedConfig> file = config.map(DeepSpeedConfig::read);
    if (file.isPresent()) {
      int ranks = RankEnvironment.isSet() ? RankEnvironment.current().worldSize() : 1;
      s = s.with(file.get(), ranks);
      if (!RankEnvironment.isSet() || RankEnvironment.current().rank() == 0) {
        file.get().notes().forEach(note -> System.err.println("spillway: note: " + note));
      }
    }
    Precision p = precision.map(TrainOptions::precision).orElse(s.precision());
    LearningRate old = s.learningRate();
    double peak = learningRate.orElse(old.peak());
    LearningRate rate =
        new LearningRate(
            peak,
            warmup.orElse(old.warmupSteps()),
            old.totalSteps() > 0 ? old.totalSteps() : steps,
            Math.min(old.least(), peak),
            shape.orElse(old.shape()),
            old.warmUp(),
            Math.min(old.end(), peak));
    AdamSettings adam = s.adam();
    return new TrainSettings(
        microBatch.orElse(s.microBatch()),
        accumulation.orElse(s.accumulation()),
        sequence.orElse(s.sequence()),
        p,
        new AdamSettings(
            adam.beta1(),
            adam.beta2(),
            adam.epsilon(),
            weightDecay.orElse(adam.weightDecay()),
            adam.decoupled()),
        rate,
        clip.map(c -> c == 0 ? Double.POSITIVE_INFINITY : c).orElse(s.clip()),
        subgroup.orElse(s.subgroupSize()),
        schedule.isPresent()
            ? schedule.filter(t -> !t.equals("auto")).map(Schedule::parse)
            : s.schedule(),
        split ? MasterLayout.SPLIT : s.master(),
        checkpointing || s.checkpointActivations(),
        p != Precision.F16
            ? LossScaling.none()
            : s.precision() == Precision.F16 ? s.scaling() : new LossScaling(65_536, 1000),
        stateFolder.isPresent() ? stateFolder : s.stateFolder(),
        buffers.orElse(s.buffers()),
        seed);
  }

  private static Precision precision(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "bf16" -> Precision.BF16;
      case "fp16", "f16" -> Precision.F16;
      case "fp32", "f32" -> Precision.F32;
      default ->
          throw SpillwayException.badInput(
              "precision '%s', %s",
              text, io.spillway.platform.Nearest.hint(text, List.of("bf16", "fp16", "fp32")));
    };
  }
}
