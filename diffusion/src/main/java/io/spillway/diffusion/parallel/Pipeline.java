package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Cooperation;
import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.StagedDenoiser;
import io.spillway.diffusion.sampling.Sampler;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// The PipeFusion-like strategy: each rank holds some consecutive blocks; patches flow through the
/// stages, and a patch begins its next step at the first stage as soon as the last stage has
/// finished its present one. Keys and values of patches that have not yet passed a layer in this
/// step are those of the step before.
final class Pipeline {
  private final StagedDenoiser model;
  private final Job job;
  private final int patches;
  private final Guidance guidance;
  private final Exchange stages;
  private final Exchange returns; // from the last stage to the first
  private final Exchange world;
  private final IntConsumer afterStep;
  private final int firstBlock;
  private final int endBlock;
  private final List<Exchange.Pending> underway = new ArrayList<>();

  Pipeline(
      StagedDenoiser model,
      Job job,
      Strategy.PipeFusion strategy,
      Guidance guidance,
      Exchange world,
      IntConsumer afterStep) {
    this.model = model;
    this.job = job;
    this.guidance = guidance;
    this.stages = guidance.branch();
    // a connection of its own: NCCL runs what two ranks exchange over one in order, and with two
    // stages tokens and returning patches would wait for each other
    this.returns = stages.split(List.of(IntStream.range(0, stages.size()).boxed().toList()));
    this.world = world;
    this.afterStep = afterStep;
    this.patches = strategy.patches() == 0 ? stages.size() : strategy.patches();
    this.firstBlock = model.blocks() * stages.rank() / stages.size();
    this.endBlock = model.blocks() * (stages.rank() + 1) / stages.size();
  }

  RankRenderer.Outcome render(Tensor noise) {
    Exchange.Traffic before = world.traffic();
    Exchange.Traffic lastStep = before;
    long began = System.nanoTime();
    List<Sampler.Run> runs = new ArrayList<>();
    for (int m = 0; m < patches; m++) {
      runs.add(job.sampler().begin(job.steps()));
    }
    try (TensorHolder holder = new TensorHolder();
        StageMemory memory = new StageMemory()) {
      Tensor x =
          holder.hold(noise.mul(new Scalar(runs.getFirst().initialDeviation())).contiguous());
      for (int i = 0; i < job.steps(); i++) {
        lastStep = world.traffic();
        int step = i;
        TensorScope.run(() -> step(x, step, runs, memory));
        afterStep.accept(i);
      }
      Exchange.Traffic lastEnd = world.traffic();
      spread(x); // once an image, no part of a step
      float[] image = Tensors.floats(x); // waits for a GPU
      Exchange.Traffic after = world.traffic();
      return new RankRenderer.Outcome(
          image,
          after.minus(before).sent(),
          after.minus(before).received(),
          job.steps() - 1 > job.warmup() ? lastEnd.minus(lastStep).received() : 0,
          memory.bytes(),
          (System.nanoTime() - began) / 1e9,
          "a pipeline's steps wait within");
    } finally {
      runs.forEach(Sampler.Run::close);
    }
  }

  private boolean first() {
    return stages.rank() == 0;
  }

  private boolean last() {
    return stages.rank() == stages.size() - 1;
  }

  private void step(Tensor x, int i, List<Sampler.Run> runs, StageMemory memory) {
    boolean synchronous = i <= job.warmup();
    Sampler.Run timing = runs.getFirst();
    Tensor times = Forward.times(guidance.input(x), timing.time(i));
    StagedDenoiser.Step step = model.step(times, guidance.condition());
    if (synchronous) {
      if (i > 0) {
        for (int m = 0; m < patches; m++) {
          receivePatch(x, m);
        }
      }
      pass(x, i, Cooperation.Strip.WHOLE, runs, step, memory);
    } else {
      for (int m = 0; m < patches; m++) {
        receivePatch(x, m);
        pass(x, i, new Cooperation.Strip(m, patches), runs, step, memory);
      }
    }
    underway.forEach(Exchange.Pending::await);
    underway.clear();
  }

