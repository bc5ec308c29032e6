package io.spillway.simulator;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Disassembler;
import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Memory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The instructions of a program's executable segments.
public final class Listing {
  /// One line.
  ///
  /// @param address where it lies
  /// @param word its 16 or 32 bits
  /// @param bytes how many bytes it takes
  /// @param text in assembler syntax; `unknown` if the word is no instruction of ours
  /// @param symbol the name that begins here, or empty
  public record Line(long address, int word, int bytes, String text, String symbol) {}

  private Listing() {}

  /// The lines with addresses in `[from, to)`.
  public static List<Line> of(ElfImage image, long from, long to) {
    List<Line> lines = new ArrayList<>();
    for (ElfImage.Segment segment : image.segments()) {
      if ((segment.permission() & Memory.EXECUTE) != 0) {
        long end = Math.min(to, segment.address() + segment.fileBytes());
        long at = Math.max(from + 1 & ~1L, segment.address());
        while (at + 2 <= end) {
          Line line = line(image, segment, at);
          lines.add(line);
          at += line.bytes();
        }
      }
    }
    return lines;
  }

  private static int half(ElfImage image, long offset) {
    byte[] content = image.content();
    return offset + 1 < content.length
        ? content[(int) offset] & 0xff | (content[(int) offset + 1] & 0xff) << 8
        : 0;
  }

  private static Line line(ElfImage image, ElfImage.Segment segment, long at) {
    long offset = segment.offset() + at - segment.address();
    int word = half(image, offset);
    int bytes = Decoder.length(word);
    if (bytes == 4) {
      word |= half(image, offset + 2) << 16;
    }
    @Nullable Instruction in = Decoder.decode(word);
    String nearest = image.symbols().nearest(at);
    return new Line(
        at,
        word,
        bytes,
        in == null ? "unknown" : Disassembler.text(in, at),
        nearest.contains("+") ? "" : nearest);
  }
}
