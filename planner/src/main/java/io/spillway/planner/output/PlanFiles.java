package io.spillway.planner.output;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Recompute;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Node;
import io.spillway.platform.hardware.Precision;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A plan as the files that frameworks and schedulers read.
public final class PlanFiles {
  private static final int PORT = 29_500;

  private final Job job;
  private final Cluster cluster;
  private final Parallel cut;
  private final HostOrder order;

  private PlanFiles(Job job, Cluster cluster, Parallel cut, Placement placement) {
    this.job = job;
    this.cluster = cluster;
    this.cut = cut;
    order = HostOrder.of(cluster, placement);
  }

  /// The text of every file by its name.
  public static Map<String, String> of(
      Job job, Cluster cluster, Parallel cut, Placement placement) {
    PlanFiles files = new PlanFiles(job, cluster, cut, placement);
    Map<String, String> all = new LinkedHashMap<>();
    all.put("megatron.args", files.megatron());
    all.put("ranks.csv", files.ranks());
    all.put("torchrun.sh", files.torchrun());
    all.put("slurm.hostfile", files.slurmHosts());
    all.put("slurm.sbatch", files.slurm());
    all.put("deepspeed.json", files.deepSpeed());
    all.put("deepspeed.hostfile", files.deepSpeedHosts());
    all.put("nemo.yaml", files.nemo());
    return all;
  }

  /// Writes every file into `folder`.
  public static void write(Map<String, String> files, Path folder) {
    files.forEach((name, text) -> AtomicFiles.writeString(folder.resolve(name), text));
  }

  private String megatron() {
    StringBuilder out = new StringBuilder();
    for (String word : MegatronArguments.of(job, cut)) {
      out.append(word.startsWith("--") && !out.isEmpty() ? "\n" : out.isEmpty() ? "" : " ");
      out.append(word);
    }
    return out.append('\n').toString();
  }

  private String ranks() {
    StringBuilder out = new StringBuilder("rank,host,device,tp,cp,dp,pp\n");
    for (int r = 0; r < order.hosts().size(); r++) {
      int tp = r % cut.tp();
      int cp = r / cut.tp() % cut.cp();
      int dp = r / cut.tp() / cut.cp() % cut.dp();
      int pp = r / cut.tp() / cut.cp() / cut.dp();
      out.append(
          String.join(
                  ",",
                  List.of(
                      "" + r,
                      order.hosts().get(r),
                      "" + order.devices().get(r),
                      "" + tp,
                      "" + cp,
                      "" + dp,
                      "" + pp))
              + "\n");
    }
    return out.toString();
  }

  /// One script for all hosts: each finds its own place by its name. Static rendezvous, because the
  /// dynamic one sorts hosts anew.
  private String torchrun() {
    List<String> hosts = order.distinctHosts();
    StringBuilder out =
        new StringBuilder(
            """
            #!/bin/bash
            # Run on every host: ./torchrun.sh TRAINING_SCRIPT [ARGUMENTS]
            set -eu
            MASTER_ADDR=%s
            MASTER_PORT=%d
            ARGS=$(tr '\\n' ' ' < "$(dirname "$0")/megatron.args")
            """
                .formatted(order.hosts().getFirst(), PORT));
    boolean even = order.wholeHosts() && cluster.hasEvenNodes();
    out.append("case \"${SPILLWAY_HOST:-$(hostname -s)}\" in\n");
    if (even) {
      for (int i = 0; i < hosts.size(); i++) {
        out.append("  %s) NODE_RANK=%d ;;%n".formatted(hosts.get(i), i));
      }
      out.append(
          """
            *) echo "this host is not part of the plan" >&2; exit 2 ;;
          esac
          exec torchrun --nnodes %d --nproc-per-node %d --node-rank "$NODE_RANK" \\
            --rdzv-backend static --master-addr "$MASTER_ADDR" --master-port "$MASTER_PORT" "$@" $ARGS
          """
              .formatted(hosts.size(), cluster.nodes().getFirst().gpus()));
      return out.toString();
    }
    // ranks of one host are not neighbours: one process for each accelerator with its own rank
    for (String host : hosts) {
      out.append("  %s) PLACES=\"%s\" ;;%n".formatted(host, places(host)));
    }
    out.append(
        """
          *) echo "this host is not part of the plan" >&2; exit 2 ;;
        esac
        export MASTER_ADDR MASTER_PORT WORLD_SIZE=%d
        for place in $PLACES; do
          RANK=${place%%%%:*} LOCAL_RANK=0 CUDA_VISIBLE_DEVICES=${place##*:} python "$@" $ARGS &
        done
        wait
        """
            .formatted(order.hosts().size()));
    return out.toString();
  }