  /// One patch through this rank's blocks.
  private void pass(
      Tensor x,
      int i,
      Cooperation.Strip strip,
      List<Sampler.Run> runs,
      StagedDenoiser.Step step,
      StageMemory memory) {
    memory.strip = strip;
    Tensor tokens;
    if (first()) {
      tokens = step.embed(guidance.input(runs.getFirst().input(x, i)), memory);
    } else {
      int patch = model.patch();
      long count = (long) strip.rows(job.rows()) / patch * (job.columns() / patch);
      Tensor weight = model.parameters().tensors().values().iterator().next();
      tokens = Strips.like(weight, x.size(0) * guidance.repeats(), count, model.width());
      stages.receive(tokens, stages.rank() - 1).await();
    }
    for (int b = firstBlock; b < endBlock; b++) {
      tokens = step.block(b, tokens, memory);
    }
    if (!last()) {
      underway.add(stages.send(tokens.contiguous(), stages.rank() + 1));
      return;
    }
    int rows = strip.rows(job.rows());
    Tensor prediction = guidance.combine(step.finish(tokens, rows, job.columns()));
    int parts = patches / strip.count();
    for (int m = 0; m < parts; m++) {
      int patch = strip.index() * parts + m;
      Tensor mine = patch(x, patch);
      long own = rows / parts;
      Tensor next = runs.get(patch).step(mine, prediction.narrow(2, m * own, own), i).contiguous();
      mine.copy_(next);
      if (!first() && i < job.steps() - 1) {
        underway.add(returns.send(next, 0));
      }
    }
  }

  private Tensor patch(Tensor x, int m) {
    Cooperation.Strip strip = new Cooperation.Strip(m, patches);
    return x.narrow(2, strip.begin(job.rows()), strip.rows(job.rows()));
  }

  /// The first stage takes a patch back from the last one.
  private void receivePatch(Tensor x, int m) {
    if (!first() || last()) {
      return;
    }
    Tensor target = patch(x, m);
    Tensor incoming = target.contiguous().clone();
    returns.receive(incoming, stages.size() - 1).await();
    target.copy_(incoming);
  }

  /// The last stage gives the finished image to the others.
  private void spread(Tensor x) {
    if (last()) {
      List<Exchange.Pending> sends = new ArrayList<>();
      for (int r = 0; r < stages.size() - 1; r++) {
        sends.add(stages.send(x, r));
      }
      sends.forEach(Exchange.Pending::await);
    } else {
      stages.receive(x, stages.size() - 1).await();
    }
  }

  /// Keys and values of all patches in the layers of one stage.
  private static final class StageMemory implements Cooperation, AutoCloseable {
    private final TensorHolder holder = new TensorHolder();
    private final Map<String, Tensor> keys = new HashMap<>(); // [batch, tokens, 2 width]
    private Strip strip = Strip.WHOLE;

    @Override
    public Strip strip() {
      return strip;
    }

    @Override
    public Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int heads) {
      Tensor own = Ops.cat(List.of(k, v), 2);
      Tensor all = keys.get(layer);
      if (all == null) {
        if (strip.count() != 1) {
          throw new IllegalStateException("a patch came before any synchronous step");
        }
        keys.put(layer, holder.hold(own));
        all = own;
      } else {
        all.narrow(1, strip.index() * own.size(1), own.size(1)).copy_(own);
      }
      long width = q.size(2);
      return Ops.attention(q, all.narrow(2, 0, width), all.narrow(2, width, width), heads, null);
    }

    @Override
    public Tensor convolve(
        String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
      throw new IllegalStateException("a chain of blocks has no convolution with halos");
    }

    @Override
    public Tensor groupNorm(
        String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
      throw new IllegalStateException("a chain of blocks has no group norm");
    }

    long bytes() {
      return keys.values().stream().mapToLong(t -> t.numel() * t.element_size()).sum();
    }

    @Override
    public void close() {
      holder.close();
    }
  }
}
