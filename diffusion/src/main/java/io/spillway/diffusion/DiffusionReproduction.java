package io.spillway.diffusion;

import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.parallel.WireBytes;
import io.spillway.diffusion.plan.LatencyPlan;
import io.spillway.diffusion.plan.Workload;
import io.spillway.platform.Progress;
import io.spillway.report.Claim;
import io.spillway.report.Claim.Better;
import io.spillway.report.Claim.Finding;
import io.spillway.report.Claim.Published;
import io.spillway.report.Reproduction;
import io.spillway.tensor.Devices;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What PCPP and DistriFusion claim on A100s with SDXL: bytes by shapes and counted, quality on the
/// model that comes along, latency as predicted.
public final class DiffusionReproduction implements Reproduction {
  /// Images at once: the ranks are threads, and each holds its own activations.
  private static final int BATCH = 8;

  private static final Strategy DISTRIFUSION =
      new Strategy.DistriFusion(Strategy.Sync.CORRECTED_ASYNC_GN, false);
  private static final Strategy PCPP = new Strategy.Pcpp(0.3, 0, false);
  private static final Strategy NAIVE = new Strategy.NaivePatches();
  private static final String OWN =
      "shapes-dit (4.3 million parameters, 64 px) for SDXL at 1024 px, 25 steps, warm-up 4";

  @Override
  public String system() {
    return "diffusion";
  }

  @Override
  public String paper() {
    return "Partially Conditioned Patch Parallelism for Accelerated Diffusion Model Inference (2024)";
  }

  @Override
  public List<Claim> claims() {
    return List.of(
        new Claim(
            "bytes-counted",
            "PCPP moves far fewer bytes than DistriFusion",
            Published.of(70, "% fewer", Better.HIGHER, "about 70 % in the paper"),
            "shapes-dit on 8 ranks, counted by the exchange in a displaced step",
            DiffusionReproduction::bytesCounted),
        new Claim(
            "bytes-sdxl",
            "the same on SDXL's shapes",
            Published.of(70, "% fewer", Better.HIGHER, "about 70 % in the paper"),
            "SDXL at 3840 px on 8 ranks, half precision; from shapes, which tests hold against the"
                + " exchange",
            DiffusionReproduction::bytesOfSdxl),
        quality(2, 24.6, DISTRIFUSION, ""),
        quality(4, 23.0, DISTRIFUSION, ""),
        quality(2, 14.0, NAIVE, "-naive"),
        new Claim(
            "latency-8",
            "DistriFusion draws SDXL at 1024 px in 1.77 s on 8 A100",
            new Published(1.77, 1.77, "s", Better.NEAR, 0.10, "DistriFusion, 50 steps"),
            "predicted from its one-device and no-communication figures and a 200 GB/s link",
            DiffusionReproduction::latency),
        new Claim(
            "speedup-8",
            "PCPP is up to 8 times as fast on 8 A100",
            Published.of(8.02, "x", Better.HIGHER, "SDXL at 3840 px, 8 x A100"),
            "no GPU is used by this command",
            _ ->
                new Finding.NotMeasurable(
                    "it needs 8 GPUs of one host: bench/gpu/diffusion.sh takes as many as there"
                        + " are")));
  }

  private static Claim quality(int ranks, double published, Strategy strategy, String suffix) {
    return new Claim(
        "quality-" + ranks + suffix,
        strategy.label() + " on " + ranks + " devices draws nearly what one draws",
        Published.of(published, "dB", Better.HIGHER, "DistriFusion, SDXL 1024 px, COCO"),
        OWN,
        s -> psnr(s, strategy, ranks));
  }

  private static Job job(Images images, Strategy strategy, int steps, int warmup) {
    return new Job(
        strategy, false, warmup, steps, images.model().sampler(), 3, images.rows(), images.rows());
  }

  private static Images images(
      ImageModel model, Reproduction.Setting setting, int from, int count) {
    long[] noise = new long[count];
    int[] classes = new int[count];
    for (int i = 0; i < count; i++) {
      noise[i] = setting.seeds().seed() + from + i;
      classes[i] = Comparison.label(from + i);
    }
    return new Images(model, model.size(), noise, classes);
  }

  private static Finding bytesCounted(Reproduction.Setting setting) {
    try (ImageModel model = ImageModel.open("shapes-dit", Devices.cpu());
        Progress.Task task = setting.progress().start("diffuse", 8)) {
      Images images = images(model, setting, 0, 1);
      long[] received = new long[2];
      for (int i = 0; i < 2; i++) {
        received[i] =
            images.make(job(images, i == 0 ? DISTRIFUSION : PCPP, 4, 1), 8, task).ranks().stream()
                .mapToLong(RankRenderer.Outcome::displacedReceived)
                .max()
                .orElseThrow();
      }
      return fewer(received[1], received[0]);
    }
  }

  private static Finding bytesOfSdxl(Reproduction.Setting setting) {
    Workload w = Workload.of("sdxl", 3840);
    return fewer(
        new WireBytes(PCPP, 8, 1, 1, 2).mostReceived(w.sites()),
        new WireBytes(DISTRIFUSION, 8, 1, 1, 2).mostReceived(w.sites()));
  }

  private static Finding fewer(long pcpp, long whole) {
    return Finding.Measured.exact(
        100.0 * (whole - pcpp) / whole, Map.of("pcpp_bytes", pcpp, "distrifusion_bytes", whole));
  }

  private static Finding psnr(Reproduction.Setting setting, Strategy strategy, int ranks) {
    int count = setting.choose(BATCH, 8 * BATCH);
    double[] db = new double[count];
    try (ImageModel model = ImageModel.open("shapes-dit", Devices.cpu());
        Progress.Task task = setting.progress().start("diffuse", 50L * count / BATCH)) {
      for (int from = 0; from < count; from += BATCH) {
        Images images = images(model, setting, from, BATCH);
        float[] one = images.make(job(images, new Strategy.Single(), 25, 4), 1, task).pixels();
        float[] many = images.make(job(images, strategy, 25, 4), ranks, task).pixels();
        int each = one.length / BATCH;
        for (int i = 0; i < BATCH; i++) {
          db[from + i] = Quality.psnr(many, one, i * each, each);
        }
      }
    }
    return Finding.Measured.mean(db, "pictures", Map.of());
  }

  private static Finding latency(Reproduction.Setting setting) {
    // published: 5.02 s for 50 steps alone; 8 GPUs without communication 1.48 s
    double floor = (8 * 1.48 - 5.02) / 7 / 50;
    LatencyPlan plan =
        new LatencyPlan(
            Workload.of("sdxl", 1024), 5.02 / 50, floor, 0.1, new LatencyPlan.Link(20e-6, 200e9));
    Map<String, Object> figures = new LinkedHashMap<>();
    for (int n : new int[] {2, 4}) {
      figures.put("seconds on " + n, plan.predict(DISTRIFUSION, n, 50, 4, 2).seconds());
    }
    return Finding.Measured.exact(plan.predict(DISTRIFUSION, 8, 50, 4, 2).seconds(), figures);
  }
}
