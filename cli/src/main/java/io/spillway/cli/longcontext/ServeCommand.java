package io.spillway.cli.longcontext;

import io.spillway.cli.SpillwayCommand;
import io.spillway.longcontext.LongContextModel;
import io.spillway.server.LongContextServer;
import io.spillway.server.ServerSettings;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `serve`: the OpenAI-compatible service.
@Command(
    name = "serve",
    description = "Serve OpenAI's API over one model with a fixed cache budget for each request.")
public final class ServeCommand extends SpillwayCommand {
  @Mixin private ModelOptions options = new ModelOptions();

  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description = "Address to listen on (default: ${DEFAULT-VALUE}).")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      defaultValue = "8080",
      description = "Port, 0 for any free one (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--api-key",
      description = "Key that clients send as bearer token (default: SPILLWAY_API_KEY, or none).")
  private @Nullable String apiKey;

  @Option(
      names = "--active",
      defaultValue = "16",
      description = "Answers that grow at the same time (default: ${DEFAULT-VALUE}).")
  private int active;

  @Option(
      names = "--queue",
      defaultValue = "64",
      description = "Requests that wait; more are refused with 429 (default: ${DEFAULT-VALUE}).")
  private int queue;

  @Option(
      names = "--max-body",
      defaultValue = "33554432",
      description = "Bytes of a request at most (default: ${DEFAULT-VALUE}).")
  private long maxBody;

  @Option(
      names = "--sessions",
      paramLabel = "DIR",
      description = "Folder in which stored contexts survive a restart (default: memory only).")
  private @Nullable Path sessions;

  @Override
  protected void execute() throws InterruptedException {
    String key = apiKey == null ? System.getenv("SPILLWAY_API_KEY") : apiKey;
    try (LongContextModel model = options.open()) {
      ServerSettings settings =
          new ServerSettings(
              host,
              port,
              Optional.ofNullable(key).filter(k -> !k.isEmpty()),
              active,
              queue,
              maxBody,
              Optional.ofNullable(sessions),
              options.chosenPolicy(),
              options.settings(model));
      LongContextServer server = LongContextServer.start(model, settings);
      System.out.println("spillway: serving http://" + host + ":" + server.port() + "/v1");
      CountDownLatch ended = new CountDownLatch(1);
      Thread hook =
          Thread.ofPlatform()
              .unstarted(() -> {
                server.close();
                ended.countDown();
              });
      Runtime.getRuntime().addShutdownHook(hook);
      ended.await();
    }
  }
}
