package io.spillway.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PlotTest {
  @TempDir Path folder;

  static List<Plot> all() {
    double[] x = {1, 10, 100};
    return List.of(
        Plot.xy("Speed over clock", "clock in GHz", "speedup")
            .line("core", x, new double[] {1, 1.5, 2}, new double[] {.1, .1, .2})
            .points("all", x, new double[] {1, 4, 15})
            .logX(),
        Plot.bars("Rates", "policy", "accuracy in %", List.of("full", "locret"))
            .bar("16K", new double[] {99, 98}, new double[] {1, 2}),
        Plot.stackedBars("Cycles", "program", "cycles per instruction", List.of("bfs", "cg"))
            .bar("base", new double[] {.5, .6})
            .bar("memory", new double[] {2, 3}),
        Plot.heatMap(
            "Bandwidth in GB/s",
            List.of("a", "b"),
            List.of("a", "b"),
            new double[][] {{Double.NaN, 20}, {10, Double.NaN}}));
  }

  @Test
  void everyKindIsDrawnInBothThemesAndAsBitmap() throws Exception {
    for (Plot plot : all()) {
      assertThat(plot.svg(Theme.LIGHT)).contains("<svg").isNotEqualTo(plot.svg(Theme.DARK));
      Path png = folder.resolve(plot.title().replace(' ', '-').replace('/', '-') + ".png");
      plot.write(png);
      BufferedImage image = ImageIO.read(png.toFile());
      assertThat(image.getWidth()).isEqualTo(900);
      assertThat(image.getRGB(2, 2) & 0xFFFFFF).isEqualTo(0xFFFFFF);
    }
  }

  @Test
  void theFirstRowOfAHeatMapIsAtTheTopAndTheLargestValueIsTheDarkest() throws Exception {
    Plot plot =
        Plot.heatMap("m", List.of("c"), List.of("top", "bottom"), new double[][] {{1}, {0}});
    Path png = folder.resolve("m.png");
    plot.write(png);
    BufferedImage image = ImageIO.read(png.toFile());

    int top = image.getRGB(400, 150) & 0xFF;
    int bottom = image.getRGB(400, 400) & 0xFF;
    assertThat(top).isLessThan(bottom);
  }

  @Test
  void aSeriesOfTheWrongLengthIsRefused() {
    assertThatThrownBy(() -> Plot.xy("t", "x", "y").line("s", new double[2], new double[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'s' has 3 values, 2 are needed");
  }

  @Test
  void withoutFontsADrawingSaysWhatToInstall() {
    String said = Plot.xy("a < b", "x", "y").withoutFonts();
    assertThat(said).startsWith("<svg").contains("a &lt; b: not drawn", "install fontconfig");
  }
}
