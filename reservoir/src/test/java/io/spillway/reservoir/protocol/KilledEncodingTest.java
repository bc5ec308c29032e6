package io.spillway.reservoir.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.DevicePresets;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.tensor.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Encodings that were interrupted go on and end with the same bytes as one in a piece; what does
/// not belong to them is not used.
final class KilledEncodingTest {
  @TempDir private Path folder;

  @Test
  void aKilledTrainingEndsAsOneInAPiece() throws Exception {
    Path broken = folder.resolve("broken.rsv");
    int first = killAfterABlockMoreThan(0, broken);
    int second = killAfterABlockMoreThan(first, broken);
    assertThat(broken).doesNotExist();
    List<String> said = LongTraining.to(broken, LongTraining.CONFIG, LongTraining.RECORDINGS);
    Path whole = folder.resolve("whole.rsv");
    assertThat(LongTraining.to(whole, LongTraining.CONFIG, LongTraining.RECORDINGS)).isEmpty();

    assertThat(said).singleElement().asString().contains("of 400 recordings are encoded already");
    int known = Integer.parseInt(said.get(0).split(" ")[0]);
    assertThat(known).isBetween(64 * (second - 1) + 16, 384);
    assertThat(broken).hasSameBinaryContentAs(whole);
    assertThat(folders()).isEmpty();
  }

  @Test
  void encodingsOfOtherSettingsOrRecordingsAreNotUsed() throws Exception {
    Path model = folder.resolve("model.rsv");
    stopBeforeTheReadout(model, 130);
    List<Path> unfinished = folders();
    assertThat(unfinished).hasSize(1);

    assertThat(LongTraining.to(model, LongTraining.CONFIG.withLeak(.8), 130))
        .singleElement()
        .asString()
        .contains("is not used: liquid: leak=0.9 there, leak=0.8 here");
    assertThat(LongTraining.to(model, LongTraining.CONFIG, 129))
        .singleElement()
        .asString()
        .contains("is not used: recordings: 130, ")
        .contains(" there, 129, ");
    assertThat(folders()).isEqualTo(unfinished);
    assertThat(LongTraining.to(model, LongTraining.CONFIG, 130))
        .singleElement()
        .asString()
        .startsWith("130 of 130 recordings are encoded already");
    assertThat(folders()).isEmpty();
  }

  @Test
  void aDamagedBlockIsEncodedAgain() throws Exception {
    Path model = folder.resolve("model.rsv");
    stopBeforeTheReadout(model, 130);
    Path block = blocks(folders().get(0)).get(1);
    byte[] bytes = Files.readAllBytes(block);
    bytes[bytes.length / 2] ^= 1;
    Files.write(block, bytes);
    List<String> said = LongTraining.to(model, LongTraining.CONFIG, 130);
    assertThat(said).hasSize(2);
    assertThat(said.get(0)).contains("0000001 is damaged and is encoded again");
    assertThat(said.get(1)).startsWith("66 of 130 recordings");
    Path whole = folder.resolve("whole.rsv");
    LongTraining.to(whole, LongTraining.CONFIG, 130);
    assertThat(model).hasSameBinaryContentAs(whole);
  }

  @Test
  void batchesOfLibtorchGoOnToo() throws Exception {
    Engine torch = new Engine.Torch(Devices.cpu());
    int size = 300; // a batch of 256 and a rest
    Path output = folder.resolve("torch");
    interrupt(output, torch, size, 256);
    Liquid liquid = new Liquid(LongTraining.CONFIG, Framing.NMNIST);
    RecordingSet set = LongTraining.drawn(size);
    List<String> said = new ArrayList<>();
    try (KeptEncodings kept = KeptEncodings.beside(output, "test", said::add)) {
      Encoding whole = Encoding.of(liquid, torch, set, Progress.silent());
      Encoding resumed = Encoding.of(liquid, torch, set, kept, Progress.silent());
      assertThat(said).singleElement().asString().startsWith("256 of 300 recordings");
      assertThat(resumed.spikes()).isEqualTo(whole.spikes());
      assertThat(resumed.inputSpikes()).isEqualTo(whole.inputSpikes());
      assertThat(resumed.additions()).isEqualTo(whole.additions());
      for (int i = 0; i < size; i++) {
        for (int j = 0; j < whole.counts().width(); j++) {
          assertThat(resumed.counts().at(i, j)).isEqualTo(whole.counts().at(i, j));
        }
      }
    }
  }

