package io.spillway.planner.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.PlannerDemonstration;
import io.spillway.planner.Recompute;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import io.spillway.platform.yaml.Yaml;
import io.spillway.testkit.Cases;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Every file is read back by a parser and compared with the plan it came from.
final class PlanFilesTest {
  /// The flags of the dossier's section 7, with those that name the model's sizes.
  private static final Set<String> WITH_VALUE =
      Set.of(
          "--tensor-model-parallel-size",
          "--pipeline-model-parallel-size",
          "--num-layers-per-virtual-pipeline-stage",
          "--context-parallel-size",
          "--expert-model-parallel-size",
          "--micro-batch-size",
          "--global-batch-size",
          "--recompute-granularity",
          "--recompute-method",
          "--recompute-num-layers",
          "--pipeline-model-parallel-layout",
          "--num-layers",
          "--hidden-size",
          "--ffn-hidden-size",
          "--num-attention-heads",
          "--num-query-groups",
          "--num-experts",
          "--moe-router-topk",
          "--seq-length",
          "--max-position-embeddings");

  private static final Set<String> SWITCHES =
      Set.of(
          "--sequence-parallel",
          "--use-distributed-optimizer",
          "--overlap-grad-reduce",
          "--overlap-param-gather",
          "--use-tp-pp-dp-mapping",
          "--group-query-attention",
          "--use-flash-attn",
          "--bf16",
          "--fp16");

  private static final Job JOB =
      new Job(ModelShape.gpt("m", 1024, 8, 16, 32_000, 1024), 64, 1024, Precision.BF16, true);

  private record Nemo(Model model, Train train, Ddp ddp) {}

  private record Model(
      int tensorModelParallelSize,
      int pipelineModelParallelSize,
      Optional<Integer> virtualPipelineModelParallelSize,
      int contextParallelSize,
      int expertModelParallelSize,
      boolean sequenceParallel,
      Optional<String> recomputeGranularity,
      int seqLength) {}

  private record Train(int microBatchSize, int globalBatchSize) {}

  private record Ddp(boolean useDistributedOptimizer, boolean overlapGradReduce) {}

  @Test
  void megatronArgumentsReadBack() {
    Parallel cut =
        new Parallel(2, 2, 2, 2, 1, 2, 4, true, Recompute.FULL, true, true, Parallel.even(8, 4));
    Map<String, String> flags = flags(file(files(cut), "megatron.args"));
    assertThat(flags)
        .containsEntry("--tensor-model-parallel-size", "2")
        .containsEntry("--pipeline-model-parallel-size", "2")
        .containsEntry("--context-parallel-size", "2")
        .containsEntry("--num-layers-per-virtual-pipeline-stage", "2")
        .containsEntry("--micro-batch-size", "4")
        .containsEntry("--global-batch-size", "64")
        .containsEntry("--recompute-granularity", "full")
        .containsKeys(
            "--sequence-parallel", "--use-distributed-optimizer", "--overlap-grad-reduce");
  }

  @Test
  void unevenLayersBecomeALayout() {
    Parallel cut = Parallel.of(2, 4, 2, 1, 8).withLayers(List.of(1, 3, 3, 1));
    assertThat(flags(file(files(cut), "megatron.args")))
        .containsEntry("--pipeline-model-parallel-layout", "Et*1|t*3|t*3|t*1L");
  }

  @Test
  void deepSpeedBatchesMultiply() {
    Parallel cut = Parallel.of(2, 2, 4, 4, 8);
    JsonNode config = Json.parse(file(files(cut), "deepspeed.json"), JsonNode.class, "d");
    assertThat(
            config.get("train_micro_batch_size_per_gpu").intValue()
                * config.get("gradient_accumulation_steps").intValue()
                * 4)
        .isEqualTo(config.get("train_batch_size").intValue())
        .isEqualTo(64);
    assertThat(config.get("zero_optimization").get("stage").intValue()).isLessThanOrEqualTo(1);
    assertThat(file(files(cut), "deepspeed.hostfile").lines())
        .allMatch(l -> l.matches("[a-z0-9]+ slots=8"))
        .hasSize(2);
  }

