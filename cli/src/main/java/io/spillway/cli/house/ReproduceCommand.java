package io.spillway.cli.house;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Json;
import io.spillway.platform.Machine;
import io.spillway.platform.Nearest;
import io.spillway.platform.RunRecord;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Claim;
import io.spillway.report.HtmlPage;
import io.spillway.report.Reproduction;
import io.spillway.report.Terminal;
import io.spillway.report.TextTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Measures the headline claims of each system's paper and shows them beside the published figures.
///
/// Every finished row is a run record of its own in `OUT/rows`; a run that was stopped, also by
/// SIGKILL, goes on with `--out` and measures only what is missing.
@Command(
    name = "reproduce",
    description = {
      "Measure the headline claims of the papers; show them beside the published figures.",
      "Rows are kept as they end: the same --out goes on where a run was stopped."
    })
public final class ReproduceCommand extends SpillwayCommand {
  private static final List<Reproduction> SYSTEMS =
      List.of(
          new io.spillway.planner.validate.PlannerReproduction(),
          new io.spillway.simulator.SimulatorReproduction(),
          new io.spillway.longcontext.LongContextReproduction(),
          new io.spillway.training.TrainingReproduction(),
          new io.spillway.diffusion.DiffusionReproduction(),
          new io.spillway.reservoir.ReservoirReproduction());

  @Parameters(
      arity = "0..1",
      paramLabel = "SYSTEM",
      description =
          "planner, simulator, longcontext, training, diffusion or reservoir; default all.")
  private @Nullable String system;

  @Option(names = "--quick", description = "Few samples: some minutes in all (the default).")
  private boolean quick;

  @Option(
      names = "--full",
      description = "As many samples as the results pages have: about 20 minutes of CPU in all.")
  private boolean full;

