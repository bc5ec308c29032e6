package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Nearest;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.Idx;
import io.spillway.reservoir.convert.Lauscher;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.convert.StillImage;
import io.spillway.reservoir.convert.Wav;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventFormat;
import io.spillway.reservoir.events.EventRecording;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `reservoir convert`: images, sound and event files to event files.
@Command(
    name = "convert",
    description =
        "Turn an image (PNG, JPEG, or one of an IDX file), a WAV file or an event file into an event"
            + " file.")
public final class ConvertCommand extends SpillwayCommand {
  @Parameters(index = "0", paramLabel = "INPUT", description = "Image, .wav, IDX or event file.")
  private Path input = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "OUTPUT",
      description = "Event file: .bin, .aedat (3.1), .aedat4, .dat or .bs1.")
  private Path output = Path.of("");

  @Option(
      names = "--format",
      paramLabel = "NAME",
      description = "Format of OUTPUT: nmnist, aedat2, aedat3.1, aedat4, ncars, bs1.")
  private @Nullable String format;

  @Option(
      names = "--image",
      paramLabel = "N",
      defaultValue = "0",
      description = "Which image of an IDX file, from 0; default ${DEFAULT-VALUE}.")
  private int image;

  @Option(
      names = "--pixel",
      paramLabel = "MODEL",
      defaultValue = "nmnist",
      description = "Pixel model of images: nmnist or v2e; default ${DEFAULT-VALUE}.")
  private String pixel = "nmnist";

  @Option(
      names = "--ear",
      paramLabel = "MODEL",
      defaultValue = "cochlea",
      description =
          "Ear of sounds: cochlea (64 channels, as N-TIDIGITS) or lauscher (700, as SHD); default"
              + " ${DEFAULT-VALUE}.")
  private String ear = "cochlea";

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of thresholds and noise; default ${DEFAULT-VALUE}.")
  private long seed;

  @Override
  protected void execute() {
    EventFormat target = format == null ? bySuffix() : EventFormat.named(format);
    EventRecording recording = convert();
    EventFiles.write(output, target, recording);
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("events", recording.size());
    results.put("duration_ms", recording.durationUs() / 1000.0);
    results.put("width", recording.sensor().width());
    results.put("height", recording.sensor().height());
    results.put("format", target.label());
    results.put("output", output.toString());
    answer(
        results,
        String.format(
            Locale.ROOT,
            "%s: %d events of %d x %d over %.1f ms, format %s",
            output,
            recording.size(),
            recording.sensor().width(),
            recording.sensor().height(),
            recording.durationUs() / 1000.0,
            target.label()));
  }

  private EventRecording convert() {
    String name = input.toString().toLowerCase(Locale.ROOT);
    Seeds seeds = new Seeds(seed);
    if (name.endsWith(".wav")) {
      Wav wav = Wav.read(input);
      return switch (ear) {
        case "cochlea" -> Cochlea.NTIDIGITS.listen(wav);
        case "lauscher" -> Lauscher.SHD.listen(wav, seeds.stream("lauscher"));
        default -> throw unknown("ear", ear, List.of("cochlea", "lauscher"));
      };
    }
    if (name.contains("idx") || name.endsWith("ubyte") || name.endsWith("ubyte.gz")) {
      Idx.Images images = Idx.images(input);
      if (image < 0 || image >= images.count()) {
        throw SpillwayException.badInput(
            "--image %d, %s has %d images from 0", image, input, images.count());
      }
      return show(images.image(image), seeds);
    }
    if (name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg")) {
      return show(StillImage.read(input), seeds);
    }
    return EventFiles.read(input);
  }

  private EventRecording show(float[] pixels, Seeds seeds) {
    PixelModel model =
        switch (pixel) {
          case "nmnist" -> PixelModel.NMNIST;
          case "v2e" -> PixelModel.V2E;
          default -> throw unknown("pixel model", pixel, List.of("nmnist", "v2e"));
        };
    return Saccades.record(pixels, model, seeds.stream("saccades"));
  }

  private static SpillwayException unknown(String what, String name, List<String> known) {
    return SpillwayException.badInput("unknown %s '%s', %s", what, name, Nearest.hint(name, known));
  }

  private EventFormat bySuffix() {
    String name = output.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".aedat")) {
      return EventFormat.AEDAT3;
    }
    for (EventFormat each : EventFormat.values()) {
      if (name.endsWith(each.suffix())) {
        return each;
      }
    }
    throw SpillwayException.badInput(
        "%s: no event format is known by this name; end it in .bin, .aedat, .aedat4, .dat or .bs1, or"
            + " give --format",
        output);
  }
}