  @Test
  void nemoKeysReadBack() {
    Parallel cut = Parallel.of(2, 2, 4, 4, 8).withRecompute(Recompute.SELECTIVE);
    Nemo nemo = Yaml.parse(file(files(cut), "nemo.yaml"), Nemo.class, "nemo.yaml");
    assertThat(nemo.model().tensorModelParallelSize()).isEqualTo(2);
    assertThat(nemo.model().virtualPipelineModelParallelSize()).isEmpty();
    assertThat(nemo.model().recomputeGranularity()).contains("selective");
    assertThat(nemo.train().microBatchSize()).isEqualTo(4);
  }

  @Test
  void torchrunAndSlurmNameEveryHostInTheOrderOfRanks() {
    Cluster cluster = PlannerDemonstration.unevenCluster(4, new Seeds(1));
    Parallel cut = Parallel.of(8, 4, 1, 1, 8);
    int[] order = new int[32];
    int[] nodes = {2, 0, 3, 1};
    for (int r = 0; r < 32; r++) {
      order[r] = nodes[r / 8] * 8 + r % 8;
    }
    Map<String, String> files = PlanFiles.of(JOB, cluster, cut, Placement.of(order));
    assertThat(file(files, "torchrun.sh"))
        .contains("node2) NODE_RANK=0", "node0) NODE_RANK=1", "node3) NODE_RANK=2")
        .contains("--rdzv-backend static", "--nproc-per-node 8", "MASTER_ADDR=node2");
    assertThat(file(files, "slurm.sbatch"))
        .contains("srun -m arbitrary", "SLURM_HOSTFILE=", "#SBATCH --ntasks=32");
    assertThat(file(files, "slurm.hostfile").lines().toList())
        .hasSize(32)
        .startsWith("node2")
        .endsWith("node1");
  }

  /// Hosts listed in the order of ranks reproduce Megatron's grid: each pipeline and each group of
  /// replicas consists of the accelerators that the placement gave it.
  @Test
  void theHostOrderReproducesTheGroupsOfMegatron() {
    Cases.run(
        400,
        random -> {
          int nodes = 1 << random.nextInt(4);
          Cluster cluster = PlannerDemonstration.unevenCluster(nodes, new Seeds(1));
          int gpus = cluster.gpus();
          int tp = 1 << random.nextInt(4);
          int pp = 1 << random.nextInt(4);
          while (tp * pp > gpus) {
            pp /= 2;
          }
          int dp = gpus / tp / pp;
          Parallel cut = Parallel.of(tp, pp, dp, 1, 8);
          List<Integer> order = new ArrayList<>();
          for (int i = 0; i < nodes; i++) {
            order.add(i);
          }
          Collections.shuffle(order, new java.util.Random(random.nextLong()));
          int[] gpuOfRank = new int[gpus];
          for (int r = 0; r < gpus; r++) {
            gpuOfRank[r] = order.get(r / 8) * 8 + r % 8;
          }
          Placement placement = Placement.of(gpuOfRank);
          HostOrder hosts = HostOrder.of(cluster, placement);
          assertThat(hosts.wholeHosts()).isTrue();
          // a launcher numbers ranks host by host
          List<String> distinct = hosts.distinctHosts();
          for (int z = 0; z < dp; z++) {
            for (int x = 0; x < pp; x++) {
              for (int t = 0; t < tp; t++) {
                int rank = t + tp * (z + dp * x);
                String host = distinct.get(rank / 8);
                int gpu = placement.gpu(cut, t, 0, z, x);
                assertThat(cluster.nodes().get(cluster.nodeOf(gpu)).name()).isEqualTo(host);
                assertThat(cluster.localIndex(gpu)).isEqualTo(rank % 8);
              }
            }
          }
        });
  }

  private static Map<String, String> files(Parallel cut) {
    Cluster cluster = PlannerDemonstration.unevenCluster(2, new Seeds(1));
    return PlanFiles.of(JOB, cluster, cut, Placement.identity(cluster.gpus()));
  }

  private static String file(Map<String, String> files, String name) {
    return java.util.Objects.requireNonNull(files.get(name), name);
  }

  /// A parser of arguments that knows every flag; an unknown one fails.
  private static Map<String, String> flags(String text) {
    Map<String, String> flags = new HashMap<>();
    String[] words = text.strip().split("\\s+");
    for (int i = 0; i < words.length; i++) {
      if (SWITCHES.contains(words[i])) {
        flags.put(words[i], "");
      } else {
        assertThat(WITH_VALUE).contains(words[i]);
        flags.put(words[i], words[++i]);
      }
    }
    return flags;
  }
}
