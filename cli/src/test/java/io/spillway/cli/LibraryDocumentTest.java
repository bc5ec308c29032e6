package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The programs in docs/library.md run: each is given to the source launcher as it stands there.
class LibraryDocumentTest {
  private static final Path ROOT = Path.of(System.getProperty("spillway.root", ".."));
  private static final Pattern BLOCK =
      Pattern.compile("## ([^\n]+)\n+```java\n(.*?)```", Pattern.DOTALL);

  @TempDir Path folder = Path.of("");

  record Example(String title, String source) {
    @Override
    public String toString() {
      return title;
    }
  }

  static List<Example> examples() throws IOException {
    List<Example> examples = new ArrayList<>();
    Matcher m = BLOCK.matcher(Files.readString(ROOT.resolve("docs/library.md")));
    while (m.find()) {
      examples.add(new Example(m.group(1), m.group(2)));
    }
    return examples;
  }

  @ParameterizedTest
  @MethodSource("examples")
  void theExampleRunsAndPrints(Example example) throws Exception {
    Path source = folder.resolve("Example.java");
    Files.writeString(source, example.source());
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-Dspillway.root=" + ROOT,
                "-cp",
                System.getProperty("java.class.path"),
                source.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(120, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertThat(ended).isTrue();
    String text = Files.readString(output);
    assertThat(process.exitValue()).as(text).isZero();
    assertThat(text.replaceAll("(?m)^WARNING.*$", "").strip()).isNotEmpty();
  }
}