  @Test
  void aSecondRunOfTheSameSettingsKeepsNothing() {
    Path output = folder.resolve("model");
    Liquid liquid = new Liquid(LongTraining.CONFIG, Framing.NMNIST);
    List<String> said = new ArrayList<>();
    try (KeptEncodings one = KeptEncodings.beside(output, "test", said::add);
        KeptEncodings two = KeptEncodings.beside(output, "test", said::add)) {
      Engine engine = new Engine.Sparse();
      RecordingSet set = LongTraining.drawn(3);
      Encoding.of(liquid, engine, set, one, Progress.silent());
      Encoding.of(liquid, engine, set, two, Progress.silent());
      two.remove();
      assertThat(folder.toFile().list()).hasSize(1);
    }
    assertThat(said).singleElement().asString().contains("in use by another run");
  }

  @Test
  void recordingsThatCannotBeReadLeaveNothingBehind() throws Exception {
    RecordingSet good = LongTraining.drawn(130);
    RecordingSet bad =
        RecordingSet.of(
            Path.of("bad"),
            IntStream.range(0, 130).mapToObj(Integer::toString).toList(),
            IntStream.range(0, 130).mapToObj(good::label).toList(),
            i -> {
              if (i == 129) {
                throw SpillwayException.badInput("recording 129 is corrupt");
              }
              return good.read(i);
            },
            i -> good.origin(i).orElseThrow());
    Liquid liquid = new Liquid(LongTraining.CONFIG, Framing.NMNIST);
    try (KeptEncodings kept = KeptEncodings.beside(folder.resolve("bad"), "test", _ -> {})) {
      assertThatThrownBy(() ->
              Encoding.of(liquid, new Engine.Torch(Devices.cpu()), bad, kept, Progress.silent()))
          .hasMessageContaining("129 is corrupt");
    }
    assertThat(folders()).isEmpty();
  }

  /// A device whose text held an address would never be found again.
  @Test
  void fingerprintsOfDevicesLast() {
    List<String> all = DevicePresets.names().stream().map(DevicePresets::fingerprint).toList();
    assertThat(all)
        .isEqualTo(DevicePresets.names().stream().map(DevicePresets::fingerprint).toList())
        .doesNotHaveDuplicates();
  }

  /// Encodes all and stops there.
  private static void stopBeforeTheReadout(Path output, int size) {
    Liquid liquid = new Liquid(LongTraining.CONFIG, Framing.NMNIST);
    try (KeptEncodings kept = KeptEncodings.beside(output, "test", _ -> {})) {
      Encoding.of(liquid, new Engine.Sparse(), LongTraining.drawn(size), kept, Progress.silent());
    }
  }

  /// Encodes until `last` is read, which fails as a full disk would.
  private void interrupt(Path output, Engine engine, int size, int last) {
    RecordingSet drawn = LongTraining.drawn(size);
    RecordingSet failing =
        RecordingSet.of(
            drawn.source(),
            IntStream.range(0, size).mapToObj(drawn::name).toList(),
            IntStream.range(0, size).mapToObj(drawn::label).toList(),
            i -> {
              if (i >= last) {
                throw new java.io.UncheckedIOException(new IOException("interrupted"));
              }
              return drawn.read(i);
            },
            i -> drawn.origin(i).orElseThrow());
    Liquid liquid = new Liquid(LongTraining.CONFIG, Framing.NMNIST);
    try (KeptEncodings kept = KeptEncodings.beside(output, "test", _ -> {})) {
      assertThatThrownBy(() -> Encoding.of(liquid, engine, failing, kept, Progress.silent()))
          .hasMessageContaining("interrupted");
    }
  }

  private List<Path> folders() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(Files::isDirectory).toList();
    }
  }

  private static List<Path> blocks(Path kept) throws IOException {
    try (Stream<Path> all = Files.list(kept)) {
      return all.filter(f -> f.getFileName().toString().matches("[0-9]{7}")).sorted().toList();
    }
  }

  private int kept() throws IOException {
    List<Path> folders = folders();
    return folders.isEmpty() ? 0 : blocks(folders.get(0)).size();
  }

  private int killAfterABlockMoreThan(int before, Path model) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                LongTraining.class.getName(),
                model.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
      while (process.isAlive() && kept() <= before && System.nanoTime() < deadline) {
        Thread.sleep(1);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).as("128 + SIGKILL").isEqualTo(137);
    return kept();
  }
}
