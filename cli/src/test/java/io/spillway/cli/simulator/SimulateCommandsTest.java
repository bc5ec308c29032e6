package io.spillway.cli.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.cli.Main;
import io.spillway.platform.Json;
import io.spillway.simulator.FunctionalRun.Outcome;
import io.spillway.testkit.TestData;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/// The commands of `simulate` as a person calls them, on the workload that ends soonest.
final class SimulateCommandsTest {
  private static final String BRANCH =
      TestData.repository().resolve("simulator/workloads/programs/branch").toString();

  @TempDir Path folder;

  private record Answer(int status, String out, String err) {
    /// The JSON of the answer, which stands behind what the program printed.
    Map<?, ?> json() {
      return Json.parse(out.substring(out.indexOf('{')), Map.class, "answer");
    }
  }

  private static Answer call(String... words) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream newOut = new ByteArrayOutputStream();
    ByteArrayOutputStream newErr = new ByteArrayOutputStream();
    System.setOut(new PrintStream(newOut, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(newErr, true, StandardCharsets.UTF_8));
    try {
      List<String> all = new ArrayList<>(List.of("simulate"));
      all.addAll(Arrays.asList(words));
      int status = Main.run(all.toArray(String[]::new));
      return new Answer(
          status, newOut.toString(StandardCharsets.UTF_8), newErr.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  private static long number(Map<?, ?> json, String field) {
    return Long.parseLong(String.valueOf(json.get(field)));
  }

  private static Answer branch(String... options) {
    List<String> words = new ArrayList<>(List.of("run", "--json"));
    words.addAll(Arrays.asList(options));
    words.addAll(List.of(BRANCH, "2", "100"));
    return call(words.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "prog",
        "prog one two",
        "--json prog one",
        "--quiet --json prog",
        "--json --run 1000 prog 1 2 3",
        "--run 999999999999999999 prog a=b"
      })
  void plainLinesAreReadAsTheLibraryReadsThem(String line) {
    SimulateRunCommand read = new SimulateRunCommand();
    CommandLine library = new CommandLine(read).setCaseInsensitiveEnumValuesAllowed(true);
    library.parseArgs(line.split(" "));

    assertThat(SimulateRunCommand.plain(List.of(line.split(" "))))
        .get()
        .usingRecursiveComparison()
        .ignoringFields("spec", "startedAt")
        .isEqualTo(read);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--json",
        "--run 0 prog",
        "--run x prog",
        "--run",
        "--seed 2 prog",
        "--system minor prog",
        "--help",
        "prog --json",
        "prog -x",
        "prog @file",
        "prog -- -x",
        "-h"
      })
  void everyOtherLineIsLeftToTheLibrary(String line) {
    assertThat(SimulateRunCommand.plain(List.of(line.split(" ")))).isEmpty();
    assertThat(SimulateRunCommand.plain(List.of())).isEmpty();
    assertThat(SimulateRunCommand.plain(List.of("prog", ""))).isEmpty();
  }

  @Test
  void anOutcomeIsWrittenAsTheMapperWritesIt() {
    Outcome good = new Outcome(3, true, 1L << 40, 0.125, 1e-7, 4096, Optional.empty());
    Outcome bad = new Outcome(139, false, 7, 1e9, 123.456, 0, Optional.of("a \"b\"\n\u20ac"));
    assertThat(Outcomes.json(good)).isEqualTo(Json.write(good));
    assertThat(Outcomes.json(bad)).isEqualTo(Json.write(bad));
  }

  @Test
  void runsWithAndWithoutTimingToTheSameEnd() {
    Answer functional = branch();
    Answer interpreted = branch("--engine", "interpreter");
    Answer timed = branch("--system", "minor", "--clock", "4GHz");

    assertThat(functional.status()).isZero();
    assertThat(functional.out()).contains("branch: verified");
    long instructions = number(functional.json(), "instructions");
    assertThat(instructions).isGreaterThan(1000);
    assertThat(number(interpreted.json(), "instructions")).isEqualTo(instructions);
    assertThat(timed.out()).contains("branch: verified");
    assertThat(number(timed.json(), "instructions")).isEqualTo(instructions);
    assertThat(number(timed.json(), "cycles")).isGreaterThan(instructions / 2);
  }

  @Test
  void aCheckpointContinuesWhereItWasMade() {
    long whole = number(branch().json(), "instructions");
    Path file = folder.resolve("half");

    Answer made =
        call("checkpoint", "--json", "--skip", "5000", "-o", file.toString(), BRANCH, "2", "100");
    Answer rest = call("restore", "--json", file.toString());
    Answer part = call("restore", "--json", "--run", "1000", file.toString());

    assertThat(number(made.json(), "instructions")).isEqualTo(5000);
    assertThat(made.json().get("finished")).isEqualTo(false);
    assertThat(rest.status()).isZero();
    assertThat(rest.out()).contains("branch: verified");
    assertThat(number(rest.json(), "instructions")).isEqualTo(whole);
    assertThat(number(part.json(), "instructions")).isEqualTo(6000);
  }

  @Test
  void measuresAWindowAndSamples() {
    Answer window = branch("--system", "minor", "--skip", "2000", "--warm", "500", "--run", "3000");
    Answer samples =
        branch("--system", "minor", "--warm", "300", "--run", "200", "--sample-every", "2000");

    assertThat(number(window.json(), "instructions")).isEqualTo(3000);
    assertThat(String.valueOf(samples.json().get("samples"))).contains("halfWidth", "count");
  }

  @Test
  void comparesSystemsAndDrawsThem() throws Exception {
    Path plots = folder.resolve("plots");
    Answer answer =
        call(
            "compare",
            "--json",
            "--systems",
            "paper-baseline,paper-core@100GHz",
            "--plots",
            plots.toString(),
            BRANCH);

    assertThat(answer.status()).as(answer.err()).isZero();
    assertThat(answer.json().keySet().stream().map(Object::toString))
        .containsExactly("paper-baseline", "paper-core@100GHz");
    assertThat(Files.readString(plots.resolve("cycle-stacks.svg")).contains("<svg")).isTrue();
    assertThat(Files.readString(plots.resolve("bandwidth.svg")).contains("<svg")).isTrue();
  }

  @Test
  void disassemblesAFunctionOrARange() throws Exception {
    Answer whole = call("disassemble", BRANCH);
    String first =
        whole.out().lines().filter(l -> l.matches("\\s*[0-9a-f]+:  .*")).findFirst().orElseThrow();
    long address = Long.parseLong(first.strip().split(":")[0], 16);

    Answer range =
        call(
            "disassemble",
            BRANCH,
            "--from",
            "0x" + Long.toHexString(address),
            "--to",
            "" + (address + 4));

    assertThat(whole.status()).isZero();
    assertThat(whole.out()).contains("ecall", "jalr");
    assertThat(range.out().lines().filter(l -> !l.isBlank() && !l.endsWith(">:")).toList())
        .hasSizeBetween(1, 2)
        .contains(first);
    assertThat(call("disassemble", BRANCH, "--from", "x").status()).isEqualTo(2);
  }

  @Test
  void sweepsKeepFinishedPointsAndNameFailedOnes() throws Exception {
    Path store = folder.resolve("sweep.tsv");
    String[] words = {
      "sweep",
      "--json",
      BRANCH,
      "--systems",
      "minor",
      "--clocks",
      "1GHz,4GHz",
      "--store",
      store.toString(),
      "--executor",
      "local",
      "--threads",
      "1"
    };
    Answer first = call(words);
    List<String> lines = Files.readAllLines(store);
    // a line that a stop cut short is made again
    Files.writeString(store, lines.get(0) + "\n" + lines.get(1).substring(0, 20));
    Answer second = call(words);

    assertThat(first.status()).as(first.err()).isZero();
    assertThat(lines).hasSize(2);
    assertThat(String.valueOf(second.json().get("results")))
        .contains("branch minor 1GHz", "branch minor 4GHz");
    assertThat(Files.readAllLines(store)).filteredOn(l -> l.endsWith("}")).hasSize(2);
    assertThat(Files.readString(store)).contains(lines.get(0));
  }

  /// Killed while it works, a sweep goes on from the points that it has finished.
  @Test
  void aKilledSweepGoesOn() throws Exception {
    Path store = folder.resolve("killed.tsv");
    List<String> sweep =
        List.of(
            "sweep",
            "--quiet",
            BRANCH,
            "--systems",
            "minor,o3",
            "--clocks",
            "1GHz,2GHz,4GHz,8GHz",
            "--store",
            store.toString(),
            "--threads",
            "1");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(
        List.of(
            "--sun-misc-unsafe-memory-access=allow",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "io.spillway.cli.Main",
            "simulate"));
    command.addAll(sweep);
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    while (process.isAlive() && (!Files.exists(store) || Files.readAllLines(store).isEmpty())) {
      Thread.sleep(20);
    }
    process.destroyForcibly().waitFor(); // the signal 9
    List<String> kept = Files.readAllLines(store).stream().filter(l -> l.endsWith("}")).toList();

    Answer answer = call(sweep.toArray(String[]::new));

    assertThat(kept).isNotEmpty();
    assertThat(answer.status()).as(answer.err()).isZero();
    assertThat(Files.readAllLines(store))
        .containsAll(kept)
        .filteredOn(l -> l.endsWith("}"))
        .hasSize(8);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          text,         not an ELF file
          truncated,    beyond the file's 500
          machine,      is not RISC-V
          dynamic,      -static
          empty,        not an ELF file
          address,      impossible
          size,         impossible
          entry,        lies in no executable segment
          headers,      program headers
          """,
      delimiter = ',')
  void refusesWhatIsNoProgramInOneLine(String damage, String text) throws Exception {
    byte[] elf = Files.readAllBytes(Path.of(BRANCH));
    int load = 64; // the first program header that is loaded
    while (elf[load] != 1) {
      load += 56;
    }
    switch (damage) {
      case "text" -> elf = "#!/bin/sh\necho hello\n".getBytes(StandardCharsets.UTF_8);
      case "truncated" -> elf = Arrays.copyOf(elf, 500);
      case "machine" -> elf[18] = 62;
      case "dynamic" -> { // the first program header asks for a dynamic linker
        Arrays.fill(elf, 64, 68, (byte) 0);
        elf[64] = 3;
      }
      case "address" -> Arrays.fill(elf, load + 16, load + 24, (byte) 0xff);
      case "size" -> elf[load + 47] = 0x10; // 2^60 bytes of memory
      case "entry" -> Arrays.fill(elf, 24, 32, (byte) 0x77);
      case "headers" -> elf[56] = 0;
      default -> elf = new byte[0];
    }
    Path file = Files.write(folder.resolve("program"), elf);
    Answer answer = call("run", file.toString());

    assertThat(answer.status()).as(answer.err()).isEqualTo(2);
    assertThat(answer.err().strip().lines()).hasSize(1);
    assertThat(answer.err()).contains(text);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          ways: 2,      ways: 0,       ways
          size: 32 KiB, size: 33000 B, do not divide
          size: 32 KiB, size: 48 KiB,  power of two
          fast: 4 GHz,  fast: 0 GHz,   0
          size: 32 KiB, sise: 32 KiB,  sise
          """)
  void refusesImpossibleSystems(String was, String is, String text) throws Exception {
    String yaml =
        new String(
            getClass().getResourceAsStream("/systems/minor.yaml").readAllBytes(),
            StandardCharsets.UTF_8);
    assertThat(yaml).contains(was);
    Path file = Files.writeString(folder.resolve("system.yaml"), yaml.replaceFirst(was, is));
    Answer answer = call("run", "--system", file.toString(), BRANCH);

    assertThat(answer.status()).as(answer.err()).isEqualTo(2);
    assertThat(answer.err().strip().lines()).hasSize(1);
    assertThat(answer.err()).contains(text);
  }

  @Test
  void aProgramThatFaultsIsReportedAndItsStatusPassedOn() throws Exception {
    // the first instruction becomes one that there is not
    byte[] elf = Files.readAllBytes(Path.of(BRANCH));
    ByteBuffer b = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
    long entry = b.getLong(24);
    int at = -1;
    for (int h = 0; h < b.getShort(56); h++) {
      int header = (int) b.getLong(32) + 56 * h;
      long address = b.getLong(header + 16);
      if (b.getInt(header) == 1 && entry >= address && entry < address + b.getLong(header + 32)) {
        at = (int) (b.getLong(header + 8) + entry - address);
      }
    }
    b.putInt(at, 0xffffffff);
    Path file = Files.write(folder.resolve("faulty"), elf);

    for (String[] words :
        new String[][] {{"run", file.toString()}, {"run", "--system", "minor", file.toString()}}) {
      Answer answer = call(words);
      assertThat(answer.status()).isEqualTo(128 + 4);
      assertThat(answer.err()).contains("ffffffff", Long.toHexString(entry));
    }
  }

  @Test
  void refusesImpossibleOptions() {
    assertThat(branch("--system", "minor", "--clock", "0GHz").status()).isEqualTo(2);
    assertThat(branch("--run", "0").status()).isEqualTo(2);
    assertThat(branch("--system", "none-such").err()).contains("none-such").hasLineCount(1);
    assertThat(branch("--root", folder.resolve("absent").toString()).status()).isEqualTo(2);
  }
}
