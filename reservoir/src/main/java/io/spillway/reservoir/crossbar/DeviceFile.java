package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;
import io.spillway.platform.yaml.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/// A device of the user's own: a preset with what differs from it, as YAML; or a measured array as
/// CSV, one row of cells a line, whose cells take the place of the preset's.
///
/// @param base preset that the rest is taken from
/// @param fabricated conductances before programming: `gaussian`, `log-normal`, `bimodal`,
///   `measured` (key `map`, a CSV file)
/// @param programming error of programming: `none`, `multiplicative`, `additive`, `polynomial`,
///   `wan2022`
/// @param read noise of reading, of the same kinds
/// @param drift `none`, `power-law`, `phase-change`, `relaxation`
/// @param converters drivers and converters
record DeviceFile(
    @Default("TaOx40nm") String base,
    Optional<Fabricated> fabricated,
    Optional<Double> gMin,
    Optional<Double> gMax,
    Optional<NoiseLaw> programming,
    Optional<NoiseLaw> read,
    Optional<Drift> drift,
    Optional<Double> stuckLow,
    Optional<Double> stuckHigh,
    Optional<Double> wireOhms,
    Optional<Converters> converters,
    Optional<Integer> tile,
    Optional<Double> ageSeconds) {

  /// Whether a device's name is that of a file.
  static boolean names(String device) {
    String lower = device.toLowerCase(Locale.ROOT);
    return lower.endsWith(".yaml") || lower.endsWith(".yml") || lower.endsWith(".csv");
  }

  /// The device that a file describes.
  static DeviceModel open(String device) {
    Path file = path(device);
    if (device.toLowerCase(Locale.ROOT).endsWith(".csv")) {
      ConductanceMap map = ConductanceMap.read(file);
      DeviceModel base = DevicePresets.named("TaOx40nm");
      return new DeviceModel(
          name(file),
          new Fabricated.Measured(map),
          base.gMin(),
          Math.max(base.gMax(), map.largest()),
          base.programming(),
          base.read(),
          base.drift(),
          0,
          0,
          0,
          base.converters(),
          base.tile(),
          0);
    }
    return Yaml.read(file, DeviceFile.class).model(name(file));
  }

  private DeviceModel model(String name) {
    if (names(base)) {
      throw SpillwayException.badInput("base: %s is a file, the name of a preset is needed", base);
    }
    DeviceModel from = DevicePresets.named(base);
    return new DeviceModel(
        name,
        fabricated.orElse(from.fabricated()),
        gMin.orElse(from.gMin()),
        gMax.orElse(from.gMax()),
        programming.orElse(from.programming()),
        read.orElse(from.read()),
        drift.orElse(from.drift()),
        stuckLow.orElse(from.stuckLow()),
        stuckHigh.orElse(from.stuckHigh()),
        wireOhms.orElse(from.wireOhms()),
        converters.orElse(from.converters()),
        tile.orElse(from.tile()),
        ageSeconds.orElse(from.ageSeconds()));
  }

  /// What tells a changed device from the one that a model was trained on: a digest of the model's
  /// own parts, measured cells included.
  static String digest(DeviceModel model) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      if (model.fabricated() instanceof Fabricated.Measured measured) {
        ConductanceMap map = measured.map();
        for (int i = 0; i < map.size(); i++) {
          sha.update(
              Float.toString(map.cell(i)).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
          sha.update((byte) ',');
        }
        sha.update(
            model
                .withFabricated(new Fabricated.Gaussian(1, 1))
                .toString()
                .getBytes(java.nio.charset.StandardCharsets.UTF_8));
      } else {
        sha.update(model.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static Path path(String device) {
    try {
      Path file = Path.of(device);
      if (Files.exists(file) && Files.size(file) == 0) {
        throw SpillwayException.badInput("%s: the file is empty", device);
      }
      return file;
    } catch (InvalidPathException e) {
      throw SpillwayException.badInput("'%s' is no name of a file", device);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + device + ": " + e.getMessage(), e);
    }
  }
}
