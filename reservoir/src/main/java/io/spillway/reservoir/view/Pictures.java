package io.spillway.reservoir.view;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Fonts;
import io.spillway.reservoir.crossbar.Crossbar;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.liquid.Simulator;
import io.spillway.reservoir.liquid.SpikeFrames;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/// Draws recordings, spikes and conductances.
public final class Pictures {
  private static final Color GROUND = new Color(18, 20, 26);
  private static final Color BRIGHTER = new Color(255, 184, 77);
  private static final Color DARKER = new Color(90, 170, 255);
  private static final Color TEXT = new Color(200, 205, 215);
  private static final Color GRID = new Color(60, 65, 76);
  private static final int FRAME_MS = 60;
  private static final int MOST_FRAMES = 2000;
  private static final long MOST_PIXELS = 1L << 22;

  private Pictures() {}

  /// Frames of a recording's events, `binUs` each; brighter and darker in two colours. Each is
  /// drawn when it is asked for, so that only one is in memory.
  public static Iterable<BufferedImage> eventFrames(EventRecording recording, long binUs) {
    int bins = frames(recording, binUs);
    int[] next = {0};
    return () -> {
      next[0] = 0;
      return IntStream.range(0, bins)
          .mapToObj(b -> eventFrame(recording, binUs, b, next))
          .iterator();
    };
  }

  /// The frame length that suits a recording: 10 ms, or what makes 500 frames of it.
  public static long binUs(EventRecording recording) {
    return Math.max(10_000, recording.durationUs() / 499);
  }

  /// How many frames of `binUs` a recording has.
  public static int frames(EventRecording recording, long binUs) {
    if (binUs < 1 || recording.durationUs() / binUs >= MOST_FRAMES) {
      throw SpillwayException.badInput(
          "bins of %d us make %d frames of this recording, 1 to %d are possible",
          binUs, binUs < 1 ? 0 : recording.durationUs() / binUs + 1, MOST_FRAMES);
    }
    Sensor sensor = recording.sensor();
    if ((long) sensor.width() * sensor.height() > MOST_PIXELS) {
      throw SpillwayException.doesNotFit(
          "a picture of %d x %d pixels, at most %d are drawn",
          sensor.width(), sensor.height(), MOST_PIXELS);
    }
    return (int) (recording.durationUs() / binUs) + 1;
  }

  private static BufferedImage eventFrame(
      EventRecording recording, long binUs, int bin, int[] next) {
    int width = recording.sensor().width();
    int height = recording.sensor().height();
    boolean sound = height == 1;
    int scale = Math.max(1, (sound ? 640 : 340) / width);
    int tall = sound ? 80 : height * scale;
    long start = recording.timeUs(0);
    BufferedImage image = canvas(Math.max(180, width * scale), tall + 20);
    Graphics2D g = graphics(image);
    int events = 0;
    while (next[0] < recording.size() && recording.timeUs(next[0]) - start < (bin + 1) * binUs) {
      int i = next[0]++;
      g.setColor(
          recording.polarity(i) == 1 || recording.sensor().polarities() == 1 ? BRIGHTER : DARKER);
      g.fillRect(recording.x(i) * scale, recording.y(i) * scale, scale, sound ? tall : scale);
      events++;
    }
    g.setColor(TEXT);
    Fonts.draw(
        g,
        String.format(Locale.ROOT, "%5.1f ms  %d events", bin * binUs / 1000.0, events),
        4,
        tall + 15);
    g.dispose();
    return image;
  }

