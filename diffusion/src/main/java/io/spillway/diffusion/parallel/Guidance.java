package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Condition;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Classifier-free guidance on one rank: both branches in one batch, or one branch here and the
/// other on a partner rank.
final class Guidance {
  private final Job job;
  private final @Nullable Exchange partners;
  private final Exchange branch;
  private final Condition condition;
  private final int repeats;

  /// @param both the unconditional conditions, then the conditional ones; only the latter if the
  ///   job is not guided
  Guidance(Job job, Exchange world, Condition both) {
    this.job = job;
    if (!job.splitGuidance()) {
      this.branch = world;
      this.partners = null;
      this.condition = both;
      this.repeats = job.guided() ? 2 : 1;
      return;
    }
    int n = job.branchRanks(world.size());
    List<List<Integer>> branches = List.of(new ArrayList<>(), new ArrayList<>());
    List<List<Integer>> pairs = new ArrayList<>();
    for (int r = 0; r < n; r++) {
      branches.get(0).add(r);
      branches.get(1).add(n + r);
      pairs.add(List.of(r, n + r));
    }
    this.branch = world.split(branches);
    this.partners = world.split(pairs);
    long samples = both.batch() / 2;
    this.condition = both.narrow(world.rank() / n * samples, samples);
    this.repeats = 1;
  }

  /// The ranks that share this branch's image.
  Exchange branch() {
    return branch;
  }

  /// What this rank's forward pass is conditioned on.
  Condition condition() {
    return condition;
  }

  /// The input of the forward pass: the image once or twice.
  Tensor input(Tensor x) {
    return repeats == 1 ? x : io.spillway.diffusion.model.Ops.cat(List.of(x, x), 0);
  }

  /// How often the image is repeated in the batch.
  int repeats() {
    return repeats;
  }

  /// u + guidance (c - u) of any part of the image.
  Tensor combine(Tensor prediction) {
    if (!job.guided()) {
      return prediction;
    }
    Tensor u;
    Tensor c;
    Exchange pair = partners;
    if (pair == null) {
      long samples = prediction.size(0) / 2;
      u = prediction.narrow(0, 0, samples);
      c = prediction.narrow(0, samples, samples);
    } else {
      Tensor mine = prediction.contiguous();
      long[] s = io.spillway.tensor.Tensors.shape(mine);
      Tensor both = Strips.like(mine, 2, s[0], s[1], s[2], s[3]);
      pair.allGather(mine, both).await();
      u = both.select(0, 0);
      c = both.select(0, 1);
    }
    return u.add(c.sub(u), new Scalar(job.guidance()));
  }
}
