package io.spillway.longcontext;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.models.Family;
import io.spillway.models.RopeScaling;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;

/// A small decoder with random weights.
public final class TinyModel implements AutoCloseable {
  private final TensorHolder holder = new TensorHolder();
  private final Decoder decoder;

  public TinyModel(RandomGenerator random) {
    DecoderConfig config =
        new DecoderConfig(
            Family.LLAMA,
            40,
            32,
            3,
            4,
            2,
            8,
            48,
            256,
            1e4,
            8,
            new RopeScaling.None(),
            1e-5,
            true,
            false,
            0,
            List.of(1));
    Map<String, Tensor> weights = new HashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      config
          .shapes()
          .forEach((name, shape) -> {
            int size = 1;
            for (long s : shape) {
              size *= (int) s;
            }
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
              double v = random.nextGaussian() * 0.3;
              values[i] = (float) (shape.length == 1 ? 1 + v : v);
            }
            weights.put(name, holder.hold(Tensors.of(values, shape)));
          });
    }
    decoder = new Decoder(config, weights);
  }

  public Decoder decoder() {
    return decoder;
  }

  @Override
  public void close() {
    holder.close();
  }

  /// The head's `dim` numbers of `x` from `at` on, turned to a position by rotary angles: theta
  /// 1e4, pairs half a head apart.
  public static double[] turned(float[] x, int at, int dim, int position) {
    double[] out = new double[dim];
    for (int i = 0; i < dim / 2; i++) {
      double angle = position / Math.pow(1e4, 2.0 * i / dim);
      double a = x[at + i];
      double b = x[at + i + dim / 2];
      out[i] = a * Math.cos(angle) - b * Math.sin(angle);
      out[i + dim / 2] = b * Math.cos(angle) + a * Math.sin(angle);
    }
    return out;
  }
}
