package io.spillway.cli.house;

import io.spillway.cli.SpillwayCommand;
import io.spillway.ui.UiServer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `ui`: the web page.
@Command(
    name = "ui",
    description = "Serve the web page: runs, planner, simulator, chat, images, events.")
public final class UiCommand extends SpillwayCommand {
  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on; any but loopback wants --token (default: ${DEFAULT-VALUE}).")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      defaultValue = "8090",
      description = "Port, 0 for any free one (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--token",
      description =
          "What every call must bring, at least 16 characters; open the page with ?token=... once"
              + " (default: SPILLWAY_UI_TOKEN, or none).")
  private @Nullable String token;

  @Option(
      names = "--runs",
      paramLabel = "DIR",
      description = "Folder of run records (default: SPILLWAY_RUNS, or runs).")
  private @Nullable Path runs;

  @Override
  protected void execute() throws InterruptedException {
    String given = token == null ? System.getenv("SPILLWAY_UI_TOKEN") : token;
    try (UiServer server =
        UiServer.start(
            host,
            port,
            Optional.ofNullable(given).filter(t -> !t.isEmpty()),
            runs == null ? runsFolder() : runs)) {
      System.out.println("spillway: open http://" + host + ":" + server.port() + "/");
      CountDownLatch ended = new CountDownLatch(1);
      Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(ended::countDown));
      ended.await();
    }
  }
}
