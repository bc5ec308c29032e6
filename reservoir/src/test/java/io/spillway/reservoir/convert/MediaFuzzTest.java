package io.spillway.reservoir.convert;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Damage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import javax.imageio.ImageIO;

/// Sounds, IDX files and pictures from strangers are read, or refused with one line that names the
/// file. `bench/fuzz` searches for new inputs.
final class MediaFuzzTest {
  @FuzzTest
  void wav(byte[] data) {
    byte[] sound = header(36, "RIFF\0\0\0\0WAVEfmt ", 16, 1, 8000);
    refused(() -> Wav.parse(Path.of("fuzz.wav"), data));
    refused(() -> Wav.parse(Path.of("fuzz.wav"), Damage.of(sound, data)));
  }

  private static byte[] header(int body, String text, int size, int channels, int rate) {
    ByteBuffer out = ByteBuffer.allocate(body + 8 + 64).order(ByteOrder.LITTLE_ENDIAN);
    out.put(text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)).putInt(size);
    out.putShort((short) 1).putShort((short) channels).putInt(rate).putInt(2 * rate);
    out.putShort((short) 2).putShort((short) 16).putInt(0x61746164).putInt(64);
    return out.putInt(4, out.capacity() - 8).array();
  }

  @FuzzTest
  void idxImages(byte[] data) {
    ByteBuffer sound = ByteBuffer.allocate(16 + 18);
    sound.putInt(0x803).putInt(2).putInt(3).putInt(3);
    file(".idx", Damage.of(sound.array(), data), Idx::images);
  }

  @FuzzTest
  void idxLabels(byte[] data) {
    ByteBuffer sound = ByteBuffer.allocate(8 + 5);
    sound.putInt(0x801).putInt(5);
    file(".idx", Damage.of(sound.array(), data), Idx::labels);
  }

  @FuzzTest
  void picture(byte[] data) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(
        new java.awt.image.BufferedImage(5, 4, java.awt.image.BufferedImage.TYPE_INT_RGB),
        "png",
        png);
    file(".png", data, StillImage::read);
    file(".png", Damage.of(png.toByteArray(), data), StillImage::read);
  }

  private static void file(String suffix, byte[] bytes, Consumer<Path> reader) {
    try {
      Path file = Files.createTempFile("fuzz", suffix);
      try {
        Files.write(file, bytes);
        refused(() -> reader.accept(file));
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void refused(Runnable reading) {
    try {
      reading.run();
    } catch (SpillwayException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("\n") || !message.contains("fuzz")) {
        throw new AssertionError("not one line with the file's name: " + message, e);
      }
    }
  }
}
