package io.spillway.reservoir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.energy.EnergyModel;
import io.spillway.reservoir.energy.TrainingCost;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.ArrayReadout;
import io.spillway.reservoir.liquid.Adaptation;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.Wiring;
import io.spillway.reservoir.protocol.KeptEncodings;
import io.spillway.reservoir.view.Pictures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// From drawn digits to a model that recognises new ones, kept in a file and drawn.
final class ReservoirModelTest {
  private static final LiquidConfig SMALL = LiquidConfig.LOCAL_NMNIST.withNeurons(256);
  @TempDir Path folder;

  private static RecordingSet drawn(int n) {
    return RecordingSet.of(
        Path.of("drawn"),
        IntStream.range(0, n).mapToObj(Integer::toString).toList(),
        IntStream.range(0, n).mapToObj(i -> Integer.toString(i % 5)).toList(),
        i ->
            Saccades.record(
                DrawnDigits.draw(i % 5, new Seeds(i).stream("hand")),
                PixelModel.NMNIST,
                new Seeds(i).stream("camera")));
  }

  @Test
  void learnsSavesLoadsAndRecognises() throws Exception {
    RecordingSet all = drawn(100);
    RecordingSet part = all.select(IntStream.range(0, 75).toArray());
    RecordingSet rest = all.select(IntStream.range(75, 100).toArray());
    ReservoirModel model =
        ReservoirTrainer.train(
                part, SMALL, Framing.NMNIST, new Engine.Sparse(), new Seeds(1), Progress.silent())
            .model();
    ReservoirTrainer.Evaluation before =
        ReservoirTrainer.evaluate(model, rest, new Engine.Sparse(), Progress.silent());
    assertThat(before.accuracy()).isGreaterThan(.6);
    Path file = folder.resolve("digits.rsv");
    model.save(file);
    ReservoirModel loaded = ReservoirModel.load(file);
    assertThat(loaded.config()).isEqualTo(SMALL);
    assertThat(
            ReservoirTrainer.evaluate(loaded, rest, new Engine.Sparse(), Progress.silent())
                .predicted())
        .isEqualTo(before.predicted());
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
    assertThatThrownBy(() -> ReservoirModel.load(file)).hasMessageContaining("truncated");
    Files.writeString(file, "this is no model at all");
    assertThatThrownBy(() -> ReservoirModel.load(file)).hasMessageContaining("no reservoir model");
  }

  @Test
  void drawsPicturesAndCountsEnergy() throws Exception {
    RecordingSet all = drawn(10);
    ReservoirModel model =
        ReservoirTrainer.train(
                all, SMALL, Framing.NMNIST, new Engine.Sparse(), new Seeds(1), Progress.silent())
            .model();
    var recording = all.read(3);
    var frames = Pictures.eventFrames(recording, 20_000);
    Pictures.gif(folder.resolve("e.gif"), frames);
    var reader = ImageIO.getImageReadersByFormatName("gif").next();
    try (var in = ImageIO.createImageInputStream(folder.resolve("e.gif").toFile())) {
      reader.setInput(in);
      assertThat(reader.getNumImages(true)).isEqualTo(Pictures.frames(recording, 20_000));
      assertThat(reader.read(1).getHeight()).isEqualTo(frames.iterator().next().getHeight());
    }
    var spikes = Framing.NMNIST.frames(recording);
    Pictures.png(folder.resolve("r.png"), Pictures.raster(model.liquid(), spikes, 0));
    assertThat(ImageIO.read(folder.resolve("r.png").toFile()).getWidth()).isGreaterThan(500);
    LiquidResponse response = model.liquid().run(spikes, 0);
    EnergyModel.Report report =
        EnergyModel.PUBLISHED.of(SMALL, Framing.NMNIST.inputs(), 50, 5, response);
    // by the definition: additions x .22 pJ; dense (2312 + 256) x 256 x 50 operations x .4808 pJ
    assertThat(report.groupArray())
        .isCloseTo(response.additions() * .22e-3, org.assertj.core.api.Assertions.within(1e-9));
    assertThat(report.denseOperations()).isEqualTo((2312 + 256) * 256.0 * 50);
    assertThat(report.groupRatio()).isGreaterThan(1);
  }

