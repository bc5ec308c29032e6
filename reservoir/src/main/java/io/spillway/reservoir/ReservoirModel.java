package io.spillway.reservoir;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import io.spillway.reservoir.crossbar.DevicePresets;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.learn.RidgeReadout;
import io.spillway.reservoir.learn.Scaling;
import io.spillway.reservoir.liquid.Adaptation;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.Wiring;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A trained system: the liquid, which its configuration and seed fabricate again, and the readout.
///
/// The file holds `SPILLRSV`, a version, the configuration as JSON and the readout's numbers.
public final class ReservoirModel {
  private static final byte[] MAGIC = "SPILLRSV".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int LONGEST_HEADER = 1 << 20;

  private final LiquidConfig config;
  private final Framing framing;
  private final List<String> classes;
  private final RidgeReadout readout;
  private final Liquid liquid;

  public ReservoirModel(
      LiquidConfig config, Framing framing, List<String> classes, RidgeReadout readout) {
    this(config, framing, classes, readout, new Liquid(config, framing));
  }

  ReservoirModel(
      LiquidConfig config,
      Framing framing,
      List<String> classes,
      RidgeReadout readout,
      Liquid liquid) {
    this.config = config;
    this.framing = framing;
    this.classes = List.copyOf(classes);
    this.readout = readout;
    this.liquid = liquid;
    if (readout.classes() != classes.size()
        || readout.scaling().mean().length != config.segments() * config.neurons()) {
      throw SpillwayException.badInput(
          "a readout of %d classes on %d counts for %d classes and %d counts",
          readout.classes(),
          readout.scaling().mean().length,
          classes.size(),
          config.segments() * config.neurons());
    }
  }

  /// What the model answers.
  ///
  /// @param label the class of the largest score
  /// @param scores one score a class
  /// @param response what the liquid did
  public record Answer(String label, float[] scores, LiquidResponse response) {}

  public LiquidConfig config() {
    return config;
  }

  public Framing framing() {
    return framing;
  }

  public List<String> classes() {
    return classes;
  }

  public RidgeReadout readout() {
    return readout;
  }

  public Liquid liquid() {
    return liquid;
  }

  /// Recognises one recording.
  ///
  /// @param number what the noise of reading depends on
  public Answer recognise(EventRecording recording, long number) {
    return answer(liquid.run(framing.frames(recording), number));
  }

  /// Recognises what the liquid answered.
  public Answer answer(LiquidResponse response) {
    float[] scores = readout.scores(response.counts());
    return new Answer(
        classes.get(io.spillway.reservoir.learn.Dense.argmax(scores)), scores, response);
  }

  /// The part of the file that is JSON; unions are told by the name of their type.
  record Header(
      int neurons,
      double leak,
      double threshold,
      double inputScale,
      double recurrentScale,
      Optional<Wiring.Local> local,
      Optional<Wiring.Distance> distance,
      Optional<Adaptation.Rising> rising,
      String device,
      Optional<String> deviceDigest,
      boolean noise,
      int segments,
      long seed,
      int sensorWidth,
      int sensorHeight,
      Framing.Polarities polarities,
      int left,
      int top,
      int width,
      int height,
      int pool,
      int steps,
      long fixedSpanUs,
      List<String> classes,
      double penalty) {}

  /// Writes the model.
  public void save(Path file) {
    Header header =
        new Header(
            config.neurons(),
            config.leak(),
            config.threshold(),
            config.inputScale(),
            config.recurrentScale(),
            config.wiring() instanceof Wiring.Local local ? Optional.of(local) : Optional.empty(),
            config.wiring() instanceof Wiring.Distance distance
                ? Optional.of(distance)
                : Optional.empty(),
            config.adaptation() instanceof Adaptation.Rising rising
                ? Optional.of(rising)
                : Optional.empty(),
            config.device(),
            DevicePresets.digest(config.device()),
            config.noise(),
            config.segments(),
            config.seed(),
            framing.sensorWidth(),
            framing.sensorHeight(),
            framing.polarities(),
            framing.left(),
            framing.top(),
            framing.width(),
            framing.height(),
            framing.pool(),
            framing.steps(),
            framing.span() instanceof Framing.Span.Fixed fixed ? fixed.microseconds() : 0,
            classes,
            readout.penalty());
    byte[] json = Json.write(header).getBytes(StandardCharsets.UTF_8);
    AtomicFiles.writeStream(
        file,
        stream -> {
          DataOutputStream out = new DataOutputStream(stream);
          out.write(MAGIC);
          out.writeInt(VERSION);
          out.writeInt(json.length);
          out.write(json);
          write(out, readout.scaling().mean());
          write(out, readout.scaling().factor());
          write(out, readout.bias());
          for (float[] row : readout.weights()) {
            write(out, row);
          }
          out.flush();
        });
  }