  /// Input spikes above, the liquid's spikes below, time to the right.
  public static BufferedImage raster(Simulator liquid, SpikeFrames frames, long number) {
    int steps = frames.steps();
    int inputs = frames.inputs();
    int neurons = liquid.config().neurons();
    int column = Math.max(2, 900 / steps);
    int left = 60;
    int top = 24;
    int inputTall = Math.min(300, Math.max(64, inputs));
    int neuronTall = Math.min(500, Math.max(200, neurons));
    int wide = left + steps * column + 20;
    BufferedImage image = canvas(wide, top + inputTall + 40 + neuronTall + 40);
    Graphics2D g = graphics(image);
    int below = top + inputTall + 40;
    g.setColor(TEXT);
    Fonts.draw(g, "inputs (" + inputs + ")", left, top - 8);
    Fonts.draw(g, "neurons (" + neurons + ")", left, below - 8);
    g.setColor(GRID);
    g.drawRect(left - 1, top - 1, steps * column + 1, inputTall + 1);
    g.drawRect(left - 1, below - 1, steps * column + 1, neuronTall + 1);
    g.setColor(DARKER);
    for (int t = 0; t < steps; t++) {
      for (int k = frames.start(t); k < frames.start(t + 1); k++) {
        int y = top + (int) ((long) frames.input(k) * inputTall / inputs);
        g.fillRect(left + t * column, y, Math.max(1, column - 1), 1);
      }
    }
    g.setColor(BRIGHTER);
    liquid.run(
        frames,
        number,
        (step, neuron) ->
            g.fillRect(
                left + step * column,
                below + (int) ((long) neuron * neuronTall / neurons),
                Math.max(1, column - 1),
                1));
    g.setColor(TEXT);
    for (int t = 0; t <= steps; t += Math.max(1, steps / 10)) {
      Fonts.draw(g, Integer.toString(t), left + t * column, below + neuronTall + 16);
    }
    Fonts.draw(g, "step", left + steps * column / 2, below + neuronTall + 32);
    g.dispose();
    return image;
  }

