package io.spillway.simulator.machine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Names of functions by address; empty for stripped programs. A damaged table counts as none, for
/// nothing but reports depends on it.
public final class SymbolTable {
  private static final int SECTION_BYTES = 64;
  private static final int SYMBOL_BYTES = 24;
  private static final int SYMBOLS = 2;

  private final TreeMap<Long, String> names = new TreeMap<>();

  private SymbolTable() {}

  static SymbolTable read(ByteBuffer in, long bias) {
    SymbolTable table = new SymbolTable();
    try {
      table.fill(in, bias);
    } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
      table.names.clear();
    }
    return table;
  }

  private void fill(ByteBuffer in, long bias) {
    long sections = in.getLong(40);
    int count = in.getShort(60) & 0xffff;
    for (int i = 0; i < count && sections > 0; i++) {
      int at = Math.toIntExact(sections + (long) i * SECTION_BYTES);
      if (in.getInt(at + 4) != SYMBOLS) {
        continue;
      }
      int offset = Math.toIntExact(in.getLong(at + 24));
      int symbols = Math.toIntExact(in.getLong(at + 32) / SYMBOL_BYTES);
      int strings =
          Math.toIntExact(
              in.getLong(
                  Math.toIntExact(sections + (long) in.getInt(at + 40) * SECTION_BYTES) + 24));
      for (int s = 0; s < symbols; s++) {
        int symbol = Math.addExact(offset, s * SYMBOL_BYTES);
        int kind = in.get(symbol + 4) & 15;
        long address = in.getLong(symbol + 8) + bias;
        if (kind <= 2 && in.getShort(symbol + 6) != 0 && in.getInt(symbol) != 0) {
          String name = text(in, Math.addExact(strings, in.getInt(symbol)));
          if (kind == 2 || !names.containsKey(address) && !name.startsWith("$")) {
            names.put(address, name);
          }
        }
      }
    }
  }

  private static String text(ByteBuffer in, int at) {
    int end = at;
    while (in.get(end) != 0 && end - at < 4096) {
      end++;
    }
    byte[] bytes = new byte[end - at];
    in.get(at, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /// The nearest symbol at or below `address` with the distance, as `main+0x1c`; empty if there is
  /// none.
  public String nearest(long address) {
    Map.@Nullable Entry<Long, String> entry = names.floorEntry(address);
    if (entry == null) {
      return "";
    }
    long distance = address - entry.getKey();
    return entry.getValue() + (distance == 0 ? "" : "+0x" + Long.toHexString(distance));
  }

  /// The names by address, in order.
  public Map<Long, String> all() {
    return Collections.unmodifiableMap(names);
  }
}
