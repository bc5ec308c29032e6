package io.spillway.ui;

import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Quality;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.parallel.StepPictures;
import io.spillway.diffusion.shapes.Png;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.EventStream;
import io.spillway.server.http.HttpService;
import io.spillway.tensor.Devices;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One picture by one device and by ranks that share it, and where they differ.
final class ImagesView implements View {
  private static final List<String> STRATEGIES =
      List.of(
          "distrifusion", "pcpp", "pcpp-pool", "turns", "naive", "ulysses", "ring", "pipefusion");

  private final TorchThread torch = new TorchThread("images");
  private @Nullable ImageModel loaded;

  @Override
  public void route(Routes routes) {
    routes.get(
        "images",
        (request, response) ->
            HttpService.json(
                response, Map.of("classes", Shape.labels(), "strategies", STRATEGIES)));
    routes.post("images", this::make);
  }

  private ImageModel model() {
    ImageModel model = loaded;
    if (model == null) {
      model = ImageModel.open("shapes-dit", Devices.cpu());
      loaded = model;
    }
    return model;
  }

  private void make(ServerRequest request, ServerResponse response) {
    JsonNode body = HttpService.body(request);
    int label = Shape.of(View.text(body, "class", "triangle")).ordinal();
    long seed = View.number(body, "seed", 1, 0, Integer.MAX_VALUE);
    int steps = View.number(body, "steps", 12, 2, 100);
    int ranks = View.number(body, "ranks", 4, 2, 8);
    String strategy = View.text(body, "strategy", "pcpp");
    double guidance = View.number(body, "guidance", 3, 1, 20);
    if (!STRATEGIES.contains(strategy)) {
      throw SpillwayException.badInput("strategy '%s' is none of %s", strategy, STRATEGIES);
    }
    Strategy shared = Strategy.named(strategy, ranks, 0.3, 4, Strategy.Sync.CORRECTED_ASYNC_GN);
    torch.call(() -> {
      ImageModel model = model();
      Images images = new Images(model, model.size(), new long[] {seed}, new int[] {label});
      Job alone = job(images, new Strategy.Single(), steps, guidance);
      Job together = job(images, shared, steps, guidance);
      alone.check(model.denoiser(), 1);
      together.check(model.denoiser(), ranks);
      try (EventStream stream = new EventStream(response)) {
        stream.event("steps", String.valueOf(2 * steps));
        Images.Made one = images.make(alone, 1, steps(stream, images));
        stream.event("one", Json.line(png(one.pixels(), model.size())));
        Images.Made many = images.make(together, ranks, steps(stream, images));
        stream.event("many", Json.line(png(many.pixels(), model.size())));
        stream.event(
            "done",
            Json.line(
                Map.of(
                    "psnr", Quality.psnr(many.pixels(), one.pixels(), 0, one.pixels().length),
                    "bytes",
                        many.ranks().stream()
                            .mapToLong(RankRenderer.Outcome::displacedReceived)
                            .max()
                            .orElse(0))));
      }
      return "";
    });
  }

  private static Job job(Images images, Strategy strategy, int steps, double guidance) {
    int warmup = Math.min(4, steps - 1);
    return new Job(
        strategy,
        false,
        warmup,
        steps,
        images.model().sampler(),
        guidance,
        images.rows(),
        images.rows());
  }

  /// Tells each step and shows the picture as far as it is drawn.
  private static StepPictures steps(EventStream stream, Images images) {
    return new StepPictures() {
      @Override
      public void accept(int step) {
        stream.event("step", "1");
      }

      @Override
      public void picture(int step, float[] image) {
        stream.event("preview", Json.line(png(images.pixels(image), images.size())));
      }
    };
  }

  private static String png(float[] pixels, int size) {
    return Base64.getEncoder()
        .encodeToString(Png.encode(Png.image(pixels, 0, size, size), Map.of()));
  }

  @Override
  public void close() {
    torch.call(() -> {
      ImageModel model = loaded;
      if (model != null) {
        model.close();
      }
      return "";
    });
    torch.close();
  }
}
