package io.spillway.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DataTest {
  @TempDir Path folder;

  private TokenFile tokens(Path... inputs) {
    return TokenCache.open(
        List.of(inputs),
        folder,
        text -> text.chars().toArray(),
        "chars",
        7,
        200,
        Progress.silent());
  }

  @Test
  void anIdOverTheVocabularyNamesTheFileThatHoldsIt() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), "ab");
    Path ids = Files.write(folder.resolve("ids.u16"), new byte[] {1, 0, (byte) 201, 0});
    assertThatThrownBy(() -> tokens(text, ids))
        .hasMessageContaining("ids.u16:2: token id 201 at position 1");
  }

  @Test
  void textAndJsonLinesBecomeOneStreamWithAnEndAfterEachDocument() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), "ab\nc");
    Path lines =
        Files.writeString(folder.resolve("b.jsonl"), "{\"text\": \"x\"}\n\n{\"text\": \"yz\"}\n");
    try (TokenFile t = tokens(text, lines)) {
      int[] ids = new int[(int) t.size()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = t.get(i);
      }
      assertThat(ids).containsExactly('a', 'b', '\n', 'c', '\n', 7, 'x', 7, 'y', 'z', 7);
    }
  }

  @Test
  void malformedInputIsNamedWithItsLine() throws IOException {
    Path lines = Files.writeString(folder.resolve("b.jsonl"), "{\"text\": \"x\"}\n{\"body\": 1}\n");
    assertThatThrownBy(() -> tokens(lines))
        .hasMessageContaining("b.jsonl:2")
        .hasMessageContaining("text");
    Path binary = Files.write(folder.resolve("c.txt"), new byte[] {(byte) 0xC3, 0x28});
    assertThatThrownBy(() -> tokens(binary)).hasMessageContaining("not UTF-8");
    Path odd = Files.write(folder.resolve("d.u32"), new byte[6]);
    assertThatThrownBy(() -> tokens(odd)).hasMessageContaining("6 bytes");
  }

  @Test
  void everyEpochHoldsEverySequenceOnceInAnotherOrder() throws IOException {
    for (int count : new int[] {1, 2, 3, 17, 64, 1000}) {
      byte[] ids = new byte[2 * (count * 4 + 1)];
      Path file = Files.write(folder.resolve("n" + count + ".u16"), ids);
      try (TokenFile t = TokenFile.open(file)) {
        Sequences s = new Sequences(t, 4, 0, new Seeds(3));
        assertThat(s.count()).isEqualTo(count);
        Set<Long> seen = new HashSet<>();
        boolean moved = false;
        for (long i = 0; i < count; i++) {
          seen.add(s.permute(i, 0));
          moved |= s.permute(i, 0) != s.permute(i, 1);
        }
        assertThat(seen).hasSize(count);
        assertThat(moved || count < 4).isTrue();
      }
    }
  }
}
