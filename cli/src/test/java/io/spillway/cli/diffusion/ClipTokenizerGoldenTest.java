package io.spillway.cli.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Token numbers as transformers 5.17's CLIPTokenizer gives them for the same vocabulary and
/// merges.
final class ClipTokenizerGoldenTest {
  private static final int END = 87;
  @TempDir private Path folder;

  private static void equal(ClipTokenizer tokenizer, String text, int... expected) {
    int[] padded = new int[16];
    Arrays.fill(padded, END);
    System.arraycopy(expected, 0, padded, 0, expected.length);
    assertThat(tokenizer.encode(text).ids()).as(text).containsExactly(padded);
  }

  @Test
  void tokensEqualTransformers() {
    TinyFolders.tokenizer(folder, "<|endoftext|>");
    try (ClipTokenizer t = ClipTokenizer.open(folder, 16)) {
      equal(t, "Red  disc", 86, 81, 84);
      equal(t, "it's 42 bars!!", 86, 22, 73, 3, 72, 48, 46, 15, 85, 72, 0, 40);
      equal(t, "disc<|endoftext|>red", 86, 84, 87, 81);
      equal(t, "Reds, a disc.", 86, 80, 17, 72, 41, 54, 84, 42);
      equal(t, "", 86);
    }
  }

  @Test
  void anotherPaddingAndLengthAreTaken() {
    TinyFolders.tokenizer(folder, "!");
    try (ClipTokenizer t = ClipTokenizer.open(folder, 5)) {
      assertThat(t.encode("disc").ids()).containsExactly(86, 84, END, 0, 0);
      ClipTokenizer.Tokens cut = t.encode("red disc red disc");
      assertThat(cut.ids()).containsExactly(86, 81, 84, 81, END);
      assertThat(cut.leftOut()).isEqualTo("disc");
    }
  }
}
