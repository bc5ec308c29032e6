import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.liquid.TorchLiquid;
import io.spillway.reservoir.liquid.Wiring;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The liquid in batches on a device beside the sparse engine on the cores, on the same recordings: whether
/// the spikes agree, and events a second (reservoir.sh starts it).
///
/// Arguments: the JSON to write, the device, how many recordings, and a folder of N-MNIST recordings; without
/// the folder digits are drawn.
public final class ReservoirGpu {
  private ReservoirGpu() {}

  public static void main(String[] a) {
    ComputeDevice device = Devices.choose(a[1]);
    int n = Integer.parseInt(a[2]);
    SpikeFrames[] frames = new SpikeFrames[n];
    long[] events = new long[n];
    RecordingSet set = a.length > 3 ? RecordingSet.open(Path.of(a[3])) : null;
    Encoder.parallel(
        n,
        i -> {
          var recording =
              set != null
                  ? set.read(i % set.size())
                  : Saccades.record(
                      DrawnDigits.draw(i % 10, new Seeds(1).stream("draw", i)),
                      PixelModel.NMNIST,
                      new Seeds(1).stream("saccades", i));
          events[i] = recording.size();
          frames[i] = Framing.NMNIST.frames(recording);
        });
    double millions = Arrays.stream(events).sum() / 1e6;
    List<Map<String, Object>> rows = new ArrayList<>();
    LiquidConfig local = LiquidConfig.LOCAL_NMNIST;
    LiquidConfig dense = local.withWiring(new Wiring.Dense()).withScales(.03, .03).withNeurons(1000);
    for (LiquidConfig config : new LiquidConfig[] {local.withNoise(false), local, dense}) {
      rows.add(row(config, device, frames, millions));
      System.out.println(Json.line(rows.getLast()));
    }
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("device", device.toString());
    out.put("recordings", n);
    out.put("events", millions * 1e6);
    out.put("source", set == null ? "drawn digits" : "N-MNIST");
    out.put("rows", rows);
    AtomicFiles.writeString(Path.of(a[0]), Json.write(out));
  }

  private static Map<String, Object> row(
      LiquidConfig config, ComputeDevice device, SpikeFrames[] frames, double millions) {
    Liquid liquid = new Liquid(config, Framing.NMNIST);
    LiquidResponse[] sparse = new LiquidResponse[frames.length];
    LiquidResponse[] batched = new LiquidResponse[frames.length];
    double[] onCores = new double[3];
    double[] onDevice = new double[3];
    int batch;
    try (TorchLiquid torch = liquid.on(device)) {
      batch = torch.batch();
      for (int turn = -1; turn < 3; turn++) {
        long begin = System.nanoTime();
        Encoder.parallel(frames.length, i -> sparse[i] = liquid.run(frames[i], i));
        long middle = System.nanoTime();
        for (int from = 0; from < frames.length; from += batch) {
          int to = Math.min(frames.length, from + batch);
          List<LiquidResponse> answers = torch.run(Arrays.asList(frames).subList(from, to), from);
          for (int k = from; k < to; k++) {
            batched[k] = answers.get(k - from);
          }
        }
        long end = System.nanoTime();
        if (turn >= 0) {
          onCores[turn] = millions / ((middle - begin) / 1e9);
          onDevice[turn] = millions / ((end - middle) / 1e9);
        }
      }
    }
    double apart = 0;
    double spikes = 0;
    int same = 0;
    for (int i = 0; i < frames.length; i++) {
      same += Arrays.equals(sparse[i].counts(), batched[i].counts()) ? 1 : 0;
      spikes += sparse[i].spikes();
      for (int j = 0; j < sparse[i].counts().length; j++) {
        apart += Math.abs(sparse[i].counts()[j] - batched[i].counts()[j]);
      }
    }
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("wiring", config.wiring().toString());
    out.put("neurons", config.neurons());
    out.put("noise", config.noise());
    out.put("batch", batch);
    out.put("recordings_with_equal_counts", same / (double) frames.length);
    out.put("counts_apart_over_spikes", apart / spikes);
    out.put("cores_million_events_per_s", onCores);
    out.put("device_million_events_per_s", onDevice);
    return out;
  }
}
