package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.testkit.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The shell launcher, run as a person runs it. A stand-in tree holds a copy of the launcher and a
/// Java runtime that prints its arguments, so that nothing is built here.
final class LauncherIT {
  @TempDir Path folder;

  private record Answer(int status, String out, String err) {}

  private Answer run(Path workingFolder, Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(workingFolder.toFile());
    builder.environment().remove("JAVA_HOME");
    builder.environment().remove("SPILLWAY_JAVA_HOME");
    builder.environment().putAll(environment);
    Path out = Files.createTempFile(folder, "out", "");
    Path err = Files.createTempFile(folder, "err", "");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Answer(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  /// A folder that looks like a built tree.
  private Path tree(String name) throws IOException {
    Path root = Files.createDirectories(folder.resolve(name));
    Path launcher = root.resolve("spillway");
    Files.copy(TestData.repository().resolve("spillway"), launcher);
    Files.copy(TestData.repository().resolve("pom.xml"), root.resolve("pom.xml"));
    executable(launcher);
    Path packaging = Files.createDirectories(root.resolve("packaging"));
    for (String shared : List.of("commands.sh", "functional.options")) {
      Path source = TestData.repository().resolve("packaging").resolve(shared);
      Files.copy(source, packaging.resolve(shared));
    }
    Path target = Files.createDirectories(root.resolve("cli/target"));
    Files.writeString(target.resolve("classpath.txt"), root + "/a.jar:" + root + "/b.jar");
    Files.writeString(target.resolve("built"), "");
    return root;
  }

  /// A folder that looks like a JDK whose `java` prints its arguments, one a line.
  private Path jdk(String name, int version) throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + ".0.1\"\n");
    for (String tool : List.of("java", "javac")) {
      Path file = home.resolve("bin").resolve(tool);
      Files.writeString(
          file,
          "#!/bin/sh\necho \"jdk " + version + "\"\nprintf '%s\\n' \"$@\"\n",
          StandardCharsets.UTF_8);
      executable(file);
    }
    return home;
  }

  private static void executable(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void runsFromAnyFolderThroughALinkWithSpacesInThePath() throws Exception {
    Path root = tree("a tree with spaces");
    Path link = folder.resolve("my link");
    Files.createSymbolicLink(link, root.resolve("spillway"));
    Path elsewhere = Files.createDirectories(folder.resolve("else where"));

    Answer answer =
        run(
            elsewhere,
            Map.of("SPILLWAY_JAVA_HOME", jdk("jdk 25", 25).toString()),
            link.toString(),
            "plan",
            "two words");

    assertThat(answer.err()).isEmpty();
    assertThat(answer.status()).isZero();
    assertThat(answer.out().lines())
        .contains("jdk 25", root.toRealPath() + "/a.jar:" + root.toRealPath() + "/b.jar")
        .endsWith("io.spillway.cli.Main", "plan", "two words");
  }

  @Test
  void passesOverAnOldJavaOnThePathAndFindsANewerOne() throws Exception {
    Path root = tree("tree");
    Path old = jdk("old", 17);

    Answer answer =
        run(
            root,
            Map.of(
                "PATH",
                old.resolve("bin") + ":" + System.getenv("PATH"),
                "JAVA_HOME",
                jdk("new", 26).toString()),
            root.resolve("spillway").toString(),
            "--version");

    assertThat(answer.out()).startsWith("jdk 26\n");
  }

  @Test
  void anUnfitSpillwayJavaHomeIsAnErrorThatSaysWhatToDo() throws Exception {
    Path root = tree("tree");
    Answer answer =
        run(
            root,
            Map.of("SPILLWAY_JAVA_HOME", jdk("old", 17).toString()),
            root.resolve("spillway").toString(),
            "--version");

    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.err()).contains("is no JDK 25 or newer").hasLineCount(1);
  }

  /// The machine refuses some options beside others before it starts; a stand-in would not notice.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "simulate run x",
        "simulate run x --system o3",
        "simulate sweep x",
        "train x",
        "plan x"
      })
  void theJavaMachineTakesTheOptionsOfEveryKindOfCommand(String command) throws Exception {
    Path root = tree("tree");
    Path jdk = jdk("jdk", 25);
    String java = Path.of(System.getProperty("java.home"), "bin/java").toString();
    Files.writeString(
        jdk.resolve("bin/java"),
        "#!/bin/sh\nwords=\"$*\"\nexec " + java + " ${words%% io.spillway.cli.Main*} -version\n");
    List<String> words = new ArrayList<>(List.of(root.resolve("spillway").toString()));
    words.addAll(List.of(command.split(" ")));

    Answer answer =
        run(root, Map.of("SPILLWAY_JAVA_HOME", jdk.toString()), words.toArray(String[]::new));

    assertThat(answer.status()).as(answer.out() + answer.err()).isZero();
    assertThat(answer.err()).contains("Runtime Environment").doesNotContain("rror");
  }

  @Test
  void setsTheThreadVariablesAndDropsTheCoreType() throws Exception {
    Path root = tree("tree");
    Path jdk = jdk("jdk", 25);
    Files.writeString(
        jdk.resolve("bin/java"),
        "#!/bin/sh\necho \"$OPENBLAS_NUM_THREADS $OMP_WAIT_POLICY [${OPENBLAS_CORETYPE-unset}]\"\n");

    Answer answer =
        run(
            root,
            Map.of("SPILLWAY_JAVA_HOME", jdk.toString(), "OPENBLAS_CORETYPE", "Haswell"),
            root.resolve("spillway").toString(),
            "doctor");

    assertThat(answer.out()).isEqualTo("1 passive [unset]\n");
  }
}