  private static void write(DataOutputStream out, float[] numbers) throws IOException {
    for (float v : numbers) {
      out.writeFloat(v);
    }
  }

  /// Reads a model and fabricates its liquid again.
  ///
  /// **Errors:** a file of another kind or version, a truncated file.
  public static ReservoirModel load(Path file) {
    try (DataInputStream in =
        new DataInputStream(new java.io.BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
      if (!java.util.Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
        throw SpillwayException.badFile(
            file, ":byte 0", "no reservoir model; make one with reservoir train");
      }
      int version = in.readInt();
      if (version != VERSION) {
        throw SpillwayException.badFile(
            file, ":byte 8", "version %d, version %d is read", version, VERSION);
      }
      int length = in.readInt();
      if (length < 2 || length > LONGEST_HEADER) {
        throw SpillwayException.badFile(file, ":byte 12", "a header of %d bytes", length);
      }
      byte[] json = in.readNBytes(length);
      Header h =
          Json.parse(new String(json, StandardCharsets.UTF_8), Header.class, file.toString());
      long numbers = (long) h.neurons() * h.segments();
      if (h.neurons() < 1 || h.segments() < 1 || 4 * numbers > Files.size(file)) {
        throw SpillwayException.badFile(
            file,
            ":byte 16",
            "%d neurons in %d parts do not fit a file of %d bytes; train it again",
            h.neurons(),
            h.segments(),
            Files.size(file));
      }
      Optional<String> digest = Optional.ofNullable(h.deviceDigest()).flatMap(d -> d);
      if (!digest.equals(DevicePresets.digest(h.device()))) {
        throw SpillwayException.badFile(
            file,
            "",
            "the memory %s is another than the one it was trained on; bring that file back or train"
                + " again",
            h.device());
      }
      int features = (int) numbers;
      Scaling scaling = new Scaling(read(in, features), read(in, features));
      float[] bias = read(in, h.classes().size());
      float[][] weights = new float[bias.length][];
      for (int c = 0; c < weights.length; c++) {
        weights[c] = read(in, features);
      }
      return new ReservoirModel(
          config(h), framing(h), h.classes(), RidgeReadout.of(scaling, weights, bias, h.penalty()));
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (EOFException e) {
      throw SpillwayException.badFile(file, "", "the model is truncated, train it again");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static float[] read(DataInputStream in, int count) throws IOException {
    float[] out = new float[count];
    for (int i = 0; i < count; i++) {
      out[i] = in.readFloat();
    }
    return out;
  }

  private static LiquidConfig config(Header h) {
    Wiring wiring =
        h.local()
            .<Wiring>map(local -> local)
            .or(() -> Optional.ofNullable(h.distance()).flatMap(d -> d))
            .orElse(new Wiring.Dense());
    Adaptation adaptation = h.rising().isPresent() ? h.rising().get() : new Adaptation.None();
    return new LiquidConfig(
        h.neurons(),
        h.leak(),
        h.threshold(),
        h.inputScale(),
        h.recurrentScale(),
        wiring,
        adaptation,
        h.device(),
        h.noise(),
        h.segments(),
        h.seed());
  }

  private static Framing framing(Header h) {
    return new Framing(
        h.sensorWidth(),
        h.sensorHeight(),
        h.polarities(),
        h.left(),
        h.top(),
        h.width(),
        h.height(),
        h.pool(),
        h.steps(),
        h.fixedSpanUs() > 0
            ? new Framing.Span.Fixed(h.fixedSpanUs())
            : new Framing.Span.Recording());
  }

  /// Reads a configuration of the liquid from YAML.
  public static LiquidConfig configuration(Path yaml) {
    return Yaml.read(yaml, LiquidConfig.class);
  }
}
