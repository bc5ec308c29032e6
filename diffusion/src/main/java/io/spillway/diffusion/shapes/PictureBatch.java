package io.spillway.diffusion.shapes;

import io.spillway.tensor.Tensors;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;

/// Pictures with their labels.
///
/// @param images [count, 3, size, size] f32 in -1..1
/// @param labels `[count]` i64
public record PictureBatch(Tensor images, Tensor labels) {
  /// Draws fresh ones, classes evenly at random; tensors belong to the innermost scope.
  public static PictureBatch draw(int count, int size, RandomGenerator random) {
    float[] pixels = new float[count * 3 * size * size];
    long[] labels = new long[count];
    Shape[] shapes = Shape.values();
    for (int i = 0; i < count; i++) {
      labels[i] = random.nextInt(shapes.length);
      Picture.draw(shapes[(int) labels[i]], size, random, pixels, i * 3 * size * size);
    }
    return new PictureBatch(Tensors.of(pixels, count, 3, size, size), Tensors.of(labels, count));
  }
}