  /// On an exact array the readout answers as its numbers do; on a poor one it does not, and a
  /// model on a device of one's own knows that device again.
  @Test
  void readsOutOnAnArrayAndKnowsItsDevice() throws Exception {
    Path map = folder.resolve("map.csv");
    Files.writeString(map, "12.5,0,14.1\n0,13.2,9.9\n");
    Path yaml = folder.resolve("mine.yaml");
    Files.writeString(
        yaml,
        "base: TaOx40nm\nfabricated: {type: measured, map: "
            + map
            + "}\nread: {type: wan2022, after: day}\nstuck_low: 0.01\nwire_ohms: 2\n"
            + "drift: {type: power-law, nu: 0.05, nu_sigma: 0.01, t0: 20}\nage_seconds: 3600\n");
    LiquidConfig config =
        SMALL
            .withDevice(yaml.toString())
            .withWiring(new Wiring.Distance(5, 3, .6))
            .withAdaptation(new Adaptation.Rising(.5, .9))
            .withThreshold(4);
    RecordingSet all = drawn(60);
    ReservoirModel model =
        ReservoirTrainer.train(
                all, config, Framing.NMNIST, new Engine.Sparse(), new Seeds(1), Progress.silent())
            .model();
    Path file = folder.resolve("mine.rsv");
    model.save(file);
    ReservoirModel loaded = ReservoirModel.load(file);
    assertThat(loaded.config()).isEqualTo(config);
    ReservoirTrainer.Evaluation digital =
        ReservoirTrainer.evaluate(loaded, all, new Engine.Sparse(), Progress.silent());
    assertThat(digital.accuracy()).isGreaterThan(.9);
    assertThat(answers(loaded, all, "exact", "TaOx40nm", true)).isEqualTo(digital.predicted());
    Path poor = folder.resolve("poor.yml");
    Files.writeString(
        poor,
        "programming: {type: additive, microsiemens: 40}\n"
            + "converters: {dac_bits: 4, bit_serial: true, adc_bits: 5, output_bound: 20}\n");
    int[] noisy = answers(loaded, all, "noisy", poor.toString(), false);
    assertThat(noisy).isNotEqualTo(digital.predicted());

    Files.writeString(map, "12.5,0,14.1\n0,13.2,9.8\n");
    assertThatThrownBy(() -> ReservoirModel.load(file)).hasMessageContaining("mine.yaml");
  }

  private static int[] answers(
      ReservoirModel model, RecordingSet set, String stream, String device, boolean exact) {
    DeviceModel memory = ArrayReadout.device(device);
    return ReservoirTrainer.evaluate(
            model,
            ArrayReadout.program(
                model.readout(), exact ? memory.noiseless() : memory, new Seeds(1).stream(stream)),
            set,
            new Engine.Sparse(),
            KeptEncodings.none(),
            Progress.silent())
        .predicted();
  }

  /// By hand: a projection of 200 counts to 64 makes 200 x 64 + 64 x 64 products, backward twice
  /// that; the networks through time (256 + 200) x 200 x 50 and (64 + 200) x 200 x 129 more.
  @Test
  void countsTheCostOfTrainingBothSenses() {
    double projections = 2 * (200 * 64 + 64 * 64);
    double networks = (256 + 200) * 200 * 50.0 + (64 + 200) * 200 * 129.0;
    TrainingCost kept = TrainingCost.projections(5000, false, 200, 200, 64, 10, 100);
    TrainingCost anew = TrainingCost.projections(5000, true, 200, 200, 64, 10, 100);
    TrainingCost through = TrainingCost.recurrentPair(256, 50, 64, 129, 200, 64, 10, 100);
    assertThat(kept.operations()).isEqualTo((3 * projections + 50) * 1000);
    assertThat(anew.operations()).isEqualTo((3 * projections + 5000) * 1000);
    assertThat(through.operations()).isEqualTo(3 * (projections + networks) * 1000);
    assertThat(kept.parameters()).isEqualTo(2 * (200 * 64 + 64 * 64 + 4 * 64));
    assertThat(through.parameters() - kept.parameters())
        .isEqualTo((256 + 200) * 200 + (64 + 200) * 200);
  }
}
