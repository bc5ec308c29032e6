package io.spillway.cli.diffusion;

import io.spillway.cli.DeviceOption;
import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.ImageModel;
import io.spillway.server.http.Listening;
import io.spillway.server.images.ImageServer;
import io.spillway.server.images.ImageServerSettings;
import io.spillway.tensor.ComputeDevice;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `diffuse serve`: images over HTTP.
@Command(
    name = "serve",
    description =
        "Serve images: POST /generate with JSON, answers as base64, PNG or server-sent events.")
public final class ServeImagesCommand extends SpillwayCommand {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--strategy",
      defaultValue = "single",
      description = "How --ranks threads share an image; default ${DEFAULT-VALUE}.")
  private String strategy = "single";

  @Mixin private DeviceOption device = new DeviceOption();

  @Option(
      names = "--type",
      defaultValue = "F32",
      description = "What the model computes in: F32, F16 or BF16; default ${DEFAULT-VALUE}.")
  private DiffuseCommand.Floating type = DiffuseCommand.Floating.F32;

  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description = "Address to listen on; default ${DEFAULT-VALUE}.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      defaultValue = "8081",
      description = "Port, 0 for any free one; default ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--api-key",
      description = "Key that clients send as bearer token; default SPILLWAY_API_KEY, or none.")
  private @Nullable String apiKey;

  @Option(
      names = "--queue",
      defaultValue = "16",
      description = "Requests that wait; more are refused with 429; default ${DEFAULT-VALUE}.")
  private int queue;

  @Option(
      names = "--most-images",
      defaultValue = "16",
      description = "Images of one request at most; default ${DEFAULT-VALUE}.")
  private int mostImages;

  @Option(
      names = "--largest-size",
      defaultValue = "2048",
      description = "Rows and columns in pixels at most; default ${DEFAULT-VALUE}.")
  private int largestSize;

  @Override
  protected void execute() throws InterruptedException {
    String key = apiKey == null ? System.getenv("SPILLWAY_API_KEY") : apiKey;
    ComputeDevice chosen = device.choose();
    try (ImageModel model = ImageModel.open(options.model, chosen, type.dtype())) {
      ImageServerSettings settings =
          new ImageServerSettings(
              new Listening(
                  host, port, Optional.ofNullable(key).filter(k -> !k.isEmpty()), 1 << 20),
              options.job(model, strategy, options.ranks),
              options.ranks,
              queue,
              mostImages,
              largestSize,
              options.seed);
      ImageServer server = ImageServer.start(model, settings);
      System.out.println("spillway: serving http://" + host + ":" + server.port() + "/generate");
      CountDownLatch ended = new CountDownLatch(1);
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(() -> {
                    server.close();
                    ended.countDown();
                  }));
      ended.await();
    }
  }
}
