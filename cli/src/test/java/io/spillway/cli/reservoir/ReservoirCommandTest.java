package io.spillway.cli.reservoir;

import static org.assertj.core.api.Assertions.assertThat;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.WritableGroup;
import io.spillway.cli.Main;
import io.spillway.platform.Seeds;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Bad input of every kind ends in one line and exit status 2.
final class ReservoirCommandTest {
  @TempDir Path folder;

  @Test
  void refusesMalformedRecordings() throws Exception {
    refuses(bytes("far.bin", 40, 4, 0, 0, 1), "outside the sensor");
    refuses(bytes("back.bin", 1, 2, 0, 0, 9, 1, 2, 0, 0, 2), "times run backwards");
    refuses(bytes("empty.bin"), "no events");
    refuses(bytes("cut.bin", 1, 2, 0), "cut.bin:byte 3");
    refuses(bytes("polarity.dat", 0, 8, 0, 0, 0, 0, 1, 0, 0, 0x30), "polarity 3");
    refuses(folder.resolve("absent.bin"), "no such file");
  }

  @Test
  void refusesImpossibleSettings() throws Exception {
    Path sound = bytes("sound.bin", 1, 2, 0, 0, 9, 1, 3, 0, 0, 12);
    fails("unknown device", "encode", sound.toString(), "--memory", "Nothing");
    fails("which --memory takes", "encode", sound.toString(), "--device", "ReRamES");
    fails("none of auto, cpu, cuda", "encode", sound.toString(), "--device", "tpu");
    fails("0 neurons", "encode", sound.toString(), "--neurons", "0");
    fails("leak", "encode", sound.toString(), "--leak", "7");
    fails("unknown preset", "encode", sound.toString(), "--preset", "big");
    fails("--outputs", "energy", sound.toString(), "--outputs", "0");
    fails("either --output", "train", "--events", folder.toString());
    fails("give one of", "train", "--folds", "5");
    Path yaml = folder.resolve("liquid.yaml");
    Files.writeString(yaml, "neurons: 100\ninput_scale: 0.1\nrecurent_scale: 0.1\nwiring: dense\n");
    fails("recurrent_scale", "encode", sound.toString(), "--config", yaml.toString());
  }

  @Test
  void refusesImpossibleProtocols() throws Exception {
    String set = folder.toString();
    fails("--draws 1", "probe", "--events", set, "--draws", "1");
    fails("unknown readout 'forest'", "probe", "--events", set, "--readouts", "forest");
    fails("--by luck", "tune", "--events", set, "--by", "luck");
    fails("a firing rate of 2", "tune", "--events", set, "--by", "rate", "--rate", "2");
    fails("--network cnn", "baseline", "--events", set, "--network", "cnn");
    fails("--hidden 0", "baseline", "--events", set, "--hidden", "0");
    fails("--method luck", "zero-shot", "--events", set, "--sounds", set, "--method", "luck");
    fails("--measure near", "zero-shot", "--events", set, "--sounds", set, "--measure", "near");
    fails("--seeds 1", "zero-shot", "--events", set, "--sounds", set, "--seeds", "1");
    fails("holds no recordings", "zero-shot", "--events", set, "--sounds", set);
  }

  @Test
  void refusesSoundInAnotherFormat() throws Exception {
    Path wav = bytes("a.wav", 'R', 'I', 'F', 'F', 1, 0, 0, 0, 'A', 'V', 'I', ' ');
    fails("no RIFF WAVE", "convert", wav.toString(), folder.resolve("a.bs1").toString());
    fails("no event format", "convert", wav.toString(), folder.resolve("a.xyz").toString());
  }

  @Test
  void convertsBetweenFormats() throws Exception {
    Path sound = bytes("in.bin", 1, 2, 0, 0, 9, 1, 3, 128, 0, 12);
    Path out = folder.resolve("out.aedat4");
    assertThat(Main.run("reservoir", "convert", sound.toString(), out.toString(), "--quiet"))
        .isZero();
    assertThat(Files.size(out)).isGreaterThan(100);
  }

  /// The layout of Spiking Heidelberg Digits, from a file to a tested model: train and test files
  /// of the data set go the same way.
  @Test
  void trainsAndTestsOnTheHeidelbergLayout() throws Exception {
    Path train = heidelberg("shd_train.h5", 1, 20);
    Path test = heidelberg("shd_test.h5", 2, 8);
    Path model = folder.resolve("shd.rsv");
    assertThat(
            Main.run(
                "reservoir",
                "train",
                "--events",
                train.toString(),
                "--neurons",
                "100",
                "-o",
                model.toString(),
                "--quiet"))
        .isZero();
    PrintStream kept = System.out;
    ByteArrayOutputStream caught = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(caught, true, StandardCharsets.UTF_8));
      assertThat(
              Main.run(
                  "reservoir",
                  "eval",
                  "-m",
                  model.toString(),
                  "--events",
                  test.toString(),
                  "--json"))
          .isZero();
    } finally {
      System.setOut(kept);
    }
    String json = caught.toString(StandardCharsets.UTF_8);
    assertThat(json).containsPattern("\"recordings\" ?: ?24");
    Matcher accuracy = Pattern.compile("\"accuracy\" ?: ?([0-9.]+)").matcher(json);
    assertThat(accuracy.find()).as(json).isTrue();
    assertThat(Double.parseDouble(accuracy.group(1))).isGreaterThan(.9);
    Path cut = folder.resolve("cut.h5");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(train), 300));
    fails("cut.h5", "train", "--events", cut.toString(), "--folds", "5");
  }

  /// Three classes, each a band of channels that sweeps up or down.
  private Path heidelberg(String name, long seed, int perClass) {
    RandomGenerator random = new Seeds(seed).stream("heidelberg");
    int n = 3 * perClass;
    double[][] times = new double[n][200];
    int[][] units = new int[n][200];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
      for (int k = 0; k < 200; k++) {
        times[i][k] = k * .004 + random.nextDouble() * .002;
        units[i][k] = 100 + 200 * labels[i] + k / 4 + random.nextInt(40);
      }
    }
    Path file = folder.resolve(name);
    try (WritableHdfFile out = HdfFile.write(file)) {
      WritableGroup spikes = out.putGroup("spikes");
      spikes.putDataset("times", times);
      spikes.putDataset("units", units);
      out.putDataset("labels", labels);
    }
    return file;
  }

  private Path bytes(String name, int... values) throws Exception {
    byte[] all = new byte[values.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) values[i];
    }
    return Files.write(folder.resolve(name), all);
  }

  private void refuses(Path file, String reason) {
    fails(reason, "encode", file.toString());
  }

  private static void fails(String reason, String... rest) {
    String[] all = new String[rest.length + 2];
    all[0] = "reservoir";
    System.arraycopy(rest, 0, all, 1, rest.length);
    all[all.length - 1] = "--quiet";
    PrintStream kept = System.err;
    ByteArrayOutputStream caught = new ByteArrayOutputStream();
    int status;
    try {
      System.setErr(new PrintStream(caught, true, StandardCharsets.UTF_8));
      status = Main.run(all);
    } finally {
      System.setErr(kept);
    }
    String message = caught.toString(StandardCharsets.UTF_8);
    assertThat(status).as(message).isEqualTo(2);
    assertThat(message).contains(reason);
  }
}
