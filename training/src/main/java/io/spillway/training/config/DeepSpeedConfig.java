package io.spillway.training.config;

import io.spillway.platform.Json;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// A DeepSpeed configuration as people already have it. Keys that Spillway follows are values here,
/// keys that mean nothing for it are accepted and named in [#ignored], keys that DeepSpeed does not
/// know are errors; the value `"auto"` counts as absent.
///
/// **Source:** the documentation of DeepSpeed's configuration JSON, and the keys that the paper's
/// fork adds.
public final class DeepSpeedConfig {
  /// The subgroup size that DeepSpeed takes when nobody states one.
  static final long DEFAULT_SUBGROUP = 1_000_000_000;

  private static final Map<String, List<String>> KNOWN = new HashMap<>();
  private static final List<String> FOLLOWED =
      List.of(
          "train_batch_size",
          "train_micro_batch_size_per_gpu",
          "gradient_accumulation_steps",
          "gradient_clipping",
          "optimizer.type",
          "optimizer.params.lr",
          "optimizer.params.betas",
          "optimizer.params.eps",
          "optimizer.params.weight_decay",
          "optimizer.params.adam_w_mode",
          "scheduler.type",
          "scheduler.params.warmup_min_lr",
          "scheduler.params.warmup_max_lr",
          "scheduler.params.warmup_num_steps",
          "scheduler.params.warmup_type",
          "scheduler.params.warmup_min_ratio",
          "scheduler.params.cos_min_ratio",
          "scheduler.params.total_num_steps",
          "activation_checkpointing",
          "fp16.enabled",
          "fp16.loss_scale",
          "fp16.initial_scale_power",
          "fp16.loss_scale_window",
          "bf16.enabled",
          "zero_optimization.stage",
          "zero_optimization.sub_group_size",
          "zero_optimization.offload_optimizer.device",
          "zero_optimization.offload_optimizer.ratio",
          "zero_optimization.offload_optimizer.nvme_path",
          "zero_optimization.offload_optimizer.buffer_count",
          "zero_optimization.prefetch_optimizer",
          "zero_optimization.prefetch_optimizer_gap");

  static {
    KNOWN.put(
        "",
        List.of(
            "train_batch_size",
            "train_micro_batch_size_per_gpu",
            "gradient_accumulation_steps",
            "gradient_clipping",
            "prescale_gradients",
            "steps_per_print",
            "wall_clock_breakdown",
            "optimizer",
            "scheduler",
            "activation_checkpointing",
            "fp16",
            "bf16",
            "zero_optimization"));
    KNOWN.put("optimizer", List.of("type", "params"));
    KNOWN.put(
        "optimizer.params",
        List.of("lr", "betas", "eps", "weight_decay", "adam_w_mode", "torch_adam"));
    KNOWN.put("scheduler", List.of("type", "params"));
    KNOWN.put(
        "scheduler.params",
        List.of(
            "warmup_min_lr",
            "warmup_max_lr",
            "warmup_num_steps",
            "warmup_type",
            "warmup_min_ratio",
            "cos_min_ratio",
            "total_num_steps"));
    KNOWN.put(
        "activation_checkpointing",
        List.of(
            "partition_activations",
            "cpu_checkpointing",
            "contiguous_memory_optimization",
            "number_checkpoints",
            "synchronize_checkpoint_boundary",
            "profile"));
    KNOWN.put(
        "fp16",
        List.of(
            "enabled",
            "auto_cast",
            "loss_scale",
            "initial_scale_power",
            "loss_scale_window",
            "hysteresis",
            "consecutive_hysteresis",
            "min_loss_scale"));
    KNOWN.put("bf16", List.of("enabled"));
    KNOWN.put(
        "zero_optimization",
        List.of(
            "stage",
            "sub_group_size",
            "overlap_comm",
            "contiguous_gradients",
            "reduce_scatter",
            "reduce_bucket_size",
            "allgather_partitions",
            "allgather_bucket_size",
            "round_robin_gradients",
            "stage3_prefetch_bucket_size",
            "stage3_param_persistence_threshold",
            "stage3_max_live_parameters",
            "stage3_max_reuse_distance",
            "stage3_gather_16bit_weights_on_model_save",
            "offload_optimizer",
            "offload_param",
            "prefetch_optimizer",
            "part_grads_async",
            "prefetch_optimizer_gap"));
    KNOWN.put(
        "zero_optimization.offload_optimizer",
        List.of(
            "device",
            "ratio",
            "pin_memory",
            "nvme_path",
            "buffer_count",
            "pipeline_read",
            "pipeline_write",
            "fast_init"));
    KNOWN.put(
        "zero_optimization.offload_param",
        List.of("device", "nvme_path", "pin_memory", "buffer_count", "buffer_size", "max_in_cpu"));
  }

  private final Path file;
  private final Map<String, JsonNode> values = new HashMap<>();
  private final Set<String> automatic = new HashSet<>();
  private final List<String> ignored;