  /// Conductances of one macro, dark for none, with a scale.
  public static BufferedImage conductances(Crossbar crossbar) {
    int rows = Math.min(512, crossbar.rows());
    int columns = Math.min(512, crossbar.columns());
    int scale = Math.max(1, 512 / Math.max(rows, columns));
    double largest = crossbar.model().gMax();
    BufferedImage image = canvas(columns * scale + 110, Math.max(200, rows * scale) + 30);
    Graphics2D g = graphics(image);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        g.setColor(heat(crossbar.plus(i, j) / largest));
        g.fillRect(j * scale, i * scale, scale, scale);
      }
    }
    int x = columns * scale + 16;
    for (int k = 0; k <= 100; k++) {
      g.setColor(heat(1 - k / 100.0));
      g.fillRect(x, 10 + k, 18, 1);
    }
    g.setColor(TEXT);
    Fonts.draw(g, String.format(Locale.ROOT, "%.0f µS", largest), x + 24, 18);
    Fonts.draw(g, "0 µS", x + 24, 112);
    Fonts.draw(
        g,
        String.format(
            Locale.ROOT,
            "%s: %d x %d of %d x %d positive cells",
            crossbar.model().name(),
            rows,
            columns,
            crossbar.rows(),
            crossbar.columns()),
        4,
        Math.max(200, rows * scale) + 20);
    g.dispose();
    return image;
  }

  /// Black through violet and orange to pale yellow.
  private static Color heat(double share) {
    double s = Math.clamp(share, 0, 1);
    double r = Math.min(1, 1.7 * s);
    double green = s * s;
    double b = s < .4 ? 1.4 * s : Math.max(.1, .56 - 1.2 * (s - .4)) + Math.max(0, s - .8) * 2;
    return new Color((float) r, (float) green, (float) Math.min(1, b));
  }

  /// How many neurons fire how often.
  public static BufferedImage rates(float[] spikesOfNeuron, String unit) {
    double largest = 1e-9;
    for (float v : spikesOfNeuron) {
      largest = Math.max(largest, v);
    }
    // counts are whole: a bin of its own for each while there is room, else none stays empty
    int bins = (int) Math.clamp(Math.ceil((largest + 1) / Math.ceil((largest + 1) / 40)), 1, 40);
    int[] count = new int[bins];
    for (float v : spikesOfNeuron) {
      count[Math.min(bins - 1, (int) (v / (largest + 1) * bins))]++;
    }
    int most = 1;
    for (int c : count) {
      most = Math.max(most, c);
    }
    BufferedImage image = canvas(640, 260);
    Graphics2D g = graphics(image);
    for (int k = 0; k < bins; k++) {
      int tall = (int) Math.round(190.0 * count[k] / most);
      g.setColor(BRIGHTER);
      int left = 50 + k * 560 / bins;
      g.fillRect(left, 210 - tall, Math.max(1, 560 / bins - 2), tall);
    }
    g.setColor(TEXT);
    Fonts.draw(g, "neurons", 4, 16);
    Fonts.draw(g, Integer.toString(most), 8, 30);
    Fonts.draw(g, "0", 50, 228);
    String end = String.format(Locale.ROOT, "%.0f %s", largest, unit);
    Fonts.draw(g, end, 620 - g.getFontMetrics().stringWidth(end), 228);
    g.dispose();
    return image;
  }

  private static BufferedImage canvas(int width, int height) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(GROUND);
    g.fillRect(0, 0, width, height);
    g.dispose();
    return image;
  }

  private static Graphics2D graphics(BufferedImage image) {
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setFont(new Font(Font.MONOSPACED, Font.PLAIN, 12));
    return g;
  }

  /// Writes a PNG.
  public static void png(Path file, BufferedImage image) {
    AtomicFiles.writeBytes(file, pngBytes(image));
  }

  /// The bytes of a PNG.
  public static byte[] pngBytes(BufferedImage image) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, "png", out)) {
        throw new IOException("this Java has no PNG writer");
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a picture: " + e.getMessage(), e);
    }
    return out.toByteArray();
  }

  /// Writes an animated GIF that repeats for ever, frame by frame.
  public static void gif(Path file, Iterable<BufferedImage> frames) {
    AtomicFiles.writeStream(file, out -> gif(out, frames));
  }

  /// The bytes of an animated GIF.
  public static byte[] gifBytes(Iterable<BufferedImage> frames) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      gif(out, frames);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a picture: " + e.getMessage(), e);
    }
    return out.toByteArray();
  }

  /// Writes an animated GIF to a stream.
  static void gif(OutputStream out, Iterable<BufferedImage> frames) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.prepareWriteSequence(null);
      for (BufferedImage frame : frames) {
        writer.writeToSequence(new IIOImage(frame, null, timing(writer, frame)), null);
        stream.flushBefore(stream.getStreamPosition());
      }
      writer.endWriteSequence();
    } finally {
      writer.dispose();
    }
  }

  private static IIOMetadata timing(ImageWriter writer, BufferedImage frame) throws IOException {
    IIOMetadata metadata =
        writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(frame), null);
    String format = metadata.getNativeMetadataFormatName();
    IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(format);
    IIOMetadataNode control = child(root, "GraphicControlExtension");
    control.setAttribute("disposalMethod", "none");
    control.setAttribute("userInputFlag", "FALSE");
    control.setAttribute("transparentColorFlag", "FALSE");
    control.setAttribute("transparentColorIndex", "0");
    control.setAttribute("delayTime", Integer.toString(FRAME_MS / 10));
    IIOMetadataNode extensions = child(root, "ApplicationExtensions");
    IIOMetadataNode loop = new IIOMetadataNode("ApplicationExtension");
    loop.setAttribute("applicationID", "NETSCAPE");
    loop.setAttribute("authenticationCode", "2.0");
    loop.setUserObject(new byte[] {1, 0, 0});
    extensions.appendChild(loop);
    metadata.setFromTree(format, root);
    return metadata;
  }

  private static IIOMetadataNode child(IIOMetadataNode root, String name) {
    for (int i = 0; i < root.getLength(); i++) {
      if (root.item(i).getNodeName().equals(name)) {
        return (IIOMetadataNode) root.item(i);
      }
    }
    IIOMetadataNode node = new IIOMetadataNode(name);
    root.appendChild(node);
    return node;
  }
}
