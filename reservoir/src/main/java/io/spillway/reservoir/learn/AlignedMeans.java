package io.spillway.reservoir.learn;

import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Two linear maps in closed form that bring the class means of two senses together: each sense is
/// whitened by its scatter within classes, then turned so that the means meet.
///
/// With equal weights on all directions this is the orthogonal Procrustes problem (Schönemann
/// 1966); weighted by the singular values it is canonical correlation of recordings paired by class
/// (Hotelling 1936), which trusts directions more in which the means agree.
///
/// **Shapes:** rows `[width]`; both senses have the same width.
public final class AlignedMeans {
  /// Added to the scatter, relative to its mean: recordings are few.
  private static final double SHRINKAGE = .1;

  private final Side first;
  private final Side second;

  private AlignedMeans(Side first, Side second) {
    this.first = first;
    this.second = second;
  }

  /// Fits both maps.
  ///
  /// @param classes number of classes; every class has recordings of both senses
  /// @param orthogonal equal weights (Procrustes) instead of singular values (canonical)
  public static AlignedMeans fit(
      float[][] first,
      int[] firstLabels,
      float[][] second,
      int[] secondLabels,
      int classes,
      boolean orthogonal) {
    Moments a = Moments.of(first, firstLabels, classes);
    Moments b = Moments.of(second, secondLabels, classes);
    int width = first[0].length;
    try (TensorScope scope = TensorScope.open();
        NoGrad _ = NoGrad.begin()) {
      Tensor whitenA = whitener(a.scatter, width);
      Tensor whitenB = whitener(b.scatter, width);
      Tensor meansA = torch.matmul(Tensors.of(a.means, classes, width), whitenA);
      Tensor meansB = torch.matmul(Tensors.of(b.means, classes, width), whitenB);
      T_TensorTensorTensor_T parts = torch.linalg_svd(torch.matmul(meansA.t(), meansB));
      float[] values = Tensors.floats(parts.get1());
      float[] weights = new float[width];
      for (int k = 0; k < Math.min(width, classes - 1); k++) {
        weights[k] = orthogonal ? 1 : (float) Math.sqrt(values[k] / values[0]);
      }
      Tensor scale = Tensors.of(weights, 1, width);
      float[] mapA = Tensors.floats(torch.matmul(whitenA, parts.get0()).mul(scale).t());
      float[] mapB = Tensors.floats(torch.matmul(whitenB, parts.get2().t()).mul(scale).t());
      return new AlignedMeans(new Side(a.centre, mapA), new Side(b.centre, mapB));
    }
  }

  /// The matrix after which the scatter is the unit matrix.
  private static Tensor whitener(float[] scatter, int width) {
    double trace = 0;
    for (int k = 0; k < width; k++) {
      trace += scatter[k * width + k];
    }
    for (int k = 0; k < width; k++) {
      scatter[k * width + k] += (float) (SHRINKAGE * trace / width + 1e-9);
    }
    T_TensorTensor_T parts = torch.linalg_eigh(Tensors.of(scatter, width, width));
    return parts.get1().mul(parts.get0().pow(new Scalar(-.5)).unsqueeze(0));
  }

  /// A row of the first sense in the common space.
  public float[] first(float[] row) {
    return first.apply(row);
  }

  /// A row of the second sense in the common space.
  public float[] second(float[] row) {
    return second.apply(row);
  }

  /// @param map `[width, width]`, one row an output
  private record Side(float[] centre, float[] map) {
    float[] apply(float[] row) {
      float[] moved = row.clone();
      Dense.axpy(-1, centre, moved);
      float[] out = new float[moved.length];
      for (int k = 0; k < out.length; k++) {
        out[k] = Dense.dot(map, k * out.length, moved, 0, moved.length);
      }
      return out;
    }
  }

  /// @param centre mean of the class means
  /// @param means of the classes about the centre, `[classes, width]`
  /// @param scatter covariance within classes, `[width, width]`
  private record Moments(float[] centre, float[] means, float[] scatter) {
    static Moments of(float[][] rows, int[] labels, int classes) {
      int width = rows[0].length;
      float[][] mean = ClassMeans.of(rows, labels, classes);
      float[] scatter = new float[width * width];
      for (int i = 0; i < rows.length; i++) {
        float[] moved = rows[i].clone();
        Dense.axpy(-1, mean[labels[i]], moved);
        for (int k = 0; k < width; k++) {
          for (int j = 0; j < width; j++) {
            scatter[k * width + j] += moved[k] * moved[j] / rows.length;
          }
        }
      }
      float[] centre = ClassMeans.centre(mean);
      float[] flat = new float[classes * width];
      for (int c = 0; c < classes; c++) {
        System.arraycopy(mean[c], 0, flat, c * width, width);
      }
      return new Moments(centre, flat, scatter);
    }
  }
}
