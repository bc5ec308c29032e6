package io.spillway.reservoir.events;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/// The little of the flatbuffer format that AEDAT 4 needs: a root table and the fields of a table.
///
/// **Errors:** [IndexOutOfBoundsException] when an offset leads outside the buffer; the caller says
/// where in the file that is.
final class FlatTable {
  private final ByteBuffer bytes;
  private final int table;

  private FlatTable(ByteBuffer bytes, int table) {
    this.bytes = bytes;
    this.table = table;
  }

  /// The root table of a buffer whose size prefix was taken off.
  static FlatTable root(byte[] data, int from, String identifier) {
    ByteBuffer bytes =
        ByteBuffer.wrap(data, from, data.length - from).slice().order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 4; i++) {
      if (bytes.get(4 + i) != identifier.charAt(i)) {
        throw new IndexOutOfBoundsException("no '" + identifier + "' flatbuffer");
      }
    }
    return new FlatTable(bytes, bytes.getInt(0));
  }

  /// The position of a field's value, if the table has it.
  OptionalInt field(int index) {
    int vtable = table - bytes.getInt(table);
    int size = bytes.getShort(vtable) & 0xFFFF;
    int slot = 4 + 2 * index;
    int at = slot + 2 <= size ? bytes.getShort(vtable + slot) & 0xFFFF : 0;
    return at == 0 ? OptionalInt.empty() : OptionalInt.of(table + at);
  }

  long i64(int index, long absent) {
    OptionalInt at = field(index);
    return at.isPresent() ? bytes.getLong(at.getAsInt()) : absent;
  }

  int i32(int index, int absent) {
    OptionalInt at = field(index);
    return at.isPresent() ? bytes.getInt(at.getAsInt()) : absent;
  }

  String text(int index) {
    OptionalInt at = field(index);
    if (at.isEmpty()) {
      return "";
    }
    int start = at.getAsInt() + bytes.getInt(at.getAsInt());
    byte[] text = new byte[checked(start, bytes.getInt(start), 1)];
    bytes.get(start + 4, text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /// The position of the first element of a vector of `width` bytes an element; its length lies
  /// four bytes before. Empty when the field is absent.
  OptionalInt vector(int index, int width) {
    OptionalInt at = field(index);
    if (at.isEmpty()) {
      return at;
    }
    int start = at.getAsInt() + bytes.getInt(at.getAsInt());
    checked(start, bytes.getInt(start), width);
    return OptionalInt.of(start + 4);
  }

  private int checked(int start, int count, int width) {
    if (count < 0 || (long) start + 4 + (long) count * width > bytes.limit()) {
      throw new IndexOutOfBoundsException(
          "a vector of " + count + " elements does not fit the packet");
    }
    return count;
  }

  ByteBuffer bytes() {
    return bytes;
  }
}
