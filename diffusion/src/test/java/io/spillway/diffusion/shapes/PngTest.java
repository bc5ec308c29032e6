package io.spillway.diffusion.shapes;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Seeds;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;

/// Our PNG files as the JDK's reader sees them.
final class PngTest {
  private static Raster noise(int rows, int columns) {
    RandomGenerator random = new Seeds(5).stream("png");
    int[] rgb = new int[rows * columns];
    java.util.Arrays.setAll(rgb, _ -> random.nextInt(1 << 24));
    return new Raster(rows, columns, rgb);
  }

  @Test
  void everyPixelComesBack() throws IOException {
    Raster image = noise(13, 7);
    BufferedImage read =
        ImageIO.read(new ByteArrayInputStream(Png.encode(image, Map.of("seed", "5"))));
    assertThat(read.getWidth()).isEqualTo(7);
    assertThat(read.getHeight()).isEqualTo(13);
    for (int r = 0; r < 13; r++) {
      for (int c = 0; c < 7; c++) {
        assertThat(read.getRGB(c, r) & 0xFFFFFF).isEqualTo(image.at(r, c));
      }
    }
  }

  @Test
  void parametersAreTextChunks() throws IOException {
    Map<String, String> text = new LinkedHashMap<>();
    text.put("prompt", "a disc");
    text.put("negative", "дождь"); // beyond Latin-1
    byte[] file = Png.encode(noise(2, 2), text);
    ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(file))) {
      reader.setInput(in);
      IIOMetadataNode tree =
          (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
      IIOMetadataNode plain = (IIOMetadataNode) tree.getElementsByTagName("tEXtEntry").item(0);
      assertThat(plain.getAttribute("keyword")).isEqualTo("prompt");
      assertThat(plain.getAttribute("value")).isEqualTo("a disc");
      IIOMetadataNode wide = (IIOMetadataNode) tree.getElementsByTagName("iTXtEntry").item(0);
      assertThat(wide.getAttribute("keyword")).isEqualTo("negative");
      assertThat(wide.getAttribute("text")).isEqualTo("дождь");
    } finally {
      reader.dispose();
    }
  }

  @Test
  void minusOneIsBlackAndOneIsWhite() {
    float[] pixels = {-1, 1, -1, 0, -1, 5}; // two pixels, three planes
    Raster image = Png.image(pixels, 0, 1, 2);
    assertThat(image.at(0, 0)).isEqualTo(0x000000);
    assertThat(image.at(0, 1)).isEqualTo(0xFF80FF);
  }
}
