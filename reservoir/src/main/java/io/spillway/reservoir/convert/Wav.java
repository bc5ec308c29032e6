package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Sound: one channel of samples in -1..1.
///
/// @param sampleRate samples a second
/// @param samples the sound
public record Wav(int sampleRate, float[] samples) {
  private static final long LARGEST = 256L << 20;

  /// Reads a WAV file of 16-bit linear samples, one channel, 4 to 192 kHz.
  ///
  /// **Errors:** any other format, with what was found and how to mend it.
  public static Wav read(Path file) {
    try {
      if (Files.size(file) > LARGEST) {
        throw SpillwayException.doesNotFit(
            "%s has %d bytes, at most %d are read", file, Files.size(file), LARGEST);
      }
      return parse(file, Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Reads a WAV file's bytes.
  public static Wav parse(Path name, byte[] data) {
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    try {
      if (in.getInt() != 0x46464952 || in.getInt() == 0 || in.getInt() != 0x45564157) {
        throw SpillwayException.badFile(name, ":byte 0", "no RIFF WAVE header");
      }
      int rate = 0;
      while (true) {
        int at = in.position();
        int id = in.getInt();
        int size = in.getInt();
        if (size < 0) {
          throw SpillwayException.badFile(name, ":byte " + at, "a chunk of %d bytes", size);
        }
        if (id == 0x20746D66) {
          rate = format(name, in, at);
          in.position(at + 8 + Math.max(16, size + (size & 1)));
        } else if (id == 0x61746164) {
          if (rate == 0) {
            throw SpillwayException.badFile(name, ":byte " + at, "samples come before the format");
          }
          return samples(name, in, at, size, rate);
        } else {
          in.position(Math.addExact(at + 8, size + (size & 1)));
        }
      }
    } catch (BufferUnderflowException | IllegalArgumentException | ArithmeticException e) {
      throw SpillwayException.badFile(
          name, ":byte " + in.position(), "the file ends before its samples; it is truncated");
    }
  }

  private static int format(Path name, ByteBuffer in, int at) {
    int code = in.getShort() & 0xFFFF;
    int channels = in.getShort() & 0xFFFF;
    int rate = in.getInt();
    in.getInt();
    in.getShort();
    int bits = in.getShort() & 0xFFFF;
    if (code != 1 || channels != 1 || bits != 16 || rate < 4000 || rate > 192_000) {
      throw SpillwayException.badFile(
          name,
          ":byte " + at,
          "format %d, %d channels, %d bits, %d Hz; 16-bit linear samples (format 1) of one channel"
              + " at 4 to 192 kHz are read: ffmpeg -i IN -ac 1 -c:a pcm_s16le OUT",
          code,
          channels,
          bits,
          rate);
    }
    return rate;
  }

  private static Wav samples(Path name, ByteBuffer in, int at, int size, int rate) {
    int count = size / 2;
    if (size > in.remaining()) {
      throw SpillwayException.badFile(
          name,
          ":byte " + (at + 8 + in.remaining()),
          "the file ends inside its samples, %d of %d bytes are there",
          in.remaining(),
          size);
    }
    if (count == 0) {
      throw SpillwayException.badFile(name, ":byte " + at, "the recording has no samples");
    }
    float[] out = new float[count];
    for (int i = 0; i < count; i++) {
      out[i] = in.getShort() / 32768f;
    }
    return new Wav(rate, out);
  }
}
