package io.spillway.training.config;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.Precision;
import io.spillway.platform.SpillwayException;
import io.spillway.training.plan.Schedule;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Everything about a run that its weights or its speed depend on.
///
/// @param microBatch sequences of one pass on one rank
/// @param accumulation passes of one step
/// @param sequence tokens of a sequence
/// @param precision format of weights and gradients on the device
/// @param adam hyperparameters
/// @param learningRate rate of each step
/// @param clip norm to which gradients are clipped, infinity for none
/// @param subgroupSize parameters of a subgroup, 0 to choose (64 subgroups)
/// @param schedule how the update is split, empty to let the performance model choose
/// @param master how the master is kept
/// @param checkpointActivations whether layers recompute their activations in the backward pass
/// @param scaling loss scaling
/// @param stateFolder folder for state on disk, empty for state in memory
/// @param buffers streaming buffers on the device
/// @param seed of data order and initial weights
public record TrainSettings(
    int microBatch,
    int accumulation,
    int sequence,
    Precision precision,
    AdamSettings adam,
    LearningRate learningRate,
    double clip,
    long subgroupSize,
    Optional<Schedule> schedule,
    MasterLayout master,
    boolean checkpointActivations,
    LossScaling scaling,
    Optional<Path> stateFolder,
    int buffers,
    long seed) {
  public TrainSettings {
    if (microBatch < 1 || accumulation < 1 || sequence < 2) {
      throw SpillwayException.badInput(
          "micro-batch %d, accumulation %d and sequence %d: at least 1, 1 and 2 are needed",
          microBatch, accumulation, sequence);
    }
    if (buffers < 1) {
      throw SpillwayException.badInput("%d streaming buffers, at least 1 (2 or 3 help)", buffers);
    }
    if (subgroupSize < 0) {
      throw SpillwayException.badInput("subgroup size %d must not be negative", subgroupSize);
    }
  }

  /// Plain defaults: AdamW at 3e-4, bf16, clipping at 1, one sequence of 512 tokens.
  public static TrainSettings defaults() {
    return new TrainSettings(
        1,
        1,
        512,
        Precision.BF16,
        new AdamSettings(0.9, 0.95, 1e-8, 0.1, true),
        new LearningRate(3e-4, 0, 0, 0, LearningRate.Shape.CONSTANT),
        1,
        0,
        Optional.empty(),
        MasterLayout.FULL,
        false,
        LossScaling.none(),
        Optional.empty(),
        3,
        0);
  }

  /// These settings with what a DeepSpeed file says put over them.
  ///
  /// @param ranks processes that share the global batch
  public TrainSettings with(DeepSpeedConfig c, int ranks) {
    Precision precision = precision(c);
    return new TrainSettings(
        microBatch(c, ranks),
        accumulation(c, ranks),
        sequence,
        precision,
        adam(c),
        learningRate(c),
        clip(c),
        c.integer("zero_optimization.sub_group_size")
            .filter(size -> size < DeepSpeedConfig.DEFAULT_SUBGROUP)
            .orElse(subgroupSize),
        schedule(c),
        master,
        checkpointActivations || c.has("activation_checkpointing"),
        precision == Precision.F16 ? scaling(c) : LossScaling.none(),
        stateFolder(c),
        c.integer("zero_optimization.offload_optimizer.buffer_count")
            .map(Math::toIntExact)
            .orElse(buffers),
        seed);
  }

  private Precision precision(DeepSpeedConfig c) {
    boolean bf16 = c.flag("bf16.enabled").orElse(false);
    boolean fp16 = c.flag("fp16.enabled").orElse(false);
    if (bf16 && fp16) {
      throw SpillwayException.badFile(
          c.file(), "", "bf16.enabled and fp16.enabled are both true, one must be false");
    }
    if (!bf16 && !fp16 && (c.isAutomatic("bf16.enabled") || c.isAutomatic("fp16.enabled"))) {
      return precision;
    }
    return bf16 ? Precision.BF16 : fp16 ? Precision.F16 : Precision.F32;
  }

  private int microBatch(DeepSpeedConfig c, int ranks) {
    Optional<Long> micro = c.integer("train_micro_batch_size_per_gpu");
    Optional<Long> total = c.integer("train_batch_size");
    long steps = c.integer("gradient_accumulation_steps").orElse((long) accumulation);
    if (micro.isEmpty() && total.isPresent()) {
      if (total.get() % (steps * ranks) != 0) {
        throw SpillwayException.badFile(
            c.file(),
            "",
            "train_batch_size %d is not divisible by %d accumulation steps of %d ranks",
            total.get(),
            steps,
            ranks);
      }
      return Math.toIntExact(total.get() / (steps * ranks));
    }
    return Math.toIntExact(micro.orElse((long) microBatch));
  }

  private int accumulation(DeepSpeedConfig c, int ranks) {
    Optional<Long> steps = c.integer("gradient_accumulation_steps");
    Optional<Long> micro = c.integer("train_micro_batch_size_per_gpu");
    Optional<Long> total = c.integer("train_batch_size");
    if (micro.isPresent() && total.isPresent()) {
      long each = micro.get() * ranks;
      if (each < 1
          || total.get() % each != 0
          || steps.isPresent() && steps.get() * each != total.get()) {
        throw SpillwayException.badFile(
            c.file(),
            "",
            "train_batch_size %d must be train_micro_batch_size_per_gpu %d x"
                + " gradient_accumulation_steps %s x %d ranks",
            total.get(),
            micro.get(),
            steps.map(String::valueOf).orElse("?"),
            ranks);
      }
      return Math.toIntExact(total.get() / each);
    }
    return Math.toIntExact(steps.orElse((long) accumulation));
  }

  private AdamSettings adam(DeepSpeedConfig c) {
    String type =
        c.choice("optimizer.type", List.of("Adam", "AdamW", "DeepSpeedCPUAdam", "FusedAdam"))
            .orElse(adam.decoupled() ? "AdamW" : "Adam");
    boolean decoupled = type.equals("AdamW") || c.flag("optimizer.params.adam_w_mode").orElse(true);
    double[] betas = c.betas().orElse(new double[] {adam.beta1(), adam.beta2()});
    return new AdamSettings(
        betas[0],
        betas[1],
        c.number("optimizer.params.eps").orElse(adam.epsilon()),
        c.number("optimizer.params.weight_decay").orElse(adam.weightDecay()),
        decoupled);
  }

  private LearningRate learningRate(DeepSpeedConfig c) {
    double lr = c.number("optimizer.params.lr").orElse(learningRate.peak());
    Optional<String> type =
        c.choice("scheduler.type", List.of("WarmupLR", "WarmupDecayLR", "WarmupCosineLR"));
    if (type.isEmpty()) {
      return new LearningRate(
          lr,
          learningRate.warmupSteps(),
          learningRate.totalSteps(),
          Math.min(lr, learningRate.least()),
          learningRate.shape(),
          learningRate.warmUp(),
          Math.min(lr, learningRate.end()));
    }
    boolean cosine = type.get().equals("WarmupCosineLR");
    double peak = c.number("scheduler.params.warmup_max_lr").orElse(lr);
    double least =
        cosine
            ? peak * c.number("scheduler.params.warmup_min_ratio").orElse(0.0)
            : c.number("scheduler.params.warmup_min_lr").orElse(0.0);
    return new LearningRate(
        peak,
        c.integer("scheduler.params.warmup_num_steps").orElse(learningRate.warmupSteps()),
        c.integer("scheduler.params.total_num_steps").orElse(learningRate.totalSteps()),
        least,
        cosine
            ? LearningRate.Shape.COSINE
            : type.get().equals("WarmupDecayLR")
                ? LearningRate.Shape.LINEAR
                : LearningRate.Shape.CONSTANT,
        // DeepSpeed's own default is the logarithm
        c.choice("scheduler.params.warmup_type", List.of("log", "linear"))
                .orElse("log")
                .equals("log")
            ? LearningRate.WarmUp.LOG
            : LearningRate.WarmUp.LINEAR,
        cosine ? peak * c.number("scheduler.params.cos_min_ratio").orElse(1e-4) : least);
  }

  private double clip(DeepSpeedConfig c) {
    // DeepSpeed writes 0 for no clipping
    return c.number("gradient_clipping")
        .map(x -> x == 0 ? Double.POSITIVE_INFINITY : x)
        .orElse(clip);
  }

  private Optional<Schedule> schedule(DeepSpeedConfig c) {
    if (schedule.isPresent()) {
      return schedule;
    }
    String where =
        c.choice("zero_optimization.offload_optimizer.device", List.of("cpu", "nvme", "none"))
            .orElse("cpu");
    if (where.equals("none")) {
      return Optional.of(new Schedule.AllGpu());
    }
    Optional<Double> ratio = c.number("zero_optimization.offload_optimizer.ratio");
    if (ratio.isPresent() && ratio.get() < 1) {
      return Optional.of(new Schedule.TwinFlow(ratio.get()));
    }
    if (c.flag("zero_optimization.prefetch_optimizer").orElse(false)) {
      Optional<Long> gap = c.integer("zero_optimization.prefetch_optimizer_gap");
      if (gap.isPresent()) {
        return Optional.of(new Schedule.Stride(Math.toIntExact(gap.get())));
      }
    }
    return Optional.empty();
  }

  private static LossScaling scaling(DeepSpeedConfig c) {
    double fixed = c.number("fp16.loss_scale").orElse(0.0);
    return fixed > 0
        ? new LossScaling(fixed, 0)
        : new LossScaling(
            Math.scalb(1.0, Math.toIntExact(c.integer("fp16.initial_scale_power").orElse(16L))),
            Math.toIntExact(c.integer("fp16.loss_scale_window").orElse(1000L)));
  }

  private Optional<Path> stateFolder(DeepSpeedConfig c) {
    Optional<String> device = c.text("zero_optimization.offload_optimizer.device");
    if (device.filter("nvme"::equals).isEmpty()) {
      return stateFolder;
    }
    return Optional.of(
        Path.of(
            c.text("zero_optimization.offload_optimizer.nvme_path")
                .orElseThrow(() ->
                    SpillwayException.badFile(
                        c.file(),
                        "",
                        "offload_optimizer.device is nvme, then nvme_path must name a"
                            + " folder"))));
  }
}
