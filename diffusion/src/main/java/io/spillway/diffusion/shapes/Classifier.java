package io.spillway.diffusion.shapes;

import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A small convolutional network that names the shape in a picture; the features before its last
/// layer measure how alike two sets of pictures are.
public final class Classifier implements AutoCloseable {
  private static final int[] WIDTHS = {3, 16, 32, 64, 64};

  /// Numbers in a feature vector.
  public static final int FEATURES = WIDTHS[WIDTHS.length - 1];

  private final Parameters p;

  public Classifier(Parameters parameters) {
    this.p = parameters;
  }

  /// Its parameters.
  public static List<ParameterShape> shapes() {
    List<ParameterShape> shapes = new ArrayList<>();
    for (int i = 1; i < WIDTHS.length; i++) {
      shapes.add(ParameterShape.of("conv." + i + ".weight", WIDTHS[i], WIDTHS[i - 1], 3, 3));
      shapes.add(ParameterShape.of("conv." + i + ".bias", WIDTHS[i]));
    }
    shapes.add(ParameterShape.of("hidden.weight", FEATURES, 16L * FEATURES));
    shapes.add(ParameterShape.of("hidden.bias", FEATURES));
    shapes.add(ParameterShape.of("head.weight", Shape.values().length, FEATURES));
    shapes.add(ParameterShape.of("head.bias", Shape.values().length));
    return shapes;
  }

  public Parameters parameters() {
    return p;
  }

  /// **Shapes:** images [batch, 3, 64, 64] -> [batch, FEATURES].
  public Tensor features(Tensor images) {
    Tensor h = images;
    for (int i = 1; i < WIDTHS.length; i++) {
      h = Ops.convolve(h, p.get("conv." + i + ".weight"), p.get("conv." + i + ".bias"), 2, 1, 1);
      h = torch.silu(h);
    }
    return torch.silu(Ops.linear(p, "hidden", h.flatten(1, 3)));
  }

  /// **Shapes:** features [batch, FEATURES] -> [batch, classes].
  public Tensor logits(Tensor features) {
    return Ops.linear(p, "head", features);
  }

  /// Labels and features of pictures in plain arrays.
  ///
  /// @param labels the most likely class of each
  /// @param features [batch, FEATURES]
  public record Verdict(int[] labels, double[][] features) {}

  /// Judges pictures.
  ///
  /// @param pixels [batch, 3, size, size] in -1..1
  public Verdict judge(float[] pixels, int batch, int size) {
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assert off != null && scope != null;
      Tensor weight = p.get("head.weight");
      Tensor features =
          features(
              Tensors.of(pixels, batch, 3, size, size).to(weight.device(), weight.scalar_type()));
      float[] logits = Tensors.floats(logits(features));
      double[] flat = Tensors.doubles(features);
      int classes = Shape.values().length;
      int[] labels = new int[batch];
      double[][] rows = new double[batch][];
      for (int i = 0; i < batch; i++) {
        for (int c = 1; c < classes; c++) {
          if (logits[i * classes + c] > logits[i * classes + labels[i]]) {
            labels[i] = c;
          }
        }
        rows[i] = java.util.Arrays.copyOfRange(flat, i * FEATURES, (i + 1) * FEATURES);
      }
      return new Verdict(labels, rows);
    }
  }

  @Override
  public void close() {
    p.close();
  }
}
