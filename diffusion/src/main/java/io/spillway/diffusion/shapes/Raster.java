package io.spillway.diffusion.shapes;

/// A picture as it is stored in a file.
///
/// @param rgb 0xRRGGBB, row by row
public record Raster(int rows, int columns, int[] rgb) {
  public Raster {
    if (rows < 1 || columns < 1 || rgb.length != rows * columns) {
      throw new IllegalArgumentException(
          rgb.length + " pixels are no picture of " + rows + " x " + columns);
    }
  }

  /// One pixel.
  public int at(int row, int column) {
    return rgb[row * columns + column];
  }

  /// Pictures side by side with white gaps.
  ///
  /// **Shapes:** pixels [count, 3, size, size] in -1..1.
  public static Raster grid(float[] pixels, int count, int size, int across) {
    int gap = 2;
    int down = (count + across - 1) / across;
    int rows = down * (size + gap) - gap;
    int columns = across * (size + gap) - gap;
    int[] rgb = new int[rows * columns];
    java.util.Arrays.fill(rgb, 0xFFFFFF);
    for (int i = 0; i < count; i++) {
      Raster one = Png.image(pixels, i * 3 * size * size, size, size);
      int top = i / across * (size + gap);
      int left = i % across * (size + gap);
      for (int r = 0; r < size; r++) {
        System.arraycopy(one.rgb, r * size, rgb, (top + r) * columns + left, size);
      }
    }
    return new Raster(rows, columns, rgb);
  }
}
