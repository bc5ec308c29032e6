package io.spillway.reservoir;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.TextTable;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.HummedDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.energy.EnergyModel;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.view.Pictures;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// Digits recognised from events and words from sound, on material that our own generators make.
public final class ReservoirDemonstration implements Demonstration {
  private static final Engine ENGINE = new Engine.Sparse();
  private static final int TRAIN = 16;
  private static final int TEST = 6;

  @Override
  public String system() {
    return "reservoir";
  }

  @Override
  public String task() {
    return "recognise drawn digits from camera events and hummed words from cochlea spikes";
  }

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    RecordingSet drawn =
        set(
            "drawn digits",
            i ->
                Saccades.record(
                    DrawnDigits.draw(i % 10, seeds.stream("hand", i)),
                    PixelModel.NMNIST,
                    seeds.stream("camera", i)));
    RecordingSet hummed =
        set(
            "hummed words",
            i -> Cochlea.NTIDIGITS.listen(HummedDigits.speak(i % 10, seeds.stream("voice", i))));
    ReservoirModel eye =
        train(drawn, LiquidConfig.LOCAL_NMNIST.withNeurons(400), Framing.NMNIST, seeds, progress);
    ReservoirModel ear =
        train(
            hummed,
            LiquidConfig.DENSE_SOUND.withNeurons(300).withSegments(4),
            Framing.TIDIGITS,
            seeds,
            progress);
    int[] kept = IntStream.range(10 * TRAIN, 10 * (TRAIN + TEST)).toArray();
    double seen = ReservoirTrainer.evaluate(eye, drawn.select(kept), ENGINE, progress).accuracy();
    double heard = ReservoirTrainer.evaluate(ear, hummed.select(kept), ENGINE, progress).accuracy();
    EventRecording sample = drawn.read(10 * TRAIN + 3);
    LiquidResponse response = eye.liquid().run(Framing.NMNIST.frames(sample), 3);
    EnergyModel.Report energy =
        EnergyModel.PUBLISHED.of(
            eye.config(), Framing.NMNIST.inputs(), Framing.NMNIST.steps(), 10, response);
    page.table(
        new TextTable("sense", "recordings", "trained on", "recognised", "chance")
            .row("eye", 10 * TEST, 10 * TRAIN, percent(seen), "10.0 %")
            .row("ear", 10 * TEST, 10 * TRAIN, percent(heard), "10.0 %"));
    page.image(
        Pictures.gifBytes(Pictures.eventFrames(sample, 10_000)),
        "image/gif",
        "A drawn 3 as the event camera sees it: brighter and darker, 10 ms a frame");
    page.image(
        Pictures.pngBytes(Pictures.raster(eye.liquid(), Framing.NMNIST.frames(sample), 3)),
        "image/png",
        "Input spikes above, spikes of the 400 neurons below");
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("eye_accuracy", seen);
    figures.put("ear_accuracy", heard);
    figures.put("array_nanojoules", energy.groupArray() + energy.groupProjection());
    figures.put("digital_nanojoules", energy.groupDigital());
    return new Outcome(
        String.format(
            Locale.ROOT,
            "%s of %d drawn digits and %s of %d hummed words recognised",
            percent(seen),
            10 * TEST,
            percent(heard),
            10 * TEST),
        String.format(
            Locale.ROOT,
            "chance 10 %%; %.0f nJ a digit on the array, %.0f nJ dense on a GPU by the group's"
                + " accounting",
            energy.groupArray() + energy.groupProjection(),
            energy.groupDigital()),
        figures);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  private static RecordingSet set(String name, IntFunction<EventRecording> reader) {
    int n = 10 * (TRAIN + TEST);
    return RecordingSet.of(
        Path.of(name),
        IntStream.range(0, n).mapToObj(i -> name + " " + i).toList(),
        IntStream.range(0, n).mapToObj(i -> Integer.toString(i % 10)).toList(),
        reader);
  }

  private static ReservoirModel train(
      RecordingSet all, LiquidConfig config, Framing framing, Seeds seeds, Progress progress) {
    RecordingSet part = all.select(IntStream.range(0, 10 * TRAIN).toArray());
    return ReservoirTrainer.train(
            part, config.withSeed(seeds.seed()), framing, ENGINE, seeds, progress)
        .model();
  }
}
