package io.spillway.ui;

import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Hertz;
import io.spillway.server.http.EventStream;
import io.spillway.server.http.HttpService;
import io.spillway.simulator.Workloads;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Runs a workload on a system at several clock rates and streams each result as it ends.
final class SimulatorView implements View {
  private static final int MOST_POINTS = 40;

  @Override
  public void route(Routes routes) {
    routes.get(
        "simulator",
        (request, response) ->
            HttpService.json(
                response, Map.of("programs", Workloads.NAMES, "systems", SystemFiles.NAMES)));
    routes.post("simulator", this::run);
  }

  private void run(ServerRequest request, ServerResponse response) {
    JsonNode body = HttpService.body(request);
    String program = View.text(body, "program", "");
    ElfImage image = ElfImage.parse(Path.of(program), Workloads.read(program));
    List<SystemDescription> points = new ArrayList<>();
    for (String system : View.text(body, "systems", "").split(",")) {
      if (!SystemFiles.NAMES.contains(system)) {
        throw SpillwayException.badInput("system '%s' is none of %s", system, SystemFiles.NAMES);
      }
      for (String clock : View.text(body, "clocks", "4GHz").split(",")) {
        points.add(SystemFiles.load(system).at(Hertz.parse(clock)));
      }
    }
    if (points.size() > MOST_POINTS) {
      throw SpillwayException.badInput(
          "%d points are asked for, at most %d run here; use simulate sweep",
          points.size(), MOST_POINTS);
    }
    try (EventStream stream = new EventStream(response)) {
      stream.event("points", String.valueOf(points.size()));
      for (SystemDescription system : points) {
        ProcessOptions process =
            ProcessOptions.of(program, "S")
                .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        try (Machine machine = Machine.load(image, process)) {
          TimingResult result = new TimingRun(system, machine).run(TimingRun.Window.ALL);
          stream.event("result", Json.line(result));
        }
      }
      stream.event("done", "{}");
    }
  }
}
