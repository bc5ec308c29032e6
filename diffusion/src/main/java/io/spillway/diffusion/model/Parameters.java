package io.spillway.diffusion.model;

import io.spillway.platform.Nearest;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The weights of a model by name. Closing releases them.
public final class Parameters implements AutoCloseable {
  private final TensorHolder holder = new TensorHolder();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private Parameters() {}

  /// Reads a file or folder and checks it against what the model needs.
  ///
  /// **Errors:** a missing name or a wrong shape, with file, name and both shapes.
  public static Parameters load(
      Path path, List<ParameterShape> needed, DType type, ComputeDevice device) {
    Parameters parameters = new Parameters();
    try (Weights weights = Weights.open(path);
        TensorScope scope = TensorScope.open()) {
      assert scope != null;
      for (ParameterShape shape : needed) {
        if (!weights.contains(shape.name())) {
          throw SpillwayException.badFile(
              path,
              "",
              "tensor %s is missing; %s",
              shape.name(),
              Nearest.hint(shape.name(), weights.names()));
        }
        List<Long> found = weights.model().entry(shape.name()).shape();
        if (!found.equals(shape.sizes())) {
          throw SpillwayException.badFile(
              path,
              "",
              "tensor %s has shape %s, the configuration wants %s",
              shape.name(),
              found,
              shape.sizes());
        }
        parameters.put(
            shape.name(), laidOut(Tensors.to(weights.tensor(shape.name()), device, type).clone()));
      }
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
    return parameters;
  }

  /// Fresh random weights: normal with deviation 1/sqrt(fan in), biases zero, norms one.
  public static Parameters random(List<ParameterShape> shapes, Seeds seeds) {
    Parameters parameters = new Parameters();
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      for (ParameterShape shape : shapes) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        boolean matrix = shape.sizes().size() > 1;
        if (matrix) {
          RandomGenerator random = seeds.stream(shape.name());
          double deviation = 1 / Math.sqrt((double) shape.elements() / shape.sizes().getFirst());
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
          }
        } else if (shape.name().endsWith("weight")) {
          java.util.Arrays.fill(values, 1f);
        }
        parameters.put(shape.name(), Tensors.of(values, shape.shape()));
      }
    }
    return parameters;
  }

  /// Weights over tensors that exist already.
  public static Parameters holding(Map<String, Tensor> tensors) {
    Parameters parameters = new Parameters();
    tensors.forEach(parameters::put);
    return parameters;
  }

  /// Fresh random weights made on `device` itself, for measurements of big models: deviations as in
  /// [#random], the numbers are libtorch's own for that seed.
  public static Parameters randomOn(
      List<ParameterShape> shapes, DType type, ComputeDevice device, long seed) {
    Torch.seed(seed);
    Parameters parameters = new Parameters();
    for (ParameterShape shape : shapes) {
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        TensorOptions options = Tensors.options(type, device);
        boolean matrix = shape.sizes().size() > 1;
        double deviation = 1 / Math.sqrt((double) shape.elements() / shape.sizes().getFirst());
        parameters.put(
            shape.name(),
            matrix
                ? laidOut(torch.randn(shape.shape(), options).mul_(new Scalar(deviation)))
                : torch.full(
                    shape.shape(),
                    new Scalar(shape.name().endsWith("weight") ? 1.0 : 0.0),
                    options));
      }
    }
    return parameters;
  }

  /// Each tensor of `this` after `change`, which gets its name too; the result owns copies.
  public Parameters map(java.util.function.BiFunction<String, Tensor, Tensor> change) {
    Parameters copy = new Parameters();
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      tensors.forEach((name, t) -> {
        Tensor changed = change.apply(name, t);
        copy.put(name, changed == t ? t.clone() : changed.contiguous().clone());
      });
    }
    return copy;
  }

  /// Copies of every tensor.
  public Parameters copy() {
    return map((name, t) -> t.detach());
  }

  /// Changes one tensor in place, for example to fill it with zeros.
  public void change(String name, java.util.function.Consumer<Tensor> change) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      change.accept(get(name));
    }
  }

  private void put(String name, Tensor t) {
    tensors.put(name, holder.hold(t));
  }

  /// Filters of convolutions on a GPU with their channels innermost, which is how its matrix units
  /// read them, and what they compute is laid out alike.
  private static Tensor laidOut(Tensor t) {
    boolean filter = t.is_cuda() && t.dim() == 4 && t.size(3) > 1;
    return filter ? t.contiguous(torch.MemoryFormat.ChannelsLast) : t;
  }

  /// Copies on that device, laid out for inference there.
  public Parameters on(ComputeDevice device) {
    Parameters copy = new Parameters();
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      tensors.forEach((name, t) -> copy.put(name, laidOut(Tensors.to(t, device).clone())));
    }
    return copy;
  }

  /// The tensor of that name.
  ///
  /// **Errors:** [IllegalArgumentException] for unknown names: models ask only for what they
  /// listed.
  public Tensor get(String name) {
    Tensor t = tensors.get(name);
    if (t == null) {
      throw new IllegalArgumentException(
          "no parameter " + name + "; " + Nearest.hint(name, tensors.keySet()));
    }
    return t;
  }

  /// The tensor of that name, or null for layers without it.
  public @Nullable Tensor find(String name) {
    return tensors.get(name);
  }

  public Map<String, Tensor> tensors() {
    return java.util.Collections.unmodifiableMap(tensors);
  }

  /// Bytes of all tensors.
  public long bytes() {
    return tensors.values().stream().mapToLong(t -> t.numel() * t.element_size()).sum();
  }

  @Override
  public void close() {
    tensors.clear();
    holder.close();
  }
}
