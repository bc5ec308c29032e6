package io.spillway.planner.measure;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A pipeline stage's share of one tensor-parallel rank. Autograd runs inside each half of a block;
/// between halves the partial sums are added over the tensor-parallel ranks, forward for outputs,
/// backward for gradients of inputs.
final class GptStage implements AutoCloseable {
  /// A half of a block that waits for its backward pass.
  private record Half(Tensor input, Tensor partial) {}

  /// A micro-batch that waits for its backward pass.
  private static final class Flight implements AutoCloseable {
    final List<Half> halves = new ArrayList<>();
    final TensorHolder held = new TensorHolder();
    @Nullable Tensor embedded;
    @Nullable Tensor headInput;
    @Nullable Tensor loss;

    @Override
    public void close() {
      held.close();
    }
  }

  private final GptShape shape;
  private final Consumer<Tensor> sum;
  private final TensorHolder weights = new TensorHolder();
  private final List<GptLayer> layers = new ArrayList<>();
  private final @Nullable Tensor tokens; // [vocabulary, hidden]
  private final @Nullable Tensor positions; // [sequence, hidden]
  private final @Nullable Tensor head; // [vocabulary, hidden]
  private final Map<Integer, Flight> flights = new HashMap<>();

  /// @param sum adds a tensor over the tensor-parallel ranks, in place
  GptStage(
      GptShape shape,
      ComputeDevice device,
      int firstLayer,
      int count,
      boolean first,
      boolean last,
      int tp,
      int tpRank,
      long seed,
      Consumer<Tensor> sum) {
    this.shape = shape;
    this.sum = sum;
    for (int i = 0; i < count; i++) {
      layers.add(new GptLayer(shape, device, firstLayer + i, tp, tpRank, seed, weights));
    }
    try (TensorScope scope = TensorScope.open()) {
      Torch.seed(seed);
      Tensor t = GptLayer.normal(shape, device, 0.5, shape.vocabulary(), shape.hidden());
      Tensor p = GptLayer.normal(shape, device, 0.1, shape.sequence(), shape.hidden());
      Tensor h = GptLayer.normal(shape, device, 0.08, shape.vocabulary(), shape.hidden());
      tokens = first ? GptLayer.hold(scope, weights, t) : null;
      positions = first ? GptLayer.hold(scope, weights, p) : null;
      head = last ? GptLayer.hold(scope, weights, h) : null;
    }
  }

  List<Tensor> parameters() {
    List<Tensor> all = new ArrayList<>();
    layers.forEach(l -> all.addAll(l.parameters()));
    for (Tensor t : new Tensor[] {tokens, positions, head}) {
      if (t != null) {
        all.add(t);
      }
    }
    return all;
  }

  /// Runs micro-batch `micro` forward; the result belongs to the innermost scope.
  ///
  /// **Shapes:** input token numbers [batch, sequence] on the first stage, else the residual stream
  /// [batch, sequence, hidden]; targets [batch, sequence] matter on the last stage. The result is
  /// the residual stream, on the last stage the loss times `weight`.
  Tensor forward(int micro, Tensor input, Tensor targets, double weight) {
    Flight flight = new Flight();
    flights.put(micro, flight);
    try (TensorScope scope = TensorScope.open()) {
      Tensor x = input;
      if (tokens != null && positions != null) {
        flight.embedded = flight.held.hold(torch.embedding(tokens, input).add(positions));
        x = flight.embedded.detach();
      }
      for (GptLayer layer : layers) {
        x = half(flight, x, layer::attention);
        x = half(flight, x, layer::feedForward);
      }
      if (head == null) {
        return scope.keep(x);
      }
      Tensor leaf = leaf(flight, x);
      flight.headInput = leaf;
      Tensor n = torch.layer_norm(leaf, new long[] {shape.hidden()});
      Tensor logits = torch.linear(n, head).view(-1, shape.vocabulary());
      Tensor loss = torch.cross_entropy_loss(logits, targets.reshape(-1)).mul(new Scalar(weight));
      flight.loss = flight.held.hold(loss);
      return scope.keep(loss.detach());
    }
  }

  private Tensor half(
      Flight flight, Tensor x, java.util.function.UnaryOperator<Tensor> computation) {
    Tensor leaf = leaf(flight, x);
    Tensor partial = flight.held.hold(computation.apply(leaf));
    flight.halves.add(new Half(leaf, partial));
    try (NoGrad guard = NoGrad.begin()) {
      assert guard != null;
      Tensor whole = partial.detach();
      sum.accept(whole);
      return x.add(whole);
    }
  }

  private static Tensor leaf(Flight flight, Tensor x) {
    Tensor leaf = flight.held.hold(x.detach());
    leaf.set_requires_grad(true);
    return leaf;
  }

  /// Runs micro-batch `micro` backward and lets go of it; the result, the gradient of its input,
  /// belongs to the innermost scope (on the first stage it is of no use).
  ///
  /// @param gradient of the output; null on the last stage
  Tensor backward(int micro, @Nullable Tensor gradient) {
    Flight flight = flights.remove(micro);
    if (flight == null) {
      throw new IllegalStateException("micro-batch " + micro + " has not run forward");
    }
    try (flight;
        TensorScope scope = TensorScope.open()) {
      Tensor g;
      if (flight.loss != null && flight.headInput != null) {
        flight.loss.backward();
        g = flight.headInput.grad();
      } else if (gradient != null) {
        g = gradient;
      } else {
        throw new IllegalStateException("a gradient is needed");
      }
      for (int i = flight.halves.size() - 1; i >= 0; i--) {
        Half half = flight.halves.get(i);
        backward(half.partial(), g);
        Tensor inner = half.input().grad();
        try (NoGrad guard = NoGrad.begin()) {
          assert guard != null;
          sum.accept(inner);
          g = g.add(inner);
        }
      }
      if (flight.embedded != null) {
        backward(flight.embedded, g);
      }
      return scope.keep(g);
    }
  }

  /// Lets go of micro-batch `micro`, which ran forward alone.
  void forget(int micro) {
    Flight flight = flights.remove(micro);
    if (flight != null) {
      flight.close();
    }
  }

  private static void backward(Tensor output, Tensor gradient) {
    output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
  }

  @Override
  public void close() {
    flights.values().forEach(Flight::close);
    flights.clear();
    weights.close();
  }
}
