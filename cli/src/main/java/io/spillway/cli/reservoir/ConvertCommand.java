package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Nearest;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.convert.Idx;
import io.spillway.reservoir.convert.Lauscher;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.convert.StillImage;
import io.spillway.reservoir.convert.Wav;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventFormat;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.events.Sensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `reservoir convert`: images, sound and event files to event files, and sets to HDF5.
@Command(
    name = "convert",
    description =
        "Turn an image (PNG, JPEG, or one of an IDX file), a WAV file or an event file into an event"
            + " file; or a folder of sounds or of recordings of sound into one HDF5 file.")
public final class ConvertCommand extends SpillwayCommand {
  private static final List<String> LAYOUTS = List.of("shd", "ntidigits");

  @Parameters(
      index = "0",
      paramLabel = "INPUT",
      description =
          "Image, .wav, IDX or event file, HDF5 file (with --recording); or a folder of"
              + " LABEL_SPEAKER_TAKE.wav, or of recordings as for train.")
  private Path input = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "OUTPUT",
      description =
          "Event file: .bin, .aedat (3.1), .aedat4, .dat or .bs1; from a folder .h5 or .hdf5.")
  private Path output = Path.of("");

  @Option(
      names = "--format",
      paramLabel = "NAME",
      description =
          "Format of OUTPUT: nmnist, aedat2, aedat3.1, aedat4, ncars, bs1; of a set shd or"
              + " ntidigits (default by its channels).")
  private @Nullable String format;

  @Option(
      names = "--image",
      paramLabel = "N",
      defaultValue = "0",
      description = "Which image of an IDX file, from 0; default ${DEFAULT-VALUE}.")
  private int image;

  @Option(
      names = "--recording",
      paramLabel = "N",
      defaultValue = "0",
      description = "Which recording of an HDF5 file, from 0; default ${DEFAULT-VALUE}.")
  private int number;

  @Option(
      names = "--from-zero",
      description = "Move times so that the first event of an event file lies at 0.")
  private boolean fromZero;

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
    if (RecordingSet.isHdf5(output)) {
      answer(set());
      return;
    }
    EventFormat target = format == null ? bySuffix() : EventFormat.named(format);
    if (Files.isDirectory(input)) {
      throw SpillwayException.badInput(
          "%s is a folder, of which only an HDF5 file can be made: end OUTPUT in .h5", input);
    }
    answer(one(target));
  }

  private record Done(Sensor sensor, long recordings, long events, double ms, String format) {}

  private void answer(Done done) {
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("recordings", done.recordings());
    results.put("events", done.events());
    results.put("duration_ms", done.ms());
    results.put("width", done.sensor().width());
    results.put("height", done.sensor().height());
    results.put("format", done.format());
    results.put("output", output.toString());
    answer(
        results,
        String.format(
            Locale.ROOT,
            "%s: %s%d events of %d x %d over %.1f ms, format %s",
            output,
            done.recordings() == 1 ? "" : done.recordings() + " recordings, ",
            done.events(),
            done.sensor().width(),
            done.sensor().height(),
            done.ms(),
            done.format()));
  }

  private Done one(EventFormat target) {
    EventRecording made = convert();
    if (made == null) {
      EventFiles.Summary s = EventFiles.convert(input, output, target, fromZero);
      return new Done(s.sensor(), 1, s.events(), (s.lastUs() - s.firstUs()) / 1e3, target.label());
    }
    EventFiles.write(output, target, made);
    return new Done(made.sensor(), 1, made.size(), made.durationUs() / 1e3, target.label());
  }

  /// The recording of an image, a sound or a set; `null` for an event file, which is streamed.
  private @Nullable EventRecording convert() {
    String name = input.toString().toLowerCase(Locale.ROOT);
    Seeds seeds = new Seeds(seed);
    if (name.endsWith(".wav")) {
      return ear(seeds).listen(Wav.read(input), 0);
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
    return RecordingSet.isHdf5(input) ? RecordingOptions.read(input, number) : null;
  }

  private ConvertedSets.Ear ear(Seeds seeds) {
    return switch (ear) {
      case "cochlea" -> (wav, _) -> Cochlea.NTIDIGITS.listen(wav);
      case "lauscher" -> (wav, k) -> Lauscher.SHD.listen(wav, seeds.stream("lauscher", k));
      default -> throw unknown("ear", ear, List.of("cochlea", "lauscher"));
    };
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

  /// Every recording of a folder or HDF5 file into one HDF5 file.
  private Done set() {
    if (format != null && !LAYOUTS.contains(format)) {
      throw unknown("format of a set", format, LAYOUTS);
    }
    RecordingSet set =
        Files.isDirectory(input) && ConvertedSets.holdsSounds(input)
            ? ConvertedSets.sounds(input, ear(new Seeds(seed)))
            : RecordingSet.open(input);
    Sensor sensor = set.read(0).sensor();
    String layout =
        format != null ? format : sensor.width() > Sensor.NTIDIGITS.width() ? "shd" : "ntidigits";
    long[] seen = new long[2];
    try (var task = progress().start("convert", set.size())) {
      set.write(
          output,
          layout.equals("shd"),
          recording -> {
            seen[0] += recording.size();
            seen[1] += recording.durationUs();
            task.advance(1);
          });
    }
    return new Done(sensor, set.size(), seen[0], seen[1] / 1e3, layout);
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