  private DeepSpeedConfig(Path file, JsonNode root) {
    this.file = file;
    if (!root.isObject()) {
      throw SpillwayException.badFile(file, "", "an object was expected");
    }
    walk("", root);
    ignored =
        values.keySet().stream()
            .filter(k -> FOLLOWED.stream().noneMatch(f -> k.equals(f) || k.startsWith(f + ".")))
            .sorted()
            .toList();
    long stage = integer("zero_optimization.stage").orElse(1L);
    if (stage < 0 || stage > 3) {
      throw SpillwayException.badFile(
          file, "", "zero_optimization.stage is %d, it must be 0 to 3", stage);
    }
    if (stage > 1
        && values.containsKey("zero_optimization.offload_param.device")
        && !text("zero_optimization.offload_param.device").orElse("none").equals("none")) {
      throw SpillwayException.badFile(
          file,
          "",
          "zero_optimization.offload_param.device is %s: weights stay on the device here, only the"
              + " optimizer is offloaded; set it to none",
          text("zero_optimization.offload_param.device").orElse(""));
    }
  }

  /// Reads a file.
  ///
  /// **Errors:** malformed JSON, unknown keys (with the nearest known one), values of a wrong kind.
  public static DeepSpeedConfig read(Path file) {
    return new DeepSpeedConfig(file, Json.readTree(file));
  }

  private void walk(String prefix, JsonNode node) {
    List<String> known = KNOWN.getOrDefault(prefix, List.of());
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      String key = entry.getKey();
      String path = prefix.isEmpty() ? key : prefix + "." + key;
      if (!known.contains(key)) {
        throw SpillwayException.badFile(
            file,
            "",
            "unknown key '%s'%s, %s",
            key,
            prefix.isEmpty() ? "" : " in " + prefix,
            Nearest.hint(key, known));
      }
      JsonNode value = entry.getValue();
      if (KNOWN.containsKey(path)) {
        if (!value.isObject()) {
          throw SpillwayException.badFile(file, "", "%s must be an object", path);
        }
        walk(path, value);
        if (path.equals("activation_checkpointing")) {
          values.put(path, value);
        }
      } else if (value.isString() && value.asString().equals("auto")) {
        automatic.add(path);
      } else if (!value.isNull()) {
        values.put(path, value);
      }
    }
  }

  public Path file() {
    return file;
  }

  /// Accepted keys without a meaning here, for a note to the user.
  public List<String> ignored() {
    return ignored;
  }

  /// Whether a key is there with the value `"auto"`.
  public boolean isAutomatic(String path) {
    return automatic.contains(path);
  }

  /// What the user should know about how this file is followed, one line each.
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (!ignored.isEmpty()) {
      notes.add("these keys have no meaning here: " + String.join(", ", ignored));
    }
    long stage = integer("zero_optimization.stage").orElse(1L);
    if (stage > 1) {
      notes.add(
          "zero_optimization.stage "
              + stage
              + ": ranks share the optimizer's state only (stage 1), each has all weights and"
              + " gradients");
    }
    if (integer("zero_optimization.sub_group_size").orElse(0L) >= DEFAULT_SUBGROUP) {
      notes.add("zero_optimization.sub_group_size is DeepSpeed's default: it is chosen (a 64th)");
    }
    return notes;
  }

  /// A key of `known`, whatever its case.
  ///
  /// **Errors:** another value, with the nearest known one.
  Optional<String> choice(String path, List<String> known) {
    return text(path)
        .map(given ->
            known.stream()
                .filter(given::equalsIgnoreCase)
                .findFirst()
                .orElseThrow(() ->
                    SpillwayException.badFile(
                        file, "", "%s '%s', %s", path, given, Nearest.hint(given, known))));
  }

  /// Whether a key is set.
  public boolean has(String path) {
    return values.containsKey(path);
  }

  /// A whole number; `1e8` counts as one.
  public Optional<Long> integer(String path) {
    return number(path)
        .map(x -> {
          if (x != Math.rint(x) || Math.abs(x) > 9e15) {
            throw SpillwayException.badFile(
                file, "", "%s is %s, a whole number was expected", path, x);
          }
          return x.longValue();
        });
  }

  public Optional<Double> number(String path) {
    JsonNode node = values.get(path);
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isNumber()) {
      throw SpillwayException.badFile(file, "", "%s is %s, a number was expected", path, node);
    }
    return Optional.of(node.asDouble());
  }

  public Optional<Boolean> flag(String path) {
    JsonNode node = values.get(path);
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isBoolean()) {
      throw SpillwayException.badFile(file, "", "%s is %s, true or false was expected", path, node);
    }
    return Optional.of(node.asBoolean());
  }

  public Optional<String> text(String path) {
    JsonNode node = values.get(path);
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isString()) {
      throw SpillwayException.badFile(file, "", "%s is %s, a text was expected", path, node);
    }
    return Optional.of(node.asString());
  }

  /// The pair `optimizer.params.betas`.
  public Optional<double[]> betas() {
    JsonNode node = values.get("optimizer.params.betas");
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isArray() || node.size() != 2 || !node.get(0).isNumber() || !node.get(1).isNumber()) {
      throw SpillwayException.badFile(
          file, "", "optimizer.params.betas is %s, two numbers were expected", node);
    }
    return Optional.of(new double[] {node.get(0).asDouble(), node.get(1).asDouble()});
  }
}
