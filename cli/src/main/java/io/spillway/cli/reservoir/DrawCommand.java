package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventFormat;
import io.spillway.reservoir.events.EventRecording;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `reservoir draw`: recordings for those who have none.
@Command(
    name = "draw",
    description =
        "Draw digits with a shaking hand, record them with the simulated event camera and write a"
            + " folder that train, probe and eval read; much easier than N-MNIST.")
public final class DrawCommand extends SpillwayCommand {
  private static final int MOST = 100_000;

  @Parameters(index = "0", paramLabel = "OUT", description = "Folder to make; absent or empty.")
  private Path out = Path.of("");

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "300",
      description = "Recordings, the ten digits in turn (default: ${DEFAULT-VALUE}).")
  private int count = 300;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of hand and camera (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Override
  protected void execute() {
    if (count < 1 || count > MOST) {
      throw SpillwayException.badInput("--count %d: between 1 and %d", count, MOST);
    }
    make();
    Seeds seeds = new Seeds(seed);
    StringBuilder labels = new StringBuilder("file,digit\n");
    long events = 0;
    try (Progress.Task task = progress().start("draw", count)) {
      for (int i = 0; i < count; i++) {
        EventRecording recording =
            Saccades.record(
                DrawnDigits.draw(i % 10, seeds.stream("hand", i)),
                PixelModel.NMNIST,
                seeds.stream("camera", i));
        String name = String.format(Locale.ROOT, "%05d.bin", i + 1);
        EventFiles.write(out.resolve(name), EventFormat.NMNIST, recording);
        labels.append(name).append(',').append(i % 10).append('\n');
        events += recording.size();
        task.advance(1);
      }
    }
    // last, so that a stopped run leaves no set that looks whole
    AtomicFiles.writeString(out.resolve("labels.csv"), labels.toString());
    answer(
        Map.of("folder", out.toString(), "recordings", count, "events", events),
        String.format(
            Locale.ROOT,
            "%s: %d recordings, %d events; try ./spillway reservoir train --events %s --folds 5",
            out,
            count,
            events,
            out));
  }

  private void make() {
    try {
      if (Files.isDirectory(out)) {
        try (var files = Files.list(out)) {
          if (files.findAny().isPresent()) {
            throw SpillwayException.badInput("%s holds files already; name a new folder", out);
          }
        }
      }
      Files.createDirectories(out);
    } catch (IOException e) {
      throw SpillwayException.notFound(
          "cannot make the folder %s: %s", out, String.valueOf(e.getMessage()));
    }
  }
}