  private String places(String host) {
    return java.util.stream.IntStream.range(0, order.hosts().size())
        .filter(r -> order.hosts().get(r).equals(host))
        .mapToObj(r -> r + ":" + order.devices().get(r))
        .collect(Collectors.joining(" "));
  }

  private String slurmHosts() {
    return String.join("\n", order.hosts()) + "\n";
  }

  private String slurm() {
    List<String> hosts = order.distinctHosts();
    int most = cluster.nodes().stream().mapToInt(Node::gpus).max().orElse(1);
    String devices = order.devices().stream().map(String::valueOf).collect(Collectors.joining(" "));
    return """
    #!/bin/bash
    #SBATCH --nodes=%d
    #SBATCH --ntasks=%d
    #SBATCH --gpus-per-node=%d
    #SBATCH --nodelist=%s
    set -eu
    here=$(dirname "$0")
    export SLURM_HOSTFILE=${SPILLWAY_PLAN:-$here}/slurm.hostfile
    export MASTER_ADDR=%s MASTER_PORT=%d WORLD_SIZE=%d
    export SPILLWAY_DEVICES="%s"
    export SPILLWAY_ARGS="$(tr '\\n' ' ' < "${SPILLWAY_PLAN:-$here}/megatron.args")"
    srun -m arbitrary bash -c '
      places=($SPILLWAY_DEVICES)
      export RANK=$SLURM_PROCID LOCAL_RANK=0 CUDA_VISIBLE_DEVICES=${places[$SLURM_PROCID]}
      exec python "$0" "$@" $SPILLWAY_ARGS' "$@"
    """
        .formatted(
            hosts.size(),
            order.hosts().size(),
            most,
            String.join(",", hosts),
            order.hosts().getFirst(),
            PORT,
            order.hosts().size(),
            devices);
  }

  private String deepSpeed() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("train_batch_size", job.globalBatch());
    config.put("train_micro_batch_size_per_gpu", cut.microBatch());
    config.put("gradient_accumulation_steps", cut.microBatches(job));
    // stages above 1 cannot be joined with a pipeline
    config.put("zero_optimization", Map.of("stage", cut.distributedOptimizer() ? 1 : 0));
    if (job.precision() == Precision.FP16) {
      config.put("fp16", Map.of("enabled", true));
    } else if (job.precision() != Precision.FP32 && job.precision() != Precision.TF32) {
      config.put("bf16", Map.of("enabled", true));
    }
    Map<String, Object> topology = new LinkedHashMap<>();
    topology.put("pipe_parallel_size", cut.pp());
    topology.put("data_parallel_size", cut.dp());
    topology.put("model_parallel_size", cut.tp());
    config.put("spillway_topology", topology);
    return Json.write(config) + "\n";
  }

  private String deepSpeedHosts() {
    Map<String, Long> slots = new LinkedHashMap<>();
    order.hosts().forEach(h -> slots.merge(h, 1L, Long::sum));
    StringBuilder out = new StringBuilder();
    slots.forEach((host, count) -> out.append(host).append(" slots=").append(count).append('\n'));
    return out.toString();
  }

  private String nemo() {
    StringBuilder out = new StringBuilder("model:\n");
    line(out, "tensor_model_parallel_size", cut.tp());
    line(out, "pipeline_model_parallel_size", cut.pp());
    line(
        out,
        "virtual_pipeline_model_parallel_size",
        cut.virtualStages() > 1 ? cut.virtualStages() : "null");
    line(out, "context_parallel_size", cut.cp());
    line(out, "expert_model_parallel_size", cut.ep());
    line(out, "sequence_parallel", cut.sequenceParallel());
    line(
        out,
        "recompute_granularity",
        cut.recompute() == Recompute.NONE
            ? "null"
            : cut.recompute().name().toLowerCase(java.util.Locale.ROOT));
    line(out, "seq_length", job.sequence());
    out.append("train:\n");
    line(out, "micro_batch_size", cut.microBatch());
    line(out, "global_batch_size", job.globalBatch());
    out.append("ddp:\n");
    line(out, "use_distributed_optimizer", cut.distributedOptimizer());
    line(out, "overlap_grad_reduce", cut.overlapGradReduce());
    return out.toString();
  }

  private static void line(StringBuilder out, String key, Object value) {
    out.append("  ").append(key).append(": ").append(value).append('\n');
  }
}
