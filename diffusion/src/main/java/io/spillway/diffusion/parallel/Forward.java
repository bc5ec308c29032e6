package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.tensor.CudaGraph;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The network in the steps of one image: kernel by kernel, or, where the job asks for it, its
/// displaced steps recorded once as a CUDA graph and launched again, for networks whose kernels are
/// shorter than the time to start them.
///
/// The synchronous steps and one displaced step run kernel by kernel, which makes everything that a
/// recording must find made; then a step is recorded if enough follow. Where there is no GPU, or
/// the recording fails, the same calls run without one.
final class Forward implements AutoCloseable {
  /// A recording costs about three steps.
  private static final int FEWEST = 4;

  private final Denoiser model;
  private final Job job;
  private final Condition condition;
  private final RankCooperation ranks;
  private final TensorHolder holder = new TensorHolder();
  private final int from; // the first step that may be recorded
  private String how;
  private boolean recorded;
  private @Nullable CudaGraph graph;
  private @Nullable Tensor input;
  private @Nullable Tensor times;
  private @Nullable Tensor prediction;

  Forward(Denoiser model, Job job, Condition condition, RankCooperation ranks) {
    this.model = model;
    this.job = job;
    this.condition = condition;
    this.ranks = ranks;
    boolean same = ranks instanceof Whole || ranks instanceof NaiveStrips; // synchronous or not
    this.from = same ? 1 : job.warmup() + 2;
    this.how =
        !job.recorded()
            ? "not asked for"
            : !ranks.recordable()
                ? "the strategy's steps differ or wait within"
                : job.steps() - from < FEWEST ? "too few steps" : "";
  }

  /// How displaced steps run, for reports.
  String how() {
    return how;
  }

  /// The own strip's prediction in step `i`, in the caller's scope.
  Tensor predict(Tensor x, double time, int i) {
    boolean last = i == job.steps() - 1;
    if (i < from || !how.isEmpty() && !recorded) {
      ranks.begin(i <= job.warmup(), last);
      Tensor own = model.predict(x, times(x, time), condition, ranks);
      if (i == from - 1 && how.isEmpty()) {
        prepare(x, own);
      }
      return own;
    }
    Tensor in = java.util.Objects.requireNonNull(input, "prepared by the step before");
    Tensor at = java.util.Objects.requireNonNull(times, "prepared by the step before");
    in.copy_(x);
    at.fill_(new Scalar(time));
    if (i == from) {
      record(in);
    }
    ranks.begin(false, last);
    CudaGraph made = graph;
    if (made == null) {
      TensorScope.run(this::body);
    } else {
      made.launch();
    }
    return java.util.Objects.requireNonNull(prediction, "prepared by the step before");
  }

  private void prepare(Tensor x, Tensor own) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      input = holder.hold(x.detach().clone());
      times = holder.hold(times(x, 0));
      prediction = holder.hold(own.detach().clone());
    }
  }

  private void record(Tensor in) {
    ranks.record();
    recorded = true;
    if (!in.is_cuda()) {
      how = "without a graph, the device is no GPU";
      return;
    }
    ranks.begin(false, true); // nothing leaves while it warms up
    try {
      graph = CudaGraph.capture(in.device().index(), this::body, () -> {});
      how = "recorded as a CUDA graph of " + graph.pieces() + " pieces";
    } catch (RuntimeException | LinkageError e) {
      how = "without a graph: " + e.getMessage();
    }
  }

  private void body() {
    Tensor in = java.util.Objects.requireNonNull(input, "prepared");
    Tensor at = java.util.Objects.requireNonNull(times, "prepared");
    Tensor out = java.util.Objects.requireNonNull(prediction, "prepared");
    out.copy_(model.predict(in, at, condition, ranks));
  }

  /// The time of every sample, f32.
  static Tensor times(Tensor input, double time) {
    // made on the device: a copy from the host would wait for everything queued there
    return torch.full(
        new long[] {input.size(0)},
        new Scalar(time),
        input.options().dtype(new ScalarTypeOptional(torch.ScalarType.Float)));
  }

  @Override
  public void close() {
    if (graph != null) {
      graph.close();
    }
    holder.close();
  }
}