  @Option(
      names = "--claims",
      split = ",",
      paramLabel = "NAME",
      description = "Only these claims, for example passkey,energy.")
  private List<String> only = List.of();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder of rows and page; finished rows in it are kept. Default: a new run.")
  private @Nullable Path out;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Folder of published measurements and recordings. Default: SPILLWAY_TEST_DATA, else"
              + " ../shared/data beside the installation.")
  private @Nullable Path data;

  @Option(names = "--seed", defaultValue = "1", description = "Seed of every random choice.")
  private long seed;

  /// A row as its record keeps it.
  ///
  /// @param measured the value, or null where nothing could be measured
  record Row(
      String system,
      String claim,
      String statement,
      String published,
      String source,
      @Nullable Double measured,
      @Nullable Double low,
      @Nullable Double high,
      String unit,
      String interval,
      String setting,
      String verdict,
      String why,
      Map<String, Object> figures) {
    static Row of(String system, Claim claim, Claim.Finding finding) {
      Claim.Published p = claim.published();
      Claim.Finding.@Nullable Measured ours =
          finding instanceof Claim.Finding.Measured m ? m : null;
      return new Row(
          system,
          claim.name(),
          claim.statement(),
          (p.low() == p.high() ? number(p.low()) : number(p.low()) + " to " + number(p.high()))
              + " "
              + p.unit(),
          p.source(),
          ours == null ? null : ours.value(),
          ours == null ? null : ours.low(),
          ours == null ? null : ours.high(),
          p.unit(),
          ours == null ? "" : ours.interval(),
          claim.setting(),
          claim.verdict(finding).toString(),
          finding instanceof Claim.Finding.NotMeasurable n ? n.why() : "",
          ours == null ? Map.of() : ours.figures());
    }

    /// Ours as people read it.
    String ours() {
      if (measured == null || low == null || high == null) {
        return "-";
      }
      String range = low.equals(high) ? "" : " (" + number(low) + " to " + number(high) + ")";
      return number(measured) + range + " " + unit;
    }
  }

  /// A row and the record of the run that measured it.
  ///
  /// @param file where the record stands, seen from the output folder
  private record Kept(Row row, RunRecord record, String file) {
    static Kept of(RunRecord record, String file) {
      Object row = Objects.requireNonNull(record.results().get("row"));
      return new Kept(Json.mapper().convertValue(row, Row.class), record, file);
    }

    /// The row with where, when and how long it was measured.
    Map<String, Object> json() {
      Map<String, Object> fields = new LinkedHashMap<>();
      Json.mapper().convertValue(row, Map.class).forEach((k, v) -> fields.put(k.toString(), v));
      fields.put("record", file);
      fields.put("startedAt", record.startedAt());
      fields.put("seconds", record.seconds());
      return fields;
    }

    /// The row's last line on the page.
    String note() {
      return String.format(
          Locale.ROOT,
          "%s, measured %s in %.1f s, version %s, seed %d",
          file,
          record.startedAt().replaceFirst("\\.[0-9]+Z", "Z"),
          record.seconds(),
          record.version(),
          record.seed());
    }
  }

  private static String number(double value) {
    if (Math.abs(value) > 1e15) {
      return "any";
    }
    double size = Math.abs(value);
    String text =
        String.format(Locale.ROOT, size >= 1000 ? "%.0f" : size >= 100 ? "%.1f" : "%.2f", value);
    return text.contains(".") ? text.replaceFirst("\\.?0+$", "") : text;
  }

  @Override
  protected void execute() {
    if (quick && full) {
      throw SpillwayException.badInput("--quick and --full exclude each other, give one");
    }
    Reproduction.Effort effort = full ? Reproduction.Effort.FULL : Reproduction.Effort.QUICK;
    List<Reproduction> chosen = chosen();
    Path folder = out == null ? newRunFolder() : out;
    if (out == null && !quiet) {
      System.err.println("spillway: a stopped run goes on with --out " + folder);
    }
    Reproduction.Setting setting =
        new Reproduction.Setting(effort, new Seeds(seed), progress(), dataFolder());
    Instant begin = Instant.now();
    List<Kept> kept = new ArrayList<>();
    Path page = folder.resolve("reproduce.html");
    int wanted =
        (int) chosen.stream().flatMap(s -> s.claims().stream()).filter(this::asked).count();
    for (Reproduction s : chosen) {
      for (Claim claim : s.claims()) {
        if (!asked(claim)) {
          continue;
        }
        String name = "rows/" + s.system() + "-" + claim.name();
        Path at = folder.resolve(name);
        Optional<RunRecord> known = known(at, effort);
        if (known.isPresent() && !quiet) {
          System.err.println("spillway: kept " + s.system() + " " + claim.name());
        }
        RunRecord record = known.orElseGet(() -> measure(s, claim, setting, at));
        kept.add(Kept.of(record, name + "/run.json"));
        // a run of hours can be read, and stopped, at any time
        page(chosen, kept, wanted, effort).write(page);
      }
    }
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("effort", effort.name().toLowerCase(Locale.ROOT));
    results.put("rows", kept.stream().map(Kept::json).toList());
    results.put("seconds", Duration.between(begin, Instant.now()).toMillis() / 1e3);
    record(folder, seed, results);
    answer(
        results,
        table(kept).render(Terminal.width())
            + reasons(kept)
            + "\npage: "
            + page.toAbsolutePath().normalize());
  }

  private boolean asked(Claim claim) {
    return only.isEmpty() || only.contains(claim.name());
  }

  private List<Reproduction> chosen() {
    List<String> names = SYSTEMS.stream().map(Reproduction::system).toList();
    if (system != null && !names.contains(system)) {
      throw SpillwayException.badInput(
          "unknown system '%s', %s", system, Nearest.hint(system, names));
    }
    List<Reproduction> chosen =
        SYSTEMS.stream().filter(s -> system == null || s.system().equals(system)).toList();
    List<String> claims =
        chosen.stream().flatMap(s -> s.claims().stream()).map(Claim::name).toList();
    for (String claim : only) {
      if (!claims.contains(claim)) {
        throw SpillwayException.badInput(
            "unknown claim '%s', %s", claim, Nearest.hint(claim, claims));
      }
    }
    return chosen;
  }

  private Path dataFolder() {
    if (data != null) {
      return data;
    }
    String variable = System.getenv("SPILLWAY_TEST_DATA");
    return variable != null
        ? Path.of(variable)
        : Path.of(System.getProperty("spillway.root", "."), "..", "shared", "data").normalize();
  }

  /// A finished row of the same version, seed and effort; rows that could not be measured are tried
  /// again.
  private Optional<RunRecord> known(Path at, Reproduction.Effort effort) {
    Path file = at.resolve("run.json");
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    RunRecord record = Json.read(file, RunRecord.class);
    boolean same =
        record.seed() == seed
            && record.version().equals(io.spillway.cli.Version.text())
            && effort.name().equals(record.results().get("effort"))
            && Boolean.TRUE.equals(record.results().get("measured"));
    return same ? Optional.of(record) : Optional.empty();
  }

  private RunRecord measure(Reproduction s, Claim claim, Reproduction.Setting setting, Path at) {
    if (!quiet) {
      System.err.println("spillway: " + s.system() + ": " + claim.statement() + " ...");
    }
    Instant begin = Instant.now();
    Claim.Finding finding = claim.measurement().take(setting);
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("effort", setting.effort().name());
    results.put("measured", finding instanceof Claim.Finding.Measured);
    results.put("row", Row.of(s.system(), claim, finding));
    RunRecord record =
        new RunRecord(
            "reproduce",
            List.of(s.system(), claim.name()),
            io.spillway.cli.Version.text(),
            begin.toString(),
            Duration.between(begin, Instant.now()).toNanos() / 1e9,
            setting.seeds().seed(),
            Machine.current(),
            results);
    try {
      Files.createDirectories(at);
    } catch (java.io.IOException e) {
      throw SpillwayException.notFound(
          "cannot make the folder %s: %s", at, String.valueOf(e.getMessage()));
    }
    record.writeTo(at);
    return record;
  }

  private static TextTable table(List<Kept> kept) {
    TextTable table = new TextTable("system", "claim", "published", "ours", "verdict", "s");
    for (Kept k : kept) {
      Row r = k.row();
      table.row(
          r.system(),
          r.claim(),
          r.published(),
          r.ours(),
          r.verdict(),
          number(k.record().seconds()));
    }
    return table;
  }

  /// Why some rows have no figure, one line a reason.
  private static String reasons(List<Kept> kept) {
    Map<String, List<String>> claims = new LinkedHashMap<>();
    for (Kept k : kept) {
      if (!k.row().why().isEmpty()) {
        claims.computeIfAbsent(k.row().why(), _ -> new ArrayList<>()).add(k.row().claim());
      }
    }
    StringBuilder lines = new StringBuilder();
    claims.forEach(
        (why, of) -> lines.append('\n').append(String.join(", ", of)).append(": ").append(why));
    return lines.isEmpty() ? "" : "\nnot measurable here:" + lines + '\n';
  }

  private static HtmlPage page(
      List<Reproduction> chosen, List<Kept> kept, int wanted, Reproduction.Effort effort) {
    HtmlPage page = new HtmlPage("Spillway: published claims, measured here");
    page.note(Machine.current().describe())
        .paragraph(
            "Every figure of ours was measured by this command, none is copied from an earlier"
                + " run. Same: the interval meets the published figure, or the value lies within"
                + " the margin of a figure that is to be met (15 % unless the claim says"
                + " otherwise). Settings differ from the papers' as each row says.")
        .note(
            (effort == Reproduction.Effort.QUICK ? "Quick: few samples." : "Full.")
                + (kept.size() < wanted
                    ? " " + kept.size() + " of " + wanted + " claims so far."
                    : ""));
    Map<String, Integer> verdicts = new LinkedHashMap<>();
    for (Claim.Verdict v : Claim.Verdict.values()) {
      verdicts.put(v.toString(), 0);
    }
    kept.forEach(k -> verdicts.merge(k.row().verdict(), 1, Integer::sum));
    TextTable sum = new TextTable("verdict", "claims");
    verdicts.forEach((v, n) -> sum.row(v, n));
    page.table(sum);
    for (Reproduction s : chosen) {
      List<Kept> own = kept.stream().filter(k -> k.row().system().equals(s.system())).toList();
      if (own.isEmpty()) {
        continue;
      }
      page.heading(s.system()).note(s.paper());
      for (Kept k : own) {
        Row r = k.row();
        page.verdict(r.verdict(), r.statement());
        TextTable table = new TextTable("", "");
        table.row("published", r.published() + " (" + r.source() + ")");
        table.row("ours", r.ours() + (r.interval().isEmpty() ? "" : ", " + r.interval()));
        table.row("setting", r.setting());
        if (!r.why().isEmpty()) {
          table.row("why not", r.why());
        }
        page.table(table).note(k.note());
      }
    }
    return page;
  }
}
