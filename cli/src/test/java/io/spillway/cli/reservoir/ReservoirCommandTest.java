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
    fails("local takes 3", "encode", sound.toString(), "--wiring", "local:5,4");
    fails("--wiring smal", "encode", sound.toString(), "--wiring", "smal:5,4,1");
    fails("are no numbers", "encode", sound.toString(), "--wiring", "distance:5,x,1");
    fails("two numbers", "encode", sound.toString(), "--adapt", "1");
    fails("threshold of -1", "encode", sound.toString(), "--threshold", "-1");
    Path memory = folder.resolve("memory.yaml");
    Files.writeString(memory, "stuck_low: 0.9\nstuck_high: 0.3\n");
    fails("0.9 stuck low", "encode", sound.toString(), "--memory", memory.toString());
    Files.writeString(memory, "converters: {adc_bits: 9}\n");
    fails("output_bound", "encode", sound.toString(), "--memory", memory.toString());
    Files.writeString(memory, "read: {type: wan}\n");
    fails("wan2022", "encode", sound.toString(), "--memory", memory.toString());
    Path map = folder.resolve("map.csv");
    Files.writeString(map, "1,2\n3,-4\n");
    fails("'-4' is no conductance", "encode", sound.toString(), "--memory", map.toString());
    Files.writeString(map, "7,7\n7,7\n");
    fails("conduct the same", "encode", sound.toString(), "--memory", map.toString());
    fails("absent.csv: no such file", "encode", sound.toString(), "--memory", "absent.csv");
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

  /// Who has no recordings draws some.
  @Test
  void drawsASetThatTrains() throws Exception {
    Path set = folder.resolve("digits");
    fails("--count 0", "draw", set.toString(), "--count", "0");
    fails("reservoir draw", "train", "--events", set.toString(), "--folds", "2");
    assertThat(Main.run("reservoir", "draw", set.toString(), "--count", "40", "--quiet")).isZero();
    assertThat(Files.readAllLines(set.resolve("labels.csv"))).hasSize(41).contains("00012.bin,1");
    fails("holds files already", "draw", set.toString());
    assertThat(
            Main.run(
                "reservoir",
                "train",
                "--events",
                set.toString(),
                "--folds",
                "2",
                "--neurons",
                "64",
                "--quiet"))
        .isZero();
  }

  /// A file is converted piece by piece, through formats with and without a header, and comes back
  /// as it was; a set of sound goes into HDF5 and its recordings out again.
  @Test
  void convertsThereAndBack() throws Exception {
    byte[] spikes = new byte[5 * 20_000];
    for (int i = 0; i < 20_000; i++) {
      int t = 100 + 37 * i;
      byte[] one = {0, (byte) (i * 7 % 64), (byte) (0x80 | t >> 16), (byte) (t >> 8), (byte) t};
      System.arraycopy(one, 0, spikes, 5 * i, 5);
    }
    Files.createDirectories(folder.resolve("set/3"));
    Path first = Files.write(folder.resolve("set/3/a.bs1"), spikes);
    String[] ways = {"a.aedat4", "b.dat", "c.aedat", "d.bs1"};
    Path last = first;
    for (String way : ways) {
      Path next = folder.resolve(way);
      assertThat(Main.run("reservoir", "convert", last.toString(), next.toString(), "--quiet"))
          .isZero();
      last = next;
    }
    assertThat(Files.readAllBytes(last)).isEqualTo(spikes);
    for (String layout : new String[] {"shd", "ntidigits"}) {
      Path h5 = folder.resolve(layout + ".h5");
      assertThat(
              Main.run(
                  "reservoir",
                  "convert",
                  folder.resolve("set").toString(),
                  h5.toString(),
                  "--format",
                  layout,
                  "--quiet"))
          .isZero();
      Path back = folder.resolve(layout + ".bs1");
      assertThat(Main.run("reservoir", "convert", h5.toString(), back.toString(), "--quiet"))
          .isZero();
      assertThat(Files.readAllBytes(back)).isEqualTo(spikes);
      fails("1 recordings from 0", "inspect", h5.toString(), "--recording", "1");
    }
    Path h5 = folder.resolve("ntidigits.h5");
    fails("part 'test'", "train", "--events", h5.toString(), "--part", "test", "--folds", "2");
    fails("an HDF5 file", "convert", folder.resolve("set").toString(), "x.bin");
    fails("unknown format of a set", "convert", folder.toString(), "x.h5", "--format", "shx");
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
