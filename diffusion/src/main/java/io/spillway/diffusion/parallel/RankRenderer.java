package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.StagedDenoiser;
import io.spillway.diffusion.sampling.Sampler;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.function.IntConsumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// One rank's work on a batch of images, from noise to the last step. Every rank begins with the
/// same noise and ends with the same image.
public final class RankRenderer {
  private RankRenderer() {}

  /// What one rank has to tell.
  ///
  /// @param image [batch, channels, rows, columns] in order
  /// @param sent bytes that this rank sent
  /// @param received bytes that this rank received
  /// @param displacedReceived bytes received in one displaced step, 0 if there was none
  /// @param bufferBytes exchange buffers that this rank kept
  /// @param seconds of all steps
  /// @param recording whether displaced steps were recorded as a CUDA graph, or why not
  public record Outcome(
      float[] image,
      long sent,
      long received,
      long displacedReceived,
      long bufferBytes,
      double seconds,
      String recording) {}

  /// Makes the images.
  ///
  /// @param noise [batch, channels, rows, columns] with deviation 1, the same on every rank
  /// @param both the unconditional conditions, then the conditional ones; only these if unguided
  /// @param afterStep told after each step
  public static Outcome render(
      Denoiser model,
      Job job,
      Tensor noise,
      Condition both,
      Exchange world,
      IntConsumer afterStep) {
    job.check(model, world.size());
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert off != null && scope != null;
      Guidance guidance = new Guidance(job, world, both);
      return job.strategy() instanceof Strategy.PipeFusion pipe
          ? new Pipeline((StagedDenoiser) model, job, pipe, guidance, world, afterStep)
              .render(noise)
          : strips(model, job, noise, guidance, world, afterStep);
    }
  }

  /// The rank's part in a strategy that runs the whole depth on every rank.
  static RankCooperation cooperation(
      Strategy strategy, Exchange branch, DisplacedStrips.Layout layout) {
    return switch (strategy) {
      case Strategy.Single _ -> new Whole();
      case Strategy.NaivePatches _ -> new NaiveStrips(branch);
      case Strategy.DistriFusion d -> new DisplacedStrips(branch, d, layout);
      case Strategy.Pcpp p -> new DisplacedStrips(branch, p, layout);
      case Strategy.Turns t -> new DisplacedStrips(branch, t, layout);
      case Strategy.SequenceParallel s ->
          s.ulysses() * s.ring() == 1 ? new Whole() : new ExactStrips(branch, s);
      case Strategy.TensorParallel _ -> new SlicedWeights(branch);
      case Strategy.PipeFusion _ -> throw new IllegalStateException("a pipeline has no strips");
    };
  }

  private static Outcome strips(
      Denoiser model,
      Job job,
      Tensor noise,
      Guidance guidance,
      Exchange world,
      IntConsumer afterStep) {
    Exchange branch = guidance.branch();
    DisplacedStrips.Layout layout =
        new DisplacedStrips.Layout(
            model.sites(job.rows(), job.columns()),
            noise.size(0) * guidance.repeats(),
            activation(model));
    boolean sliced = job.strategy() instanceof Strategy.TensorParallel;
    try (TensorHolder holder = new TensorHolder();
        Sampler.Run run = job.sampler().begin(job.steps());
        RankCooperation ranks = cooperation(job.strategy(), branch, layout)) {
      Parameters slices =
          sliced
              ? SlicedWeights.slice(model.parameters(), branch.rank(), branch.size())
              : model.parameters();
      Denoiser own = sliced ? model.with(slices) : model;
      try (Forward forward = new Forward(own, job, guidance.condition(), ranks)) {
        Exchange.Traffic before = world.traffic();
        Exchange.Traffic lastStep = before;
        long began = System.nanoTime();
        Tensor x = holder.hold(noise.mul(new Scalar(run.initialDeviation())));
        for (int i = 0; i < job.steps(); i++) {
          lastStep = world.traffic();
          x = holder.replace(x, step(forward, guidance, ranks, run, x, i));
          afterStep.accept(i);
          if (afterStep instanceof StepPictures pictures) {
            pictures.picture(i, Tensors.floats(x));
          }
        }
        ranks.drain();
        float[] image = Tensors.floats(x); // waits for a GPU
        double seconds = (System.nanoTime() - began) / 1e9;
        Exchange.Traffic after = world.traffic();
        Exchange.Traffic total = after.minus(before);
        long displaced = job.steps() - 1 > job.warmup() ? after.minus(lastStep).received() : 0;
        return new Outcome(
            image,
            total.sent(),
            total.received(),
            displaced,
            ranks.bufferBytes(),
            seconds,
            forward.how());
      } finally {
        if (sliced) {
          own.close();
          slices.close();
        }
      }
    }
  }

  /// A tensor that has the type and the device of the model's activations; the image itself is f32.
  static Tensor activation(Denoiser model) {
    return model.parameters().tensors().values().iterator().next();
  }

  private static Tensor step(
      Forward forward, Guidance guidance, RankCooperation ranks, Sampler.Run run, Tensor x, int i) {
    return TensorScope.compute(() -> {
      Tensor own = forward.predict(guidance.input(run.input(x, i)), run.time(i), i);
      Tensor whole = ranks.gather(guidance.combine(own));
      return run.step(x, whole, i);
    });
  }
}
